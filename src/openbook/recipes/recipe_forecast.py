"""The forecast of a recipe: its data looked at, its work read, and settings that fit where it does not."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from openbook.data.cache import cache_folder
from openbook.errors import DataError, RunError
from openbook.forecasting.forecast import Made, Situation, check_level, make_forecast, on_other_machine
from openbook.forecasting.history import History, history_of
from openbook.forecasting.load import machine_load
from openbook.forecasting.machine_profile import MachineProfile
from openbook.forecasting.prediction import Elsewhere, Forecast
from openbook.forecasting.profiles import identity_digest, named_profile, profile_here
from openbook.forecasting.words import forecast_lines
from openbook.recipes import make_recipe
from openbook.recipes.backend import prepare_backend
from openbook.recipes.recipe import Recipe
from openbook.runs import list_runs
from openbook.runs.machine import memory_bytes, resident_bytes
from openbook.training.length import parse_duration
from openbook.training.reporter import Reporter

# A forecast is there after about so long, with the start of Python and everything.
_WHOLE_S = 9.5
# Of a training's budget, its forecast may take about so much besides.
_SHARE_OF_BUDGET = 0.1
# Settings that fit are looked for no longer than this, and no more than so many are offered.
_OFFERING_S = 4.0
_NUM_OFFERS = 3
_NUM_LENGTHS = 3


@dataclasses.dataclass(frozen=True, kw_only=True)
class Offer:
    """Settings that fit, near those that were asked for.

    Attributes:
        settings: those to change, by name.
    """

    settings: dict[str, Any]
    forecast: Forecast

    @property
    def flags(self) -> str:
        """As one types them."""
        return " ".join(f"--{name.replace('_', '-')} {value}" for name, value in self.settings.items())

    def to_dict(self) -> dict[str, Any]:
        """As it stands in `--json`."""
        return {
            "settings": self.settings,
            "flags": self.flags,
            "time_s": self.forecast.time_s.to_dict(),
            "memory_bytes": self.forecast.memory_bytes.to_dict(num_digits=0),
            "train_s": self.forecast.train_s.to_dict(),
            "steps": self.forecast.num_steps,
            "level": self.forecast.level,
        }


@dataclasses.dataclass(frozen=True, kw_only=True)
class RecipeForecast:
    """A forecast, what would fit where it does not, and the same elsewhere."""

    forecast: Forecast
    offers: tuple[Offer, ...] = ()
    elsewhere: tuple[Elsewhere, ...] = ()

    def __str__(self) -> str:
        return "\n".join(forecast_lines(self))

    def to_dict(self) -> dict[str, Any]:
        """As `--json` prints it."""
        return {
            **self.forecast.to_dict(),
            "offers": [offer.to_dict() for offer in self.offers],
            "elsewhere": [each.to_dict() for each in self.elsewhere],
        }


def forecast_settings(
    name: str,
    settings: Mapping[str, Any],
    *,
    reporter: Reporter,
    level: str = "auto",
    machines: tuple[str, ...] = (),
    start_s: float = 0.0,
) -> RecipeForecast:
    """Forecast a run that is not begun, as the command `openbook forecast` and `openbook.forecast` do.

    Args:
        name: of the recipe.
        settings: of the recipe; a budget beside steps or epochs is a limit, and not the length.
        level, machines: see `forecast_recipe`.
        start_s: what the command took before this call.
    Raises:
        UsageError: unknown recipe, setting, level or machine.
        DataError: the data cannot be used.
    """
    budget, budget_s = settings.get("budget"), None
    if budget is not None and (settings.get("steps") is not None or settings.get("epochs") is not None):
        settings, budget_s = {**settings, "budget": None}, parse_duration(budget)
    recipe = make_recipe(name, settings)
    check_level(level)
    for machine in machines:
        named_profile(machine, profiles_folder())
    begin_s = time.monotonic()
    data, scale = recipe.load_part(reporter)
    data_s = scale * (time.monotonic() - begin_s)
    begin_s = time.monotonic()
    prepare_backend()
    start_s += time.monotonic() - begin_s
    return forecast_recipe(
        recipe.resolve(data),
        data,
        say=reporter.message,
        start_s=start_s,
        data_s=data_s,
        scale=scale,
        level=level,
        budget_s=budget_s,
        machines=machines,
    )


def profiles_folder() -> Path:
    """Where machine profiles are kept."""
    return cache_folder() / "profiles"


def forecast_recipe(
    recipe: Recipe,
    data: Any,
    *,
    say: Callable[[str], None],
    start_s: float,
    data_s: float,
    is_training: bool = False,
    scale: float = 1.0,
    level: str = "auto",
    budget_s: float | None = None,
    machines: tuple[str, ...] = (),
) -> RecipeForecast:
    """Forecast a run of a resolved recipe.

    Args:
        data: as `Recipe.load_part` or `Recipe.load_data` gives it.
        say: told what takes long.
        start_s, data_s: what starting and loading the whole data takes, in seconds.
        is_training: the run follows in this process.
        scale: how many times larger the whole data is.
        level: see `make_forecast`.
        budget_s: a limit of the training time besides the recipe's own length.
        machines: names of other machines to compare with.
    Raises:
        UsageError: no such level or machine.
    """
    others = [named_profile(name, profiles_folder()) for name in machines]
    deadline_s = time.monotonic() + _WHOLE_S - start_s - data_s / scale
    if is_training:
        # The run is there to be trained: a short one does not wait long for its forecast.
        budget_now_s = recipe.length.budget_s
        deadline_s = math.inf if budget_now_s is None else time.monotonic() + _SHARE_OF_BUDGET * budget_now_s
    begin_s = time.monotonic()
    profile = profile_here(profiles_folder(), say=say)
    if not is_training:
        begin_s = time.monotonic()  # the run will find the profile measured
    load = machine_load()
    workload = recipe.workload(data, scale=scale)
    digest = identity_digest(profile.identity)
    situation = Situation(
        profile=profile,
        identity=digest,
        start_s=start_s,
        data_s=data_s,
        elapsed_s=lambda: time.monotonic() - begin_s,
        is_training=is_training,
        load=load,
        available_bytes=_available_bytes(profile),
        free_bytes=memory_bytes()[1] if profile.process_bytes else profile.memory_bytes,
        history=_history(recipe, workload.settings, digest),
        budget_s=budget_s,
        left_s=lambda: deadline_s - time.monotonic(),
    )
    made = make_forecast(workload, situation, level=level)
    fits = made.forecast.fits_memory and made.forecast.fits_budget
    return RecipeForecast(
        forecast=made.forecast,
        offers=() if fits else _offers(recipe, data, scale, situation, made),
        elsewhere=tuple(on_other_machine(made, other) for other in others),
    )


def _offers(recipe: Recipe, data: Any, scale: float, situation: Situation, made: Made) -> tuple[Offer, ...]:
    """Settings that fit: as many steps as there is time for, then smaller models and batches."""
    situation = dataclasses.replace(
        situation,
        scale=made.scale,
        temporary_scale=made.temporary_scale,
        elapsed_s=lambda: made.measured.forecast_s,
        is_training=True,
        process_bytes=made.process_bytes,
    )
    offers = []
    if made.forecast.fits_memory and made.forecast.budget_s is not None:
        if recipe.length.budget_s is None:
            longest = _longest_that_fits(recipe, data, scale, situation, made.forecast)
            offers += [longest] if longest else []
        else:
            enough = f"{round(3 * made.forecast.phases['compile'] + 1)}s"
            offers.append(
                _changed(recipe, dataclasses.replace(recipe, budget=enough), data, scale, situation)
            )
    begin_s = time.monotonic()
    for smaller in recipe.smaller():
        if len(offers) >= _NUM_OFFERS or time.monotonic() - begin_s > _OFFERING_S:
            break
        offer = _changed(recipe, smaller, data, scale, situation)
        if offer.forecast.fits_memory and offer.forecast.fits_budget:
            offers.append(offer)
    return tuple(offers)


def _longest_that_fits(
    recipe: Recipe, data: Any, scale: float, situation: Situation, forecast: Forecast
) -> Offer | None:
    """As many steps as the limit has room for; None where there is no time for one."""
    limit_s = forecast.budget_s or math.inf
    # What an offer takes besides its steps is known once it is forecast itself.
    for _ in range(_NUM_LENGTHS):
        steps = int((limit_s - forecast.train_s.middle + forecast.phases["steps"]) / forecast.step_s)
        if steps < 1:
            return None
        other = dataclasses.replace(recipe, steps=steps, epochs=None)
        offer = _changed(recipe, other, data, scale, situation)
        if offer.forecast.fits_budget:
            return offer
        forecast = offer.forecast
    return None


def _changed(recipe: Recipe, other: Recipe, data: Any, scale: float, situation: Situation) -> Offer:
    made = make_forecast(other.workload(data, scale=scale), situation)
    return Offer(settings=recipe.changes_to(other), forecast=made.forecast)


def _history(recipe: Recipe, settings: Any, identity: str) -> History:
    try:
        runs = list_runs()
    except (RunError, DataError):
        return History()  # the command that needs the folder says what is wrong with it
    return history_of(runs, recipe=recipe.name, settings=settings, machine=identity)


def _available_bytes(profile: MachineProfile) -> int:
    """Memory for a run: what is free, and what this process holds already and would hold again."""
    if not profile.process_bytes:
        return profile.memory_bytes
    return memory_bytes()[1] + resident_bytes()
