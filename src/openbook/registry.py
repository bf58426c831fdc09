"""What is found by its place: the modules of a package, and one of several things by its name."""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from collections.abc import Iterable, Iterator, Mapping
from types import ModuleType
from typing import TypeVar

from openbook.errors import UsageError

__all__ = ["modules_in", "named"]

T = TypeVar("T")


def modules_in(package: str, path: Iterable[str]) -> Iterator[ModuleType]:
    """The modules of a package, tests left out; call with its `__name__` and `__path__`."""
    for info in pkgutil.iter_modules(path):
        if not info.name.endswith("_test") and info.name != "conftest":
            yield importlib.import_module(f"{package}.{info.name}")


def named(name: str, known: Mapping[str, T], *, what: str) -> T:
    """One of the known things.

    Raises:
        UsageError: there is none of this name; a near one is told.
    """
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"Did you mean {near[0]}?" if near else f"There are: {', '.join(known)}"
        raise UsageError(f"there is no {what} called {name!r}. {hint}")
    return known[name]
