"""From a table of measurements to series on regular grids, without gaps, with a report of what was done."""

# N = rows as they came, T = rows of all grids one after another, C = columns

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from openbook.data.display import counted, harmless
from openbook.data.facts_report import FactsReport
from openbook.data.series_columns import ColumnChoice, Wanted, listed
from openbook.data.time_columns import Stamps
from openbook.data.time_grid import Grid, Step, gap_lengths, on_grid, step_between
from openbook.errors import DataError

if TYPE_CHECKING:
    import polars

__all__ = ["MAX_GAP_ROWS", "SeriesReading", "TimeSeries"]

# Longer gaps are not filled in.
MAX_GAP_ROWS = 6
_MOST_WINDOWS_LOST = 0.25


@dataclasses.dataclass(frozen=True, kw_only=True)
class TimeSeries:
    """One or more series with the same columns, each on a regular grid, one after another.

    Attributes:
        columns: names of the values; the target is one of them.
        values_TC: float32, without gaps.
        is_measured_T: the target was measured in this row and not filled in.
        is_filled_T: some value of the row was filled in.
        is_usable_T: no value lies in a gap that is too long to be filled in.
        stamps_T: int64 microseconds since 1970.
        names: of the series; "" where the table holds one.
        bounds: first and last row + 1 of each series.
    """

    columns: tuple[str, ...]
    target: str
    unit: str
    values_TC: np.ndarray
    is_measured_T: np.ndarray
    is_filled_T: np.ndarray
    is_usable_T: np.ndarray
    stamps_T: np.ndarray
    step: Step
    names: tuple[str, ...]
    bounds: tuple[tuple[int, int], ...]
    time_columns: tuple[str, ...]
    series_column: str | None
    report: FactsReport
    fingerprint: str
    origin: dict[str, object]


