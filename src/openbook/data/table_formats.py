"""Tables in CSV, JSON and Parquet, read into columns of text."""

# N = rows

import csv
import io
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from openbook.data.decode import decode
from openbook.data.display import harmless, size_text
from openbook.data.files import Reason, UnusableFileError

__all__ = ["TABLE_SUFFIXES", "Columns", "read_columns"]

TABLE_SUFFIXES = frozenset((".csv", ".json", ".jsonl", ".ndjson", ".parquet", ".tsv"))

_SEPARATORS = (",", ";", "\t", "|")
_SEPARATOR_NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
# A table of one column has no separator; this one is in no text.
_NO_SEPARATOR = "\x1f"
_SAMPLE_CHARS = 1 << 16
_PARQUET_BATCH_ROWS = 50_000


@dataclass(frozen=True, kw_only=True)
class Columns:
    """A table whose columns are read when asked for."""

    description: str  # "CSV, separated by semicolon"
    names: tuple[str, ...]
    num_rows: int
    values: Callable[
        [str, int | None], Sequence[object]
    ]  # the first so many values of a column; None for null
    encoding: str | None = None
    num_malformed: int = 0


def read_columns(content: bytes, suffix: str, *, max_bytes: int) -> Columns:
    """A table of the kind its suffix says.

    Raises:
        UnusableFileError: it is empty, damaged, or not a table.
    """
    if not content:
        raise UnusableFileError(Reason.EMPTY, "0 bytes")
    match suffix:
        case ".csv":
            return _read_csv(content)
        case ".tsv":
            return _read_csv(content, separator="\t")
        case ".jsonl" | ".ndjson":
            return _read_json_lines(content)
        case ".json":
            return _read_json(content)
        case ".parquet":
            return _read_parquet(content, max_bytes=max_bytes)
    raise AssertionError(f"{suffix} is not in TABLE_SUFFIXES")


def _read_csv(content: bytes, *, separator: str | None = None) -> Columns:
    decoded = decode(content)
    text = decoded.text.lstrip("\r\n")
    if "\n" not in text:
        text = text.replace("\r", "\n")
    if not text.strip():
        raise UnusableFileError(Reason.EMPTY, "only white space")
    separator = separator or _guess_separator(text)
    name = _SEPARATOR_NAMES.get(separator)
    description = f"CSV, separated by {name}" if name else "CSV with one column"
    columns = _csv_with_polars(text, separator) or _csv_row_by_row(text, separator)
    if columns.num_rows == 0:
        raise UnusableFileError(Reason.EMPTY, "a header and no rows")
    return Columns(
        description=description,
        names=columns.names,
        num_rows=columns.num_rows,
        values=columns.values,
        encoding=decoded.encoding,
        num_malformed=columns.num_malformed,
    )


def _csv_with_polars(text: str, separator: str) -> Columns | None:
    """The table if every row fits the header; Polars is fast but refuses or cuts anything else."""
    import polars

    try:
        frame = polars.read_csv(text.encode(), separator=separator, infer_schema=False)
    except polars.exceptions.PolarsError:
        return None

    def values(name: str, limit: int | None) -> Sequence[object]:
        column = frame.get_column(name)
        return (column if limit is None else column.head(limit)).to_list()

    return Columns(description="", names=tuple(frame.columns), num_rows=frame.height, values=values)


def _csv_row_by_row(text: str, separator: str) -> Columns:
    """The table with Python's tolerant reader; rows that do not fit the header are left out and counted."""
    lines = io.StringIO(text, newline="")
    # An odd number of quotes means that one is never closed and would swallow the rest of the file.
    if text.count('"') % 2:
        reader = csv.reader(lines, delimiter=separator, quoting=csv.QUOTE_NONE)
    else:
        reader = csv.reader(lines, delimiter=separator)
    former_limit = csv.field_size_limit(len(text) + 1)
    try:
        header, *rows_N = (row for row in reader if row)
    except csv.Error as error:
        raise UnusableFileError(Reason.DAMAGED, f"malformed CSV: {error}") from error
    finally:
        csv.field_size_limit(former_limit)
    fitting_N = [row for row in rows_N if not any(row[len(header) :])]
    num_malformed = len(rows_N) - len(fitting_N)
    if num_malformed > len(rows_N) / 2:
        raise UnusableFileError(
            Reason.DAMAGED,
            f"malformed CSV: {num_malformed:,} of {len(rows_N):,} rows have more fields than the header's "
            f"{len(header)}; texts that hold the separator need quotes around them",
        )
    names = _unique_names(header)

    def values(name: str, limit: int | None) -> Sequence[object]:
        position = names.index(name)
        return [row[position] if position < len(row) else None for row in fitting_N[:limit]]

    return Columns(
        description="", names=names, num_rows=len(fitting_N), values=values, num_malformed=num_malformed
    )


