"""`openbook train`: one sub-command per recipe, with a flag for each of its settings."""

from __future__ import annotations

import dataclasses
import inspect
import types
import typing
from typing import Annotated, Any

import typer
import typer.main
from typer.core import TyperGroup

from openbook.cli.output import print_json
from openbook.errors import UsageError

if typing.TYPE_CHECKING:
    from openbook.recipes.recipe import Recipe
    from openbook.recipes.session import TrainingResult
    from openbook.training.reporter import Reporter

QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")]
JsonOption = Annotated[
    bool, typer.Option("--json", help="One JSON object on standard output; progress goes to standard error.")
]

_EXAMPLES = """\b
Examples:

  openbook train text-generator --budget 10m

  openbook train text-generator --data my-texts/ --size tiny

  openbook train --resume text-generator-1
"""


class RecipeGroup(TyperGroup):
    """The recipes as sub-commands, made when they are asked for: recipes import numpy, `--help` must not."""

    def list_commands(self, ctx: Any) -> list[str]:
        from openbook.recipes import all_recipes

        return list(all_recipes())

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        from openbook.recipes import recipe_class

        recipe = recipe_class(cmd_name)
        single = typer.Typer(add_completion=False, rich_markup_mode=None)
        single.command(cmd_name, help=f"{recipe.__doc__} (chapter {recipe.chapter})")(_command_for(recipe))
        return typer.main.get_command(single)


def register(app: typer.Typer) -> None:
    """Add the command, with one sub-command per recipe."""
    group = typer.Typer(cls=RecipeGroup, invoke_without_command=True, rich_markup_mode=None)
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

    run = find_run(resume)
    relaunch_with_malloc_settings()
    with reporting(quiet=quiet) as reporter:
        result = resume_run(run, reporter=reporter)
    show_result(result, as_json=as_json)


def run_recipe(recipe: Recipe, *, name: str | None, quiet: bool, as_json: bool) -> TrainingResult:
    """Train a recipe with the display that fits, and print what came of it."""
    from openbook.recipes import session
    from openbook.relaunch import relaunch_with_malloc_settings

    relaunch_with_malloc_settings()
    with reporting(quiet=quiet) as reporter:
        result = session.train(recipe, reporter=reporter, name=name)
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


def _command_for(recipe: type[Recipe]) -> Any:
    """A function whose signature has one option per field, for Typer to read."""
    from openbook.recipes import make_recipe

    hints = typing.get_type_hints(recipe)
    fields = {field.name: field for field in dataclasses.fields(recipe)}

    def command(**values: Any) -> None:
        refuse_resume(values.pop("resume"), recipe.name)
        own = {name: values.pop(name) for name in list(values) if name in fields}
        for pair in values.pop("pairs") or []:
            key, separator, value = pair.partition("=")
            if not separator:
                raise UsageError(f"--set takes name=value, not {pair!r}")
            key = key.strip().replace("-", "_")
            if key in own and own[key] != fields[key].default:
                raise UsageError(f"--{key.replace('_', '-')} and --set {key}=… say it twice. Leave one out")
            own[key] = value.strip()
        run_recipe(make_recipe(recipe.name, own), **values)

    parameters = [
        _parameter(name, _option_type(hints[name]), field.default, help=_help(recipe, field))
        for name, field in fields.items()
    ]
    parameters += [
        _parameter(
            "pairs",
            list[str] | None,
            None,
            "--set",
            metavar="NAME=VALUE",
            help="any setting by name; may be given several times",
        ),
        _parameter("resume", str | None, None, hidden=True),
        _parameter("name", str | None, None, help="name of the run's folder; counted up when left out"),
        inspect.Parameter("quiet", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=QuietOption),
        inspect.Parameter("as_json", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=JsonOption),
    ]
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return command


def _parameter(name: str, kind: Any, default: Any, *flags: str, **options: Any) -> inspect.Parameter:
    annotation = Annotated[kind, typer.Option(*flags, **options)]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _option_type(hint: Any) -> Any:
    kinds = [kind for kind in typing.get_args(hint) if kind is not types.NoneType]
    return kinds[0] | None if kinds else hint


def _help(recipe: type[Recipe], field: dataclasses.Field[Any]) -> str:
    text = str(field.metadata["help"])
    return f"{text} (default {recipe.default_budget})" if field.name == "budget" else text
