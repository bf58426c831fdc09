"""Random keys as NumPy arrays: two uint32 words each, along a trailing axis that their JAX shape lacks."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from openbook.program.primitives.table import (
    Element,
    Given,
    Params,
    Primitive,
    Reason,
    Selection,
    Shape,
    Source,
    SourceCall,
)

NUM_WORDS = 2


def is_key_dtype(dtype: Any) -> bool:
    """Whether this is JAX's dtype of random keys, which NumPy does not have."""
    return not isinstance(dtype, np.dtype) and not isinstance(dtype, type)


def packed(words: np.ndarray) -> np.ndarray:
    """Each key as one 64-bit number, so that the array has the shape that JAX gives it."""
    return np.ascontiguousarray(words, np.uint32).view(np.uint64)[..., 0]


def unpacked(keys: np.ndarray) -> np.ndarray:
    """The words of keys packed by `packed`."""
    return np.ascontiguousarray(keys[..., None]).view(np.uint32)


def also_for_keys(entry: Primitive) -> Primitive:
    """An entry that only moves elements, made to move whole keys too."""

    def value(
        params: Params, operands: Sequence[np.ndarray], results: Sequence[Shape]
    ) -> Sequence[np.ndarray]:
        if not is_key_dtype(results[0].dtype):
            return entry.value(params, operands, results)
        moved = entry.value(params, _packed_keys(operands, results), _as_numbers(results))
        return [unpacked(keys) for keys in moved]

    @functools.wraps(entry.explain)  # keeps the name of its family
    def explain(element: Element) -> Reason:
        result = element.results[element.output]
        if not is_key_dtype(result.dtype):
            return entry.explain(element)
        index, word = element.index[: len(result.shape)], element.index[len(result.shape) :]
        plain = dataclasses.replace(
            element,
            operands=_packed_keys(element.operands, element.results),
            results=_as_numbers(element.results),
            index=index,
        )
        reason = entry.explain(plain)
        if isinstance(reason, Selection):
            position, chosen = reason.chosen
            return dataclasses.replace(reason, chosen=(position, (*chosen, *word)))
        if isinstance(reason, Given) and word:
            words = unpacked(np.asarray(reason.value, np.uint64).reshape(1))[0]
            return dataclasses.replace(reason, value=words[word[0]])
        return reason

    def write(call: SourceCall) -> Source:
        if not is_key_dtype(call.results[0].dtype):
            return entry.source(call)
        return entry.source(
            dataclasses.replace(
                call,
                params={name: _with_words(name, call.params) for name in call.params},
                operands=[_with_word_axis(each) for each in call.operands],
                results=[_with_word_axis(each) for each in call.results],
            )
        )

    return dataclasses.replace(entry, value=value, explain=explain, source=write)


# What the parameters of each primitive say of the axis of words, which moves with its key.
_OF_WORDS = {
    "new_sizes": NUM_WORDS,
    "shape": NUM_WORDS,
    "slice_sizes": NUM_WORDS,
    "limit_indices": NUM_WORDS,
    "start_indices": 0,
    "strides": 1,
    "reps": 1,
    "padding_config": (0, 0, 0),
}


def _with_words(name: str, params: Params) -> Any:
    param = params[name]
    if param is None:
        return None
    if name in _OF_WORDS:
        return (*param, _OF_WORDS[name])
    if name == "permutation":
        return (*param, len(param))
    return (*param, len(params["shape"])) if name == "broadcast_dimensions" else param


def _with_word_axis(shape: Shape) -> Shape:
    if not is_key_dtype(shape.dtype):
        return shape
    return Shape(shape=(*shape.shape, NUM_WORDS), dtype=np.dtype(np.uint32))


def _as_numbers(results: Sequence[Shape]) -> list[Shape]:
    return [Shape(shape=each.shape, dtype=np.dtype(np.uint64)) for each in results]


def _packed_keys(operands: Sequence[np.ndarray], results: Sequence[Shape]) -> list[np.ndarray]:
    """Operands with their keys packed; indices among them stay as they are."""
    return [packed(each) if _holds_keys(each) else each for each in operands]


def _holds_keys(operand: np.ndarray) -> bool:
    # Indices and shifts beside the keys are signed or have no axis of two words.
    return operand.dtype == np.uint32 and operand.ndim > 0 and operand.shape[-1] == NUM_WORDS
