"""When each row of a table was measured: one column in any of many formats, a date beside a time, or parts."""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from openbook.data.number_columns import as_numbers, without_missing

if TYPE_CHECKING:
    import polars

__all__ = ["PARTS", "Stamps", "find_stamps", "part_of", "stamps_of"]

PARTS: Mapping[str, tuple[str, ...]] = {
    "year": ("year", "yr", "yyyy"),
    "month": ("month", "mon", "mnth", "mm"),
    "day": ("day", "dy", "dd", "dayofmonth", "mday"),
    "hour": ("hour", "hr", "hh"),
    "minute": ("minute", "min"),
    "second": ("second", "sec"),
}
_TIME_NAME = re.compile(
    r"time|date|stamp|epoch|unix|^ts$|^ds$|datum|zeit|fecha|hora|^when$|^month$|^year$", re.I
)
_DATES = (
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%Y%m%d",
    "%d.%m.%Y",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%d.%m.%y",
    "%d/%m/%y",
    "%m/%d/%y",
    "%d %b %Y",
    "%d-%b-%Y",
    "%d %B %Y",
    "%b %d %Y",
    "%B %d %Y",
)
_TIMES = (
    "%H:%M:%S",
    "%H:%M",
    "%H:%M:%S%.f",
    "%I:%M:%S %p",
    "%I:%M %p",
    "%H.%M.%S",
    "%H:%M:%S%z",
    "%H:%M:%S%.f%z",
)
_COMPACT = ("%Y%m%d%H%M%S", "%Y%m%d%H%M", "%Y%m%dT%H%M%S")
_ZONE = re.compile(r"[+-]\d{2}:?\d{2}$")
# Units of epochs by the size of today's number.
_EPOCHS = (
    ("seconds", 1e8, 1e10, 1_000_000),
    ("milliseconds", 1e11, 1e13, 1_000),
    ("microseconds", 1e14, 1e16, 1),
)
_NUM_SAMPLE_ROWS = 400
_SHARE_READ = 0.9


@dataclasses.dataclass(frozen=True, kw_only=True)
class Stamps:
    """Times of the rows.

    Attributes:
        stamps_T: datetime64[us]; NaT where a row has none.
        columns: names of the columns they came from.
        how: the format, in words.
        note: what was assumed where it could have been meant otherwise; "" where nothing was.
    """

    stamps_T: np.ndarray
    columns: tuple[str, ...]
    how: str
    note: str = ""


def stamps_of(frame: polars.DataFrame, names: Sequence[str]) -> Stamps | None:
    """Times from the named columns; None where they cannot be read as times.

    Several names are a date and a time, or parts such as year, month, day and hour.
    """
    if len(names) > 1:
        parts = {part: name for name in names if (part := part_of(name))}
        if len(parts) == len(names) and "year" in parts:
            return _from_parts(frame, parts)
        texts = frame.get_column(names[0])
        for name in names[1:]:
            texts = texts + " " + frame.get_column(name)
    else:
        texts = frame.get_column(names[0])
    found = _from_texts(texts)
    return None if found is None else dataclasses.replace(found, columns=tuple(names))


def find_stamps(frame: polars.DataFrame) -> Stamps | None:
    """Times from the columns that look most like them; None where none do."""
    head = frame.head(_NUM_SAMPLE_ROWS)
    candidates: list[tuple[str, ...]] = []
    named = [name for name in frame.columns if _TIME_NAME.search(name)]
    dates = [name for name in named if re.search(r"date|datum|fecha|day", name, re.I)]
    for name in named:
        if part_of(name) is None:
            candidates.append((name,))
    # A date alone would make all hours of a day one stamp.
    candidates = [
        *((date, name) for date in dates for name in named if name != date and _is_time_of_day(head, name)),
        *candidates,
    ]
    parts = {part: name for name in frame.columns if (part := part_of(name))}
    if "year" in parts:
        candidates.append(tuple(parts[part] for part in PARTS if part in parts))
    candidates += [(name,) for name in named if part_of(name) is not None and part_of(name) != "year"]
    candidates += [(name,) for name in frame.columns if name not in named]
    for names in candidates:
        is_by_name = len(names) > 1 or names[0] in named
        found = stamps_of(head, names)
        if found is None or (found.how.startswith("epoch") and not is_by_name):
            continue
        stamps = stamps_of(frame, names)
        if stamps is not None and len(np.unique(stamps.stamps_T)) > 2:
            return stamps
    return None


def part_of(name: str) -> str | None:
    """Which part of a date a column holds, by its name."""
    plain = re.sub(r"[^a-z]", "", name.lower())
    return next((part for part, names in PARTS.items() if plain in names), None)


def _is_time_of_day(frame: polars.DataFrame, name: str) -> bool:
    texts = without_missing(frame.get_column(name)).drop_nulls()
    return len(texts) > 0 and bool(
        texts.str.contains(r"^\d{1,2}[:.]\d{2}([:.]\d{2})?(\.\d+)?( ?[AaPp][Mm])?$").all()
    )


