"""Columns of a table as numbers, categories, dates or booleans, whatever way they were written."""

# N = rows

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars

__all__ = ["TypedColumn", "as_numbers", "has_decimal_commas", "typed_column"]

NUMBER, CATEGORY, DATE, BOOLEAN, EMPTY, NESTED = "number", "category", "date", "boolean", "empty", "nested"

# Fewer values than this share may be of another kind; they then count as missing.
_ENOUGH = 0.95
_NUM_SAMPLE_ROWS = 1000

_MISSING = ("", "na", "n/a", "#n/a", "nan", "null", "none", "nil", "-", "--", "?", ".")
_TRUE_FALSE = (("true", "false"), ("yes", "no"), ("y", "n"), ("t", "f"), ("ja", "nein"), ("oui", "non"))

_PLAIN = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
_WHOLE = r"^[+-]?\d+$"
_COMMA_THOUSANDS = r"^[+-]?\d{1,3}(,\d{3})+(\.\d*)?$"
_DOT_THOUSANDS = r"^[+-]?\d{1,3}(\.\d{3})+(,\d*)?$"
_DECIMAL_COMMA = r"^[+-]?\d*,\d+([eE][+-]?\d+)?$"
_SPACE_THOUSANDS = r"^[+-]?\d{1,3}([\s'’]\d{3})+([.,]\d*)?$"
_SURE_DECIMAL_COMMA = r"^[+-]?(\d*,(\d{1,2}|\d{4,})|0,\d+|\d{1,3}(\.\d{3})+,\d+)$"
_CODE = r"^0\d+$"

_DATE_FORMATS = (
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%d.%m.%Y",
    "%m/%d/%Y",
    "%d/%m/%Y",
    "%d-%m-%Y",
    "%d %b %Y",
    "%d %B %Y",
    "%b %d, %Y",
    "%B %d, %Y",
)
_TIME_FORMATS = ("", " %H:%M", " %H:%M:%S")


@dataclasses.dataclass(frozen=True, kw_only=True)
class TypedColumn:
    """A column with its kind.

    Attributes:
        values: Float64 for numbers and booleans, String for categories, Datetime for dates; null where missing.
        kind: "number", "category", "date", "boolean"; "empty" or "nested" where it is of no use.
        num_odd: values that were of another kind than the rest, and count as missing.
        odd: a few of them.
        note: how it was read, where that could have been otherwise.
    """

    values: polars.Series
    kind: str
    num_odd: int = 0
    odd: tuple[str, ...] = ()
    note: str = ""


def typed_column(
    values: polars.Series | Sequence[object], *, decimal_commas: bool | None = None
) -> TypedColumn:
    """A column as what it is.

    Args:
        values: a typed series, or Python values; None for missing.
        decimal_commas: what other columns of the file say about "1,234"; None when nothing is known.
    """
    import polars

    series = values if isinstance(values, polars.Series) else _series_of(values)
    if isinstance(series, polars.Series) and series.dtype != polars.String:
        return _of_typed(series)
    text = _without_missing(series)
    num_present = len(text) - text.null_count()
    if num_present == 0:
        return TypedColumn(values=text, kind=EMPTY)
    sample = _sample(text)
    if (as_boolean := _booleans(text, sample)) is not None:
        return TypedColumn(values=as_boolean, kind=BOOLEAN)
    is_code = bool(sample.str.contains(_CODE).any())
    if not is_code and _share(as_numbers(sample, decimal_commas=decimal_commas).values, sample) > 0.5:
        found = as_numbers(text, decimal_commas=decimal_commas)
        if num_present - found.num_odd >= _ENOUGH * num_present:
            return found
    as_dates = _dates(text, sample)
    if as_dates is not None and _share(as_dates.values, text) >= _ENOUGH:
        return as_dates
    return TypedColumn(values=text, kind=CATEGORY)


