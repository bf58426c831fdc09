"""From files to texts: what kind each file is, and where one document ends and the next begins."""

import re
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from openbook.data.archive import ARCHIVE_SUFFIXES, files_of_archive
from openbook.data.cache import Progress, silent
from openbook.data.clean import clean_text
from openbook.data.decode import decode
from openbook.data.display import counted, harmless, size_text
from openbook.data.files import (
    FoundFile,
    Reason,
    SkippedFile,
    UnusableFileError,
    files_of_folder,
    read_file,
    suffix_of,
)
from openbook.data.skipped import SkippedFiles, group_of
from openbook.data.table_formats import TABLE_SUFFIXES
from openbook.data.tables import Table, read_table
from openbook.errors import DataError

__all__ = ["RawTexts", "Reading", "read_texts"]

_BLANK_LINES = re.compile(r"\n[^\S\n]*\n\s*")
_MAX_NAMES_SHOWN = 5
_MAX_TABLES_SHOWN = 5
_PROGRESS_EVERY_S = 2.0


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How the texts of a data set lie in its files; with no setting everything is inferred."""

    text_column: str | None = None
    keep_rows: tuple[str, str] | None = None  # (column, value) of the rows to use
    members: str | None = None  # regular expression for the whole names of an archive's files to use
    break_tags: bool = False  # HTML's tags for line breaks are left in the texts


@dataclass(frozen=True, kw_only=True)
class RawTexts:
    """Cleaned texts in the order of the source, with empty ones and duplicates, and how they were found."""

    texts: list[str]
    inferred: tuple[str, ...]
    skipped: tuple[SkippedFiles, ...]
    limits: tuple[str, ...]
    num_tables: int
    num_malformed_rows: int
    num_control_characters: int


def read_texts(path: Path, reading: Reading, *, max_bytes: int, progress: Progress = silent) -> RawTexts:
    """The texts of a file, a folder or an archive.

    Raises:
        DataError: nothing in it can be used; the message says why.
    """
    texts: list[str] = []
    tables: list[tuple[str, Table]] = []
    skipped: dict[Reason, list[SkippedFile]] = {}
    num_skipped: Counter[Reason] = Counter()
    encodings: Counter[str] = Counter()
    num_text_files = num_controls = 0

    def add(text: str) -> None:
        nonlocal num_controls
        cleaned, num_here = clean_text(text, break_tags=reading.break_tags)
        num_controls += num_here
        texts.append(cleaned)

    for found in _told(_files(path, reading, max_bytes=max_bytes), progress):
        unused = found if isinstance(found, SkippedFile) else None
        if isinstance(found, FoundFile):
            try:
                suffix = suffix_of(found.name)
                if suffix in TABLE_SUFFIXES:
                    table = read_table(
                        found.content,
                        suffix,
                        text_column=reading.text_column,
                        keep_rows=reading.keep_rows,
                        max_bytes=max_bytes,
                    )
                    tables.append((found.name, table))
                    encodings.update([table.encoding] if table.encoding else [])
                    for text in table.texts:
                        add(text)
                elif suffix in ARCHIVE_SUFFIXES:
                    raise UnusableFileError(Reason.ARCHIVE)
                else:
                    decoded = decode(found.content)
                    encodings[decoded.encoding] += 1
                    num_text_files += 1
                    add(decoded.text.strip())
            except UnusableFileError as error:
                unused = SkippedFile(name=found.name, reason=error.reason, detail=error.detail)
        if unused is not None:
            num_skipped[unused.reason] += 1
            if num_skipped[unused.reason] <= _MAX_NAMES_SHOWN:
                skipped.setdefault(unused.reason, []).append(unused)

    groups = tuple(group_of(reason, skipped[reason], num_skipped[reason]) for reason in skipped)
    if reading.text_column is not None and not tables and Reason.NO_COLUMN in skipped:
        # Texts beside the tables must not hide that the column's name is wrong.
        file = skipped[Reason.NO_COLUMN][0]
        place = path / file.name if path.is_dir() else path
        raise DataError(f"{harmless(str(place))}: {file.detail}. {Reason.NO_COLUMN.advice}")
    if not texts:
        raise _nothing_usable(path, skipped, groups)
    inferred = _said_tables(tables, reading.keep_rows)
    if num_text_files == 1 and not tables:
        texts, said = _cut(texts[0])
        inferred.append(said)
    elif num_text_files:
        inferred.append(f"{counted(num_text_files, 'text file')}, each a document")
    if set(encodings) - {"UTF-8"} or num_text_files:
        number = ", ".join(
            f"{encoding} in {counted(num, 'file')}" for encoding, num in encodings.most_common()
        )
        inferred.append(f"encoding: {number}")
    return RawTexts(
        texts=texts,
        inferred=tuple(inferred),
        skipped=groups,
        limits=_said_limits(num_skipped, max_bytes),
        num_tables=len(tables),
        num_malformed_rows=sum(table.num_malformed for _, table in tables),
        num_control_characters=num_controls,
    )


def _files(path: Path, reading: Reading, *, max_bytes: int) -> Iterator[FoundFile | SkippedFile]:
    if path.is_dir():
        yield from files_of_folder(path, max_bytes=max_bytes)
    elif suffix_of(path.name) in ARCHIVE_SUFFIXES:
        yield from files_of_archive(path, max_bytes=max_bytes, members=reading.members)
    else:
        try:
            yield FoundFile(name=path.name, content=read_file(path, max_bytes=max_bytes))
        except UnusableFileError as error:
            yield SkippedFile(name=path.name, reason=error.reason, detail=error.detail)


def _told(files: Iterable[FoundFile | SkippedFile], progress: Progress) -> Iterator[FoundFile | SkippedFile]:
    told_s = time.monotonic()
    for num_files, found in enumerate(files, start=1):
        if time.monotonic() - told_s > _PROGRESS_EVERY_S:
            told_s = time.monotonic()
            progress(f"Read {counted(num_files, 'file')}")
        yield found


def _cut(text: str) -> tuple[list[str], str]:
    """The documents in a single text: its paragraphs, or its lines where no blank line separates any."""
    paragraphs = _BLANK_LINES.split(text)
    if len(paragraphs) > 1:
        return paragraphs, "one text file; blank lines separate the documents"
    return text.split("\n"), "one text file without blank lines; each line is a document"


def _said_tables(tables: list[tuple[str, Table]], keep_rows: tuple[str, str] | None) -> list[str]:
    said = []
    for name, table in tables[:_MAX_TABLES_SHOWN]:
        column = f"texts from column '{harmless(table.column)}'"
        if table.column_was_guessed and table.num_columns > 1:
            column += " (guessed by its long texts; --text-column chooses another)"
        column += f", rows with {' = '.join(keep_rows)}" if keep_rows else ""
        place = f"{harmless(name)}: " if len(tables) > 1 else ""
        said.append(f"{place}{table.description}, {counted(table.num_columns, 'column')}; {column}")
    if len(tables) > _MAX_TABLES_SHOWN:
        said.append(f"and {counted(len(tables) - _MAX_TABLES_SHOWN, 'more table')}")
    return said


def _said_limits(num_skipped: Counter[Reason], max_bytes: int) -> tuple[str, ...]:
    num_left_out = num_skipped[Reason.BEYOND_LIMIT] + num_skipped[Reason.TOO_LARGE]
    if not num_left_out:
        return ()
    return (
        f"at most {size_text(max_bytes)} are read; {counted(num_left_out, 'file')} left out (--max-bytes)",
    )


def _nothing_usable(
    path: Path, skipped: dict[Reason, list[SkippedFile]], groups: tuple[SkippedFiles, ...]
) -> DataError:
    shown = harmless(str(path))
    if not groups:
        what = "the folder is empty" if path.is_dir() else "the archive holds no files"
        return DataError(
            f"{shown}: {what}. Expected texts: .txt, .csv, .tsv, .jsonl, .json or .parquet files."
        )
    first = max(groups, key=lambda group: group.number)
    advice = Reason(first.reason).advice
    if not path.is_dir() and sum(group.number for group in groups) == 1:
        file = skipped[Reason(first.reason)][0]
        place = shown if file.name == path.name else f"{shown}: {harmless(file.name)}"
        detail = f": {harmless(file.detail)}" if file.detail else ""
        return DataError(f"{place}: {first.reason}{detail}. {advice}")
    reasons = "; ".join(
        f"{group.number:,} {group.reason}: {', '.join(group.examples[:3])}" for group in groups
    )
    return DataError(f"{shown}: no file in it can be used ({reasons}). {advice}")
