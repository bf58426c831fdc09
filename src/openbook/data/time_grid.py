"""Measurements brought to a regular grid of times: duplicates averaged, short gaps filled, long ones marked."""

# N = rows as they came, T = rows of the grid, C = columns

from __future__ import annotations

import dataclasses

import numpy as np

from openbook.errors import DataError

__all__ = ["Grid", "Step", "gap_lengths", "on_grid", "step_between"]

_DAY_S = 86_400
_MAX_CELLS = 20_000_000
_MAX_CELLS_PER_ROW = 50


@dataclasses.dataclass(frozen=True, kw_only=True)
class Step:
    """The distance of two rows of a grid: seconds, or whole months, whose lengths differ."""

    seconds: float
    months: int = 0

    @property
    def text(self) -> str:
        """Such as "1 hour", "10 minutes" or "1 month"."""
        return self.duration(1)

    def duration(self, num_steps: int) -> str:
        """How long so many steps take, in words."""
        if self.months:
            months = num_steps * self.months
            return _counted(months // 12, "year") if months % 12 == 0 else _counted(months, "month")
        seconds = num_steps * self.seconds
        for size, unit in ((7 * _DAY_S, "week"), (_DAY_S, "day"), (3600, "hour"), (60, "minute")):
            if seconds >= size and (seconds % size == 0 or unit != "week"):
                return _counted(seconds / size, unit)
        return _counted(seconds, "second")

    @property
    def season(self) -> tuple[int, str] | None:
        """After how many rows things come again, and what that is: a day, a week of days, a year of months."""
        if self.months:
            return (12 // self.months, "year") if 12 % self.months == 0 and self.months < 12 else None
        if self.seconds <= _DAY_S / 2 and _DAY_S % self.seconds == 0:
            return round(_DAY_S / self.seconds), "day"
        return (7, "week") if self.seconds == _DAY_S else None

    def cells(self, stamps_N: np.ndarray) -> np.ndarray:
        """Position of each stamp on the grid that begins at the first; stamps sorted, in microseconds."""
        if self.months:
            months_N = stamps_N.astype("datetime64[us]").astype("datetime64[M]").astype(np.int64)
            return np.asarray((months_N - months_N[0]) // self.months)
        cells_N: np.ndarray = np.round((stamps_N - stamps_N[0]) / (self.seconds * 1e6)).astype(np.int64)
        return cells_N

    def stamps(self, first: int, num_cells: int) -> np.ndarray:
        """Stamps of a grid, int64 microseconds."""
        steps_T = np.arange(num_cells)
        if self.months:
            start = np.datetime64(first, "us").astype("datetime64[M]")
            within = first - int(start.astype("datetime64[us]").astype(np.int64))
            months_T = (start + steps_T * self.months).astype("datetime64[us]").astype(np.int64)
            return np.asarray(months_T + within)
        return np.asarray(first + np.round(steps_T * self.seconds * 1e6).astype(np.int64))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Grid:
    """One series on its grid.

    Attributes:
        stamps_T: int64 microseconds since 1970.
        values_TC: float64, nan where nothing was measured.
        num_moved: rows whose stamp lay beside the grid.
        num_duplicates: rows beyond the first of the same cell; a cell holds the mean.
    """

    stamps_T: np.ndarray
    values_TC: np.ndarray
    num_moved: int
    num_duplicates: int


def step_between(stamps: list[np.ndarray]) -> Step:
    """The median distance of neighbouring stamps.

    Args:
        stamps: of each series, sorted, int64 microseconds.
    """
    distances = np.concatenate([np.diff(np.unique(each)) for each in stamps])
    assert len(distances), "two different stamps at least"
    middle_s = float(np.median(distances)) / 1e6
    if 28 * _DAY_S <= middle_s <= 366 * _DAY_S:
        dates = np.concatenate(stamps).astype("datetime64[us]").astype("datetime64[D]")
        days = (dates - dates.astype("datetime64[M]").astype("datetime64[D]")).astype(int)
        if np.all(days == days[0]) or np.all(days >= 27):
            return Step(seconds=middle_s, months=max(1, round(middle_s / (30.44 * _DAY_S))))
    # A clock that is a little off still means whole seconds.
    return Step(seconds=float(max(1, round(middle_s))) if middle_s >= 1 else middle_s)


def on_grid(stamps_N: np.ndarray, values_NC: np.ndarray, step: Step) -> Grid:
    """One series, sorted by its stamps, on the grid that begins at its first stamp.

    Raises:
        DataError: the stamps are so scattered that nearly all of the grid would be empty.
    """
    cells_N = step.cells(stamps_N)
    num_cells = int(cells_N[-1]) + 1
    if num_cells > _MAX_CELLS or num_cells > _MAX_CELLS_PER_ROW * len(stamps_N) + 1000:
        first, last = (
            str(each.astype("datetime64[s]")) for each in stamps_N[[0, -1]].astype("datetime64[us]")
        )
        raise DataError(
            f"the times run from {first} to {last} in steps of {step.text}, which makes {num_cells:,} rows of "
            f"which {len(stamps_N):,} were measured. Expected a series measured at regular times; look for wrong "
            f"dates, or choose another column with --time-column"
        )
    is_present_NC = np.isfinite(values_NC)
    sums_TC = np.zeros((num_cells, values_NC.shape[1]))
    counts_TC = np.zeros((num_cells, values_NC.shape[1]), np.int64)
    np.add.at(sums_TC, cells_N, np.where(is_present_NC, values_NC, 0.0))
    np.add.at(counts_TC, cells_N, is_present_NC)
    stamps_T = step.stamps(int(stamps_N[0]), num_cells)
    num_moved = 0 if step.months else int((stamps_T[cells_N] != stamps_N).sum())
    return Grid(
        stamps_T=stamps_T,
        values_TC=np.where(counts_TC > 0, sums_TC / np.maximum(1, counts_TC), np.nan),
        num_moved=num_moved,
        num_duplicates=len(cells_N) - len(np.unique(cells_N)),
    )


def gap_lengths(is_missing_T: np.ndarray) -> np.ndarray:
    """For each row how many rows the gap has in which it lies; 0 where nothing is missing."""
    lengths_T = np.zeros(len(is_missing_T), np.int64)
    edges = np.flatnonzero(np.diff(np.r_[0, is_missing_T.astype(np.int8), 0]))
    for start, stop in zip(edges[::2], edges[1::2], strict=True):
        lengths_T[start:stop] = stop - start
    return lengths_T


def _counted(number: float, unit: str) -> str:
    shown = f"{number:,.0f}" if float(number).is_integer() else f"{number:,.4g}"
    return f"{shown} {unit}" if shown == "1" else f"{shown} {unit}s"
