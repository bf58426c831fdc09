"""Timing two ways of doing something in turns (A B A B …), with medians."""

from __future__ import annotations

import dataclasses
import statistics
import time
from collections.abc import Callable


@dataclasses.dataclass(frozen=True, kw_only=True)
class Pair:
    """Seconds of each round.

    Attributes:
        first_s, second_s: durations in the order they were measured.
    """

    first_s: tuple[float, ...]
    second_s: tuple[float, ...]

    @property
    def medians_s(self) -> tuple[float, float]:
        return statistics.median(self.first_s), statistics.median(self.second_s)

    @property
    def ratio(self) -> float:
        """Median of second over median of first."""
        first, second = self.medians_s
        return second / first


def side_by_side(
    first: Callable[[], object], second: Callable[[], object], *, rounds: int = 11, warm_up: int = 2
) -> Pair:
    """Time two functions in turns; each must have finished its work when it returns."""
    durations: tuple[list[float], list[float]] = ([], [])
    for round_number in range(warm_up + rounds):
        for function, measured in zip((first, second), durations, strict=True):
            begin = time.perf_counter()
            function()
            if round_number >= warm_up:
                measured.append(time.perf_counter() - begin)
    return Pair(first_s=tuple(durations[0]), second_s=tuple(durations[1]))
