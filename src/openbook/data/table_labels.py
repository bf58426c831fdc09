"""Texts and labels in a table: which columns hold them, and whether a cell holds one label or several."""

# N = rows

from __future__ import annotations

import dataclasses
import difflib
import io
import json
from collections import Counter
from collections.abc import Sequence

from openbook.data.display import harmless
from openbook.data.files import Reason, UnusableFileError
from openbook.data.table_formats import Columns, read_columns
from openbook.data.tables import read_table

__all__ = ["LabelledTable", "labels_of_cells", "read_labelled_table"]

_TARGET_NAMES = (
    "label",
    "labels",
    "class",
    "target",
    "sentiment",
    "category",
    "categories",
    "topic",
    "topics",
    "tag",
    "tags",
    "genre",
    "genres",
    "intent",
    "emotion",
    "rating",
    "stars",
    "y",
)
_TEXT_NAMES = ("text", "review", "sentence", "comment", "content", "body", "message", "tweet", "document")
_SEPARATORS = ("|", ";")
_MAX_NAMES_SHOWN = 12


@dataclasses.dataclass(frozen=True, kw_only=True)
class LabelledTable:
    """Rows of a table; an empty text where there is none.

    Attributes:
        cells: of the column of labels, as they stand there.
        notes: what was guessed.
    """

    texts: list[str]
    cells: list[object]
    description: str
    notes: tuple[str, ...]
    num_malformed: int


def read_labelled_table(
    content: bytes,
    suffix: str,
    *,
    text_column: str | None,
    target: str | None,
    keep_rows: tuple[str, str] | None,
    max_bytes: int,
) -> LabelledTable:
    """The texts and labels of a table.

    Args:
        text_column, target: names of the columns; guessed when left out.
        keep_rows: (column, value); only rows with this value are read.
    Raises:
        UnusableFileError: the table cannot be read, or a column is missing.
    """
    columns = read_columns(content, suffix, max_bytes=max_bytes)
    if target is not None:
        target = _meant("--target", target, columns.names)
    by_name = {name.strip().lower(): name for name in reversed(columns.names) if name != target}
    usual = next((by_name[name] for name in _TEXT_NAMES if name in by_name), None)
    table = read_table(content, suffix, text_column=text_column or usual, max_bytes=max_bytes)
    notes = []
    if text_column is None:
        why = "name" if usual else "long texts"
        notes.append(
            f"texts from the column {harmless(table.column)!r} (guessed by its {why}; --text-column chooses)"
        )
    if target == table.column:
        raise UnusableFileError(
            Reason.NO_COLUMN,
            f"the column {harmless(target)!r} would be both text and label; choose the texts with --text-column, "
            f"columns: {_listed(columns.names)}",
        )
    if target is None:
        others = [name for name in columns.names if name != table.column]
        target = _guess_target(others, content, suffix, columns)
        notes.append(f"labels from the column {harmless(target)!r} (guessed; --target chooses)")
    cells = list(_cells(target, content, suffix, columns))
    texts = list(table.texts)
    if keep_rows is not None:
        column, wanted = keep_rows
        is_kept = [value == wanted for value in columns.values(column, None)]
        texts = [text for text, kept in zip(texts, is_kept, strict=True) if kept]
        cells = [cell for cell, kept in zip(cells, is_kept, strict=True) if kept]
    return LabelledTable(
        texts=texts,
        cells=cells,
        description=columns.description,
        notes=tuple(notes),
        num_malformed=columns.num_malformed,
    )


