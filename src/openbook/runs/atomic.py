"""Writes a file so that a reader sees the old content or the new, whatever happens in between.

The new content goes to a hidden file beside the target, is forced to the disk and then takes the target's
name in one step. A crash at any moment, a full disk and a read-only folder leave the old file as it was.
"""

import contextlib
import errno
import os
import secrets
import time
from collections.abc import Iterator
from pathlib import Path

from openbook.errors import RunError

__all__ = [
    "TEMPORARY_PREFIX",
    "atomic_replace",
    "atomic_write",
    "remove_leftovers",
    "sync_file",
    "sync_folder",
    "write_error",
    "write_fully",
    "write_new_file",
]

# Hidden, so listings and manifests pass over it. The target's own name stays at the end: a writer that
# chooses its format by the file's ending (Keras, Matplotlib) works on the temporary file too.
TEMPORARY_PREFIX = ".writing-"

_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_NOT_WRITABLE = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


def atomic_write(path: str | os.PathLike[str], content: bytes | str) -> Path:
    """Writes `content` (text as UTF-8) to `path`; returns the path.

    Raises:
        RunError: the disk is full, the folder is missing or cannot be written; the old file is untouched.
    """
    data = content.encode() if isinstance(content, str) else content
    with atomic_replace(path) as temporary:
        write_new_file(temporary, data)
    return Path(path)


@contextlib.contextmanager
def atomic_replace(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Gives the path of a temporary file to write; it replaces `path` when the block succeeds.

    For writers that need a file's name, such as `keras.Model.save`; the temporary one ends as the target's.

    Raises:
        RunError: as `atomic_write`.
    """
    target = Path(path)
    temporary = target.with_name(f"{TEMPORARY_PREFIX}{secrets.token_hex(4)}-{target.name}")
    try:
        yield temporary
        sync_file(temporary)
        _replace(temporary, target)
    except OSError as error:
        raise write_error(target, error) from error
    finally:
        # After the rename there is nothing left to remove; a failing removal must not hide the first error.
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
    sync_folder(target.parent)


def write_new_file(path: Path, data: bytes) -> None:
    """Writes a file that must not exist yet; not atomic by itself."""
    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, flags, 0o666)
    try:
        write_fully(descriptor, data)
    finally:
        os.close(descriptor)


def write_fully(descriptor: int, data: bytes) -> None:
    """Writes all of `data`; `os.write` alone may stop early, for example when the disk is nearly full."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def write_error(path: Path, error: OSError) -> RunError:
    """The failed writing of `path`, told as expected, received, next step."""
    reason = error.strerror or str(error)
    # HDF5 tells a full disk in the text alone, without an error number.
    if error.errno in _NO_SPACE or os.strerror(errno.ENOSPC) in reason:
        return RunError(
            f"{path}: no space left to write it ({reason}); what was saved before is intact. "
            f"Free some space on this disk, or choose another folder with OPENBOOK_RUNS"
        )
    if error.errno in _NOT_WRITABLE:
        return RunError(
            f"{path}: cannot be written ({reason}); what was saved before is intact. "
            f"Make the folder {path.parent} writable, or choose another one"
        )
    if error.errno == errno.ENOENT and not path.parent.is_dir():
        return RunError(
            f"{path}: cannot be written, because a folder in this path does not exist. Create {path.parent}"
        )
    return RunError(
        f"{path}: cannot be written ({reason}). Check that this path is right and its disk is in order"
    )


def sync_file(path: Path) -> None:
    """Forces a file's content to the disk."""
    # Windows syncs only a descriptor that may write; elsewhere reading is enough.
    descriptor = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Forces a folder's list of names to the disk, so that a rename outlives a power cut."""
    # Windows cannot open a folder, and some network disks refuse to sync one; the rename has happened.
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def remove_leftovers(folder: Path) -> int:
    """Removes temporary files that a killed process left anywhere below `folder`; returns how many.

    Only safe while nobody else writes there, so it is called under the run's lock.
    """
    num_removed = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            if name.startswith(TEMPORARY_PREFIX):
                with contextlib.suppress(OSError):
                    Path(parent, name).unlink()
                    num_removed += 1
    return num_removed


def _replace(source: Path, target: Path) -> None:
    # On Windows a reader that has the target open makes the rename fail for a moment.
    for _ in range(10):
        try:
            source.replace(target)
        except PermissionError:
            time.sleep(0.02)
        else:
            return
    source.replace(target)
