"""What runs made on this machine tell: how far the phases of a forecast were off, and what it has compiled."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

# A run that took the very same steps tells more than another of the same recipe.
_SAME_WEIGHT, _OTHER_WEIGHT = 8.0, 0.5
# Before any run is known, a factor of 1 counts as much as this share of a run.
_PRIOR_WEIGHT = 0.15
_PRIOR_SPREAD = 0.25
_SAME_SPREAD = 0.07
# A run on a machine that did other work as well says little of it.
_LARGEST_FACTOR = 8.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class PastRun:
    """One finished run of a recipe on this machine.

    Attributes:
        name: of its folder.
        is_same: it took steps of the same program.
        predicted: seconds by phase as the profile alone gave them, and "step" for one step; "memory" in bytes.
        actual: the same, as they were.
    """

    name: str
    is_same: bool
    predicted: Mapping[str, float]
    actual: Mapping[str, float]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Correction:
    """By what a quantity was off in the past.

    Attributes:
        factor: actual over predicted; 1 where nothing is known.
        spread: how well that is known, as in `Estimate`.
    """

    factor: float = 1.0
    spread: float = _PRIOR_SPREAD


@dataclasses.dataclass(frozen=True, kw_only=True)
class History:
    """Runs of one recipe on this machine, for one forecast."""

    runs: tuple[PastRun, ...] = ()

    @property
    def same(self) -> tuple[PastRun, ...]:
        """Runs that took steps of the same program."""
        return tuple(run for run in self.runs if run.is_same)

    def correction(self, name: str) -> Correction:
        """Of a phase, of "step", or of "memory"."""
        logarithms, weights = [0.0], [_PRIOR_WEIGHT]
        for run in self.runs:
            predicted, actual = run.predicted.get(name, 0.0), run.actual.get(name, 0.0)
            if predicted > 0.0 and actual > 0.0:
                factor = min(max(actual / predicted, 1 / _LARGEST_FACTOR), _LARGEST_FACTOR)
                logarithms.append(math.log(factor))
                weights.append(_SAME_WEIGHT if run.is_same else _OTHER_WEIGHT)
        if len(weights) == 1:
            return Correction()
        whole = sum(weights)
        mean = sum(weight * each for weight, each in zip(weights, logarithms, strict=True)) / whole
        known = list(zip(weights[1:], logarithms[1:], strict=True))
        variance = sum(weight * (each - mean) ** 2 for weight, each in known) / sum(
            weight for weight, _ in known
        )
        floor = _SAME_SPREAD if self.same else _PRIOR_SPREAD / 2
        return Correction(factor=math.exp(mean), spread=math.hypot(floor, math.sqrt(variance)))


NO_HISTORY = History()


def history_of(runs: Iterable[Any], *, recipe: str, settings: Mapping[str, Any], machine: str) -> History:
    """The history that counts for a forecast.

    Args:
        runs: runs as `openbook.runs` gives them.
        recipe: name of the recipe.
        settings: `Workload.settings` of the run to come.
        machine: identity of the profile, as text.
    """
    found = [past_run(run, settings=settings) for run in runs if run.recipe == recipe]
    return History(runs=tuple(each for each, on in found if each is not None and on == machine))


def past_run(run: Any, *, settings: Mapping[str, Any]) -> tuple[PastRun | None, str]:
    """A run as history, and the identity of its machine; None where it holds no forecast or did not finish."""
    forecast, actual = run.section("forecast"), run.section("actual")
    predicted, phases = forecast.get("from_profile"), actual.get("phases")
    if not run.is_complete or not isinstance(predicted, dict) or not isinstance(phases, dict):
        return None, ""
    if not forecast.get("is_whole", True):
        return None, ""
    happened = {**phases, "step": actual.get("step_s"), "memory": actual.get("memory_bytes")}
    is_same = forecast.get("program") == dict(settings)
    return (
        PastRun(name=run.name, is_same=is_same, predicted=_numbers(predicted), actual=_numbers(happened)),
        str(forecast.get("machine_identity", "")),
    )


def _numbers(values: Mapping[str, Any]) -> dict[str, float]:
    return {
        name: float(value)
        for name, value in values.items()
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    }


def names_of(runs: Sequence[PastRun]) -> str:
    """Names for a sentence, the first few."""
    names = [run.name for run in runs]
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
