"""Where openbook writes: the folders of runs and of cached data, and the terminal."""

import errno
import os
import shutil
import sys
import tempfile
from pathlib import Path

from openbook.doctor.check import Check
from openbook.runs import list_runs, runs_folder
from openbook.runs.readable import readable_size

__all__ = ["check_cache_folder", "check_runs_folder", "check_terminal", "folder_check"]

_LOW_DISK_BYTES = 2_000_000_000
_TOO_LITTLE_DISK_BYTES = 300_000_000
_MIN_COLUMNS = 60


def check_runs_folder() -> Check:
    """Whether runs can be written, and how much room there is for them."""
    folder = runs_folder()
    check = folder_check(folder, name="runs folder", variable="OPENBOOK_RUNS")
    if check.status == "fail":
        return check
    num_runs = len(list_runs(folder))
    return _with_more(check, f"{num_runs} run" + ("" if num_runs == 1 else "s"))


def check_cache_folder() -> Check:
    """Whether data can be kept, how much room there is for it, and how much is kept."""
    from openbook.data.cache import cache_folder

    folder = cache_folder()
    check = folder_check(folder, name="cache folder", variable="OPENBOOK_CACHE")
    if check.status == "fail":
        return check
    sizes = _sizes(folder)
    kept = ", ".join(f"{name} {readable_size(size)}" for name, size in sizes.items())
    return _with_more(check, f"holds {readable_size(sum(sizes.values()))}" + (f" ({kept})" if kept else ""))


def check_terminal() -> Check:
    """Whether text and small curves can be shown."""
    encoding = (sys.stdout.encoding or "ascii") if sys.stdout is not None else "none"
    columns = shutil.get_terminal_size().columns
    is_terminal = sys.stdout is not None and sys.stdout.isatty()
    found = f"{columns} columns, {encoding}" + ("" if is_terminal else ", output goes to a file or program")
    if not encoding.lower().replace("-", "").startswith("utf"):
        fix = "set PYTHONUTF8=1 before the command; without it some signs are missing"
        return Check(name="terminal", status="warn", found=found, fix=fix)
    if is_terminal and columns < _MIN_COLUMNS:
        fix = f"make the window at least {_MIN_COLUMNS} columns wide"
        return Check(name="terminal", status="warn", found=found, fix=fix)
    return Check(name="terminal", status="ok", found=found)


def folder_check(folder: Path, *, name: str, variable: str) -> Check:
    """Whether a folder, or the nearest one above it that exists, can be written and has room.

    `variable` is the environment variable that chooses another folder.
    """
    elsewhere = f"or choose another folder with {variable}"
    existing = _nearest_existing(folder)
    if not existing.is_dir():
        found, fix = f"{folder}: {existing} is a file, not a folder", f"move it away, {elsewhere}"
        return Check(name=name, status="fail", found=found, fix=fix)
    free_bytes = shutil.disk_usage(existing).free
    try:
        with tempfile.TemporaryFile(dir=existing) as file:
            file.write(b"openbook")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        found = f"{folder}: cannot be written ({error.strerror or error}), {readable_size(free_bytes)} free"
        is_full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        fix = f"free some space, {elsewhere}" if is_full else f"make {existing} writable, {elsewhere}"
        return Check(name=name, status="fail", found=found, fix=fix)
    state = "writable" if existing == folder else "does not exist yet, can be made"
    found = f"{folder}: {state}, {readable_size(free_bytes)} free"
    if free_bytes < _TOO_LITTLE_DISK_BYTES:
        return Check(name=name, status="fail", found=found, fix=f"free some space, {elsewhere}")
    if free_bytes < _LOW_DISK_BYTES:
        return Check(name=name, status="warn", found=found, fix=f"free some space, {elsewhere}")
    return Check(name=name, status="ok", found=found)


def _with_more(check: Check, more: str) -> Check:
    return Check(name=check.name, status=check.status, found=f"{check.found}, {more}", fix=check.fix)


def _nearest_existing(folder: Path) -> Path:
    return next((path for path in (folder, *folder.parents) if os.path.lexists(path)), Path(folder.anchor))


def _sizes(folder: Path) -> dict[str, int]:
    """Bytes in each entry of a folder, largest first; entries that vanish meanwhile count nothing."""
    sizes: dict[str, int] = {}
    for parent, _, names in os.walk(folder):
        for name in names:
            path = Path(parent, name)
            entry = path.relative_to(folder).parts[0]
            try:
                sizes[entry] = sizes.get(entry, 0) + path.lstat().st_size
            except OSError:
                continue
    return dict(sorted(sizes.items(), key=lambda item: -item[1]))
