"""Rows of a table as the numbers a model takes: fitted on the training rows, then frozen."""

# N = rows, F = features

from __future__ import annotations

import datetime
import difflib
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from openbook.data.display import harmless, shortened
from openbook.data.typed_columns import BOOLEAN, CATEGORY, DATE, NUMBER, as_numbers, typed_column
from openbook.errors import UsageError

if TYPE_CHECKING:
    import polars

__all__ = ["apply", "fit_features", "row_of", "row_text"]

Facts = dict[str, Any]

# A category has a feature of its own when so many training rows have it; the others share one.
_MIN_CATEGORY_ROWS = 5
_MAX_CATEGORY_FEATURES = 64
_DATE_PARTS = ("year", "month", "weekday", "seconds")
_MISSING = "(missing)"
_OTHER = "(other)"


def fit_features(frame: polars.DataFrame, kinds: Mapping[str, str]) -> Facts:
    """What `apply` must know, from the training rows alone; JSON-able.

    Numbers, booleans and the parts of dates get mean, standard deviation and the median that stands for what is
    missing; categories the list of those with a feature of their own.

    Returns:
        "fields", one entry a column, and "columns", the names of the features.
    """
    fields = [
        _fit_categories(name, frame.get_column(name))
        if kinds[name] == CATEGORY
        else _fit_numbers(name, kinds[name], frame.get_column(name))
        for name in frame.columns
    ]
    columns = [column for field in fields for column in _feature_names(field)]
    return {"fields": fields, "columns": columns}


def apply(facts: Mapping[str, Any], rows: polars.DataFrame) -> np.ndarray:
    """Features of rows, float32 (N, F).

    A number is (value − mean) / standard deviation; a missing one is the median, with a feature that says so where
    the training rows had missing ones. A category is 1 in the feature of its name, and 0 in the others.
    """
    features_NF = np.zeros((rows.height, len(facts["columns"])), np.float32)
    position = 0
    for field in facts["fields"]:
        series = rows.get_column(field["name"])
        if field["kind"] == CATEGORY:
            names = [*field["categories"], *_shared_names(field)]
            places = {name: place for place, name in enumerate(names)}
            other = places.get(_OTHER, -1)
            unique = series.unique()
            lookup = {word: places.get(word, other) for word in unique.drop_nulls()}
            lookup[None] = places.get(_MISSING, -1)
            place_N = np.array([lookup[word] for word in series.to_list()], np.int64)
            known = np.flatnonzero(place_N >= 0)
            features_NF[known, position + place_N[known]] = 1.0
            position += len(names)
            continue
        numbers = _numbers_of(series, field["kind"])
        is_missing_N = np.isnan(next(iter(numbers.values())))
        for part in field["parts"]:
            values_N = np.where(is_missing_N, part["median"], numbers[part["name"]])
            features_NF[:, position] = (values_N - part["mean"]) / part["scale"]
            position += 1
        if field["has_missing"]:
            features_NF[:, position] = is_missing_N
            position += 1
    return features_NF


def row_of(facts: Mapping[str, Any], given: Mapping[str, Any]) -> tuple[polars.DataFrame, list[str]]:
    """One row from what a person gives by name, and what should be said about it.

    Args:
        given: texts or plain values by column name, in any case; names may be left out.
    Raises:
        UsageError: a name is not known, or a value is not of its column's kind.
    """
    import polars

    fields = {field["name"]: field for field in facts["fields"]}
    values: dict[str, Any] = {}
    notes: list[str] = []
    for name, value in given.items():
        column = _field_named(fields, name, facts.get("target"), facts.get("ignored", ()))
        if column is None:
            notes.append(f"{harmless(name)} was given and is not used")
            continue
        values[column] = _value_of(fields[column], value, notes)
    columns = {}
    for name, field in fields.items():
        dtype: Any = {CATEGORY: polars.String, DATE: polars.Datetime("ms")}.get(field["kind"], polars.Float64)
        value = values[name] if name in values else _typical(field)
        columns[name] = value if isinstance(value, polars.Series) else polars.Series([value], dtype=dtype)
    left_open = [name for name in fields if name not in values]
    if left_open:
        shown = [f"{harmless(name)}={_typical_text(fields[name])}" for name in left_open[:8]]
        more = f" and {len(left_open) - 8} more" if len(left_open) > 8 else ""
        notes.append(f"not given, so typical values stand for them: {', '.join(shown)}{more}")
    return polars.DataFrame(columns), notes