def labels_of_cells(
    cells: Sequence[object],
) -> tuple[list[tuple[str, ...] | None], bool, tuple[str, ...]]:
    """The labels of each row.

    A cell may hold a list, or labels separated by | or ;. A separator counts as one where what it separates comes
    back in other cells; otherwise it is part of a label.

    Returns:
        the labels, None where the cell is empty; whether rows may have several; what was found out about that.
    """
    lists = [_as_list(cell) for cell in cells]
    if any(found is not None for found in lists):
        labels = [
            tuple(filter(None, map(_as_label, found))) if found is not None else _one(cell)
            for found, cell in zip(lists, cells, strict=True)
        ]
        is_several = any(row is not None and len(row) != 1 for row in labels)
        note = "a cell holds a list of labels" + ("" if is_several else ", one in each")
        return labels, is_several, (note,)
    names = [_as_label(cell) for cell in cells]
    for separator in _SEPARATORS:
        whole = Counter(filter(None, names))
        if not any(separator in name for name in whole):
            continue
        parts = Counter(
            part.strip() for name, number in whole.items() for part in name.split(separator) * number
        )
        if len(parts) < len(whole):
            rows = [
                tuple(part for each in name.split(separator) if (part := each.strip())) or None
                for name in names
            ]
            return rows, True, (f"a cell holds several labels, separated by {separator} (found out)",)
    return [(name,) if name else None for name in names], False, ()


def _one(cell: object) -> tuple[str, ...] | None:
    name = _as_label(cell)
    return (name,) if name else None


def _as_list(cell: object) -> list[object] | None:
    if isinstance(cell, list | tuple):
        return list(cell)
    if isinstance(cell, str) and cell.startswith("[") and cell.endswith("]"):
        try:
            found = json.loads(cell)
        except ValueError:
            inner = cell[1:-1].strip()
            found = [part.strip().strip("'\"") for part in inner.split(",")] if inner else []
        return found if isinstance(found, list) else None
    return None


def _as_label(cell: object) -> str:
    """A cell as the name of a class; "" for none."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        if cell != cell:  # not a number
            return ""
        return str(int(cell)) if cell.is_integer() else str(cell)
    if isinstance(cell, dict):
        return json.dumps(cell, ensure_ascii=False, sort_keys=True)
    return harmless(str(cell).strip())


def _cells(name: str, content: bytes, suffix: str, columns: Columns) -> Sequence[object]:
    if suffix != ".parquet":
        return columns.values(name, None)
    import polars

    # Reading for texts skips columns of numbers and lists, and labels may be either.
    try:
        values: list[object] = (
            polars.read_parquet(io.BytesIO(content), columns=[name]).get_column(name).to_list()
        )
    except (polars.exceptions.PolarsError, OSError, ValueError) as error:
        detail = f"unreadable Parquet: {harmless((str(error) or type(error).__name__).splitlines()[0])}"
        raise UnusableFileError(Reason.DAMAGED, detail) from error
    return values


def _guess_target(others: list[str], content: bytes, suffix: str, columns: Columns) -> str:
    """The column with a usual name, else the one with the fewest different values, two or more."""
    if not others:
        raise UnusableFileError(
            Reason.NO_COLUMN, "has no column besides the texts; expected one with their labels"
        )
    by_name = {name.strip().lower(): name for name in reversed(others)}
    for usual in _TARGET_NAMES:
        if usual in by_name:
            return by_name[usual]
    numbers = {}
    for name in others:
        distinct = {_as_label(cell) for cell in _cells(name, content, suffix, columns)} - {""}
        if len(distinct) > 1:
            numbers[name] = len(distinct)
    if not numbers:
        raise UnusableFileError(
            Reason.NO_COLUMN,
            f"no column besides the texts has two different values; columns: {_listed(columns.names)}. "
            f"Choose the labels with --target",
        )
    return min(numbers, key=lambda name: numbers[name])


def _meant(flag: str, wanted: str, names: Sequence[str]) -> str:
    if wanted in names:
        return wanted
    by_lower = {name.strip().lower(): name for name in names}
    if wanted.strip().lower() in by_lower:
        return by_lower[wanted.strip().lower()]
    near = difflib.get_close_matches(wanted.lower(), by_lower, n=1, cutoff=0.5)
    hint = f", did you mean {harmless(by_lower[near[0]])!r}?" if near else ";"
    raise UnusableFileError(
        Reason.NO_COLUMN,
        f"no column {harmless(wanted)!r}{hint} columns: {_listed(names)}. Choose another with {flag}",
    )


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(map(harmless, names[:_MAX_NAMES_SHOWN]))
    return f"{shown} and {len(names) - _MAX_NAMES_SHOWN} more" if len(names) > _MAX_NAMES_SHOWN else shown
