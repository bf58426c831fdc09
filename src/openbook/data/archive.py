"""The files inside a .zip, .tar or compressed file, read as a stream and never unpacked to disk."""

import bz2
import gzip
import lzma
import re
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Protocol, cast

from openbook.data.display import harmless, size_text
from openbook.data.files import MAX_NUM_FILES, FoundFile, Reason, SkippedFile, is_hidden
from openbook.errors import DataError

__all__ = ["ARCHIVE_SUFFIXES", "files_of_archive"]

ARCHIVE_SUFFIXES = frozenset((".zip", ".tar", ".gz", ".tgz", ".bz2", ".tbz2", ".xz", ".txz"))

# Deflate reaches 1032:1; prose stays below 10:1 and logs below 100:1.
MAX_RATIO = 200
RATIO_MATTERS_FROM_BYTES = 16 << 20

_CHUNK_BYTES = 1 << 20
_TAR_NAME = re.compile(r"\.(tar(\.(gz|bz2|xz))?|tgz|tbz2|txz)$", re.IGNORECASE)
_DAMAGE = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    OSError,
    UnicodeError,
    NotImplementedError,  # a compression this Python does not know
    ValueError,
)


def files_of_archive(
    path: Path, *, max_bytes: int, members: str | None = None
) -> Iterator[FoundFile | SkippedFile]:
    """The files of an archive in its own order.

    Args:
        path: the archive; its suffix says which kind.
        max_bytes: limit of all unpacked bytes together, counted while unpacking: what a header says is not
            believed.
        members: regular expression; only files whose whole name matches are looked at.
    Raises:
        DataError: the archive as a whole is damaged, or unpacks to far too much.
    """
    meter = _Meter(path, max_bytes=max_bytes)
    try:
        if path.suffix.lower() == ".zip":
            if not zipfile.is_zipfile(path):
                raise zipfile.BadZipFile("it has no directory, as when a download was cut off")
            yield from _files_of_zip(path, meter, members)
        else:
            with path.open("rb") as file, _unpacked(file, path.name) as stream:
                if _TAR_NAME.search(path.name):
                    yield from _files_of_tar(_MeteredStream(stream, meter), meter, members)
                else:
                    yield FoundFile(name=path.stem, content=meter.read(stream))
    except DataError:
        raise
    except _DAMAGE as error:
        raise DataError(
            f"{harmless(str(path))}: the archive is damaged or not what its name says "
            f"({harmless(str(error)) or type(error).__name__}). {Reason.DAMAGED.advice}"
        ) from error


