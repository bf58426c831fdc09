"""The settings of a recipe as flags of a command: made from its fields, for every command that takes a recipe."""

from __future__ import annotations

import abc
import dataclasses
import inspect
import types
import typing
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import typer
import typer.main
from typer.core import TyperGroup

from openbook.cli.output import JsonOption, QuietOption
from openbook.errors import UsageError

if typing.TYPE_CHECKING:
    from openbook.recipes.recipe import Recipe


class RecipeGroup(TyperGroup):
    """The recipes as sub-commands, made when they are asked for: recipes import numpy, `--help` must not."""

    @abc.abstractmethod
    def command_for(self, recipe: type[Recipe]) -> Any:
        """The function of one recipe's command, as `with_settings` gives it."""

    @abc.abstractmethod
    def help_of(self, recipe: type[Recipe]) -> str:
        """What `--help` says of it."""

    def list_commands(self, ctx: Any) -> list[str]:
        from openbook.recipes import all_recipes

        return list(all_recipes())

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        from openbook.recipes import recipe_class

        recipe = recipe_class(cmd_name)
        single = typer.Typer(add_completion=False, rich_markup_mode=None)
        single.command(cmd_name, help=self.help_of(recipe))(self.command_for(recipe))
        return typer.main.get_command(single)


def with_settings(
    function: Callable[..., None], recipe: type[Recipe], own: Sequence[inspect.Parameter]
) -> Callable[..., None]:
    """A function whose signature has one option for each setting of a recipe, for Typer to read.

    Args:
        own: further options of the command; `--quiet` and `--json` come after them.
    """
    hints = typing.get_type_hints(recipe)
    parameters = [
        parameter(field.name, _option_type(hints[field.name]), field.default, help=_help(recipe, field))
        for field in dataclasses.fields(recipe)
    ]
    parameters += [
        parameter(
            "pairs",
            list[str] | None,
            None,
            "--set",
            metavar="NAME=VALUE",
            help="any setting by name; may be given several times",
        ),
        *own,
        inspect.Parameter("quiet", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=QuietOption),
        inspect.Parameter("as_json", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=JsonOption),
    ]

    def command(**values: Any) -> None:
        function(**values)

    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {each.name: each.annotation for each in parameters}
    return command


def settings_from(recipe: type[Recipe], values: dict[str, Any]) -> dict[str, Any]:
    """Takes the recipe's settings out of a command's values, those given by `--set` among them.

    Raises:
        UsageError: `--set` without a value, or a setting given twice.
    """
    fields = {field.name: field for field in dataclasses.fields(recipe)}
    own = {name: values.pop(name) for name in list(values) if name in fields}
    for pair in values.pop("pairs") or []:
        key, separator, value = pair.partition("=")
        if not separator:
            raise UsageError(f"--set takes name=value, not {pair!r}")
        key = key.strip().replace("-", "_")
        if key in own and own[key] != fields[key].default:
            raise UsageError(f"--{key.replace('_', '-')} and --set {key}=… say it twice. Leave one out")
        own[key] = value.strip()
    return own


def make_recipe_from(recipe: type[Recipe], values: dict[str, Any]) -> Recipe:
    """The recipe with the settings of a command's values, which are taken out of these."""
    from openbook.recipes import make_recipe

    return make_recipe(recipe.name, settings_from(recipe, values))


def parameter(name: str, kind: Any, default: Any, *flags: str, **options: Any) -> inspect.Parameter:
    """One option of a command."""
    annotation = Annotated[kind, typer.Option(*flags, **options)]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _option_type(hint: Any) -> Any:
    kinds = [kind for kind in typing.get_args(hint) if kind is not types.NoneType]
    return kinds[0] | None if kinds else hint


def _help(recipe: type[Recipe], field: dataclasses.Field[Any]) -> str:
    text = str(field.metadata["help"])
    return f"{text} (default {recipe.default_budget})" if field.name == "budget" else text
