"""The reader's notes on a run: notes.jsonl in its folder, one note a line, which travels with the run.

Two terminals may write at once: a lock of its own makes one wait for the other. A note that a crash cut off is
left out.
"""

import dataclasses
import math
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from openbook.errors import RunError, UsageError
from openbook.runs.atomic import write_error
from openbook.runs.manifest import NOTES_NAME
from openbook.runs.metrics import append_row, read_rows
from openbook.runs.record import parse_time
from openbook.runs.run import Run

__all__ = ["Note", "add_note", "read_notes"]

_LOCK_NAME = ".notes-lock"
_PATIENCE_S = 10.0
_MAX_LENGTH = 20_000
# A note of more is a slip of the keyboard.
_MAX_HOURS = 1000.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class Note:
    """What somebody wrote about a run.

    Attributes:
        hours: time spent, beside the machine's; None where nothing was said.
    """

    time: datetime
    text: str
    hours: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """As it stands in notes.jsonl."""
        return {"time": self.time.isoformat(timespec="seconds"), "text": self.text, "hours": self.hours}


def add_note(run: Run, text: str, *, hours: float | None = None) -> Note:
    """Append a note to a run, whatever its state; a complete one stays complete.

    Raises:
        UsageError: there is nothing to write, or too much.
        RunError: the folder cannot be written.
    """
    if not text.strip() and hours is None:
        raise UsageError('a note needs words, or hours: openbook note RUN "what was found" --hours 1.5')
    if len(text) > _MAX_LENGTH:
        raise UsageError(
            f"a note may have {_MAX_LENGTH:,} characters, this one has {len(text):,}. Write the rest into "
            f"journal.md"
        )
    if hours is not None and not (math.isfinite(hours) and 0 <= hours <= _MAX_HOURS):
        raise UsageError(f"--hours must lie between 0 and {_MAX_HOURS:,.0f}, not {hours:g}")
    note = Note(time=datetime.now(UTC), text=text.strip(), hours=hours)
    with _lock(run.path):
        append_row(run.path / NOTES_NAME, note.to_dict())
    return note


def read_notes(run: Run) -> list[Note]:
    """All notes, the oldest first.

    Raises:
        RunError: the file is damaged.
    """
    path = run.path / NOTES_NAME
    if not path.exists():
        return []
    return [_note(row, path) for row in read_rows(path)]


def _note(row: dict[str, Any], path: Path) -> Note:
    hours = row.get("hours")
    is_number = isinstance(hours, int | float) and not isinstance(hours, bool)
    try:
        return Note(
            time=parse_time(row["time"]),
            text=str(row.get("text") or ""),
            hours=float(hours) if isinstance(hours, int | float) and is_number else None,
        )
    except (KeyError, ValueError, OverflowError) as error:
        raise RunError(
            f"{path}: holds a note without a time; the file was changed by hand. Mend or remove that line"
        ) from error


@contextmanager
def _lock(folder: Path) -> Iterator[None]:
    from filelock import FileLock, Timeout

    lock = FileLock(folder / _LOCK_NAME, timeout=_PATIENCE_S)
    try:
        lock.acquire(poll_interval=0.02)
    except Timeout as error:
        raise RunError(
            f"{folder / NOTES_NAME}: another openbook has been writing a note for {_PATIENCE_S:.0f} s. Try again"
        ) from error
    except OSError as error:
        raise write_error(folder / NOTES_NAME, error) from error
    try:
        yield
    finally:
        lock.release()
