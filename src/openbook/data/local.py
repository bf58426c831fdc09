"""An origin: a file or folder of the user's, used where it lies."""

import difflib
import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from openbook.data.cache import Progress, file_sha256
from openbook.data.display import harmless, size_text
from openbook.errors import DataError

__all__ = ["LocalOrigin", "missing_path_error", "too_large_error"]


@dataclass(frozen=True, kw_only=True)
class LocalOrigin:
    """A file, an archive or a folder on this machine."""

    path: Path

    def __str__(self) -> str:
        return harmless(str(self.path))

    def find(self) -> Path | None:
        """Nothing: `obtain` says what is wrong with a path."""
        return None

    def obtain(self, *, max_bytes: int, progress: Progress) -> Path:
        """The path, once it is clear that it can be read.

        Raises:
            DataError: it is missing, too large, unreadable, or neither a file nor a folder.
        """
        try:
            status = self.path.stat()
        except FileNotFoundError:
            raise missing_path_error(str(self.path)) from None
        except (OSError, ValueError) as error:
            raise DataError(f"{self}: cannot be opened ({_reason(error)}). Check the path.") from error
        if stat.S_ISDIR(status.st_mode):
            return self.path
        if not stat.S_ISREG(status.st_mode):
            raise DataError(
                f"{self}: expected a file or a folder, got a pipe or a device. Save it as a file first."
            )
        if status.st_size > max_bytes:
            raise too_large_error(self.path, size_bytes=status.st_size, max_bytes=max_bytes)
        if not os.access(self.path, os.R_OK):
            raise DataError(
                f"{self}: may not be read (permission denied). Change its permissions or copy it."
            )
        return self.path

    def record(self) -> dict[str, object]:
        """Kind and path; for a file its hash as well."""
        path = harmless(str(self.path.absolute()))
        if self.path.is_dir():
            return {"kind": "folder", "path": path}
        try:
            sha256, size_bytes = file_sha256(self.path), self.path.stat().st_size
        except OSError as error:
            raise DataError(f"{self}: cannot be read ({_reason(error)}).") from error
        return {"kind": "file", "path": path, "sha256": sha256, "size_bytes": size_bytes}

    def by_hand(self) -> str | None:
        """No way: the user named the path."""
        return None


def missing_path_error(path: str, known_names: Iterable[str] = ()) -> DataError:
    """The error for a path that is not there, with near file names and near names of data sets."""
    shown = harmless(path)
    known = sorted(known_names)
    wanted = Path(path).expanduser()
    missing = wanted
    while not os.path.lexists(missing.parent) and missing.parent != missing:
        missing = missing.parent
    if os.path.islink(wanted):
        return DataError(
            f"{shown}: is a link to something that is not there. Repair the link or give its target."
        )
    near = difflib.get_close_matches(path.lower(), known, n=2, cutoff=0.6)
    try:
        beside = {name.lower(): name for name in sorted(os.listdir(missing.parent))[:10_000]}
    except OSError:
        beside = {}
    for name in difflib.get_close_matches(missing.name.lower(), beside, n=3, cutoff=0.6):
        near.append(str(missing.parent / beside[name]))
    said = f"{shown}: no such file or folder"
    if missing != wanted:
        said += f" (there is no {harmless(str(missing))})"
    said += f". Did you mean {' or '.join(map(harmless, near))}?" if near else "."
    said += " Give a file, a folder, an archive or an address"
    return DataError(said + (f", or a data set by name: {', '.join(known)}." if known else "."))


def too_large_error(path: Path, *, size_bytes: int, max_bytes: int) -> DataError:
    """The error for a file that would not fit; the message says how to go on."""
    return DataError(
        f"{harmless(str(path))}: is {size_text(size_bytes)}, the limit is {size_text(max_bytes)}, because "
        f"texts are kept in memory. Give a part of it (`head -c 500M FILE > part.txt`), or raise the limit "
        f"with --max-bytes {size_bytes} where there is memory for several times that."
    )


def _reason(error: Exception) -> str:
    return harmless(error.strerror if isinstance(error, OSError) and error.strerror else str(error))
