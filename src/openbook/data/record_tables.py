"""Tables in files, folders, archives and at addresses, column after column, with what was done to read them."""

# N = rows

from __future__ import annotations

import codecs
import dataclasses
import io
import re
import tarfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openbook.data.archive import ARCHIVE_SUFFIXES, files_of_archive
from openbook.data.display import counted, harmless
from openbook.data.files import FoundFile, Reason, SkippedFile, UnusableFileError, files_of_folder, suffix_of
from openbook.data.picture_arrays import unzipped
from openbook.data.table_formats import TABLE_SUFFIXES, Columns, read_columns
from openbook.errors import DataError

if TYPE_CHECKING:
    import polars

__all__ = ["FoundTable", "table_at"]

_SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|"}
_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?(_duplicated_\d+|_\d+)?\s*")
_NUM_NAMED = 3


@dataclasses.dataclass(frozen=True, kw_only=True)
class FoundTable:
    """Columns by name, each read when it is asked for.

    Attributes:
        values: (name, limit) -> the first so many values of a column, all of them for None.
        notes: how it was read, for the report.
        warnings: what was left out.
    """

    names: tuple[str, ...]
    num_rows: int
    values: Callable[[str, int | None], polars.Series | Sequence[object]]
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def table_at(path: Path, *, max_bytes: int, member: str = "", names: Sequence[str] = ()) -> FoundTable:
    """The table in a file, or the tables of a folder or an archive one below the other.

    Args:
        member: regular expression of the table's name in an archive.
        names: of the columns, where the table has no header.
    Raises:
        DataError: there is none, it cannot be read, or there are several that do not fit together.
    """
    found: list[tuple[str, FoundTable]] = []
    skipped: list[str] = []
    for each in _files(path, max_bytes=max_bytes, member=member):
        name = harmless(each.name)
        if isinstance(each, SkippedFile):
            if each.reason is not Reason.HIDDEN:
                skipped.append(f"{name} ({each.reason})")
            continue
        is_alone = not path.is_dir() and not _is_archive(path)
        if not is_alone and not member and suffix_of(each.name) not in TABLE_SUFFIXES:
            skipped.append(f"{name} (no table)")
            continue
        try:
            found.append((name, _table(each.content, each.name, max_bytes=max_bytes, names=names)))
        except UnusableFileError as error:
            advice = "" if error.reason is Reason.NO_COLUMN else f". {error.reason.advice}"
            raise DataError(f"{name}: {error}{advice}") from error
    if not found:
        said = f" ({', '.join(skipped[:_NUM_NAMED])})" if skipped else ""
        raise DataError(
            f"{harmless(str(path))}: holds no table{said}. Expected CSV, TSV, JSON, JSON lines or Parquet"
        )
    left_out = (
        [f"{counted(len(skipped), 'file')} left out: {', '.join(skipped[:_NUM_NAMED])}"] if skipped else []
    )
    table = _one_below_the_other(found)
    return dataclasses.replace(table, warnings=(*table.warnings, *left_out))


def _files(path: Path, *, max_bytes: int, member: str) -> Iterator[FoundFile | SkippedFile]:
    if path.is_dir():
        yield from files_of_folder(path, max_bytes=max_bytes)
        return
    if _is_archive(path):
        yield from files_of_archive(path, max_bytes=max_bytes, members=member or None)
        return
    content = path.read_bytes()
    name = re.sub(r"^[0-9a-f]{12}-", "", path.name)
    if content[:2] == b"\x1f\x8b":  # an address need not tell that it gives an archive
        content = unzipped(content)
        if content[257:262] == b"ustar":
            yield from _members(content, member)
            return
    yield FoundFile(name=name, content=content)


def _is_archive(path: Path) -> bool:
    return suffix_of(path.name) in ARCHIVE_SUFFIXES


