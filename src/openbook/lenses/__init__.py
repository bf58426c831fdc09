"""Pictures of what is inside a model or came of a run: one file for each, which gives numbers and draws them.

Every module here with a `LENS` is found by its place.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Mapping

from openbook.lenses.lens import Examples, Finding, Lens, Question
from openbook.registry import modules_in, named

__all__ = ["Examples", "Finding", "Lens", "Question", "all_lenses", "lens_named"]


@functools.cache
def all_lenses() -> Mapping[str, Lens]:
    """Lenses by name."""
    found: dict[str, Lens] = {}
    for module in modules_in(__name__, __path__):
        lens = getattr(module, "LENS", None)
        if isinstance(lens, Lens):
            found[lens.name] = lens
    return types.MappingProxyType(dict(sorted(found.items())))


def lens_named(name: str) -> Lens:
    """The lens of this name.

    Raises:
        UsageError: there is none.
    """
    return named(name, all_lenses(), what="lens")
