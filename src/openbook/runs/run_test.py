"""Tests of the run folder: creation, completion, damage, copies."""

import errno
import json
import os
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from openbook.errors import RunError, UsageError
from openbook.runs import Run

SCORE = {"bits_per_byte": 2.1, "perplexity": 60.5, "accuracy": 0.31, "loss": 4.1}


def make_complete(parent: Path, **fields: object) -> Run:
    record = {"settings": {"size": "tiny"}, "settings_default": {"size": "small"}, "seed": 1, **fields}
    run = Run.create(recipe="text-generator", record=record, parent=parent)
    run.append_metrics({"step": 10, "train_s": 1.5, "loss": 5.0})
    run.append_metrics({"step": 20, "train_s": 3.0, "held_out": SCORE})
    run.model_path.write_bytes(bytes(range(256)) * 400)
    (run.path / "tokenizer.json").write_text("{}")
    (run.checkpoints / "latest").write_bytes(b"checkpoint")
    (run.samples_folder / "final-1.txt").write_text("This movie …", encoding="utf-8")
    run.update(score=SCORE, actual={"train_s": 3.0, "total_s": 5.0, "steps": 20}, kept="last")
    run.complete()
    return run


def fail_to_write(monkeypatch: pytest.MonkeyPatch, code: int = errno.ENOSPC) -> None:
    def refuse(descriptor: int, data: bytes) -> int:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "write", refuse)


def test_new_run_is_found_on_disk_as_it_was_made(tmp_path: Path) -> None:
    before = datetime.now(UTC)
    run = Run.create(
        recipe="text-generator", record={"seed": 7, "settings": {"a": 1}}, parent=tmp_path / "runs"
    )
    assert run.path == tmp_path / "runs" / "text-generator-1"
    opened = Run.open(run.path)
    assert opened.name == "text-generator-1"
    assert opened.recipe == "text-generator"
    assert opened.record["seed"] == 7
    assert opened.record["schema_version"] == 1
    assert opened.section("settings") == {"a": 1}
    assert opened.section("score") == {}
    assert before <= opened.created <= datetime.now(UTC)
    assert opened.record["created"].endswith("+00:00")
    assert opened.section("versions")["numpy"]
    assert opened.section("machine")["num_cores"] >= 1
    assert opened.metrics() == []
    assert opened.checkpoints.is_dir()
    assert opened.samples_folder.is_dir()
    assert not opened.is_complete
    assert sorted(path.name for path in run.path.parent.iterdir()) == ["text-generator-1"]


def test_names_count_up_and_can_be_chosen(tmp_path: Path) -> None:
    names = [Run.create(recipe="gan", record={}, parent=tmp_path).name for _ in range(3)]
    assert names == ["gan-1", "gan-2", "gan-3"]
    assert Run.create(recipe="gan", record={}, parent=tmp_path, name="my best").name == "my best"
    with pytest.raises(UsageError, match=r"exists already\. Choose another name.*--resume my best"):
        Run.create(recipe="gan", record={}, parent=tmp_path, name="my best")
    with pytest.raises(UsageError, match="cannot be called"):
        Run.create(recipe="gan", record={}, parent=tmp_path, name="../outside")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["gan-1", "gan-2", "gan-3", "my best"]


def test_empty_folder_of_the_user_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    with pytest.raises(UsageError, match="exists already"):
        Run.create(recipe="gan", record={}, parent=tmp_path, name="mine")
    assert not list((tmp_path / "mine").iterdir())


def test_runs_made_at_once_get_different_names(tmp_path: Path) -> None:
    names: list[str] = []

    def create() -> None:
        for _ in range(5):
            names.append(Run.create(recipe="gan", record={}, parent=tmp_path).name)

    threads = [threading.Thread(target=create) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(names) == sorted(f"gan-{number}" for number in range(1, 21))


def test_run_that_cannot_be_created_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fail_to_write(monkeypatch)
    with pytest.raises(RunError, match="runs/gan: no space left"):
        Run.create(recipe="gan", record={"seed": 1}, parent=tmp_path / "runs")
    monkeypatch.undo()
    assert not list((tmp_path / "runs").iterdir())
    with pytest.raises(UsageError, match="expected a status"):
        Run.create(recipe="gan", record={"status": "done"}, parent=tmp_path / "runs")
    assert not list((tmp_path / "runs").iterdir())


def test_file_in_place_of_the_runs_folder_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("")
    for parent in (tmp_path / "runs", tmp_path / "runs" / "below"):
        with pytest.raises(RunError, match="expected a folder to hold the runs, got a file"):
            Run.create(recipe="gan", record={}, parent=parent)


def test_folder_that_cannot_be_written_is_a_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Path, *arguments: object, **options: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(RunError, match=r"cannot be written \(Read-only file system\)"):
        Run.create(recipe="gan", record={}, parent=tmp_path)


def test_abandoned_folders_are_cleared_away_when_they_are_old(tmp_path: Path) -> None:
    for name, age_s in ((".creating-old", 7200), (".creating-new", 10)):
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, (datetime.now().timestamp() - age_s,) * 2)
    Run.create(recipe="gan", record={}, parent=tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".creating-new", "gan-1"]


