"""Readings made before, used again as long as the model and what it is asked for are the same."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Hashable, Sequence
from typing import Any

from openbook.program.inputs import leaves
from openbook.program.reading import Reading

# Of one model; the oldest goes first.
_MOST_KEPT = 32

# What changes when a model is used, and changes nothing of what it computes.
_OF_USE = frozenset(
    {
        "built",
        "train_function",
        "test_function",
        "predict_function",
        "stop_training",
        "stop_evaluating",
        "stop_predicting",
    }
)
_PLAIN_TYPES = frozenset({type(None), bool, int, float, complex, str})

_kept: weakref.WeakKeyDictionary[Any, dict[Hashable, tuple[Reading, tuple[Any, ...]]]] = (
    weakref.WeakKeyDictionary()
)


def kept_reading(
    model: Any, key: Hashable, arrays: Any, make: Callable[[], Reading], *, parts: Sequence[Any] = ()
) -> Reading:
    """The reading of a model for arrays of these shapes, made where there is none.

    Args:
        key: what else the reading depends on.
        parts: objects that it depends on too, such as a loss and an optimizer.
    """
    shapes = tuple((array.shape, str(array.dtype)) for array in leaves(arrays))
    full_key = (key, shapes, _settings_of(model), tuple((id(part), _settings(part)) for part in parts))
    kept = _kept.setdefault(model, {})
    if full_key not in kept:
        if len(kept) >= _MOST_KEPT:
            del kept[next(iter(kept))]
        # The parts are kept alive, so that no other object gets their id.
        kept[full_key] = (make(), tuple(parts))
    return kept[full_key][0]


def _settings_of(model: Any) -> Hashable:
    """What a model is apart from the values of its weights: a layer may be added, frozen, or set otherwise."""
    variables = tuple(
        (variable.path, tuple(variable.shape), variable.trainable, str(variable.dtype))
        for variable in model.variables
    )
    layers = tuple((id(layer), layer.trainable, _settings(layer)) for layer in model._flatten_layers())
    return variables, layers


def _settings(thing: Any) -> Hashable:
    """The public attributes that are plain values or functions: an activation, a rate, an epsilon."""
    if thing is None or isinstance(thing, str):
        return thing
    attributes = getattr(thing, "__dict__", {})
    return tuple(
        (name, value if type(value) in _PLAIN_TYPES else _plain(value))
        for name, value in attributes.items()
        if name[0] != "_" and name not in _OF_USE
    )


def _plain(value: Any) -> Hashable:
    if type(value) in _PLAIN_TYPES:
        plain: Hashable = value
        return plain
    if isinstance(value, tuple | list):
        return tuple(map(_plain, value))
    # By id and code: the function itself would keep a model alive whose method it is.
    code: Hashable = getattr(value, "__code__", None)
    return (id(value), code) if callable(value) else None
