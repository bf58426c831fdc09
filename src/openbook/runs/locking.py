"""The lock of a run: one process trains in it at a time.

The operating system holds the lock and gives it back when the process ends, also by SIGKILL, so there is no
stale lock to recover from. What stands in the holder file only serves the message for whoever comes second.
"""

import contextlib
import os
import platform
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from openbook.errors import RunError
from openbook.runs.atomic import remove_leftovers, write_error
from openbook.runs.strict_json import read_object, to_json

__all__ = ["LOCK_NAME", "hold_lock", "is_locked"]

LOCK_NAME = ".lock"
_HOLDER_NAME = ".lock-holder.json"
# Somebody who only looks whether the run is locked holds the lock for an instant; that must not stop a
# training.
_PATIENCE_S = 1.0


@contextlib.contextmanager
def hold_lock(folder: Path) -> Iterator[None]:
    """Holds the run's lock and clears away what a killed process left half written.

    Raises:
        RunError: another process holds it, or the folder cannot be written.
    """
    from filelock import FileLock, Timeout

    if not folder.is_dir():  # FileLock would make the folder anew
        raise RunError(f"{folder}: this run is gone; it was moved or deleted. `openbook runs` lists the runs")
    lock = FileLock(folder / LOCK_NAME, timeout=_PATIENCE_S)
    try:
        lock.acquire(poll_interval=0.05)
    except Timeout as error:
        raise RunError(
            f"{folder}: this run is being trained{_holder(folder)}. Wait until it ends, or stop it with "
            f"Ctrl-C there, "
            f"then try again"
        ) from error
    except OSError as error:
        raise write_error(folder / LOCK_NAME, error) from error
    try:
        remove_leftovers(folder)
        with contextlib.suppress(OSError):
            (folder / _HOLDER_NAME).write_text(to_json(_this_process()), encoding="utf-8")
        yield
    finally:
        with contextlib.suppress(OSError):
            (folder / _HOLDER_NAME).unlink(missing_ok=True)
        lock.release()


def is_locked(folder: Path) -> bool:
    """Whether a process trains in this run now; False where that cannot be tried, as on a read-only disk."""
    if not (folder / LOCK_NAME).exists():
        return False
    from filelock import FileLock, Timeout

    lock = FileLock(folder / LOCK_NAME, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        return True
    except OSError:
        return False
    lock.release()
    return False


def _this_process() -> dict[str, object]:
    return {
        "process": os.getpid(),
        "machine": platform.node(),
        "since": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _holder(folder: Path) -> str:
    try:
        holder = read_object(folder / _HOLDER_NAME)
    except RunError:
        return " by another process"
    return f" by process {holder.get('process')} on {holder.get('machine')}, since {holder.get('since')}"