def as_numbers(text: polars.Series, *, decimal_commas: bool | None = None) -> TypedColumn:
    """A column of texts as numbers; what is none becomes missing and is counted."""
    import polars

    plain = text.cast(polars.Float64, strict=False)
    is_dotted_german = decimal_commas and _all_match(text, f"{_DOT_THOUSANDS}|{_WHOLE}")
    if plain.null_count() == text.null_count() and not is_dotted_german:
        return _finite(plain, text)
    cleaned = text.str.replace_all(r"^([+-]?)\s*[€$£¥]\s*|\s*[€$£¥%]$", "$1")
    cleaned = polars.select(
        polars.when(cleaned.str.contains(_SPACE_THOUSANDS))
        .then(cleaned.str.replace_all(r"[\s'’]", ""))
        .otherwise(cleaned)
    ).to_series()
    english = _matching(cleaned, f"{_PLAIN}|{_COMMA_THOUSANDS}")
    german = _matching(cleaned, f"{_WHOLE}|{_DOT_THOUSANDS}|{_DECIMAL_COMMA}")
    num_english, num_german = len(english) - english.null_count(), len(german) - german.null_count()
    is_german = num_german > num_english or (num_german == num_english and bool(decimal_commas))
    if is_german:
        written = german.str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True)
    else:
        written = english.str.replace_all(",", "", literal=True)
    found = _finite(written.cast(polars.Float64, strict=False), text)
    note = ""
    if is_german and cleaned.str.contains(",", literal=True).any():
        note = "decimal commas"
    elif is_german or cleaned.str.contains(",", literal=True).any():
        note = "thousands separated by a dot" if is_german else "thousands separated by a comma"
    return dataclasses.replace(found, note=note)


def has_decimal_commas(values: polars.Series | Sequence[object]) -> bool:
    """Whether some of a column's numbers can only be read with a decimal comma."""
    import polars

    series = values if isinstance(values, polars.Series) else _series_of(values)
    if series.dtype != polars.String:
        return False
    sample = _sample(_without_missing(series))
    is_sure = sample.str.contains(_SURE_DECIMAL_COMMA)
    return bool(is_sure.any()) and as_numbers(sample).note == "decimal commas"


def _series_of(values: Sequence[object]) -> polars.Series:
    """Python values as texts, numbers, booleans, or objects where some hold others."""
    import polars

    try:
        return polars.Series(values, dtype=polars.String, strict=True)
    except (TypeError, OverflowError, polars.exceptions.PolarsError):
        kinds = {type(value) for value in values} - {type(None)}
    if kinds == {bool}:
        return polars.Series(values, dtype=polars.Boolean)
    if kinds <= {int, float}:
        return polars.Series(
            [None if each is None else _float(each) for each in values], dtype=polars.Float64
        )
    if kinds & {list, dict}:
        return polars.Series([None] * len(values), dtype=polars.List(polars.Null))
    return polars.Series([None if each is None else str(each) for each in values], dtype=polars.String)


def _float(value: Any) -> float:
    try:
        return float(value)
    except OverflowError:
        return float("inf")


def _of_typed(series: polars.Series) -> TypedColumn:
    import polars

    dtype: Any = series.dtype
    if dtype == polars.Boolean:
        return TypedColumn(values=series.cast(polars.Float64), kind=BOOLEAN)
    if dtype.is_numeric() or isinstance(dtype, polars.Decimal):
        return _finite(series.cast(polars.Float64), series)
    if isinstance(dtype, polars.Duration):
        return _finite(series.dt.total_milliseconds().cast(polars.Float64) / 1000.0, series)
    if isinstance(dtype, polars.Date | polars.Datetime):
        plain = series.cast(polars.Datetime("ms")) if dtype == polars.Date else series
        return TypedColumn(values=plain.dt.replace_time_zone(None).cast(polars.Datetime("ms")), kind=DATE)
    if isinstance(dtype, polars.Categorical | polars.Enum):
        return typed_column(series.cast(polars.String))
    if dtype == polars.Null:
        return TypedColumn(values=series.cast(polars.String), kind=EMPTY)
    return TypedColumn(values=series, kind=NESTED)


