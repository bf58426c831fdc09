"""Roughly how long the default run of a recipe takes here: from earlier runs, a forecast, or its default budget.

A forecast is made only where the recipe's data is on this machine already, and is kept; a plan fetches nothing.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import time
from collections.abc import Callable, Sequence
from typing import Any

from openbook import __version__
from openbook.data.cache import cache_folder
from openbook.data.source import only_what_is_here
from openbook.errors import OpenbookError, RunError
from openbook.recipes import recipe_class
from openbook.recipes.recipe import default_settings
from openbook.runs import Run
from openbook.runs.atomic import atomic_write
from openbook.runs.machine import describe_machine
from openbook.runs.readable import readable_duration
from openbook.runs.strict_json import read_object, to_json
from openbook.training.length import parse_duration
from openbook.training.reporter import Reporter

__all__ = ["TimeHere", "rough", "times_here"]

# All forecasts of a plan together; what is left then is told from the default budget.
_PATIENCE_S = 30.0
# Starting, loading, compiling and scoring, beside the budget; from the forecasts of the recipes on a laptop.
_BESIDE_BUDGET_S = 25.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class TimeHere:
    """How long a run takes.

    Attributes:
        seconds: the middle.
        low, high: a range; None where it is a guess.
        basis: "earlier run", "forecast" or "default budget".
    """

    seconds: float
    basis: str
    low: float | None = None
    high: float | None = None

    def __str__(self) -> str:
        return readable_duration(self.seconds) if self.basis == "earlier run" else rough(self.seconds)

    def to_dict(self) -> dict[str, Any]:
        """As it stands in `--json`."""
        return {"time_s": round(self.seconds, 1), "low_s": self.low, "high_s": self.high, "basis": self.basis}


def rough(seconds: float) -> str:
    """A time that nobody should take to the second: "about 45 s", "about 3 min"."""
    if seconds < 90:
        return f"about {max(5, 5 * round(seconds / 5))} s"
    return f"about {round(seconds / 60)} min" if seconds < 5400 else f"about {seconds / 3600:.1f} h"


def times_here(
    runs: Sequence[Run], *, say: Callable[[str], None], may_forecast: bool = True
) -> Callable[[str], TimeHere]:
    """A function from a recipe's name to its time here.

    Args:
        runs: the newest first.
        say: told what takes long.
        may_forecast: else only earlier runs and kept forecasts tell.
    """
    begin_s = time.monotonic()

    def time_of(name: str) -> TimeHere:
        earlier = _earlier(name, runs) or _kept(name)
        if earlier is not None:
            return earlier
        if may_forecast and time.monotonic() - begin_s < _PATIENCE_S:
            found = _forecast(name, say)
            if found is not None:
                return found
        budget_s = parse_duration(recipe_class(name).default_budget)
        return TimeHere(seconds=budget_s + _BESIDE_BUDGET_S, basis="default budget")

    return time_of


def _earlier(name: str, runs: Sequence[Run]) -> TimeHere | None:
    """The newest finished run of this recipe on this machine."""
    here = describe_machine()["processor"]
    for run in runs:
        total_s = run.section("actual").get("total_s")
        is_here = run.section("machine").get("processor") == here
        if run.recipe == name and run.is_complete and is_here and isinstance(total_s, int | float):
            return TimeHere(seconds=float(total_s), basis="earlier run")
    return None


def _forecast(name: str, say: Callable[[str], None]) -> TimeHere | None:
    """From the machine's profile and the recipe's data; None where the data is not here, or something is amiss."""
    from openbook.recipes.recipe_forecast import forecast_settings

    say(f"Forecasting {name} with its own settings, once …")
    try:
        with only_what_is_here():
            found = forecast_settings(name, {}, reporter=Reporter(), level="profile").forecast.time_s
    except OpenbookError:
        return None
    except Exception as error:  # noqa: BLE001 - a plan needs no forecast: what prevents one must not prevent the plan
        say(f"No forecast of {name} could be made ({type(error).__name__}: {error}).")
        return None
    here = TimeHere(seconds=found.middle, low=found.low, high=found.high, basis="forecast")
    with contextlib.suppress(OSError, RunError):
        path = _path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic_write(path, to_json(dataclasses.asdict(here)))
    return here


def _kept(name: str) -> TimeHere | None:
    try:
        found = read_object(_path(name))
        return TimeHere(
            seconds=float(found["seconds"]),
            low=float(found["low"]),
            high=float(found["high"]),
            basis="forecast",
        )
    except (RunError, KeyError, TypeError, ValueError):
        return None


def _path(name: str) -> Any:
    """The file of a kept forecast; it no longer counts when the machine, the settings or openbook changed."""
    machine = describe_machine()
    facts = [
        __version__,
        machine["processor"],
        machine["num_cores"],
        {key: str(value) for key, value in default_settings(recipe_class(name)).items()},
    ]
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:12]
    return cache_folder() / "plan" / f"{name}-{digest}.json"
