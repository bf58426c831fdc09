"""Definitions of the helper functions that NumPy source calls."""

from __future__ import annotations

import ast
import functools
import importlib
import inspect
import pkgutil
import textwrap
from collections.abc import Iterable, Mapping
from typing import Any


@functools.cache
def helper_definitions() -> Mapping[str, str]:
    """Source of all helper functions by name: of the table's families, and of the composites."""
    import openbook.program.primitives as package
    from openbook.program.numpy_source import composite_helpers

    found: dict[str, str] = {}
    modules = [
        importlib.import_module(f"{package.__name__}.{info.name}")
        for info in pkgutil.iter_modules(package.__path__)
        if not info.name.endswith("_test")
    ]
    for module in (*modules, composite_helpers):
        for name, definition in getattr(module, "HELPERS", {}).items():
            found[name] = definition_text(definition)
    return found


def needed_definitions(names: Iterable[str]) -> list[str]:
    """Definitions of some helpers and of those that they call, callees first."""
    definitions = helper_definitions()
    ordered: list[str] = []

    seen: set[str] = set()

    def add(name: str) -> None:
        if name in seen:
            return
        seen.add(name)
        for other in sorted(_names_in(definitions[name]) & set(definitions)):
            add(other)
        ordered.append(name)

    for name in sorted(names):
        add(name)
    return [definitions[name] for name in ordered]


def _names_in(source: str) -> set[str]:
    return {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}


def definition_text(definition: Any) -> str:
    """A helper's source: a function's without its annotations, or the text as it is."""
    if isinstance(definition, str):
        return textwrap.dedent(definition).strip()
    source = textwrap.dedent(inspect.getsource(definition)).strip()
    tree = ast.parse(source).body[0]
    assert isinstance(tree, ast.FunctionDef)
    for argument in ast.walk(tree.args):
        if isinstance(argument, ast.arg):
            argument.annotation = None
    lines = source.splitlines()
    body = lines[tree.body[0].lineno - 1 :]
    return "\n".join([f"def {tree.name}({ast.unparse(tree.args)}):", *body])
