"""Reads the answers of one year: a CSV or a zip with one in it, in any usual encoding, some columns at a time."""

from __future__ import annotations

import codecs
import contextlib
import csv
import dataclasses
import functools
import hashlib
import io
import itertools
import zipfile
import zlib
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from openbook.errors import DataError
from openbook.survey.layouts import Layout, detect_layout
from openbook.survey.spellings import plain

if TYPE_CHECKING:
    import polars

__all__ = ["Survey", "read_survey", "survey_files"]

# The rows that are looked at for what tells the years apart.
_NUM_LOOKED_AT = 400
_LOOKED_AT_BYTES = 4 << 20
_MISSING = ("", "NA")
# The largest of these files has 40 MB; a zip that claims more is not read into memory.
_LARGEST_BYTES = 1 << 30
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig", "UTF-8"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Table:
    """A CSV in memory.

    Attributes:
        content: as UTF-8.
        separator: between the cells; a spreadsheet may have written another than the comma.
    """

    content: bytes
    separator: str
    origin: str

    @classmethod
    def of(cls, content: bytes, origin: str) -> Table:
        """With the separator that the first line has most of."""
        first_line = content[: content.find(b"\n")] if b"\n" in content else content
        separator = max((",", ";", "\t"), key=lambda sign: first_line.count(sign.encode()))
        return cls(content=content, separator=separator, origin=origin)

    def first_rows(self) -> list[list[str]]:
        """The first rows, the names of the columns among them."""
        text = self.content[:_LOOKED_AT_BYTES].decode(errors="replace")
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=self.separator)
        rows: list[list[str]] = []
        # A field that is too long, or a null byte: what was read so far tells enough.
        with contextlib.suppress(csv.Error):
            rows.extend(itertools.islice(reader, _NUM_LOOKED_AT))
        return rows

    @functools.cached_property
    def header(self) -> list[str]:
        """The names of the columns, tidied."""
        rows = self.first_rows()
        names = [plain(column) for column in rows[0]] if rows else []
        # A spreadsheet leaves columns without a name behind; nobody asks for them.
        return [name or f"(column {number})" for number, name in enumerate(names, 1)]

    def columns(self, names: Sequence[str]) -> polars.DataFrame:
        """Some columns in the order of the file, as texts.

        Raises:
            DataError: it is no CSV.
        """
        import polars

        places = sorted(self.header.index(name) for name in names)
        try:
            frame = polars.read_csv(
                self.content,
                columns=places,
                separator=self.separator,
                infer_schema=False,
                null_values=list(_MISSING),
                # What is missing at the end of a line is missing; what is too much belongs to no column.
                truncate_ragged_lines=True,
            )
        except polars.exceptions.PolarsError as error:
            said = plain(str(error)).split(".")[0]
            raise DataError(
                f"{self.origin}: cannot be read as a CSV ({said}); it was cut off or changed. Download it again"
            ) from error
        names_in_order = [self.header[place] for place in places]
        return frame.rename(dict(zip(frame.columns, names_in_order, strict=True)))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Survey:
    """The file of one year, opened; its answers are read when they are asked for.

    Attributes:
        origin: the file's name, and what it is called inside a zip.
        texts: by column, the question in words; empty for years that have no such row.
        encoding: what the text was written in.
        digest: of the content, to tell a file that is given twice.
    """

    origin: str
    layout: Layout
    header: tuple[str, ...]
    texts: dict[str, str]
    encoding: str
    digest: str
    num_respondents: int
    _table: Table
    _num_rows_above: int

    @property
    def year(self) -> int:
        return self.layout.year

    def __str__(self) -> str:
        return (
            f"{self.origin}: the survey of {self.year}, {self.num_respondents:,} respondents, "
            f"{len(self.header)} columns, {self.encoding}"
        )

    def columns(self, names: Collection[str]) -> polars.DataFrame:
        """Some columns as texts, a row for each respondent; what nobody wrote into is null."""
        wanted = [name for name in self.header if name in set(names)]
        return self._table.columns(wanted).slice(self._num_rows_above)


