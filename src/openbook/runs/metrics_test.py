"""Tests of metrics.jsonl: torn lines, full disk, going back."""

import errno
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openbook.errors import RunError
from openbook.runs.metrics import append_row, read_rows, truncate_rows

ROWS = [{"step": step, "train_s": step / 2, "loss": 3.0 - step / 100} for step in (10, 20, 30)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "metrics.jsonl"
    path.touch()
    for row in ROWS:
        append_row(path, row)
    return path


def test_rows_come_back_in_order(path: Path) -> None:
    assert read_rows(path) == ROWS


@settings(max_examples=30, deadline=None)
@given(cut=st.integers(min_value=0, max_value=10_000))
def test_file_cut_anywhere_gives_the_whole_rows_before_and_goes_on(
    cut: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("cut") / "metrics.jsonl"
    for row in ROWS:
        append_row(path, row)
    content = path.read_bytes()
    left = content[: cut % (len(content) + 1)]
    path.write_bytes(left)
    num_whole = left.count(b"\n")
    assert read_rows(path) == ROWS[:num_whole]
    append_row(path, {"step": 40})
    assert read_rows(path) == [*ROWS[:num_whole], {"step": 40}]


def test_torn_line_longer_than_a_block_is_removed(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b'{"text": "' + b"x" * 200_000)
    append_row(path, {"step": 40})
    assert read_rows(path) == [*ROWS, {"step": 40}]


def test_damage_before_the_last_line_is_named_with_its_line(path: Path) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + lines[1][:5] + b"\n" + lines[2])
    with pytest.raises(RunError, match=r"metrics\.jsonl, line 2"):
        read_rows(path)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"metrics\.jsonl: is missing"):
        read_rows(tmp_path / "metrics.jsonl")


def test_going_back_drops_later_rows_and_a_torn_line(path: Path) -> None:
    append_row(path, {"held_out": {"loss": 3.1}, "step": 20})
    append_row(path, {"note": "no step"})
    with path.open("ab") as file:
        file.write(b'{"step": 5')
    truncate_rows(path, after_step=20)
    assert read_rows(path) == [*ROWS[:2], {"held_out": {"loss": 3.1}, "step": 20}, {"note": "no step"}]
    truncate_rows(path, after_step=0)
    assert read_rows(path) == [{"note": "no step"}]


def test_full_disk_keeps_the_rows_before(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real_write, num_calls = os.write, 0

    def fill_up(descriptor: int, data: bytes) -> int:
        nonlocal num_calls
        num_calls += 1
        if num_calls > 1:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real_write(descriptor, bytes(data[:7]))

    before = path.read_bytes()
    monkeypatch.setattr(os, "write", fill_up)
    with pytest.raises(RunError, match=r"metrics\.jsonl: no space left"):
        append_row(path, {"step": 40, "loss": 1.0})
    monkeypatch.undo()
    assert path.read_bytes() == before