def _guess_separator(text: str) -> str:
    """The separator that cuts most rows into as many fields as the header has, and then the most fields."""
    sample = text[:_SAMPLE_CHARS]
    best = (0.0, 0)
    chosen = _NO_SEPARATOR
    for separator in _SEPARATORS:
        rows = [row for row in csv.reader(io.StringIO(sample, newline=""), delimiter=separator) if row]
        rows = rows[:-1] if len(sample) < len(text) and len(rows) > 2 else rows
        num_fields = len(rows[0])
        share = Counter(map(len, rows))[num_fields] / len(rows)
        if num_fields > 1 and (share, num_fields) > best:
            best = (share, num_fields)
            chosen = separator
    return chosen


def _unique_names(header: list[str]) -> tuple[str, ...]:
    names: list[str] = []
    for position, name in enumerate(header, start=1):
        given = name or f"column_{position}"
        names.append(given if given not in names else f"{given}_{position}")
    return tuple(names)


def _read_json_lines(content: bytes) -> Columns:
    decoded = decode(content)
    rows_N: list[object] = []
    num_malformed = 0
    for line in decoded.text.split("\n"):
        if line.strip():
            try:
                rows_N.append(json.loads(line))
            except (ValueError, RecursionError):
                num_malformed += 1
    return _json_columns(rows_N, "JSON lines", decoded.encoding, num_malformed)


def _read_json(content: bytes) -> Columns:
    decoded = decode(content)
    try:
        found = json.loads(decoded.text)
    except (ValueError, RecursionError) as error:
        try:
            return _read_json_lines(content)
        except UnusableFileError:
            detail = f"malformed JSON: {harmless(str(error))}"
            raise UnusableFileError(Reason.DAMAGED, detail) from None
    if not isinstance(found, list):
        raise UnusableFileError(Reason.NO_COLUMN, "expected a JSON list of rows, got one value")
    return _json_columns(found, "JSON", decoded.encoding, 0)


def _json_columns(rows_N: list[object], description: str, encoding: str, num_malformed: int) -> Columns:
    """Columns of objects; rows that are plain strings become a column named `text`."""
    objects_N = [{"text": row} if isinstance(row, str) else row for row in rows_N]
    fitting_N = [row for row in objects_N if isinstance(row, dict)]
    num_malformed += len(objects_N) - len(fitting_N)
    if num_malformed > len(fitting_N):
        raise UnusableFileError(
            Reason.DAMAGED,
            f"{num_malformed:,} of {num_malformed + len(fitting_N):,} rows are not JSON objects or strings",
        )
    if not fitting_N:
        raise UnusableFileError(Reason.EMPTY, "no rows")

    def values(name: str, limit: int | None) -> Sequence[object]:
        return [row.get(name) for row in fitting_N[:limit]]

    return Columns(
        description=description,
        names=tuple(dict.fromkeys(name for row in fitting_N for name in row)),
        num_rows=len(fitting_N),
        values=values,
        encoding=encoding,
        num_malformed=num_malformed,
    )


def _read_parquet(content: bytes, *, max_bytes: int) -> Columns:
    import polars

    if not (content.startswith(b"PAR1") and content.endswith(b"PAR1")):
        raise UnusableFileError(Reason.DAMAGED, "not a complete Parquet file")
    text_types = (polars.String, polars.Categorical, polars.Enum)
    damage = (
        polars.exceptions.PolarsError,
        polars.exceptions.PanicException,
        OSError,
        ValueError,
        MemoryError,
    )
    try:
        table = polars.scan_parquet(io.BytesIO(content))
        schema = table.collect_schema()
        num_rows = int(table.select(polars.len()).collect().item())
    except damage as error:
        raise UnusableFileError(Reason.DAMAGED, f"unreadable Parquet: {_first_line(error)}") from error
    if num_rows == 0:
        raise UnusableFileError(Reason.EMPTY, "no rows")

    def values(name: str, limit: int | None) -> Sequence[object]:
        # A few bytes of Parquet can stand for gigabytes of text, so we count while we read.
        wanted = num_rows if limit is None else min(limit, num_rows)
        if not isinstance(schema[name], text_types):
            return [None] * wanted
        read_N: list[object] = []
        num_bytes = 0
        try:
            while len(read_N) < wanted:
                size = min(_PARQUET_BATCH_ROWS, wanted - len(read_N))
                batch = table.select(polars.col(name)).slice(len(read_N), size).collect().get_column(name)
                batch = batch.cast(polars.String)
                num_bytes += int(batch.str.len_bytes().sum())
                if num_bytes > max_bytes:
                    raise UnusableFileError(
                        Reason.TOO_LARGE, f"column {name!r} is over {size_text(max_bytes)}"
                    )
                read_N += batch.to_list()
        except damage as error:
            if isinstance(error, UnusableFileError):
                raise
            raise UnusableFileError(Reason.DAMAGED, f"unreadable Parquet: {_first_line(error)}") from error
        return read_N

    return Columns(description="Parquet", names=tuple(schema.names()), num_rows=num_rows, values=values)


def _first_line(error: BaseException) -> str:
    return harmless((str(error) or type(error).__name__).splitlines()[0])