def test_update_replaces_fields_and_keeps_the_others_also_of_another_process(tmp_path: Path) -> None:
    run = Run.create(recipe="gan", record={"seed": 1}, parent=tmp_path)
    other = Run.open(run.path)
    other.update(seed=2)
    run.update(kept="best", score={"loss": float("nan")})
    assert Run.open(run.path).record["seed"] == 2
    assert run.record["kept"] == "best"
    assert run.section("score") == {"loss": None}


def test_record_cannot_be_changed_in_place(tmp_path: Path) -> None:
    run = Run.create(recipe="gan", record={}, parent=tmp_path)
    with pytest.raises(TypeError):
        run.record["seed"] = 3  # type: ignore[index]


def test_failed_update_keeps_the_old_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_complete(tmp_path)
    with pytest.raises(
        UsageError, match="expected a status of training, interrupted, complete, failed, got 'x'"
    ):
        run.update(status="x")
    fail_to_write(monkeypatch)
    with pytest.raises(RunError, match="no space left"):
        run.update(seed=99)
    monkeypatch.undo()
    opened = Run.open(run.path)
    assert opened.record["seed"] == 1
    assert opened.is_complete
    opened.verify()


def test_complete_run_has_a_manifest_of_everything_but_checkpoints(tmp_path: Path) -> None:
    run = make_complete(tmp_path)
    manifest = json.loads((run.path / "manifest.json").read_text())
    assert sorted(manifest["files"]) == [
        "metrics.jsonl",
        "model.keras",
        "run.json",
        "samples/final-1.txt",
        "tokenizer.json",
    ]
    assert manifest["files"]["tokenizer.json"] == {
        "size_bytes": 2,
        "sha256": "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
    }
    assert run.is_complete
    assert run.status == "complete"
    run.verify()
    Run.open(run.path).verify()


def test_complete_run_can_be_updated_and_stays_complete(tmp_path: Path) -> None:
    run = make_complete(tmp_path)
    run.update(forecast={"train_s": 3})
    opened = Run.open(run.path)
    assert opened.status == "complete"
    opened.verify()
    assert opened.record["forecast"] == {"train_s": 3}


def test_writing_metrics_or_a_new_status_opens_a_complete_run_again(tmp_path: Path) -> None:
    for change in (
        lambda run: run.update(status="training"),
        lambda run: run.append_metrics({"step": 30}),
        lambda run: run.truncate_metrics(after_step=10),
    ):
        run = make_complete(tmp_path)
        change(run)
        assert not run.is_complete
        assert Run.open(run.path).status == "interrupted"
        run.complete()
        Run.open(run.path).verify()


def test_update_does_not_hide_damage(tmp_path: Path) -> None:
    run = make_complete(tmp_path)
    (run.path / "tokenizer.json").write_text("{ }")
    run.update(seed=5)
    with pytest.raises(RunError, match=r"tokenizer\.json"):
        run.verify()


@pytest.mark.parametrize("failing_call", range(3))
def test_full_disk_while_closing_leaves_the_run_readable_and_closable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing_call: int
) -> None:
    run = make_complete(tmp_path)
    run.update(status="interrupted")
    real_write, num_calls = os.write, 0

    def fail_once(descriptor: int, data: bytes) -> int:
        nonlocal num_calls
        num_calls += 1
        if num_calls == failing_call + 1:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real_write(descriptor, data)

    monkeypatch.setattr(os, "write", fail_once)
    # Closing writes run.json and the manifest, in one call each.
    if failing_call < 2:
        with pytest.raises(RunError, match="no space left"):
            run.complete()
        assert Run.open(run.path).status == "interrupted"
    else:
        run.complete()
    monkeypatch.undo()
    run.complete()
    Run.open(run.path).verify()


@pytest.mark.parametrize("status", ["failed", "interrupted"])
def test_status_is_what_was_recorded_when_nothing_speaks_against_it(tmp_path: Path, status: str) -> None:
    run = Run.create(recipe="gan", record={}, parent=tmp_path)
    run.update(status=status)
    assert Run.open(run.path).status == status


def test_importing_runs_loads_no_heavy_library() -> None:
    code = (
        "import sys, openbook, openbook.runs\n"
        "heavy = {'keras', 'jax', 'polars', 'matplotlib', 'rich', 'numpy', 'psutil', 'filelock', 'typer'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout == "[]\n"