def _from_parts(frame: polars.DataFrame, parts: Mapping[str, str]) -> Stamps | None:
    import polars

    numbers = {}
    for part, name in parts.items():
        column = as_numbers(frame.get_column(name))
        if part == "month" and column.null_count() > 0.5 * len(column):
            column = frame.get_column(name).str.slice(0, 3).str.to_titlecase()
            column = (
                (column + " 1 2000").str.to_date("%b %d %Y", strict=False).dt.month().cast(polars.Float64)
            )
        numbers[part] = column
    first = numbers["year"].drop_nulls()
    if not len(first) or not 1500 <= float(first[0]) <= 2500:
        return None
    filled = {
        part: numbers.get(part, polars.Series([default] * frame.height, dtype=polars.Float64)).cast(
            polars.Int32, strict=False
        )
        for part, default in (
            ("year", 2000),
            ("month", 1),
            ("day", 1),
            ("hour", 0),
            ("minute", 0),
            ("second", 0),
        )
    }
    # An hour of 24 is the next day's 0, and Polars knows no such hour.
    dates = polars.DataFrame(filled).select(polars.datetime("year", "month", "day")).to_series()
    stamps_T = dates.dt.cast_time_unit("us").to_numpy().astype("datetime64[us]")
    seconds_T = sum(
        filled[part].to_numpy().astype(np.float64) * size
        for part, size in (("hour", 3600), ("minute", 60), ("second", 1))
    )
    is_known = np.isfinite(seconds_T)
    stamps_T = stamps_T + np.where(is_known, seconds_T, 0).astype(np.int64).astype("timedelta64[s]")
    stamps_T[~is_known] = np.datetime64("NaT")
    names = tuple(parts.values())
    return Stamps(stamps_T=stamps_T, columns=names, how=f"put together from {', '.join(names)}")


def _from_texts(texts: polars.Series) -> Stamps | None:
    present = without_missing(texts)
    some = present.drop_nulls()
    if not len(some):
        return None
    epoch = _from_epoch(present)
    if epoch is not None:
        return epoch
    plain = present.str.replace_all(r"[,]", " ").str.replace_all(r"\s+", " ")
    plain = plain.str.replace(r"(\d)[Tt](\d)", "$1 $2").str.replace(r" ?(Z|UTC|GMT)$", "")
    plain = (
        plain.str.replace(r"([+-]\d{2})$", "$1:00") if some.str.contains(r":\d{2}[+-]\d{2}$").all() else plain
    )
    kept = plain.drop_nulls()
    # Evenly over the whole column: the first days of a month do not tell days from months.
    positions = np.unique(np.linspace(0, len(kept) - 1, _NUM_SAMPLE_ROWS).astype(int))
    sample = kept.gather(positions)
    if sample.str.contains(r"^\d{4}$").all():
        sample, plain = sample + "-01-01", plain + "-01-01"
    elif sample.str.contains(r"^\d{4}-\d{1,2}$").all():
        sample, plain = sample + "-01", plain + "-01"
    fitting = []
    for form in _formats(str(sample[0])):
        found = _read(sample, form)
        share = 1 - found.null_count() / len(found)
        # "%Y" takes the 21 of 1/3/21 for the year 21.
        if share >= _SHARE_READ and 1500 <= float(found.dt.year().median() or 0) <= 2500:  # type: ignore[arg-type]
            fitting.append((share, form))
    if not fitting:
        return None
    best = max(share for share, _ in fitting)
    forms = [form for share, form in fitting if share == best]
    # Where day and month could both come first, time should go on in small steps.
    forms.sort(key=lambda form: _restlessness(_read(sample, form)))
    stamps_T = _read(plain, forms[0]).to_numpy().astype("datetime64[us]")
    note = ""
    if len(forms) > 1 and {form[:2] for form in forms} >= {"%d", "%m"}:
        note = f"could be read as {forms[1]} as well; {forms[0]} makes the smaller steps"
    return Stamps(stamps_T=stamps_T, columns=(), how=forms[0], note=note)


def _formats(example: str) -> list[str]:
    if re.fullmatch(r"\d{8}|\d{14}|\d{12}|\d{8} \d{6}", example.replace("T", " ")):
        return ["%Y%m%d", *_COMPACT, "%Y%m%d %H%M%S"]
    if ":" not in example and not re.search(r"\d \d{1,2}\.\d{2}\.\d{2}$", example):
        return list(_DATES)
    zones = bool(_ZONE.search(example))
    times = [form for form in _TIMES if ("%z" in form) == zones]
    return [f"{date} {time}" for date, time in itertools.product(_DATES, times)]


def _read(texts: polars.Series, form: str) -> polars.Series:
    import polars

    if "%z" in form:
        found = texts.str.to_datetime(form, strict=False, time_unit="us", time_zone="UTC")
        return found.dt.replace_time_zone(None)
    if "%H" in form or "%I" in form:
        return texts.str.to_datetime(form, strict=False, time_unit="us")
    return texts.str.to_date(form, strict=False).cast(polars.Datetime("us"))


def _restlessness(stamps: polars.Series) -> float:
    known = stamps.drop_nulls().to_numpy().astype("datetime64[us]").astype(np.int64)
    return float(np.abs(np.diff(known)).sum())


def _from_epoch(present: polars.Series) -> Stamps | None:
    import polars

    numbers = present.cast(polars.Float64, strict=False)
    if numbers.null_count() > present.null_count() + (1 - _SHARE_READ) * len(present):
        return None
    values_T = numbers.to_numpy()
    known = values_T[np.isfinite(values_T)]
    if not len(known):
        return None
    middle = float(np.median(np.abs(known)))
    # A date such as 20130101 is a whole number too.
    if 1.8e7 <= middle <= 2.2e7 or present.drop_nulls().str.len_chars().max() == 14:
        return None
    for unit, low, high, factor in _EPOCHS:
        if low <= middle < high and np.ptp(known) > 0:
            stamps_T = np.full(len(values_T), np.datetime64("NaT"), "datetime64[us]")
            is_known = np.isfinite(values_T)
            stamps_T[is_known] = (
                np.round(values_T[is_known] * factor).astype(np.int64).astype("datetime64[us]")
            )
            return Stamps(stamps_T=stamps_T, columns=(), how=f"epoch {unit} (since 1970, UTC)")
    return None
