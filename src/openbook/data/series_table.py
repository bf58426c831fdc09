"""The table of a series as a frame of texts, from a file, a compressed file, an archive or a folder."""

from __future__ import annotations

import gzip
import io
import re
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from openbook.data.archive import files_of_archive
from openbook.data.display import harmless, size_text
from openbook.data.files import SkippedFile, UnusableFileError, files_of_folder, suffix_of
from openbook.data.local import too_large_error
from openbook.data.table_formats import TABLE_SUFFIXES, read_columns
from openbook.errors import DataError

if TYPE_CHECKING:
    import polars

__all__ = ["read_series_table"]

_ARCHIVES = (".zip", ".tar", ".tgz", ".tbz2", ".txz", ".bz2", ".xz")


def read_series_table(path: Path, source: str, *, max_bytes: int) -> tuple[polars.DataFrame, list[str]]:
    """All rows with their columns as text, and what was done on the way.

    Raises:
        DataError: there is no table, or several of different columns.
    """
    import polars

    found: dict[str, bytes] = {}
    skipped: list[str] = []
    if path.is_dir() or suffix_of(path.name) in _ARCHIVES:
        files = (
            files_of_folder(path, max_bytes=max_bytes)
            if path.is_dir()
            else files_of_archive(path, max_bytes=max_bytes)
        )
        for each in files:
            if isinstance(each, SkippedFile):
                continue
            if suffix_of(re.sub(r"\.gz$", "", each.name)) in TABLE_SUFFIXES:
                found[each.name] = each.content
            else:
                skipped.append(each.name)
    else:
        if path.stat().st_size > max_bytes:
            raise too_large_error(path, size_bytes=path.stat().st_size, max_bytes=max_bytes)
        found[path.name] = path.read_bytes()
    if not found:
        besides = f" besides {', '.join(map(harmless, skipped[:3]))}" if skipped else ""
        raise DataError(
            f"{source}: holds no table{besides}. Expected a file ending with "
            f"{', '.join(sorted(TABLE_SUFFIXES))}, with one row for each time"
        )
    frames = [_frame(name, content, source, max_bytes=max_bytes) for name, content in sorted(found.items())]
    frame, notes = frames[0]
    if len(frames) > 1:
        for (other, _), name in zip(frames, sorted(found), strict=True):
            if set(other.columns) != set(frame.columns):
                raise DataError(
                    f"{source}: holds {len(frames)} tables whose columns differ; {harmless(name)} has "
                    f"{_listed(other.columns)} instead of {_listed(frame.columns)}. Give one of them with --data"
                )
        frame = polars.concat([other.select(frame.columns) for other, _ in frames])
        notes.append(f"{len(frames)} tables, one after another")
    return frame, notes


def _frame(name: str, content: bytes, source: str, *, max_bytes: int) -> tuple[polars.DataFrame, list[str]]:
    import polars

    if content[:2] == b"\x1f\x8b":
        content, name = _unzipped(content, source, max_bytes=max_bytes), re.sub(r"\.gz$", "", name)
    suffix = suffix_of(name)
    if suffix == ".parquet":
        try:
            table = polars.read_parquet(io.BytesIO(content))
        except (polars.exceptions.PolarsError, polars.exceptions.PanicException, OSError) as error:
            raise DataError(
                f"{source}: is no complete Parquet file ({harmless(str(error).splitlines()[0])}). Save it anew"
            ) from error
        if not table.height:
            raise DataError(f"{source}: has no rows. Expected one row for each time")
        return table.select(polars.all().cast(polars.String, strict=False)), ["Parquet"]
    # Text by any other name is most often a table with commas.
    suffix = suffix if suffix in TABLE_SUFFIXES else ".csv"
    try:
        columns = read_columns(content, suffix, max_bytes=max_bytes)
        frame = polars.DataFrame(
            [
                polars.Series(column, [_text(value) for value in columns.values(column, None)], polars.String)
                for column in columns.names
            ]
        )
    except UnusableFileError as error:
        raise DataError(f"{source}: {error}. Expected a table with one row for each time") from error
    notes = [columns.description]
    if columns.num_malformed:
        notes.append(f"{columns.num_malformed:,} malformed rows left out")
    return frame.rename(_stripped), notes


def _text(value: object) -> str | None:
    return value if value is None or isinstance(value, str) else str(value)


def _stripped(name: str) -> str:
    # A zero-width mark at the beginning and white space are no part of a name.
    return name.strip("\ufeff \t\"'") or name


def _unzipped(content: bytes, source: str, *, max_bytes: int) -> bytes:
    try:
        with gzip.open(io.BytesIO(content)) as file:
            plain = file.read(max_bytes + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{source}: the compressed file is damaged ({error}). Get it again") from error
    if len(plain) > max_bytes:
        raise DataError(f"{source}: unpacks to more than {size_text(max_bytes)}. Give a part of it")
    return plain


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""
    return ", ".join(map(harmless, names[:8])) + more
