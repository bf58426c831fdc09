"""Which columns of a table tell the time, the series and the target, and which values are worth looking at."""

# N = rows as they came

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from openbook.data.display import counted, harmless
from openbook.data.number_columns import as_numbers, without_missing
from openbook.data.time_columns import Stamps, find_stamps, part_of, stamps_of
from openbook.errors import DataError

if TYPE_CHECKING:
    import polars

__all__ = ["ColumnChoice", "Wanted", "listed"]

MAX_SERIES = 500
_MOST_MISSING = 0.3
_SHARE_NUMERIC = 0.9
_TARGET_NAMES = (
    *(
        "target",
        "y",
        "value",
        "values",
        "close",
        "demand",
        "load",
        "consumption",
        "sales",
        "price",
        "count",
        "cnt",
    ),
    *("temperature", "temp"),
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a person said of a table, and what a window needs."""

    target: str | None
    time_column: str | None
    series_column: str | None
    columns: tuple[str, ...] | None
    unit: str
    window: int
    horizon: int
    every: int = 1


class ColumnChoice:
    """What is found and guessed in a frame of texts, kept as facts and warnings.

    Attributes:
        left_out: the reason for each column that is not looked at.
    """

    def __init__(
        self, frame: polars.DataFrame, source: str, wanted: Wanted, facts: list[tuple[str, str]]
    ) -> None:
        self.frame = frame
        self.source = source
        self.wanted = wanted
        self.facts = facts
        self.warnings: list[str] = []
        self.left_out: dict[str, str] = {}

    def stamps(self) -> Stamps:
        frame, given = self.frame, self.wanted.time_column
        if given is not None:
            names = [given] if given in frame.columns else [part.strip() for part in given.split("+")]
            names = [self._existing(name, "--time-column") for name in names]
            found = stamps_of(frame, names)
            if found is None:
                shown = ", ".join(
                    repr(harmless(str(v))) for v in frame.get_column(names[0]).head(3).to_list()
                )
                raise DataError(
                    f"{self.source}: column {listed(names)!r} cannot be read as times; it holds {shown}. "
                    f"Expected times such as 2013-01-31 17:00, 31.01.2013, or seconds since 1970. Choose "
                    f"another with --time-column"
                )
        else:
            found = find_stamps(frame)
            if found is None:
                raise DataError(
                    f"{self.source}: none of its columns can be read as times: {listed(frame.columns)}. "
                    f"Expected one such as 2013-01-31 17:00, or columns year, month, day and hour. Name it with "
                    f"--time-column (or several, as in --time-column date+time)"
                )
        num_unknown = int(np.isnat(found.stamps_T).sum())
        guessed = "" if given else "; guessed, choose with --time-column"
        self.facts.append(("Time", f"{harmless(', '.join(found.columns))} ({found.how}{guessed})"))
        if found.note:
            self.warnings.append(f"the time {harmless(', '.join(found.columns))} {found.note}")
        if num_unknown:
            self.facts.append(("Left out", f"{counted(num_unknown, 'row')} without a time"))
        if (
            len(found.stamps_T) - num_unknown < 3
            or len(np.unique(found.stamps_T[~np.isnat(found.stamps_T)])) < 3
        ):
            raise DataError(
                f"{self.source}: has fewer than three different times in {harmless(', '.join(found.columns))}. "
                f"Expected one row for each time; choose another column with --time-column"
            )
        return found

    def numbers(self, stamps: Stamps) -> dict[str, np.ndarray]:
        """Columns of numbers by name, (N,) float64."""
        numbers: dict[str, np.ndarray] = {}
        for name in self.frame.columns:
            if name in stamps.columns:
                continue
            present = without_missing(self.frame.get_column(name))
            num_present = len(present) - present.null_count()
            if not num_present:
                self.left_out[name] = "empty"
                continue
            values = as_numbers(present)
            if len(values) - values.null_count() >= _SHARE_NUMERIC * num_present:
                numbers[name] = values.to_numpy().astype(np.float64)
            else:
                self.left_out[name] = "text"
        return numbers

    def groups(
        self, stamps: Stamps, numbers: Mapping[str, np.ndarray]
    ) -> tuple[str | None, dict[str, np.ndarray]]:
        """Rows of each series, in the order of time."""
        frame, given = self.frame, self.wanted.series_column
        if given is not None:
            name: str | None = self._existing(given, "--series-column")
        else:
            name = self._guess_series(stamps, numbers)
        known = ~np.isnat(stamps.stamps_T)
        if name is None:
            labels = np.full(len(known), "", object)
        else:
            values = without_missing(frame.get_column(name)).fill_null("")
            labels = np.array(values.to_list(), object)
            number = len(set(labels[known].tolist()))
            if number > MAX_SERIES:
                raise DataError(
                    f"{self.source}: column {harmless(name)!r} has {number:,} different values, at most "
                    f"{MAX_SERIES} series are read. Choose another with --series-column"
                )
            said = "" if given else " (guessed, choose with --series-column)"
            self.facts.append(("Series", f"{counted(number, 'value')} of {harmless(name)}{said}"))
            self.left_out.pop(name, None)
        groups = {}
        for label in sorted(set(labels[known].tolist())):
            rows = np.flatnonzero(known & (labels == label))
            groups[str(label)] = rows[np.argsort(stamps.stamps_T[rows], kind="stable")]
        if any(np.any(np.diff(rows) < 0) for rows in groups.values()):
            self.facts.append(("Sorted", "the rows were not in the order of time"))
        return name, groups

    def _guess_series(self, stamps: Stamps, numbers: Mapping[str, np.ndarray]) -> str | None:
        """The column with few values that tells apart the rows of the same time."""
        import polars

        whole = polars.DataFrame({"stamp": stamps.stamps_T.astype("datetime64[us]").astype(np.int64)})
        num_rows = whole.height
        num_alone = whole.n_unique()
        if num_alone > 0.7 * num_rows:
            return None
        best: tuple[bool, int, str] | None = None
        for name in self.frame.columns:
            column = self.frame.get_column(name)
            number = column.n_unique()
            if name in stamps.columns or not 2 <= number <= min(MAX_SERIES, num_rows // 3):
                continue
            num_pairs = whole.with_columns(column.alias("series")).n_unique()
            if num_pairs >= 0.95 * num_rows:
                # Of two that do, the one of text, then the one with fewer values.
                found = (name in numbers, number, name)
                best = min(best, found) if best else found
        if best is None:
            self.warnings.append(
                f"{num_rows - num_alone:,} rows have the time of another row; their mean is taken. If the table "
                f"holds several series, name the column that tells them apart with --series-column"
            )
        return best[2] if best else None

    def target(self, numbers: Mapping[str, np.ndarray]) -> str:
        given = self.wanted.target
        if given is not None:
            name = self._existing(given, "--target")
            if name not in numbers:
                shown = ", ".join(
                    repr(harmless(str(v))) for v in self.frame.get_column(name).head(3).to_list()
                )
                raise DataError(
                    f"{self.source}: the target {harmless(name)!r} is no column of numbers; it holds {shown}. "
                    f"Choose another with --target; numbers are in {listed(list(numbers)) or 'none'}"
                )
        else:
            by_plain = {name.strip().lower(): name for name in numbers}
            likely = [by_plain[each] for each in _TARGET_NAMES if each in by_plain]
            usable = [each for each in numbers if part_of(each) is None and not _is_counter(numbers[each])]
            if not usable:
                raise DataError(
                    f"{self.source}: has no column of numbers to forecast besides the time; columns: "
                    f"{listed(self.frame.columns)}"
                )
            name = (likely or usable)[0]
        said = "" if given else " (guessed, choose with --target)"
        unit = f" in {self.wanted.unit}" if self.wanted.unit else ""
        self.facts.append(("Target", f"{harmless(name)}{unit}{said}"))
        present = numbers[name][np.isfinite(numbers[name])]
        if self.wanted.horizon and np.ptp(present) == 0:
            raise DataError(
                f"{self.source}: the target {harmless(name)!r} is {present[0]:g} in all {len(present):,} rows; a "
                f"forecast needs something that changes. Choose another with --target: {listed(list(numbers))}"
            )
        return name

    def is_kept(self, name: str, values_N: np.ndarray, stamps: Stamps, series_column: str | None) -> bool:
        present = values_N[np.isfinite(values_N)]
        part = part_of(name)
        if np.ptp(present) == 0:
            self.left_out[name] = "constant"
        elif part is not None and _is_part(part, values_N, stamps.stamps_T):
            self.left_out[name] = "part of the time"
        elif _is_counter(values_N):
            self.left_out[name] = "a row number"
        elif name == series_column:
            self.left_out[name] = "names the series"
        elif len(present) < (1 - _MOST_MISSING) * len(values_N):
            self.left_out[name] = f"{1 - len(present) / len(values_N):.0%} missing"
        return name not in self.left_out

    def _existing(self, wanted: str, option: str) -> str:
        names = self.frame.columns
        if wanted in names:
            return wanted
        by_lower = {name.strip().lower(): name for name in names}
        if wanted.strip().lower() in by_lower:
            return by_lower[wanted.strip().lower()]
        near = difflib.get_close_matches(wanted.lower(), by_lower, n=3, cutoff=0.5)
        hint = f"Did you mean {' or '.join(harmless(by_lower[each]) for each in near)}? " if near else ""
        raise DataError(
            f"{self.source}: has no column {harmless(wanted)!r}. {hint}Choose with {option} among: "
            f"{listed(names)}"
        )

    def say_left_out(self) -> None:
        by_reason: dict[str, list[str]] = {}
        for name, reason in self.left_out.items():
            by_reason.setdefault(reason, []).append(name)
        for reason, names in by_reason.items():
            self.facts.append(("Left out", f"{listed(names)}: {reason}"))


def _is_part(part: str, values_N: np.ndarray, stamps_N: np.ndarray) -> bool:
    known = ~np.isnat(stamps_N) & np.isfinite(values_N)
    stamps = stamps_N[known]
    dates = {
        "year": stamps.astype("datetime64[Y]").astype(int) + 1970,
        "month": stamps.astype("datetime64[M]").astype(int) % 12 + 1,
        "day": (stamps.astype("datetime64[D]") - stamps.astype("datetime64[M]")).astype(int) + 1,
        "hour": stamps.astype("datetime64[h]").astype(int) % 24,
        "minute": stamps.astype("datetime64[m]").astype(int) % 60,
        "second": stamps.astype("datetime64[s]").astype(int) % 60,
    }
    return bool(np.mean(dates[part] == values_N[known]) > 0.9)


def _is_counter(values_N: np.ndarray) -> bool:
    """Whether the values count the rows."""
    return len(values_N) > 3 and bool(np.all(np.diff(values_N) == 1.0))


def listed(names: Sequence[str]) -> str:
    """At most a dozen names, safe for a terminal."""
    more = f" and {len(names) - 12} more" if len(names) > 12 else ""
    return ", ".join(map(harmless, names[:12])) + more
