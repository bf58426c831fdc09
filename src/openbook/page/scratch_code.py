"""Which scratch code explains the values of a trace: that of the operation behind one, and of its layer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from openbook.page.inputs.reading import Json
from openbook.scratch.lines import SCRATCH_OF_LAYER, SCRATCH_OF_OPERATION, scratch_code

__all__ = ["scratch_by_value", "scratch_sources"]

_PHASES = frozenset({"forward", "backward", "update"})


def scratch_sources() -> Json:
    """`ScratchCode` by the name that values have it under."""
    return dict(scratch_code())


def scratch_by_value(model: Any, outline: Mapping[str, Any], weights: Iterable[str]) -> dict[str, list[str]]:
    """Names of scratch code by the name of a value, the nearest first; a value without any is left out.

    Args:
        outline: of the program, as `Outline.to_dict` gives it.
        weights: names of values that are no step's result, such as "hidden/kernel"; they have a layer as well.
    """
    kinds = layer_kinds(model)
    found: dict[str, list[str]] = {}
    _walk(outline, (), kinds, found)
    for name in weights:
        names = _of_path(name.rpartition("/")[0], kinds)
        if names:
            found.setdefault(name, names)
    return found


def layer_kinds(model: Any) -> dict[str, tuple[str, ...]]:
    """Class names of each layer and what it is made from, by its path in the model, also inside other layers."""
    found: dict[str, tuple[str, ...]] = {}

    def walk(owner: Any, prefix: str) -> None:
        for layer in owner._flatten_layers(include_self=False, recursive=False):
            path = prefix + layer.name
            if path not in found:
                found[path] = tuple(each.__name__ for each in type(layer).__mro__)
                walk(layer, f"{path}/")

    walk(model, "")
    return found


def _walk(
    node: Mapping[str, Any],
    above: tuple[str, ...],
    kinds: Mapping[str, tuple[str, ...]],
    found: dict[str, list[str]],
) -> None:
    """The nearest to a value is the operation that computes it, then the operations around it, then its layer."""
    own: tuple[str, ...] = ()
    if node["kind"] in ("operation", "step"):
        own = tuple(each.__name__ for each in SCRATCH_OF_OPERATION.get(node["label"], ()))
    around = tuple(dict.fromkeys((*own, *above)))
    of_layer = _of_path(_layer_path(node), kinds)
    for name in node["names"]:
        # The deepest node that has a value is visited last, and knows most of it.
        names = list(dict.fromkeys((*around, *of_layer)))
        if names:
            found[name] = names
    for child in node.get("children", ()):
        _walk(child, around, kinds, found)


def _layer_path(node: Mapping[str, Any]) -> str:
    """Where a node is in the model; the phase in front of it is no layer."""
    first, _, rest = str(node["path"]).partition("/")
    return rest if first in _PHASES else str(node["path"])


def _of_path(path: str, kinds: Mapping[str, tuple[str, ...]]) -> list[str]:
    """The scratch code of the innermost layer around a path that has some."""
    for around in _paths_around(path):
        for kind in kinds.get(around, ()):
            if kind in SCRATCH_OF_LAYER:
                return [each.__name__ for each in SCRATCH_OF_LAYER[kind]]
    return []


def _paths_around(path: str) -> Iterator[str]:
    while path:
        yield path
        path = path.rpartition("/")[0]
