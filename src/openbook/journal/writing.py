"""Writes the journal: from the runs there are, into a file whose other words stay."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import quote, unquote

from openbook.errors import DataError, UsageError
from openbook.journal.document import parse, rewrite
from openbook.journal.entry import Entry, entries_of
from openbook.journal.html import to_html
from openbook.journal.markdown import TITLE, entry_lines, overview_lines
from openbook.runs import Run, damaged_runs, list_runs, runs_folder
from openbook.runs.atomic import atomic_write

__all__ = ["Written", "read_text", "write_journal", "write_with_own_words"]

_LOCK_NAME = ".journal-lock"
_OVERVIEW = "overview"
_NUM_ATTEMPTS = 5


@dataclasses.dataclass(frozen=True, kw_only=True)
class Written:
    """What became of a journal.

    Attributes:
        html: the page, where one was written.
        gone: runs that stand in the journal and are no longer there; their entries stay.
        problems: what was damaged in the file, and kept; and runs that cannot be read.
    """

    path: Path
    html: Path | None
    entries: tuple[Entry, ...]
    gone: tuple[str, ...]
    problems: tuple[str, ...]


def write_journal(path: Path, *, html: Path | None = None) -> Written:
    """Write the journal of all runs.

    Args:
        path: the Markdown file; what a person wrote in it stays.
        html: also this page.
    Raises:
        DataError: the file is there and is no text.
        UsageError: a name cannot be a journal's.
        RunError: a file cannot be written.
    """
    _check_name(path, (".md", ".markdown", ".txt"))
    if html is not None:
        _check_name(html, (".html", ".htm"))
    runs = list_runs()
    entries, unreadable = entries_of(runs)
    unreadable |= {name: str(error) for name, error in damaged_runs().items()}
    folders = {entry_key(run): run.path for run in runs}

    def fresh(text: str) -> dict[str, list[str]]:
        keys = _keys(entries, list(parse(text).blocks()))
        return {_OVERVIEW: overview_lines(entries)} | {
            key: entry_lines(entry, folders[entry.key], path) for key, entry in keys.items()
        }

    with _lock(runs_folder()):
        text, problems = write_with_own_words(path, TITLE, fresh)
    if html is not None:
        atomic_write(html, to_html(text, path.absolute().parent))
    present = list(parse(text).blocks())
    written = _keys(entries, present)
    gone = [unquote(key.split(" ")[1]) for key in present if key.startswith("run ") and key not in written]
    return Written(
        path=path,
        html=html,
        entries=tuple(entries),
        gone=tuple(name for name in gone if name not in unreadable),
        problems=(*problems, *(f"{name}: {problem}" for name, problem in unreadable.items())),
    )


def write_with_own_words(
    path: Path, title: str, fresh: Callable[[str], Mapping[str, Sequence[str]]]
) -> tuple[str, tuple[str, ...]]:
    """Write a file's parts anew and leave everything else; returns the text, and what was damaged.

    Args:
        title: how a new file begins.
        fresh: gives the parts by key, for the text that is there.
    """
    for _ in range(_NUM_ATTEMPTS):
        before = read_text(path)
        text = before if before is not None and before.strip() else title
        written, problems = rewrite(parse(text), fresh(text))
        # An editor may have saved the file meanwhile; then it is read once more.
        if read_text(path) == before:
            break
    if written != before:
        atomic_write(path, written)
    return written, problems


def read_text(path: Path) -> str | None:
    """The text of a file; None where there is none.

    Raises:
        DataError: it is no text.
    """
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path}: is no text in UTF-8 (byte {error.start}), so openbook leaves it as it is. Save it as "
            f"UTF-8, or name another file with --file"
        ) from error
    except OSError as error:
        raise DataError(
            f"{path}: cannot be read ({error.strerror or error}). Name another with --file"
        ) from error


def entry_key(run: Run) -> tuple[str, str]:
    """What an entry is known by."""
    return run.name, run.created.isoformat()


def _keys(entries: Sequence[Entry], present: Sequence[str]) -> dict[str, Entry]:
    """The entries by the key of their part; a run that was renamed keeps the part that it has."""
    by_key = {_key(entry): entry for entry in entries}
    keys: dict[str, Entry] = {}
    for key, entry in by_key.items():
        same_moment = [
            each
            for each in present
            if each.startswith("run ")
            and each.endswith(f" {entry.created.isoformat()}")
            and each not in by_key
        ]
        is_renamed = key not in present and len(same_moment) == 1 and same_moment[0] not in keys
        keys[same_moment[0] if is_renamed else key] = entry
    return keys


def _key(entry: Entry) -> str:
    return f"run {quote(entry.name, safe='')} {entry.created.isoformat()}"


def _check_name(path: Path, endings: Sequence[str]) -> None:
    if path.is_dir() or path.suffix.lower() not in endings:
        raise UsageError(f"{path}: expected a file that ends with {' or '.join(endings)}")


@contextlib.contextmanager
def _lock(folder: Path) -> Iterator[None]:
    """One journal is written at a time; where the folder cannot be written, nobody else writes there either."""
    from filelock import FileLock, Timeout

    lock = FileLock(folder / _LOCK_NAME, timeout=10)
    is_held = False
    if folder.is_dir():
        with contextlib.suppress(OSError, Timeout):
            lock.acquire(poll_interval=0.02)
            is_held = True
    try:
        yield
    finally:
        if is_held:
            lock.release()