def _without_missing(text: polars.Series) -> polars.Series:
    """Without white space around, and null for what stands for nothing."""
    import polars

    stripped = text.str.strip_chars()
    is_missing = stripped.str.len_chars().le(4) & stripped.str.to_lowercase().is_in(_MISSING)
    return polars.select(polars.when(is_missing).then(None).otherwise(stripped)).to_series().rename(text.name)


def _sample(text: polars.Series) -> polars.Series:
    """Values from all over the column."""
    present = text.drop_nulls()
    return present.gather_every(max(1, len(present) // _NUM_SAMPLE_ROWS))


def _share(values: polars.Series, text: polars.Series) -> float:
    return (len(values) - values.null_count()) / max(1, len(text) - text.null_count())


def _all_match(text: polars.Series, pattern: str) -> bool:
    return bool(text.str.contains(pattern).all())


def _matching(text: polars.Series, pattern: str) -> polars.Series:
    import polars

    return polars.select(polars.when(text.str.contains(pattern)).then(text)).to_series()


def _finite(values: polars.Series, given: polars.Series) -> TypedColumn:
    """Numbers; those that are not finite, or no numbers, are missing and counted."""
    import polars

    kept = polars.select(polars.when(values.is_finite()).then(values)).to_series().rename(given.name)
    is_odd = kept.is_null() & given.is_not_null()
    if given.dtype.is_float():
        is_odd = is_odd & given.is_not_nan()  # NaN is how such a file writes a missing value
    odd = given.filter(is_odd)
    return TypedColumn(
        values=kept, kind=NUMBER, num_odd=len(odd), odd=tuple(str(value) for value in odd.head(3))
    )


def _booleans(text: polars.Series, sample: polars.Series) -> polars.Series | None:
    """1 and 0 where the column has two words that mean yes and no."""
    import polars

    if sample.n_unique() > 4:
        return None
    lower = text.str.to_lowercase()
    words = set(lower.unique().drop_nulls())
    for yes, no in _TRUE_FALSE:
        if words == {yes, no}:
            return polars.select(
                polars.when(lower.is_null()).then(None).otherwise((lower == yes).cast(polars.Float64))
            ).to_series()
    return None


def _dates(text: polars.Series, sample: polars.Series) -> TypedColumn | None:
    """Points in time, read in the way that fits most values."""
    import polars

    def plain(dates: polars.Series) -> polars.Series:
        # The zone is left out: times stay what the clock on the wall showed.
        without_zone = dates.str.replace(r"(:\d{2})(\.\d+)?\s*(Z|[+-]\d{2}:?\d{2})?$", "$1")
        return without_zone.str.replace(r"^(\d{4}-\d{2}-\d{2})T", "$1 ")

    def read(dates: polars.Series, form: str) -> polars.Series:
        if "%H" in form:
            return dates.str.to_datetime(form, strict=False, time_unit="ms")
        return dates.str.to_date(form, strict=False).cast(polars.Datetime("ms"))

    if _share(_matching(sample, r"\d{1,4}\D"), sample) < _ENOUGH:
        return None
    tried = plain(sample)
    forms = [date + time for date in _DATE_FORMATS for time in _TIME_FORMATS]
    counts = {form: len(tried) - read(tried, form).null_count() for form in forms}
    best = max(forms, key=lambda form: counts[form])
    if counts[best] < _ENOUGH * len(tried):
        return None
    note = ""
    if best.startswith("%m/%d") and counts[best.replace("%m/%d", "%d/%m")] == counts[best]:
        note = "read as month/day/year, though day/month/year would do as well"
    values = read(plain(text), best)
    return TypedColumn(values=values, kind=DATE, num_odd=values.null_count() - text.null_count(), note=note)
