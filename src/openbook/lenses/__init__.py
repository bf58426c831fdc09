"""Pictures of what is inside a model or came of a run: one file for each, which gives numbers and draws them.

Every module here with a `LENS` is found by its place; the others are called by the recipes that they belong to.
"""

from __future__ import annotations

import difflib
import functools
import importlib
import pkgutil
import types
from collections.abc import Mapping

from openbook.errors import UsageError
from openbook.lenses.lens import Examples, Finding, Lens, Question

__all__ = ["Examples", "Finding", "Lens", "Question", "all_lenses", "lens_named"]


@functools.cache
def all_lenses() -> Mapping[str, Lens]:
    """Lenses by name."""
    found: dict[str, Lens] = {}
    for module_info in pkgutil.iter_modules(__path__):
        if not module_info.name.endswith("_test"):
            lens = getattr(importlib.import_module(f"{__name__}.{module_info.name}"), "LENS", None)
            if isinstance(lens, Lens):
                found[lens.name] = lens
    return types.MappingProxyType(dict(sorted(found.items())))


def lens_named(name: str) -> Lens:
    """The lens of this name.

    Raises:
        UsageError: there is none.
    """
    known = all_lenses()
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"Did you mean {near[0]}?" if near else f"There are: {', '.join(known)}"
        raise UsageError(f"there is no lens called {name!r}. {hint}")
    return known[name]