class SeriesReading:
    """From a frame of texts to series on grids."""

    def __init__(
        self, frame: polars.DataFrame, source: str, wanted: Wanted, facts: list[tuple[str, str]]
    ) -> None:
        self.frame = frame
        self.source = source
        self.wanted = wanted
        self.choice = ColumnChoice(frame, source, wanted, facts)
        self.facts = self.choice.facts
        self.warnings = self.choice.warnings
        self.left_out = self.choice.left_out

    def series(self, *, origin: dict[str, object]) -> TimeSeries:
        """All that was read, checked."""
        wanted = self.wanted
        stamps = self.choice.stamps()
        numbers = self.choice.numbers(stamps)
        series_column, groups = self.choice.groups(stamps, numbers)
        target = self.choice.target(numbers)
        columns = [
            name
            for name in numbers
            if name == target or self.choice.is_kept(name, numbers[name], stamps, series_column)
        ]
        columns = list(wanted.columns) if wanted.columns is not None else columns
        missing = [name for name in columns if name not in numbers]
        if missing:
            raise DataError(
                f"{self.source}: lacks the column{'s' if len(missing) > 1 else ''} {listed(missing)} that the "
                f"model was trained with. Expected {listed(columns)}; found {listed(self.frame.columns)}"
            )
        table_NC = np.stack([numbers[name] for name in columns], axis=1)
        step, grids = self._grids(stamps, groups, table_NC)
        keep = (
            [True] * len(columns)
            if wanted.columns is not None
            else self._columns_kept(columns, target, grids)
        )
        columns = [name for name, is_kept in zip(columns, keep, strict=True) if is_kept]
        self.choice.say_left_out()
        return self._finished(step, grids, np.array(keep), columns, target, stamps, series_column, origin)

    def _grids(
        self, stamps: Stamps, groups: Mapping[str, np.ndarray], table_NC: np.ndarray
    ) -> tuple[Step, dict[str, Grid]]:
        stamps_N = stamps.stamps_T.astype("datetime64[us]").astype(np.int64)
        long_enough = {name: rows for name, rows in groups.items() if len(np.unique(stamps_N[rows])) > 1}
        if len(long_enough) < len(groups):
            self.warnings.append(f"{counted(len(groups) - len(long_enough), 'series')} of one row left out")
        if not long_enough:
            raise DataError(
                f"{self.source}: no series has two rows. Choose another column with --series-column"
            )
        step = step_between([stamps_N[rows] for rows in long_enough.values()])
        try:
            grids = {
                name: on_grid(stamps_N[rows], table_NC[rows], step) for name, rows in long_enough.items()
            }
        except DataError as error:
            raise DataError(f"{self.source}: {error}") from None
        every = self.wanted.every
        if every > 1:
            step = Step(seconds=step.seconds * every)
            grids = {
                name: dataclasses.replace(
                    grid, stamps_T=grid.stamps_T[::every], values_TC=grid.values_TC[::every]
                )
                for name, grid in grids.items()
            }
        num_rows = sum(map(len, long_enough.values()))
        num_moved = sum(grid.num_moved for grid in grids.values())
        num_duplicates = sum(grid.num_duplicates for grid in grids.values())
        num_cells = sum(len(grid.stamps_T) for grid in grids.values())
        irregular = f"; {num_moved:,} rows lay beside it and were moved" if num_moved else ""
        self.facts.append(("Grid", f"one row every {step.text}, the median distance{irregular}"))
        if num_duplicates:
            self.facts.append(
                (
                    "Cleaned",
                    f"{counted(num_duplicates, 'row')} of a time that was there already; the mean is taken",
                )
            )
        self.facts.append(("Rows", f"{num_rows:,} read, {num_cells:,} on the grid"))
        return step, grids

    def _columns_kept(self, columns: Sequence[str], target: str, grids: Mapping[str, Grid]) -> list[bool]:
        """Columns whose long gaps would cost too many windows are left out."""
        keep = []
        reach = self.wanted.window + self.wanted.horizon
        for position, name in enumerate(columns):
            lost = total = 0
            for grid in grids.values():
                is_long = gap_lengths(np.isnan(grid.values_TC[:, position])) > MAX_GAP_ROWS
                of_target = gap_lengths(np.isnan(grid.values_TC[:, columns.index(target)])) > MAX_GAP_ROWS
                starts = max(0, len(is_long) - reach)
                lost += int((_in_window(is_long, reach) & ~_in_window(of_target, reach))[:starts].sum())
                total += starts
            is_kept = name == target or lost <= _MOST_WINDOWS_LOST * total
            if not is_kept:
                self.left_out[name] = f"gaps in {lost / total:.0%} of the windows"
            keep.append(is_kept)
        return keep

    def _finished(
        self,
        step: Step,
        grids: Mapping[str, Grid],
        keep_C: np.ndarray,
        columns: Sequence[str],
        target: str,
        stamps: Stamps,
        series_column: str | None,
        origin: dict[str, object],
    ) -> TimeSeries:
        wanted = self.wanted
        position = columns.index(target)
        values, measured, filled, usable, bounds = [], [], [], [], []
        num_filled, start = dict.fromkeys(columns, 0), 0
        for grid in grids.values():
            values_TC = grid.values_TC[:, keep_C]
            is_missing_TC = np.isnan(values_TC)
            lengths_TC = np.stack([gap_lengths(column) for column in is_missing_TC.T], axis=1)
            for index, name in enumerate(columns):
                num_filled[name] += int(
                    (is_missing_TC[:, index] & (lengths_TC[:, index] <= MAX_GAP_ROWS)).sum()
                )
                values_TC[:, index] = _filled(values_TC[:, index], is_between=index == position)
            values.append(values_TC)
            measured.append(~is_missing_TC[:, position])
            filled.append(is_missing_TC.any(axis=1))
            usable.append((lengths_TC <= MAX_GAP_ROWS).all(axis=1))
            bounds.append((start, start + len(values_TC)))
            start += len(values_TC)
        series_TC = np.concatenate(values).astype(np.float32)
        longest = max(stop - start for start, stop in bounds)
        needed = wanted.window + wanted.horizon
        if longest < needed or (wanted.horizon and longest < 4 * needed):
            raise self._too_short(longest, needed, step)
        total_filled = {name: number for name, number in num_filled.items() if number}
        if total_filled:
            shown = ", ".join(
                f"{harmless(name)} {number:,}" for name, number in list(total_filled.items())[:8]
            )
            self.facts.append(
                (
                    "Filled in",
                    f"gaps of at most {MAX_GAP_ROWS} rows, the target between its neighbours, other columns with "
                    f"their last value: {shown}",
                )
            )
        num_unusable = int((~np.concatenate(usable)).sum())
        if num_unusable:
            self.facts.append(
                ("Gaps", f"{counted(num_unusable, 'row')} in longer gaps; windows over them are left out")
            )
        self.facts.append(("Columns", f"{len(columns)}: {listed(columns)}"))
        stamps_T = np.concatenate([grid.stamps_T for grid in grids.values()])
        first, last = (
            str(np.datetime64(int(each), "s")) for each in (stamps_T.min() // 10**6, stamps_T.max() // 10**6)
        )
        self.facts.append(("Time span", f"{first.replace('T', ' ')} to {last.replace('T', ' ')}"))
        digest = hashlib.sha256(repr((columns, target, step, list(grids), bounds)).encode())
        for array in (series_TC, stamps_T, np.concatenate(usable)):
            digest.update(np.ascontiguousarray(array).tobytes())
        fingerprint = digest.hexdigest()
        target_T = series_TC[:, position]
        report = FactsReport(
            facts=tuple(self.facts),
            fingerprint=fingerprint,
            warnings=tuple(self.warnings),
            numbers={
                "num_rows": len(series_TC),
                "columns": list(columns),
                "target": target,
                "time_columns": list(stamps.columns),
                "series": list(grids) if series_column else [],
                "step": step.text,
                "num_filled": num_filled,
                "num_unusable": num_unusable,
                "target_range": [float(target_T.min()), float(target_T.max())],
            },
        )
        return TimeSeries(
            columns=tuple(columns),
            target=target,
            unit=wanted.unit or _unit_in(target),
            values_TC=series_TC,
            is_measured_T=np.concatenate(measured),
            is_filled_T=np.concatenate(filled),
            is_usable_T=np.concatenate(usable),
            stamps_T=stamps_T,
            step=step,
            names=tuple(grids),
            bounds=tuple(bounds),
            time_columns=stamps.columns,
            series_column=series_column,
            report=report,
            fingerprint=fingerprint,
            origin=origin,
        )

    def _too_short(self, longest: int, needed: int, step: Step) -> DataError:
        wanted = self.wanted
        if not wanted.horizon:
            return DataError(
                f"{self.source}: has {counted(longest, 'row')} every {step.text}; the model looks at the last "
                f"{wanted.window:,}. Give a table with that many"
            )
        window = max(1, longest // 4 - wanted.horizon)
        smaller = (
            f"--window {min(window, wanted.window)}"
            if longest // 4 > wanted.horizon
            else f"--window {max(1, longest // 16)} --horizon 1"
        )
        return DataError(
            f"{self.source}: the longest series has {counted(longest, 'row')} every {step.text}; a window of "
            f"{wanted.window:,} rows and a horizon of {wanted.horizon:,} need at least {4 * needed:,}, so that "
            f"each part of the split holds some. Give more data, or try {smaller}"
        )


def _filled(values_T: np.ndarray, *, is_between: bool) -> np.ndarray:
    """Gaps filled in: between their neighbours, or with the last value, which knows nothing of what comes."""
    known = np.flatnonzero(np.isfinite(values_T))
    if not len(known):
        return np.zeros_like(values_T)
    if is_between:
        between_T: np.ndarray = np.interp(np.arange(len(values_T)), known, values_T[known])
        return between_T
    before = np.maximum.accumulate(np.where(np.isfinite(values_T), np.arange(len(values_T)), -1))
    last_known_T: np.ndarray = values_T[np.where(before < 0, known[0], before)]
    return last_known_T


def _in_window(is_bad_T: np.ndarray, reach: int) -> np.ndarray:
    """Whether the `reach` rows from each row on hold a bad one."""
    sums = np.r_[0, np.cumsum(is_bad_T)]
    stops = np.minimum(np.arange(len(is_bad_T)) + reach, len(is_bad_T))
    is_hit_T: np.ndarray = sums[stops] > sums[:-1]
    return is_hit_T


def _unit_in(name: str) -> str:
    """The unit that a column's name gives in brackets."""
    begin, end = max(name.rfind("("), name.rfind("[")), max(name.rfind(")"), name.rfind("]"))
    return harmless(name[begin + 1 : end].strip()) if 0 <= begin < end and end - begin <= 12 else ""
