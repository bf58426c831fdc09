"""The cache folder: files fetched once, checked by SHA-256 each time they are used."""

import contextlib
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from openbook.errors import FetchError

__all__ = ["BrokenDownloadError", "CacheEntry", "Progress", "cache_folder", "file_sha256", "silent"]

Progress = Callable[[str], None]

_NUM_ATTEMPTS = 2
_STALE_AFTER_S = 24 * 3600


class BrokenDownloadError(FetchError):
    """What came is cut off or not what was promised; another attempt may help."""


def silent(message: str) -> None:
    """The progress of someone who does not want to hear it."""


def cache_folder() -> Path:
    """The folder for what can be fetched again, set by `OPENBOOK_CACHE`. It may not exist yet."""
    chosen = os.environ.get("OPENBOOK_CACHE", "").strip()
    if chosen:
        return Path(chosen).expanduser().absolute()
    import platformdirs

    return platformdirs.user_cache_path("openbook", appauthor=False)


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's content, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@dataclass(frozen=True, kw_only=True)
class CacheEntry:
    """One file in the cache.

    Without a pinned SHA-256 the one of the first download is kept beside the file, so that a later change of
    the cached file is noticed all the same.
    """

    file_name: str
    wanted: str  # what the file is a copy of, for messages; names the entry when nothing is pinned
    sha256: str | None = None

    @property
    def path(self) -> Path:
        """Where the file lies, or will."""
        key = self.sha256 or hashlib.sha256(self.wanted.encode()).hexdigest()
        return cache_folder() / "sources" / f"{key[:12]}-{self.file_name}"

    def find(self) -> Path | None:
        """The cached file if it is there and unchanged."""
        try:
            expected = self.sha256 or self._note.read_text("ascii").strip()
            return self.path if file_sha256(self.path) == expected else None
        except (OSError, ValueError):
            return None

    def fill(self, download: Callable[[Path, int], None], *, progress: Progress) -> Path:
        """Fetch the file with `download(target, attempt)` and put it in its place, checked and at once.

        Raises:
            FetchError: it could not be fetched, came broken twice, or the cache folder cannot be written.
        """
        for attempt in range(_NUM_ATTEMPTS):
            try:
                with _partial_folder() as folder:
                    partial = folder / "download"
                    download(partial, attempt)
                    return self._accept(partial)
            except BrokenDownloadError as error:
                if attempt + 1 == _NUM_ATTEMPTS:
                    raise FetchError(f"{error} Refused after {_NUM_ATTEMPTS} attempts.") from error
                progress(f"{error} Trying once more.")
            except OSError as error:
                raise FetchError(
                    f"Cannot write to the cache folder {cache_folder()}: {error.strerror or error}. "
                    f"Free some space or make it writable, or set OPENBOOK_CACHE to another folder."
                ) from error
        raise AssertionError("the loop above returns or raises")

    def _accept(self, partial: Path) -> Path:
        found = file_sha256(partial)
        if self.sha256 is not None and found != self.sha256:
            raise BrokenDownloadError(
                f"{self.wanted}: {self.file_name} has SHA-256 {found[:16]}…, expected {self.sha256[:16]}…; "
                f"the download is damaged or was changed on the way."
            )
        with partial.open("r+b") as file:
            os.fsync(file.fileno())
        if self.sha256 is None:
            # The note comes first: if we are killed in between, it fits no file, and we fetch again.
            note = partial.with_name("note")
            note.write_text(found + "\n", "ascii")
            os.replace(note, self._note)
        os.replace(partial, self.path)
        return self.path

    @property
    def _note(self) -> Path:
        return self.path.with_name(self.path.name + ".sha256")


@contextlib.contextmanager
def _partial_folder() -> Iterator[Path]:
    """A folder beside the entries, on the same disk, that never outlives its download by more than a day."""
    sources = cache_folder() / "sources"
    sources.mkdir(parents=True, exist_ok=True)
    for left_over in sources.glob(".partial-*"):
        with contextlib.suppress(OSError):
            if left_over.stat().st_mtime < time.time() - _STALE_AFTER_S:
                shutil.rmtree(left_over, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=".partial-", dir=sources, ignore_cleanup_errors=True) as folder:
        yield Path(folder)
