"""The texts in a table: which column holds them, and what is in it."""

# N = rows

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

from openbook.data.display import harmless
from openbook.data.files import Reason, UnusableFileError
from openbook.data.table_formats import Columns, read_columns

__all__ = ["Table", "read_table"]

_NUM_SAMPLE_ROWS = 1000
_MAX_NAMES_SHOWN = 12


@dataclass(frozen=True, kw_only=True)
class Table:
    """The texts of one column, in the order of the rows; an empty text where there is none."""

    texts: list[str]
    column: str
    column_was_guessed: bool
    description: str
    num_columns: int
    num_malformed: int
    encoding: str | None


def read_table(
    content: bytes,
    suffix: str,
    *,
    text_column: str | None = None,
    keep_rows: tuple[str, str] | None = None,
    max_bytes: int,
) -> Table:
    """The texts of a table.

    Args:
        content: the file's bytes.
        suffix: which kind of table it is, one of `TABLE_SUFFIXES`.
        text_column: the column's name; guessed when left out.
        keep_rows: (column, value); only rows with this value are read.
        max_bytes: limit of the texts' bytes.
    Raises:
        UnusableFileError: the table cannot be read, or has no such column, or no column of text.
    """
    columns = read_columns(content, suffix, max_bytes=max_bytes)
    sample = {name: columns.values(name, _NUM_SAMPLE_ROWS) for name in columns.names}
    column = _guess_column(sample) if text_column is None else _check_column(text_column, columns, sample)
    values_N = columns.values(column, None)
    if keep_rows is not None:
        name, wanted = keep_rows
        values_N = [
            value for value, key in zip(values_N, columns.values(name, None), strict=True) if key == wanted
        ]
    return Table(
        texts=[value if isinstance(value, str) else "" for value in values_N],
        column=column,
        column_was_guessed=text_column is None,
        description=columns.description,
        num_columns=len(columns.names),
        num_malformed=columns.num_malformed,
        encoding=columns.encoding,
    )


def _guess_column(sample: dict[str, Sequence[object]]) -> str:
    """The column with the longest texts; one of several words goes before one of identifiers or addresses."""
    best = (False, 0.0)
    chosen = None
    for name, values in sample.items():
        texts = _texts(values)
        if not texts or _are_numbers(texts):
            continue
        mean_chars = sum(map(len, texts)) / len(texts)
        several_words = sum(len(text.split(None, 2)) > 1 for text in texts) >= len(texts) / 2
        if (several_words, mean_chars) > best:
            best = (several_words, mean_chars)
            chosen = name
    if chosen is None:
        raise UnusableFileError(
            Reason.NO_COLUMN, f"none of its columns holds text; columns: {_listed(tuple(sample))}"
        )
    return chosen


def _check_column(wanted: str, columns: Columns, sample: dict[str, Sequence[object]]) -> str:
    # In `id, text` the space after the comma is part of the name, which nobody means.
    meant_N = [name for name in columns.names if name.strip() == wanted.strip()]
    if wanted not in columns.names and len(meant_N) == 1:
        wanted = meant_N[0]
    if wanted not in columns.names:
        by_lower = {name.lower(): name for name in columns.names}
        near = difflib.get_close_matches(wanted.lower(), by_lower, n=1, cutoff=0.5)
        meant = f", did you mean {_quoted(by_lower[near[0]])}?" if near else ";"
        raise UnusableFileError(
            Reason.NO_COLUMN, f"no column {_quoted(wanted)}{meant} columns: {_listed(columns.names)}"
        )
    texts = _texts(sample[wanted]) or _texts(columns.values(wanted, None))
    others = [
        name for name, values in sample.items() if (found := _texts(values)) and not _are_numbers(found)
    ]
    instead = f"; columns with text: {_listed(tuple(others))}" if others else ""
    if not texts:
        raise UnusableFileError(Reason.NO_COLUMN, f"column {_quoted(wanted)} holds no text{instead}")
    if _are_numbers(texts):
        shown = ", ".join(texts[:2])
        raise UnusableFileError(
            Reason.NO_COLUMN, f"column {_quoted(wanted)} holds numbers ({harmless(shown)}){instead}"
        )
    return wanted


def _texts(values: Sequence[object]) -> list[str]:
    return [value for value in values if isinstance(value, str) and value.strip()]


def _are_numbers(texts: Sequence[str]) -> bool:
    return all(map(_is_number, texts))


def _is_number(text: str) -> bool:
    try:
        float(text.replace(",", "."))
    except ValueError:
        return False
    return True


def _quoted(name: str) -> str:
    return f"'{harmless(name)}'"


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(map(harmless, names[:_MAX_NAMES_SHOWN]))
    return f"{shown} and {len(names) - _MAX_NAMES_SHOWN} more" if len(names) > _MAX_NAMES_SHOWN else shown
