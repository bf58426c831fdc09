"""The recipes, found by their place: every module here that defines a concrete `Recipe` is one."""

from __future__ import annotations

import dataclasses
import difflib
import functools
import inspect
import types
import typing
from collections.abc import Mapping
from typing import Any

from openbook.errors import UsageError
from openbook.recipes.recipe import Recipe
from openbook.registry import modules_in, named

__all__ = ["all_recipes", "make_recipe", "recipe_class"]

_KIND_NAMES: Mapping[type, str] = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    str: "a text",
}


@functools.cache
def all_recipes() -> Mapping[str, type[Recipe]]:
    """Recipe classes by name, in the order of the book's chapters."""
    found: dict[str, type[Recipe]] = {}
    for module in modules_in(__name__, __path__):
        for value in vars(module).values():
            is_recipe = (
                isinstance(value, type) and issubclass(value, Recipe) and not inspect.isabstract(value)
            )
            if is_recipe and value.__module__ == module.__name__:
                found[value.name] = value
    return types.MappingProxyType(dict(sorted(found.items(), key=lambda item: (item[1].chapter, item[0]))))


def recipe_class(name: str) -> type[Recipe]:
    """The recipe of this name.

    Raises:
        UsageError: there is none.
    """
    return named(name, all_recipes(), what="recipe")


def make_recipe(name: str, settings: Mapping[str, Any]) -> Recipe:
    """A recipe with some of its settings given, as values or as text from the command line.

    Raises:
        UsageError: unknown recipe or setting, or a value of the wrong kind.
    """
    chosen = recipe_class(name)
    hints = typing.get_type_hints(chosen)
    fields = [field.name for field in dataclasses.fields(chosen)]
    converted: dict[str, Any] = {}
    for key, value in settings.items():
        if key not in fields:
            near = difflib.get_close_matches(key, fields, n=1)
            hint = f"Did you mean {near[0]}?" if near else f"It has: {', '.join(fields)}"
            raise UsageError(f"{name} has no setting {key!r}. {hint}")
        converted[key] = _convert(key, value, hints[key])
    return chosen(**converted)


def _convert(key: str, value: Any, hint: Any) -> Any:
    allowed = typing.get_args(hint) or (hint,)
    if value is None and type(None) in allowed:
        return None
    kinds = [kind for kind in allowed if kind is not type(None)]
    if isinstance(value, str) and str not in kinds:
        value = _from_text(key, value, kinds[0])
    if isinstance(value, int) and not isinstance(value, bool) and float in kinds:
        value = float(value)
    if str in kinds and isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    if not any(type(value) is kind for kind in kinds):
        names = " or ".join(_KIND_NAMES[kind] for kind in kinds)
        raise UsageError(f"setting {key!r} is {names}, not {value!r}")
    return value


def _from_text(key: str, text: str, kind: type) -> Any:
    words = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
    try:
        return words[text.lower()] if kind is bool else kind(text)
    except (KeyError, ValueError):
        raise UsageError(f"setting {key!r} is {_KIND_NAMES[kind]}, not {text!r}") from None
