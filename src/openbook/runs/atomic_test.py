"""Tests of atomic writing: full disk, read-only folder, kill in the middle."""

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from openbook.errors import RunError
from openbook.runs.atomic import atomic_replace, atomic_write, remove_leftovers


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_bytes_and_text_are_written_as_they_are(tmp_path: Path) -> None:
    assert atomic_write(tmp_path / "a", b"\x00\r\n") == tmp_path / "a"
    atomic_write(str(tmp_path / "b"), "naïve\n")
    assert (tmp_path / "a").read_bytes() == b"\x00\r\n"
    assert (tmp_path / "b").read_bytes() == "naïve\n".encode()
    assert names_in(tmp_path) == ["a", "b"]


def test_large_content_is_written_whole_when_the_system_takes_it_in_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real_write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: real_write(descriptor, bytes(data[:1000])))
    content = os.urandom(10_500)
    atomic_write(tmp_path / "a", content)
    assert (tmp_path / "a").read_bytes() == content


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_full_disk_is_a_clear_error_and_keeps_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    target = tmp_path / "run.json"
    atomic_write(target, "old")
    real_write, num_calls = os.write, 0

    def fill_up(descriptor: int, data: bytes) -> int:
        nonlocal num_calls
        num_calls += 1
        if num_calls > 1:
            raise OSError(code, os.strerror(code))
        return real_write(descriptor, bytes(data[:3]))

    monkeypatch.setattr(os, "write", fill_up)
    with pytest.raises(RunError, match=r"run\.json: no space left.*Free some space"):
        atomic_write(target, "new content")
    monkeypatch.undo()
    assert target.read_text() == "old"
    assert names_in(tmp_path) == ["run.json"]


def test_disk_that_is_full_only_when_synced_keeps_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "run.json"
    atomic_write(target, "old")

    def refuse(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(RunError, match="no space left"):
        atomic_write(target, "new")
    assert target.read_text() == "old"


def test_real_limit_on_file_size_is_a_clear_error(tmp_path: Path) -> None:
    # A limit of the kernel's, so the system really writes a part and then refuses.
    pytest.importorskip("resource")
    target = tmp_path / "model"
    atomic_write(target, b"old")
    code = (
        "import resource, sys\nresource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "from openbook.errors import RunError\nfrom openbook.runs.atomic import atomic_write\n"
        "try:\n    atomic_write(sys.argv[1], bytes(100_000))\nexcept RunError as error:\n    print(error)\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, str(target)],
        capture_output=True,
        text=True,
    )
    assert "no space left" in result.stdout, result.stderr
    assert target.read_bytes() == b"old"
    assert names_in(tmp_path) == ["model"]


@pytest.mark.parametrize("code", [errno.EROFS, errno.EACCES])
def test_read_only_folder_is_a_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    target = tmp_path / "run.json"
    atomic_write(target, "old")
    real_open = os.open

    def refuse(path: str | Path, flags: int, mode: int = 0o777) -> int:
        if flags & os.O_CREAT:
            raise OSError(code, os.strerror(code))
        return real_open(path, flags, mode)

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(RunError, match=r"run\.json: cannot be written.*Make the folder .* writable"):
        atomic_write(target, "new")
    assert target.read_text() == "old"


def test_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"a folder in this path does not exist\. Create .*gone"):
        atomic_write(tmp_path / "gone" / "run.json", "new")


def test_folder_in_place_of_the_file_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "run.json").mkdir()
    with pytest.raises(RunError, match=r"run\.json: cannot be written"):
        atomic_write(tmp_path / "run.json", "new")
    assert names_in(tmp_path) == ["run.json"]


def test_error_in_the_block_keeps_the_old_file_and_passes_on(tmp_path: Path) -> None:
    target = atomic_write(tmp_path / "model.keras", b"old")
    with pytest.raises(ZeroDivisionError), atomic_replace(target) as temporary:
        temporary.write_bytes(b"half")
        raise ZeroDivisionError
    assert target.read_bytes() == b"old"
    assert names_in(tmp_path) == ["model.keras"]


def test_full_disk_without_an_error_number_is_recognised(tmp_path: Path) -> None:
    # As HDF5 and safetensors tell it.
    with pytest.raises(RunError, match="no space left"), atomic_replace(tmp_path / "a") as temporary:
        temporary.write_bytes(b"half")
        raise OSError("write failed: error message = 'No space left on device'")


def test_temporary_name_keeps_the_ending(tmp_path: Path) -> None:
    with atomic_replace(tmp_path / "model.keras") as temporary:
        assert temporary.suffix == ".keras"
        assert temporary.parent == tmp_path
        assert temporary.name.startswith(".")
        temporary.write_bytes(b"new")
    assert (tmp_path / "model.keras").read_bytes() == b"new"


def test_reader_on_windows_only_delays_the_rename(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real_replace, num_calls = Path.replace, 0

    def busy_at_first(self: Path, target: Path) -> Path:
        nonlocal num_calls
        num_calls += 1
        if num_calls < 4:
            raise PermissionError(errno.EACCES, "in use")
        return real_replace(self, target)

    monkeypatch.setattr(Path, "replace", busy_at_first)
    atomic_write(tmp_path / "a", "new")
    assert (tmp_path / "a").read_text() == "new"


def test_kill_at_any_moment_leaves_old_or_new(tmp_path: Path) -> None:
    target = tmp_path / "state"
    contents = [bytes([65 + index]) * 300_000 for index in range(2)]
    atomic_write(target, contents[0])
    code = (
        "import sys, itertools\nfrom openbook.runs.atomic import atomic_write\n"
        "for index in itertools.count():\n"
        "    atomic_write(sys.argv[1], bytes([65 + index % 2]) * 300_000)\n"
        "    index == 1 and print('going', flush=True)\n"
    )
    for delay_s in (0.003, 0.011, 0.02, 0.037):
        writer = subprocess.Popen([sys.executable, "-c", code, str(target)], stdout=subprocess.PIPE)
        assert writer.stdout is not None
        writer.stdout.readline()
        time.sleep(delay_s)
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        writer.stdout.close()
        assert target.read_bytes() in contents
    remove_leftovers(tmp_path)
    assert names_in(tmp_path) == ["state"]


def test_leftovers_are_removed_in_sub_folders_and_nothing_else_is(tmp_path: Path) -> None:
    (tmp_path / "checkpoints").mkdir()
    for name in (".writing-12-a", "checkpoints/.writing-34-b"):
        (tmp_path / name).write_text("half")
    (tmp_path / "checkpoints" / "latest").write_text("whole")
    assert remove_leftovers(tmp_path) == 2
    assert names_in(tmp_path) == ["checkpoints"]
    assert names_in(tmp_path / "checkpoints") == ["latest"]
