"""The file metrics.jsonl: one JSON object a line, appended while training.

A process can be killed while it writes a line. A last line without its end is therefore no damage: it is left
out when reading and removed before the next line is written.
"""

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from openbook.runs.atomic import atomic_write, write_error, write_fully
from openbook.runs.strict_json import parse_object, read_content, to_json

__all__ = ["append_row", "read_rows", "truncate_rows"]

# A row is far shorter; the torn end of a file is looked for in this many bytes at a time.
_BLOCK_BYTES = 65536


def append_row(path: Path, row: Mapping[str, object]) -> None:
    """Appends one row.

    Raises:
        RunError: the disk is full or the file cannot be written; the rows before are intact.
    """
    line = to_json(row).encode() + b"\n"
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666)
        try:
            end = _end_of_whole_lines(descriptor)
            if end < os.fstat(descriptor).st_size:
                os.ftruncate(descriptor, end)
            os.lseek(descriptor, end, os.SEEK_SET)
            try:
                write_fully(descriptor, line)
            except OSError:
                # Half a line after a full disk would hide the row that comes after it.
                with contextlib.suppress(OSError):
                    os.ftruncate(descriptor, end)
                raise
        finally:
            os.close(descriptor)
    except OSError as error:
        raise write_error(path, error) from error


def read_rows(path: Path) -> list[dict[str, Any]]:
    """All rows, without a torn last line.

    Raises:
        RunError: the file is missing, or a line that is not the torn last one is no JSON object.
    """
    content = read_content(path)
    whole_lines = content[: content.rfind(b"\n") + 1].split(b"\n")
    return [
        parse_object(line, origin=f"{path}, line {number}")
        for number, line in enumerate(whole_lines, start=1)
        if line.strip()
    ]


def truncate_rows(path: Path, *, after_step: int) -> None:
    """Drops the rows whose "step" is above `after_step`, and a torn last line; others stay."""
    rows = [row for row in read_rows(path) if not _is_after(row, after_step)]
    atomic_write(path, "".join(to_json(row) + "\n" for row in rows))


def _is_after(row: Mapping[str, Any], step: int) -> bool:
    row_step = row.get("step")
    return isinstance(row_step, int | float) and row_step > step


def _end_of_whole_lines(descriptor: int) -> int:
    """The file position after the last line end; 0 when there is none."""
    end = os.fstat(descriptor).st_size
    while end > 0:
        start = max(0, end - _BLOCK_BYTES)
        os.lseek(descriptor, start, os.SEEK_SET)
        block = os.read(descriptor, end - start)
        found = block.rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0