class _Meter:
    """Counts what comes out of an archive and stops a zip bomb."""

    def __init__(self, path: Path, *, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._path = path
        self._packed_bytes = max(1, path.stat().st_size)
        self._num_bytes = 0
        self._num_files = 0

    def read(self, stream: "_Readable") -> bytes:
        chunks = []
        while chunk := stream.read(_CHUNK_BYTES):
            self.count(len(chunk))
            chunks.append(chunk)
        return b"".join(chunks)

    def count(self, num_bytes: int) -> None:
        self._num_bytes += num_bytes
        self.check(self._num_bytes, max_bytes=self.max_bytes)

    def check(self, num_bytes: int, *, max_bytes: int) -> None:
        shown = harmless(str(self._path))
        if num_bytes > max(RATIO_MATTERS_FROM_BYTES, MAX_RATIO * self._packed_bytes):
            raise DataError(
                f"{shown}: unpacks to more than {MAX_RATIO} times its {size_text(self._packed_bytes)}, as a "
                f"zip bomb does; refused. If you trust it, unpack it yourself and give the folder."
            )
        if num_bytes > max_bytes:
            raise DataError(
                f"{shown}: unpacks to more than the limit of {size_text(max_bytes)}, because texts are kept "
                f"in memory. Give a part of it, or raise the limit with --max-bytes."
            )

    def count_file(self) -> None:
        self._num_files += 1
        if self._num_files > MAX_NUM_FILES:
            raise DataError(
                f"{harmless(str(self._path))}: holds more than {MAX_NUM_FILES:,} files. Give a part of it."
            )


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


class _MeteredStream:
    """The unpacked bytes of a tar, headers included: they too can be a bomb."""

    def __init__(self, stream: _Readable, meter: _Meter) -> None:
        self._stream = stream
        self._meter = meter
        self._num_bytes = 0

    def read(self, size: int) -> bytes:
        chunk = self._stream.read(size)
        self._num_bytes += len(chunk)
        # Headers and padding are at most 1.5 KiB a file, so twice the limit leaves room for any honest tar.
        self._meter.check(self._num_bytes, max_bytes=2 * self._meter.max_bytes + _CHUNK_BYTES)
        return chunk


def _files_of_zip(path: Path, meter: _Meter, members: str | None) -> Iterator[FoundFile | SkippedFile]:
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            meter.count_file()
            if info.is_dir() or not _is_wanted(info.filename, members):
                continue
            skipped = _skipped_by_name(info.filename)
            if skipped is not None:
                yield skipped
            elif stat.S_ISLNK(info.external_attr >> 16):
                yield SkippedFile(name=info.filename, reason=Reason.LINK, detail="link in an archive")
            elif info.flag_bits & 0x1:
                yield SkippedFile(name=info.filename, reason=Reason.ENCRYPTED)
            else:
                try:
                    with archive.open(info) as stream:
                        content = meter.read(stream)
                except DataError:
                    raise
                except (*_DAMAGE, RuntimeError) as error:
                    yield SkippedFile(name=info.filename, reason=Reason.DAMAGED, detail=harmless(str(error)))
                else:
                    yield FoundFile(name=info.filename, content=content)


def _files_of_tar(
    stream: _MeteredStream, meter: _Meter, members: str | None
) -> Iterator[FoundFile | SkippedFile]:
    with tarfile.open(fileobj=cast("IO[bytes]", stream), mode="r|") as archive:
        for info in archive:
            archive.members = []  # type: ignore[attr-defined]  # or all headers stay in memory
            meter.count_file()
            if info.isdir() or not _is_wanted(info.name, members):
                continue
            skipped = _skipped_by_name(info.name)
            if skipped is not None:
                yield skipped
            elif info.issym() or info.islnk():
                yield SkippedFile(name=info.name, reason=Reason.LINK, detail="link in an archive")
            elif not info.isreg() or info.issparse():
                yield SkippedFile(name=info.name, reason=Reason.NO_FILE)
            else:
                content = archive.extractfile(info)
                assert content is not None, "a regular member has content"
                yield FoundFile(name=info.name, content=meter.read(content))


def _unpacked(file: IO[bytes], name: str) -> IO[bytes] | gzip.GzipFile | bz2.BZ2File | lzma.LZMAFile:
    magic = file.read(6)
    file.seek(0)
    if magic.startswith(b"\x1f\x8b"):
        return gzip.open(file)
    if magic.startswith(b"BZh"):
        return bz2.open(file)
    if magic == b"\xfd7zXZ\x00":
        return lzma.open(file)
    if name.lower().endswith(".tar"):
        return file
    raise DataError(
        f"{harmless(name)}: is not a compressed file, whatever its name says. {Reason.DAMAGED.advice}"
    )


def _is_wanted(name: str, members: str | None) -> bool:
    return members is None or re.fullmatch(members, name) is not None


def _skipped_by_name(name: str) -> SkippedFile | None:
    parts = name.replace("\\", "/").split("/")
    if parts[0] == "" or re.match(r"[A-Za-z]:", name) or ".." in parts:
        return SkippedFile(name=name, reason=Reason.UNSAFE_NAME)
    if is_hidden(name):
        return SkippedFile(name=name, reason=Reason.HIDDEN)
    return None
