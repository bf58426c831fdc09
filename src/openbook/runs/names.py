"""Where runs live and what they are called."""

import os
import re
import shlex
from pathlib import Path

from openbook.errors import RunError, UsageError

__all__ = [
    "LAST",
    "absolute_path",
    "check_name",
    "folder_error",
    "next_name",
    "run_argument",
    "runs_folder",
    "shown_path",
]

LAST = "last"

_MAX_NAME_LENGTH = 100
# Windows forbids these, and a run may be copied there.
_FORBIDDEN_SIGNS = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f]')
_RESERVED_NAMES = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)


def runs_folder() -> Path:
    """The folder that holds the runs: OPENBOOK_RUNS, or `runs` in the working folder; it need not exist."""
    chosen = os.environ.get("OPENBOOK_RUNS", "").strip()
    return absolute_path(chosen or "runs")


def absolute_path(path: str | os.PathLike[str]) -> Path:
    """The path from the root on, with `~` and `..` resolved but links kept."""
    # Path.expanduser fails for a user it does not know; such a path is simply one that does not exist.
    return Path(os.path.abspath(os.path.expanduser(path)))


def check_name(name: str) -> str:
    """The name, if a run may be called so.

    Raises:
        UsageError: it could not be a folder's name on every system, or it has a meaning of its own.
    """
    problem = ""
    if not name.strip():
        problem = "is empty"
    elif len(name.encode(errors="replace")) > _MAX_NAME_LENGTH:
        problem = f"is longer than {_MAX_NAME_LENGTH} bytes"
    elif found := _FORBIDDEN_SIGNS.search(name):
        problem = f"holds {found.group()!r}"
    elif name[0] in ".-~" or name[0].isspace() or name[-1] in ". ":
        problem = "begins with '.', '-', '~' or a space, or ends with '.' or a space"
    elif _RESERVED_NAMES.fullmatch(name):
        problem = "is reserved by Windows"
    elif name == LAST:
        problem = "always means the newest run"
    if problem:
        raise UsageError(
            f"a run cannot be called {name!r}: this name {problem}. Use letters, digits, '-' and '_', such "
            f"as my-run-1"
        )
    return name


def next_name(folder: Path, recipe: str) -> str:
    """`<recipe>-<n>` with n one above the highest number that stands in the folder."""
    pattern = re.compile(re.escape(recipe) + r"-(\d+)", re.IGNORECASE)
    matches = [pattern.fullmatch(name) for name in os.listdir(folder)]
    return f"{recipe}-{1 + max((int(found.group(1)) for found in matches if found), default=0)}"


def shown_path(path: Path) -> str:
    """The path as a person reads it best: relative where it lies in the working folder."""
    try:
        return str(path.relative_to(Path.cwd()))
    except (ValueError, OSError):
        return str(path)


def run_argument(path: Path) -> str:
    """How to name the run at `path` in a command line: by its name where that is enough."""
    return shlex.quote(path.name if path.parent == runs_folder() else shown_path(path))


def folder_error(folder: Path, error: OSError) -> RunError:
    """The failed reading of a folder of runs, told as expected, received, next step."""
    return RunError(
        f"{folder}: expected a folder that holds runs, but it cannot be read ({error.strerror or error}). "
        f"Check its permissions, or choose another folder with OPENBOOK_RUNS"
    )
