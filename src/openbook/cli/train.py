"""`openbook train`: one sub-command per recipe, with a flag for each of its settings."""

from __future__ import annotations

import typing
from typing import Annotated, Any

import typer

from openbook.cli.output import JsonOption, QuietOption, print_json
from openbook.cli.recipe_flags import (
    RecipeGroup,
    make_recipe_from,
    parameter,
    with_settings,
)
from openbook.errors import UsageError

if typing.TYPE_CHECKING:
    from openbook.recipes.recipe import Recipe
    from openbook.recipes.session import TrainingResult
    from openbook.training.reporter import Reporter

_EXAMPLES = """\b
Examples:

  openbook train text-generator --budget 10m

  openbook train text-generator --data my-texts/ --size tiny

  openbook train --resume text-generator-1
"""


class TrainGroup(RecipeGroup):
    """`openbook train RECIPE`."""

    def command_for(self, recipe: type[Recipe]) -> Any:
        def command(**values: Any) -> None:
            refuse_resume(values.pop("resume"), recipe.name)
            chosen = make_recipe_from(recipe, values)
            run_recipe(chosen, **values)

        own = [
            parameter("resume", str | None, None, hidden=True),
            parameter("name", str | None, None, help="name of the run's folder; counted up when left out"),
        ]
        return with_settings(command, recipe, own)

    def help_of(self, recipe: type[Recipe]) -> str:
        return f"{recipe.__doc__} (chapter {recipe.chapter})"


def register(app: typer.Typer) -> None:
    """Add the command, with one sub-command per recipe."""
    group = typer.Typer(cls=TrainGroup, invoke_without_command=True, rich_markup_mode=None)
    group.callback(help=f"Train a model, or go on with a run that was stopped.\n\n{_EXAMPLES}")(train)
    app.add_typer(group, name="train")


def train(
    context: typer.Context,
    resume: Annotated[str | None, typer.Option(metavar="RUN", help="Go on with a stopped run.")] = None,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Without a recipe: resume, or say what there is."""
    if context.invoked_subcommand is not None:
        refuse_resume(resume, context.invoked_subcommand)
        return
    if resume is None:
        print(context.get_help())
        raise typer.Exit(2)
    from openbook.recipes.session import resume as resume_run
    from openbook.relaunch import relaunch_with_malloc_settings
    from openbook.runs import find_run
    from openbook.runs.machine import process_age_s

    run = find_run(resume)
    relaunch_with_malloc_settings()
    with reporting(quiet=quiet) as reporter:
        result = resume_run(run, reporter=reporter, start_s=process_age_s())
    show_result(result, as_json=as_json)


def run_recipe(recipe: Recipe, *, name: str | None, quiet: bool, as_json: bool) -> TrainingResult:
    """Train a recipe with the display that fits, and print what came of it."""
    from openbook.relaunch import relaunch_with_malloc_settings

    relaunch_with_malloc_settings()  # before what takes time to load, which it would load twice
    from openbook.recipes import session
    from openbook.runs.machine import process_age_s

    with reporting(quiet=quiet) as reporter:
        result = session.train(recipe, reporter=reporter, name=name, start_s=process_age_s())
    show_result(result, as_json=as_json)
    return result


def refuse_resume(resume: str | None, recipe: str) -> None:
    """Raise UsageError when a run is to be resumed and a recipe is named as well."""
    if resume is not None:
        raise UsageError(
            f"--resume takes its settings from the run. Leave {recipe!r} and its settings out: "
            f"openbook train --resume {resume}"
        )


class reporting:  # noqa: N801 - reads as a verb in `with reporting() as reporter`
    """Context of a reporter whose display is taken down however the work ends."""

    def __init__(self, *, quiet: bool) -> None:
        from openbook.training.reporter import choose_reporter

        self._reporter = choose_reporter(quiet=quiet)

    def __enter__(self) -> Reporter:
        return self._reporter

    def __exit__(self, *exception: object) -> None:
        self._reporter.close()


def show_result(result: TrainingResult, *, as_json: bool) -> None:
    """Print score, samples and what to do next, or one JSON object."""
    if as_json:
        print_json(
            {
                "run": str(result.run.path),
                "recipe": result.run.recipe,
                "score": dict(result.score),
                "train_s": round(result.train_s, 3),
                "total_s": round(result.total_s, 3),
                "steps": result.steps,
                "samples": result.samples,
            }
        )
        return
    from rich.console import Console
    from rich.panel import Panel
    from rich.text import Text

    from openbook.runs.readable import plain_text, readable_duration, scores_text

    console = Console(highlight=False)
    for number, sample in enumerate(result.samples, 1):
        console.print(Panel(Text(plain_text(sample.strip())), title=f"sample {number}", title_align="left"))
    console.print(f"held-out: {scores_text(result.score)}", markup=False)
    console.print(
        f"{result.steps:,} steps in {readable_duration(result.train_s)}, "
        f"{readable_duration(result.total_s)} altogether; saved as {result.run.name}",
        markup=False,
    )
