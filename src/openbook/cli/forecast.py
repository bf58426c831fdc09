"""`openbook forecast`: what a run will take, before it is begun; and how good the forecasts were."""

from __future__ import annotations

import typing
from typing import Annotated, Any

import typer

from openbook.cli.output import JsonOption, print_json
from openbook.cli.recipe_flags import RecipeGroup, parameter, settings_from, with_settings
from openbook.cli.train import reporting
from openbook.errors import UsageError

if typing.TYPE_CHECKING:
    from openbook.recipes.recipe import Recipe
    from openbook.recipes.recipe_forecast import RecipeForecast

_EXAMPLES = """\b
Examples:

  openbook forecast text-generator --size small --epochs 2

  openbook forecast text-generator --data my-texts/ --epochs 10 --budget 1h

  openbook forecast text-generator --size medium --steps 2000 --on t4 --on my-laptop

  openbook forecast --record
"""
_BAR_WIDTH = 24


class ForecastGroup(RecipeGroup):
    """`openbook forecast RECIPE`."""

    def command_for(self, recipe: type[Recipe]) -> Any:
        def command(**values: Any) -> None:
            settings = settings_from(recipe, values)
            show_forecast(recipe.name, settings, **values)

        own = [
            parameter(
                "level",
                str,
                "auto",
                help="what to rest on: profile (nothing is run), probe (a few real steps), history (earlier runs) "
                "or auto",
            ),
            parameter(
                "on",
                list[str] | None,
                None,
                metavar="MACHINE",
                help="another machine to compare with, by name or file; see `openbook profile list`",
            ),
        ]
        return with_settings(command, recipe, own)

    def help_of(self, recipe: type[Recipe]) -> str:
        return (
            f"Say what training would take: time, memory, disk; any setting of `openbook train {recipe.name}`. "
            f"With --budget beside --steps or --epochs: whether it fits, and what would."
        )


def register(app: typer.Typer) -> None:
    """Add the command, with one sub-command per recipe."""
    group = typer.Typer(cls=ForecastGroup, invoke_without_command=True, rich_markup_mode=None)
    group.callback(help=f"Say what a run will take before it is begun: time, memory, disk.\n\n{_EXAMPLES}")(
        forecast
    )
    app.add_typer(group, name="forecast")


def forecast(
    context: typer.Context,
    record: Annotated[
        bool, typer.Option("--record", help="How good the forecasts of all finished runs were.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Without a recipe: the record, or what there is."""
    if context.invoked_subcommand is not None:
        if record:
            raise UsageError("--record tells of all runs; leave the recipe out: openbook forecast --record")
        if as_json:
            raise UsageError(
                f"write --json after the recipe: openbook forecast {context.invoked_subcommand} … --json"
            )
        return
    if not record:
        print(context.get_help())
        raise typer.Exit(2)
    show_record(as_json=as_json)


def show_forecast(
    recipe: str, settings: dict[str, Any], *, level: str, on: list[str] | None, quiet: bool, as_json: bool
) -> None:
    """Forecast a recipe and print it."""
    from openbook.relaunch import relaunch_with_malloc_settings

    relaunch_with_malloc_settings()  # before what takes time to load, which it would load twice
    from openbook.recipes.recipe_forecast import forecast_settings
    from openbook.runs.machine import process_age_s

    with reporting(quiet=quiet) as reporter:
        found = forecast_settings(
            recipe,
            settings,
            reporter=reporter,
            level=level,
            machines=tuple(on or ()),
            start_s=process_age_s(),
        )
    if as_json:
        print_json(found.to_dict())
        return
    _print_forecast(found)


def show_record(*, as_json: bool) -> None:
    """Print forecast against actual of all finished runs."""
    from openbook.forecasting.outcome import hit_rate, median_error, outcomes
    from openbook.runs import list_runs

    found = outcomes(list_runs())
    summary = {
        "num_runs": len(found),
        "hit_rate": {quantity: hit_rate(found, quantity) for quantity in ("time_s", "memory_bytes")},
        "median_error": {quantity: median_error(found, quantity) for quantity in ("time_s", "memory_bytes")},
    }
    if as_json:
        print_json({**summary, "runs": [each.to_dict() for each in found]})
        return
    from rich.console import Console
    from rich.table import Table

    from openbook.runs.readable import readable_duration

    console = Console(highlight=False)
    if not found:
        console.print(
            "No finished run has a forecast yet. Train one: openbook train text-generator", markup=False
        )
        return
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for heading in ("run", "forecast from", "time", "was", "error", "memory", "was", "error"):
        table.add_column(heading, justify="left" if heading in ("run", "forecast from") else "right")
    for each in found:
        cells = [each.run, each.level]
        for quantity, text in (("time_s", readable_duration), ("memory_bytes", _size_text)):
            if quantity not in each.actual:
                cells += ["–", "–", "–"]
                continue
            cells += [text(each.forecast[quantity]["middle"]), text(each.actual[quantity])]
            cells.append(f"{each.error(quantity):+.0%}{'' if each.is_hit(quantity) else ' *'}")
        table.add_row(*cells)
    console.print(table)
    console.print(
        f"The range held for {_share_text(hit_rate(found, 'time_s'))} of the times and "
        f"{_share_text(hit_rate(found, 'memory_bytes'))} of the memories of {len(found)} runs; it is made to hold "
        f"for 80%. Median error: time {_share_text(median_error(found, 'time_s'))}, memory "
        f"{_share_text(median_error(found, 'memory_bytes'))}. * outside its range",
        markup=False,
    )


def _share_text(share: float | None) -> str:
    return "–" if share is None else f"{share:.0%}"


def _size_text(size_bytes: float) -> str:
    from openbook.runs.readable import readable_size

    return readable_size(round(size_bytes))


def _print_forecast(found: RecipeForecast) -> None:
    from rich.console import Console
    from rich.table import Table

    from openbook.forecasting.words import PHASE_NAMES, forecast_lines
    from openbook.runs.readable import readable_duration

    console = Console(highlight=False)
    for line in forecast_lines(found):
        console.print(line, markup=False)
    phases = found.forecast.phases
    longest = max(phases.values())
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    for phase in PHASE_NAMES:
        if phases.get(phase, 0.0) > 0.0:
            bar = "█" * max(1, round(_BAR_WIDTH * phases[phase] / longest))
            table.add_row(PHASE_NAMES[phase], readable_duration(phases[phase]), bar)
    console.print()
    console.print(table)