def choices_of(facts: Mapping[str, Any]) -> list[tuple[str, Sequence[str] | None, str]]:
    """Of each column its name, the known values where it is a category, and what is typical of it in words."""
    return [
        (
            field["name"],
            list(field["categories"]) if field["kind"] == CATEGORY else None,
            _typical_text(field),
        )
        for field in facts["fields"]
    ]


def row_text(facts: Mapping[str, Any], features_F: np.ndarray, *, num_fields: int = 6) -> str:
    """A row of features as a person would write it: `RM=6.5, LSTAT=4.98, …`."""
    shown: list[str] = []
    position = 0
    for field in facts["fields"]:
        width = len(_feature_names(field))
        own_F = features_F[position : position + width]
        position += width
        if len(shown) == num_fields:
            return ", ".join([*shown, "…"])
        if field["kind"] == CATEGORY:
            names = [*field["categories"], *_shared_names(field)]
            text = names[int(own_F.argmax())] if own_F.any() else _OTHER
        elif field["has_missing"] and own_F[-1] > 0.5:
            text = _MISSING
        elif field["kind"] == DATE:
            seconds = [
                float(part["mean"] + value * part["scale"])
                for part, value in zip(field["parts"], own_F, strict=False)
                if part["name"] == "seconds"
            ]
            text = _date_text(_moment(seconds[0])) if seconds else "…"
        elif field["parts"]:
            part = field["parts"][0]
            # Features are float32, so what is left of a zero is rounding.
            num_decimals = 5 - math.floor(math.log10(part["scale"]))
            value = round(part["mean"] + float(own_F[0]) * part["scale"], num_decimals) + 0.0
            text = f"{value:.6g}"
        else:
            continue
        shown.append(f"{harmless(field['name'])}={shortened(text, max_chars=24)}")
    return ", ".join(shown)


def _fit_numbers(name: str, kind: str, series: polars.Series) -> Facts:
    parts = []
    has_missing = series.null_count() > 0
    for part, values_N in _numbers_of(series, kind).items():
        present_N = values_N[~np.isnan(values_N)]
        if len(present_N) == 0:
            continue
        median = float(np.median(present_N))
        filled_N = np.where(np.isnan(values_N), median, values_N)
        # Divided by the largest first: the squares of huge numbers would overflow.
        largest = max(float(np.abs(filled_N).max()), float(np.finfo(np.float64).tiny))
        scale = largest * float((filled_N / largest).std())
        if scale < 1e-9 * largest or not math.isfinite(scale):
            continue  # the same in every training row: nothing can be learned from it
        parts.append(
            {
                "name": part,
                "median": median,
                "mean": largest * float((filled_N / largest).mean()),
                "scale": scale,
                "low": float(present_N.min()),
                "high": float(present_N.max()),
            }
        )
    return {
        "name": name,
        "kind": kind,
        "parts": parts,
        "has_missing": has_missing,
        "is_mostly_missing": 2 * series.null_count() > len(series),
    }


def _fit_categories(name: str, series: polars.Series) -> Facts:
    counts = series.drop_nulls().value_counts(sort=True, name="rows")
    pairs = sorted(zip(counts[series.name].to_list(), counts["rows"].to_list(), strict=True), key=_most_first)
    kept = [word for word, rows in pairs[:_MAX_CATEGORY_FEATURES] if rows >= _MIN_CATEGORY_ROWS]
    return {
        "name": name,
        "kind": CATEGORY,
        "categories": kept,
        "most_frequent": pairs[0][0] if pairs else None,
        "has_other": len(kept) < len(pairs),
        "has_missing": series.null_count() > 0,
        "is_mostly_missing": 2 * series.null_count() > len(series),
    }


def _most_first(pair: tuple[str, int]) -> tuple[int, str]:
    return -pair[1], pair[0]


def _shared_names(field: Mapping[str, Any]) -> list[str]:
    return [_OTHER] * bool(field["has_other"]) + [_MISSING] * bool(field["has_missing"])


def _feature_names(field: Mapping[str, Any]) -> list[str]:
    name = field["name"]
    if field["kind"] == CATEGORY:
        return [f"{name}={word}" for word in (*field["categories"], *_shared_names(field))]
    own = [f"{name} {part['name']}" if part["name"] else name for part in field["parts"]]
    return own + [f"{name} {_MISSING}"] * bool(field["has_missing"])


