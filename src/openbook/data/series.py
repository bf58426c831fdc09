"""Time series from tables: a data set by name, a path or an address, read and put on a regular grid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from openbook.data.cache import Progress, silent
from openbook.data.display import harmless
from openbook.data.own_source import own_source
from openbook.data.series_catalog import SERIES_CATALOG, SeriesDataSet
from openbook.data.series_columns import Wanted
from openbook.data.series_reading import SeriesReading, TimeSeries
from openbook.data.series_table import read_series_table
from openbook.data.source import fetch

if TYPE_CHECKING:
    import polars

__all__ = ["TimeSeries", "load_series", "series_of_frame"]

MAX_BYTES = 2 << 30


def load_series(
    source: str,
    *,
    window: int,
    horizon: int,
    target: str | None = None,
    time_column: str | None = None,
    series_column: str | None = None,
    catalog: Mapping[str, SeriesDataSet] = SERIES_CATALOG,
    max_bytes: int = MAX_BYTES,
    progress: Progress = silent,
) -> TimeSeries:
    """Read a table of measurements.

    Args:
        source: a data set by name, or the path or address of a table, or of an archive or folder with one.
        window, horizon: rows that a forecast looks at, and rows ahead of the last one; a series must be longer.
        target: column to forecast; guessed when left out.
        time_column: column of the times, or several joined with "+"; guessed when left out.
        series_column: column that tells which series a row belongs to; guessed when left out.
    Raises:
        DataError: it cannot be used; the message says what was found and what would do.
    """
    known = catalog.get(source)
    wanted_source = known.source if known is not None else own_source(source, catalog)
    fetched = fetch(wanted_source, max_bytes=max_bytes, progress=progress)
    shown = harmless(source)
    frame, notes = read_series_table(fetched.path, shown, max_bytes=max_bytes)
    wanted = Wanted(
        target=target or (known.target if known else None),
        time_column=time_column,
        series_column=series_column,
        columns=None,
        unit=known.unit if known and (target or known.target) == known.target else "",
        window=window,
        horizon=horizon,
        every=known.every if known else 1,
    )
    facts = [("Source", shown)]
    facts += [("Title", known.title), ("Licence", known.licence)] if known else []
    facts.append(("Read as", "; ".join(map(harmless, notes))))
    return SeriesReading(frame, shown, wanted, facts).series(origin=dict(fetched.record))


def series_of_frame(
    frame: polars.DataFrame,
    source: str,
    *,
    columns: Sequence[str],
    target: str,
    time_columns: Sequence[str],
    series_column: str | None,
    window: int,
) -> TimeSeries:
    """A table like the one that a model was trained on, for one more forecast.

    Raises:
        DataError: it lacks a column, or is too short.
    """
    wanted = Wanted(
        target=target,
        time_column="+".join(time_columns) if all(name in frame.columns for name in time_columns) else None,
        series_column=series_column if series_column in frame.columns else None,
        columns=tuple(columns),
        unit="",
        window=window,
        horizon=0,
    )
    return SeriesReading(frame, source, wanted, []).series(origin={})
