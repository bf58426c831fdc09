"""The files a path holds, one by one: the file itself, a folder's files, or an archive's members."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from openbook.data.display import harmless, size_text
from openbook.errors import DataError

__all__ = [
    "FoundFile",
    "Reason",
    "SkippedFile",
    "UnusableFileError",
    "files_of_folder",
    "is_hidden",
    "suffix_of",
]

MAX_NUM_FILES = 1_000_000


class Reason(StrEnum):
    """Why a file was not used; the value is what the report prints."""

    EMPTY = "empty"
    BINARY = "binary, not text"
    UNDECODABLE = "undecodable"
    TOO_LARGE = "too large"
    BEYOND_LIMIT = "beyond the limit of all files together"
    UNREADABLE = "unreadable"
    LINK = "link that was not followed"
    NO_FILE = "pipe, socket or device"
    UNSAFE_NAME = "unsafe name in an archive"
    ENCRYPTED = "encrypted"
    DAMAGED = "damaged"
    ARCHIVE = "archive inside a folder or an archive"
    NO_COLUMN = "no usable text column"
    HIDDEN = "hidden"

    @property
    def advice(self) -> str:
        """What the user can do about it."""
        return _ADVICE[self]


_ADVICE = {
    Reason.EMPTY: "Give a file with text in it.",
    Reason.BINARY: "Give plain text, CSV, JSON lines or Parquet; save other documents as text first.",
    Reason.UNDECODABLE: "Save it as UTF-8 and try again.",
    Reason.TOO_LARGE: "Give a part of it, or raise the limit with --max-bytes.",
    Reason.BEYOND_LIMIT: "Raise the limit with --max-bytes.",
    Reason.UNREADABLE: "Change its permissions or copy it.",
    Reason.LINK: "Repair the link, or copy its target into the folder.",
    Reason.NO_FILE: "Save it as a file first.",
    Reason.UNSAFE_NAME: "Unpack the archive into a folder of its own and give that folder.",
    Reason.ENCRYPTED: "Unpack it with its password and give the folder.",
    Reason.DAMAGED: "Get the file again, or save it anew.",
    Reason.ARCHIVE: "Unpack it and give the folder.",
    Reason.NO_COLUMN: "Choose a column of text with --text-column.",
    Reason.HIDDEN: "Give it another name, without a dot in front.",
}


@dataclass(frozen=True, kw_only=True)
class FoundFile:
    """A file's content; the name is relative to what the user gave."""

    name: str
    content: bytes


@dataclass(frozen=True, kw_only=True)
class SkippedFile:
    """A file that was not used, with the reason and what exactly was seen."""

    name: str
    reason: Reason
    detail: str = ""


class UnusableFileError(DataError):
    """One file holds no text we can use; among others it is skipped and counted."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(f"{reason} ({detail})" if detail else str(reason))
        self.reason = reason
        self.detail = detail


def suffix_of(name: str) -> str:
    """The last suffix of a file name in lower case, with its dot."""
    return os.path.splitext(name)[1].lower()


def is_hidden(name: str) -> bool:
    """Whether any part of a relative name is hidden or left there by an operating system."""
    parts = name.replace("\\", "/").split("/")
    return any(part == "__MACOSX" or (part.startswith(".") and part not in (".", "..")) for part in parts)


def files_of_folder(folder: Path, *, max_bytes: int) -> Iterator[FoundFile | SkippedFile]:
    """Every file of a folder and its subfolders, by name.

    Links to files are followed. Links to folders are not, so that neither a loop nor a link to the whole disk
    can catch us.
    """
    num_bytes = num_files = 0
    for path, status, skipped in _walk(folder):
        name = path.relative_to(folder).as_posix()
        num_files += 1
        if skipped is not None:
            yield SkippedFile(name=name, reason=skipped.reason, detail=skipped.detail)
        elif num_files > MAX_NUM_FILES:
            yield SkippedFile(
                name=name, reason=Reason.BEYOND_LIMIT, detail=f"more than {MAX_NUM_FILES:,} files"
            )
            return
        elif status is None or not stat.S_ISREG(status.st_mode):
            yield SkippedFile(name=name, reason=Reason.NO_FILE)
        elif status.st_size > max_bytes:
            yield SkippedFile(name=name, reason=Reason.TOO_LARGE, detail=size_text(status.st_size))
        elif num_bytes + status.st_size > max_bytes:
            yield SkippedFile(name=name, reason=Reason.BEYOND_LIMIT, detail=size_text(max_bytes))
        else:
            try:
                content = read_file(path, max_bytes=max_bytes - num_bytes)
            except UnusableFileError as error:
                yield SkippedFile(name=name, reason=error.reason, detail=error.detail)
                continue
            num_bytes += len(content)
            yield FoundFile(name=name, content=content)


def read_file(path: Path, *, max_bytes: int) -> bytes:
    """A file's bytes.

    Raises:
        UnusableFileError: it cannot be read or is larger.
    """
    try:
        with path.open("rb") as file:
            size_bytes = os.fstat(file.fileno()).st_size
            if size_bytes > max_bytes:
                raise UnusableFileError(Reason.TOO_LARGE, size_text(size_bytes))
            return file.read(size_bytes)
    except OSError as error:
        raise UnusableFileError(Reason.UNREADABLE, harmless(error.strerror or str(error))) from error


def _walk(folder: Path) -> Iterator[tuple[Path, os.stat_result | None, UnusableFileError | None]]:
    """Files below a folder with their status, or with the reason why they cannot be looked at."""
    waiting = [folder]
    while waiting:
        current = waiting.pop()
        try:
            with os.scandir(current) as found:
                entries = sorted(found, key=lambda entry: entry.name)
        except OSError as error:
            yield current, None, UnusableFileError(Reason.UNREADABLE, f"folder: {error.strerror or error}")
            continue
        folders = []
        for entry in entries:
            path = Path(entry.path)
            if is_hidden(entry.name):
                yield path, None, UnusableFileError(Reason.HIDDEN)
                continue
            try:
                if entry.is_dir(follow_symlinks=False):
                    folders.append(path)
                elif entry.is_symlink() and entry.is_dir():
                    yield path, None, UnusableFileError(Reason.LINK, "link to a folder")
                else:
                    yield path, entry.stat(), None
            except OSError as error:
                problem = "broken link or loop" if entry.is_symlink() else error.strerror or str(error)
                reason = Reason.LINK if entry.is_symlink() else Reason.UNREADABLE
                yield path, None, UnusableFileError(reason, problem)
        waiting.extend(reversed(folders))