def survey_files(path: Path) -> list[Path]:
    """The files that a path stands for: itself, or the CSVs and zips of a folder.

    Raises:
        DataError: there is nothing there.
    """
    if not path.exists():
        raise DataError(f"{path}: there is no such file. Give a CSV of the survey, its zip, or their folder")
    if not path.is_dir():
        return [path]
    found = sorted(each for each in path.rglob("*") if each.suffix.lower() in (".csv", ".zip"))
    if not found:
        raise DataError(
            f"{path}: expected a folder with files of the survey, found no .csv and no .zip in it"
        )
    return found


def read_survey(path: Path) -> Survey:
    """Open one file of the survey.

    Raises:
        DataError: it cannot be read, or it is no survey; the message names the file.
    """
    try:
        with path.open("rb") as file:
            is_zip = file.read(4) in (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error})") from error
    if not is_zip:
        if path.suffix.lower() == ".zip":
            raise DataError(
                f"{path}: is called a zip, but does not begin as one; it was cut off or is something else. "
                f"Download it again"
            )
        return _open(_file_content(path), path.name)
    first_error: DataError | None = None
    for name, content in _members(path):
        origin = path.name if Path(name).name == path.stem else f"{path.name}, {Path(name).name}"
        try:
            return _open(content, origin)
        except DataError as error:
            # A zip holds the questions and free texts as well; the first complaint is kept if nothing fits.
            first_error = first_error or error
    raise first_error or DataError(f"{path}: expected a zip with the survey's CSV in it, found no CSV")


def _file_content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error})") from error


def _members(path: Path) -> Iterator[tuple[str, bytes]]:
    """The CSVs of a zip, the largest first."""
    cut_off = f"{path}: the zip cannot be read to its end ({{}}); it was cut off. Download it again"
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [
                entry
                for entry in archive.infolist()
                if not entry.is_dir() and entry.filename.lower().endswith(".csv")
            ]
            for entry in sorted(entries, key=lambda each: -each.file_size):
                if entry.file_size > _LARGEST_BYTES:
                    raise DataError(
                        f"{path}: {entry.filename} would be {entry.file_size:,} bytes; a survey has no more "
                        f"than 50 million. Give the file as Kaggle serves it"
                    )
                if entry.flag_bits & 0x1:
                    raise DataError(f"{path}: {entry.filename} is encrypted. Unpack it, and give the CSV")
                yield entry.filename, archive.read(entry)
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise DataError(cut_off.format(error)) from error
    except (OSError, NotImplementedError) as error:
        raise DataError(f"{path}: cannot be read ({error}). Unpack it, and give the CSV") from error


def _open(raw: bytes, origin: str) -> Survey:
    content, encoding = _as_utf8(raw, origin)
    table = Table.of(content, origin)
    head = table.first_rows()
    if not head:
        raise DataError(f"{origin}: is empty. Download it again")
    header = tuple(table.header)
    if len(set(header)) < len(header):
        twice = next(column for index, column in enumerate(header) if column in header[:index])
        raise DataError(f"{origin}: the column {twice!r} is there twice. Give the file as Kaggle serves it")
    layout, num_rows_above = detect_layout(header, head[1:], origin=origin)
    texts = dict(zip(header, head[1], strict=False)) if num_rows_above else {}
    num_rows = table.columns(header[:1]).height
    return Survey(
        origin=origin,
        layout=layout,
        header=header,
        texts={column: plain(text) for column, text in texts.items()},
        encoding=encoding,
        digest=hashlib.sha256(raw).hexdigest(),
        num_respondents=num_rows - num_rows_above,
        _table=table,
        _num_rows_above=num_rows_above,
    )


def _as_utf8(raw: bytes, origin: str) -> tuple[bytes, str]:
    """The text as UTF-8, and what it was written in."""
    if raw.startswith(b"\x00") or raw[:8].startswith((b"\x89PNG", b"%PDF", b"\x1f\x8b")):
        raise DataError(f"{origin}: expected a CSV, got a file of another kind. Give the survey's CSV or zip")
    for mark, codec, name in _BYTE_ORDER_MARKS:
        if raw.startswith(mark):
            try:
                return raw.decode(codec).encode(), name
            except UnicodeDecodeError as error:
                raise DataError(
                    f"{origin}: begins as {name}, but cannot be read as that ({error.reason})"
                ) from error
    try:
        raw.decode()
    except UnicodeDecodeError:
        # The file of 2017 is so; a byte that the code page leaves open becomes a question mark.
        return raw.decode("cp1252", errors="replace").encode(), "Windows-1252"
    return raw, "UTF-8"
