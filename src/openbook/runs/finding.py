"""Finds runs: all of a folder, or one by its name, its path or the word "last"."""

import difflib
import os
from collections.abc import Iterator
from pathlib import Path

from openbook.errors import RunError
from openbook.runs.manifest import MANIFEST_NAME
from openbook.runs.names import LAST, absolute_path, folder_error, runs_folder, shown_path
from openbook.runs.record import RECORD_NAME
from openbook.runs.run import METRICS_NAME, MODEL_NAME, Run

__all__ = ["damaged_runs", "find_run", "list_runs"]

# A folder with one of these was meant to be a run, even if the rest is missing.
_MARKS = (RECORD_NAME, MANIFEST_NAME, METRICS_NAME, MODEL_NAME)


def list_runs(folder: Path | None = None) -> tuple[Run, ...]:
    """The readable runs of a folder, newest first; none when the folder does not exist.

    Raises:
        RunError: the folder itself cannot be read.
    """
    runs = [run for run in (_open_or_error(path) for path in _run_folders(folder)) if isinstance(run, Run)]
    return tuple(sorted(runs, key=lambda run: (run.created, len(run.name), run.name), reverse=True))


def damaged_runs(folder: Path | None = None) -> dict[str, RunError]:
    """The runs of a folder that cannot be opened, by name, each with what is wrong."""
    opened = {path.name: _open_or_error(path) for path in _run_folders(folder)}
    return {name: result for name, result in opened.items() if isinstance(result, RunError)}


def find_run(name: str | os.PathLike[str]) -> Run:
    """Opens a run.

    Args:
        name: a run's name, the path of its folder, or "last" for the newest run.
    Raises:
        RunError: there is no such run (similar names are given), or it is damaged.
    """
    text = os.fspath(name)
    if text == LAST:
        return _newest()
    is_path = isinstance(name, os.PathLike) or any(sign in text for sign in (os.sep, os.altsep) if sign)
    # A bare name means the runs folder before the working folder, a path the other way round.
    candidates = [absolute_path(text), runs_folder() / text] if text else []
    for path in candidates if is_path else reversed(candidates):
        if _is_run_folder(path):
            return Run.open(path)
    raise _unknown_run(text, exists=next((path for path in candidates if os.path.exists(path)), None))


def _newest() -> Run:
    runs = list_runs()
    if not runs:
        raise _unknown_run(LAST, exists=None)
    return runs[0]


def _unknown_run(name: str, *, exists: Path | None) -> RunError:
    folder = runs_folder()
    names = [run.name for run in list_runs(folder)]
    if not names:
        hint = f"There are no runs in {shown_path(folder)} yet; `openbook train` makes one"
    else:
        near = difflib.get_close_matches(Path(name).name, names, n=3, cutoff=0.5)
        hint = f"Did you mean {' or '.join(near)}?" if near else f"The newest is {names[0]}."
        hint += " `openbook runs` lists all"
    if exists is not None:
        kind = "a folder without a run in it" if exists.is_dir() else "a file"
        return RunError(f"{shown_path(exists)}: expected the folder of a run, got {kind}. {hint}")
    return RunError(f"there is no run {name!r} in {shown_path(folder)}. {hint}")


def _run_folders(folder: Path | None) -> Iterator[Path]:
    folder = runs_folder() if folder is None else folder
    try:
        names = sorted(os.listdir(folder))
    except FileNotFoundError:
        return
    except OSError as error:
        raise folder_error(folder, error) from error
    for name in names:
        if not name.startswith(".") and _is_run_folder(folder / name):
            yield folder / name


def _is_run_folder(path: Path) -> bool:
    # Not Path.is_dir: that fails for a name that is too long.
    return os.path.isdir(path) and any(os.path.exists(path / mark) for mark in _MARKS)


def _open_or_error(path: Path) -> Run | RunError:
    try:
        return Run.open(path)
    except RunError as error:
        return error
