"""Forecast against what happened: in one run's record, and over all runs."""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

_QUANTITIES = ("time_s", "memory_bytes")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Outcome:
    """One run's forecast and what became of it.

    Attributes:
        level: what the forecast rested on.
        forecast: by quantity ("time_s", "memory_bytes"), `low`, `middle` and `high`.
        actual: by quantity; without the memory where the process had held more before, as in a notebook.
    """

    run: str
    recipe: str
    created: str
    level: str
    forecast: Mapping[str, Mapping[str, float]]
    actual: Mapping[str, float]

    def error(self, quantity: str) -> float:
        """How far the middle was off, as a share of what happened; above zero when too much was forecast."""
        return self.forecast[quantity]["middle"] / self.actual[quantity] - 1.0

    def is_hit(self, quantity: str) -> bool:
        """Whether the range held."""
        return self.forecast[quantity]["low"] <= self.actual[quantity] <= self.forecast[quantity]["high"]

    def to_dict(self) -> dict[str, Any]:
        """As it stands in `openbook forecast --record --json`."""
        return {
            "run": self.run,
            "recipe": self.recipe,
            "created": self.created,
            "level": self.level,
            **{
                quantity: {
                    **self.forecast[quantity],
                    "actual": self.actual[quantity],
                    "error": round(self.error(quantity), 4),
                    "is_hit": self.is_hit(quantity),
                }
                for quantity in self.actual
            },
        }


def with_actual(run: Any, *, total_s: float, memory_bytes: int | None) -> dict[str, Any]:
    """A run's forecast with `actual` and `error` beside each range; empty where none was made.

    Only a run of one session tells how good the forecast was: a resumed one loaded and compiled more than once. It
    is marked with `is_whole` false, and gets no actual.
    """
    forecast = dict(run.section("forecast"))
    if not forecast:
        return {}
    forecast["is_whole"] = len(run.record.get("sessions") or ()) <= 1
    if not forecast["is_whole"]:
        return forecast
    actual = {"time_s": round(total_s, 3), "memory_bytes": memory_bytes}
    for quantity, value in actual.items():
        if isinstance(forecast.get(quantity), Mapping) and value:
            expected = dict(forecast[quantity])
            forecast[quantity] = {
                **expected,
                "actual": value,
                "error": round(expected["middle"] / value - 1.0, 4),
            }
    return forecast


def outcomes(runs: Iterable[Any]) -> list[Outcome]:
    """Of all finished runs that had a forecast, in the order given."""
    found = [_outcome(run) for run in runs]
    return [each for each in found if each is not None]


def hit_rate(found: Sequence[Outcome], quantity: str) -> float | None:
    """Share of the runs whose range held; None without any."""
    hits = [each.is_hit(quantity) for each in found if quantity in each.actual]
    return statistics.mean(hits) if hits else None


def median_error(found: Sequence[Outcome], quantity: str) -> float | None:
    """Median of the absolute errors; None without any."""
    errors = [abs(each.error(quantity)) for each in found if quantity in each.actual]
    return statistics.median(errors) if errors else None


def _outcome(run: Any) -> Outcome | None:
    forecast = run.section("forecast")
    if not run.is_complete or not forecast.get("is_whole", False):
        return None
    ranges: dict[str, dict[str, float]] = {}
    actual: dict[str, float] = {}
    for quantity in _QUANTITIES:
        entry = forecast.get(quantity)
        try:
            range_of_quantity = {name: float(entry[name]) for name in ("low", "middle", "high")}
            happened = float(entry["actual"])
        except (TypeError, KeyError, ValueError):
            continue
        if happened > 0.0:
            ranges[quantity], actual[quantity] = range_of_quantity, happened
    if "time_s" not in actual:
        return None
    return Outcome(
        run=run.name,
        recipe=run.recipe,
        created=run.created.isoformat(),
        level=str(forecast.get("level", "")),
        forecast=ranges,
        actual=actual,
    )