def _numbers_of(series: polars.Series, kind: str) -> dict[str, np.ndarray]:
    """A column's numbers by part, float64 (N,); NaN where missing."""
    import polars

    if kind != DATE:
        return {"": series.cast(polars.Float64).to_numpy().astype(np.float64)}
    moments = series.dt
    parts = {
        "year": moments.year(),
        "month": moments.month(),
        "weekday": moments.weekday(),
        "seconds": moments.timestamp("ms") / 1000.0,
    }
    return {name: parts[name].cast(polars.Float64).to_numpy().astype(np.float64) for name in _DATE_PARTS}


def _field_named(
    fields: Mapping[str, Any], wanted: str, target: str | None, ignored: Sequence[str]
) -> str | None:
    """The column that is meant; None for one that is known and not used."""
    by_lower = {name.lower(): name for name in fields}
    asked = wanted.strip().lower()
    if wanted in fields or asked in by_lower:
        return wanted if wanted in fields else by_lower[asked]
    if asked in {name.lower() for name in (target, *ignored) if name}:
        return None
    near = [by_lower[each] for each in difflib.get_close_matches(asked, by_lower, n=2, cutoff=0.5)]
    hint = f"Did you mean {' or '.join(map(harmless, near))}? " if near else ""
    raise UsageError(
        f"the model knows no column {harmless(wanted)!r}. {hint}It takes: {', '.join(map(harmless, fields))}"
    )


def _value_of(field: Mapping[str, Any], value: Any, notes: list[str]) -> Any:
    """A value as its column has it; None for missing."""
    import polars

    name, kind = harmless(field["name"]), field["kind"]
    text = "" if value is None else str(value).strip()
    typed = typed_column(polars.Series([text], dtype=polars.String))
    if typed.values.null_count() and not text:
        return None
    if kind == CATEGORY:
        if text not in field["categories"]:
            known = ", ".join(map(harmless, field["categories"][:8]))
            notes.append(f"{name}={shortened(text, max_chars=24)} is rare or new; it knows: {known}")
        return text
    if kind == DATE:
        if typed.kind != DATE:
            raise UsageError(f"{name} is a date such as 2024-05-31, not {shortened(text, max_chars=24)!r}")
        return typed.values
    if kind == BOOLEAN and text.lower() in ("true", "yes", "y", "t", "1", "ja", "oui"):
        return 1.0
    if kind == BOOLEAN and text.lower() in ("false", "no", "n", "f", "0", "nein", "non"):
        return 0.0
    number = as_numbers(polars.Series([text], dtype=polars.String), decimal_commas=_is_decimal(text)).values[
        0
    ]
    if number is None or kind == BOOLEAN:
        expected = "yes or no" if kind == BOOLEAN else "a number"
        raise UsageError(f"{name} is {expected}, not {shortened(text, max_chars=24)!r}")
    for part in field["parts"]:
        if kind == NUMBER and not part["low"] <= number <= part["high"]:
            notes.append(
                f"{name}={number:g} lies outside what was learned from, {part['low']:g} to {part['high']:g}"
            )
    return number


def _is_decimal(text: str) -> bool | None:
    """Whether the comma of a number that a person typed begins its decimals, as in 6,5."""
    return True if text.count(",") == 1 and "." not in text else None


def _typical(field: Mapping[str, Any]) -> Any:
    """What stands for a column that a person leaves out: missing only where most rows miss it."""
    if field["is_mostly_missing"]:
        return None
    if field["kind"] == CATEGORY:
        return field["most_frequent"]
    parts = {part["name"]: part["median"] for part in field["parts"]}
    if field["kind"] == DATE:
        return _moment(parts["seconds"]) if "seconds" in parts else None
    return parts.get("")


def _typical_text(field: Mapping[str, Any]) -> str:
    value = _typical(field)
    if value is None:
        return _MISSING
    if field["kind"] == DATE:
        return _date_text(value)
    return f"{value:g}" if isinstance(value, float) else shortened(str(value), max_chars=24)


def _moment(seconds: float) -> datetime.datetime:
    return datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=round(seconds))


def _date_text(moment: datetime.datetime) -> str:
    return f"{moment:%Y-%m-%d}" if moment.time() == datetime.time() else f"{moment:%Y-%m-%d %H:%M:%S}"