def _members(content: bytes, member: str) -> Iterator[FoundFile]:
    try:
        with tarfile.open(fileobj=io.BytesIO(content)) as archive:
            for each in archive:
                file = archive.extractfile(each) if each.isfile() else None
                if file is not None and re.fullmatch(member or ".*", each.name):
                    yield FoundFile(name=each.name, content=file.read())
    except (tarfile.TarError, EOFError, OSError) as error:
        raise DataError(f"the archive is damaged ({error}). {Reason.DAMAGED.advice}") from error


def _table(content: bytes, name: str, *, max_bytes: int, names: Sequence[str]) -> FoundTable:
    suffix = suffix_of(name)
    if content[:4] == b"PAR1":
        suffix = ".parquet"
    suffix = suffix if suffix in TABLE_SUFFIXES else ".csv"
    columns = read_columns(content, suffix, max_bytes=max_bytes)
    notes, warnings = [columns.description], []
    if suffix in (".csv", ".tsv") and all(map(_NUMBER.fullmatch, columns.names)):
        columns = _with_header(content, suffix, columns, names, max_bytes=max_bytes)
        notes.append("it has no header" + ("" if names else f"; columns named {columns.names[0]}, …"))
    if content.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        notes.append("byte order mark removed")
    if columns.encoding not in (None, "UTF-8"):
        notes.append(f"encoding {columns.encoding}")
    if columns.num_malformed:
        warnings.append(
            f"{counted(columns.num_malformed, 'row')} of {harmless(name)} left out: more fields than the header"
        )
    values: Callable[[str, int | None], Any] = columns.values
    if suffix == ".parquet":
        values = _parquet_values(content)
    shown = {each.strip() or each: each for each in columns.names}
    return FoundTable(
        names=tuple(shown),
        num_rows=columns.num_rows,
        values=lambda column, limit: values(shown[column], limit),
        notes=tuple(notes),
        warnings=tuple(warnings),
    )


def _with_header(
    content: bytes, suffix: str, columns: Columns, names: Sequence[str], *, max_bytes: int
) -> Columns:
    """The same table when its first row are values and no names."""
    separator = next((sign for word, sign in _SEPARATORS.items() if columns.description.endswith(word)), "\t")
    if len(names) != len(columns.names):
        names = [f"column_{number}" for number in range(1, len(columns.names) + 1)]
    header = separator.join(names).encode() + b"\n"
    return read_columns(header + content.removeprefix(codecs.BOM_UTF8), suffix, max_bytes=max_bytes)


def _parquet_values(content: bytes) -> Callable[[str, int | None], polars.Series]:
    """Typed columns; `read_columns`, which gives texts alone, has checked the file."""
    import polars

    def values(column: str, limit: int | None) -> polars.Series:
        try:
            return polars.read_parquet(io.BytesIO(content), columns=[column], n_rows=limit).to_series()
        except (polars.exceptions.PolarsError, polars.exceptions.PanicException, OSError) as error:
            first = harmless(str(error).splitlines()[0])
            raise DataError(
                f"column {harmless(column)!r} cannot be read ({first}). Get the file again"
            ) from error

    return values


def _one_below_the_other(found: Sequence[tuple[str, FoundTable]]) -> FoundTable:
    first_name, first = found[0]
    if len(found) == 1:
        return first
    for name, each in found[1:]:
        if set(each.names) != set(first.names):
            other = sorted(set(each.names) ^ set(first.names))[:_NUM_NAMED]
            raise DataError(
                f"{first_name} and {name} have different columns ({', '.join(map(harmless, other))}), so they "
                f"cannot be read as one table. Give the path of one of them"
            )

    def values(column: str, limit: int | None) -> Any:
        import polars

        parts: list[Any] = [each.values(column, limit) for _, each in found]
        if all(isinstance(part, polars.Series) for part in parts):
            return polars.concat(parts, how="vertical_relaxed")
        return [value for part in parts for value in part][:limit]

    return FoundTable(
        names=first.names,
        num_rows=sum(each.num_rows for _, each in found),
        values=values,
        notes=(*first.notes, f"{len(found)} tables one below the other"),
        warnings=tuple(warning for _, each in found for warning in each.warnings),
    )
