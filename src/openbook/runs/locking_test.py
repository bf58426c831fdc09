"""Tests of the run's lock, with real processes."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from openbook.errors import RunError
from openbook.runs import Run
from openbook.runs.locking import is_locked

HOLD = (
    "import sys, time\nfrom openbook.runs import Run\n"
    "with Run.open(sys.argv[1]).lock():\n    print('held', flush=True)\n    time.sleep(60)\n"
)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run.create(recipe="text-generator", record={}, parent=tmp_path)


def hold(run: Run) -> "subprocess.Popen[str]":
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(run.path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def end(process: "subprocess.Popen[str]") -> None:
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert process.stdout is not None
    process.stdout.close()


def test_second_process_is_refused_with_the_holder_named_until_the_first_is_killed(run: Run) -> None:
    process = hold(run)
    try:
        assert run.status == "training"
        message = rf"is being trained by process {process.pid} on .*, since .*Wait until it ends"
        with pytest.raises(RunError, match=message), run.lock():
            pass
    finally:
        end(process)
    assert run.status == "interrupted"
    with run.lock():
        assert run.status == "training"
    assert run.status == "interrupted"


def test_second_lock_in_the_same_process_is_refused(run: Run) -> None:
    with run.lock(), pytest.raises(RunError, match="is being trained"), Run.open(run.path).lock():
        pass
    assert not is_locked(run.path)


def test_lock_is_given_back_after_an_error_and_can_be_taken_again(run: Run) -> None:
    with pytest.raises(ZeroDivisionError), run.lock():
        raise ZeroDivisionError
    with run.lock():
        pass
    assert not [path for path in run.path.iterdir() if "holder" in path.name]


def test_lock_clears_away_what_a_killed_process_left(run: Run) -> None:
    leftover = run.checkpoints / ".writing-12345678-latest"
    leftover.write_bytes(b"half")
    with run.lock():
        assert not leftover.exists()


def test_looking_at_a_run_does_not_disturb_it(run: Run) -> None:
    before = sorted(run.path.rglob("*"))
    assert not is_locked(run.path)
    assert run.status == "interrupted"
    assert sorted(run.path.rglob("*")) == before


def test_folder_that_is_gone_is_a_clear_error(run: Run) -> None:
    run.path.rename(run.path.with_name("moved"))
    with pytest.raises(RunError, match="this run is gone"), run.lock():
        pass
    assert not run.path.exists()
