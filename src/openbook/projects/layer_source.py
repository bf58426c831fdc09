"""The source of Keras layers of openbook's own, each with what it needs, as a project writes them out."""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterable
from types import ModuleType

_PACKAGE = "openbook"


class LayerSource:
    """Classes and functions of openbook's layers, gathered in the order in which a file must define them."""

    def __init__(self, layers: Iterable[type]) -> None:
        self._pieces: dict[tuple[str, str], str] = {}
        self._legend: dict[str, str] = {}
        self.imports: set[str] = set()
        for layer in layers:
            self._gather(sys.modules[layer.__module__], layer.__name__)

    @property
    def text(self) -> str:
        """The definitions, two lines between them."""
        return "\n\n\n".join(self._pieces.values())

    @property
    def legend(self) -> str:
        """What the letters of the axes stand for, as a comment; "" where there are none."""
        return (
            f"# {', '.join(f'{name} = {what}' for name, what in self._legend.items())}"
            if self._legend
            else ""
        )

    def _gather(self, module: ModuleType, name: str) -> None:
        if (module.__name__, name) in self._pieces:
            return
        source = inspect.getsource(module)
        tree = ast.parse(source)
        for line in source.splitlines():
            if line.startswith("# B = "):
                pairs = (part.partition(" = ") for part in line[2:].split(", ") if " = " in part)
                for letter, _, what in pairs:
                    self._legend.setdefault(letter, what)
        defined = {_name_of(node): node for node in tree.body if _name_of(node)}
        imported = {
            alias.asname or alias.name: node
            for node in tree.body
            if isinstance(node, ast.Import | ast.ImportFrom)
            for alias in node.names
        }
        node = defined[name]
        for used in sorted(_names_in(node) - {name}):
            if used in defined:
                self._gather(module, used)
            elif used in imported:
                found = imported[used]
                if isinstance(found, ast.ImportFrom) and str(found.module).startswith(_PACKAGE):
                    self._gather(sys.modules[str(found.module)], used)
                else:
                    self.imports.add(ast.unparse(found))
        first = min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", []))])
        lines = source.splitlines()[first - 1 : node.end_lineno]
        text = "\n".join(lines).replace(f'package="{_PACKAGE}"', 'package="project"')
        self._pieces[module.__name__, name] = text


def _name_of(node: ast.stmt) -> str:
    """What a statement at the top of a module defines; "" for nothing."""
    if isinstance(node, ast.ClassDef | ast.FunctionDef):
        return node.name
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id
    return ""


def _names_in(node: ast.stmt) -> set[str]:
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
