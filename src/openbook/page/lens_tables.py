"""What a lens found as tables that a person reads, whatever lens it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from openbook.page.answers import number
from openbook.page.inputs.reading import Json

__all__ = ["MOST_ROWS", "tables_of"]

# Of a table on the page; the file of all numbers has every row.
MOST_ROWS = 200
_MOST_COLUMNS = 40
_FACTS = "Numbers"


def tables_of(numbers: Mapping[str, Any]) -> list[Json]:
    """`LensTable`s of a lens's `to_dict()`.

    Single numbers and texts become one table of two columns; a list of objects a table with a column for each
    field; lists of equal length side by side the columns of one table; a list of lists a matrix, its rows named by
    a list of as many texts beside it, where there is one; an object of objects with the same fields a table with a
    row for each; other objects are told part by part. What has more axes than a table is only counted.
    """
    return list(_tables(numbers, ()))


def _tables(numbers: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[Json]:
    facts = {
        name: value
        for name, value in numbers.items()
        if _is_cell(value) or (name.endswith("shape") and _is_short(value))
    }
    rest = {name: value for name, value in numbers.items() if name not in facts}
    lists: dict[int, dict[str, Sequence[Any]]] = {}
    for name, value in rest.items():
        if _is_line(value):
            lists.setdefault(len(value), {})[name] = value
    counted = {name: _count_text(value) for name, value in rest.items() if _is_too_deep(value)}
    if facts or counted:
        rows = [[_words(name), _cell(value)] for name, value in (facts | counted).items()]
        yield _table(_title(path) or _FACTS, ["", "value"], rows)
    for columns in lists.values():
        names = list(columns)
        title = _title((*path, ", ".join(names)))
        yield _table(
            title,
            ["", *map(_words, names)],
            [[place, *map(_cell, row)] for place, row in enumerate(zip(*columns.values(), strict=True))],
        )
    for name, value in rest.items():
        if _is_line(value) or _is_too_deep(value):
            continue
        here = (*path, name)
        if isinstance(value, Mapping):
            yield from _of_object(value, here)
        elif isinstance(value[0], Mapping):
            yield _records(_title(here), [("", each) for each in value], is_named=False)
        else:
            num_columns = max(map(len, value))
            row_names, column_names = (_names(lists, size) for size in (len(value), num_columns))
            rows = [[row_name, *map(_cell, row)] for row_name, row in zip(row_names, value, strict=True)]
            yield _table(_title(here), ["", *map(str, column_names)], rows)


def _names(lists: Mapping[int, Mapping[str, Sequence[Any]]], size: int) -> Sequence[Any]:
    """Texts that stand beside a matrix, one for each of its rows or columns; numbers where there are none."""
    for line in lists.get(size, {}).values():
        if all(isinstance(each, str) for each in line):
            return line
    return range(size)


def _of_object(value: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[Json]:
    parts = list(value.values())
    are_alike = len(parts) > 1 and all(
        isinstance(part, Mapping)
        and set(part) == set(parts[0])
        and all(_is_cell(each) or _is_short(each) for each in part.values())
        for part in parts
    )
    if are_alike:
        yield _records(_title(path), list(value.items()), is_named=True)
    else:
        yield from _tables(value, path)


def _records(title: str, records: Sequence[tuple[str, Mapping[str, Any]]], *, is_named: bool) -> Json:
    names = list(dict.fromkeys(name for _, record in records for name in record))
    rows = [
        [label if is_named else place, *(_cell(record.get(name)) for name in names)]
        for place, (label, record) in enumerate(records, start=0 if is_named else 1)
    ]
    return _table(title, ["", *map(_words, names)], rows)


def _table(title: str, columns: list[str], rows: list[list[Any]]) -> Json:
    """The first cell of a row is its head."""
    return {
        "title": title,
        "columns": columns[:_MOST_COLUMNS],
        "rows": [row[:_MOST_COLUMNS] for row in rows[:MOST_ROWS]],
        "num_rows": len(rows),
        "num_columns": len(columns),
    }


def _is_cell(value: Any) -> bool:
    return value is None or isinstance(value, str | bool | int | float)


def _is_short(value: Any) -> bool:
    """A few whole numbers that fit into one cell, such as a shape."""
    return isinstance(value, list | tuple) and len(value) <= 4 and all(type(each) is int for each in value)


def _is_line(value: Any) -> bool:
    return isinstance(value, list | tuple) and bool(value) and all(map(_is_cell, value))


def _is_too_deep(value: Any) -> bool:
    """Lists in lists in lists, lists of different things, and what is empty."""
    if isinstance(value, Mapping):
        return not value
    if not value:
        return True
    if _is_line(value) or all(isinstance(each, Mapping) for each in value):
        return False
    return not all(_is_line(each) for each in value)


def _count_text(value: Any) -> str:
    if not value:
        return "none"
    sizes = []
    inner = value
    while isinstance(inner, list | tuple) and inner:
        sizes.append(len(inner))
        inner = inner[0]
    return " × ".join(map(str, sizes)) + " numbers, in the file of all numbers"


def _cell(value: Any) -> Any:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return number(value)
    return " × ".join(map(str, value)) if _is_short(value) else str(value)


def _words(name: str) -> str:
    words = name.replace("_", " ")
    return f"number of {words[4:]}" if words.startswith("num ") else words


def _title(path: tuple[str, ...]) -> str:
    text = " · ".join(map(_words, path))
    return text[:1].upper() + text[1:]
