"""One window of an array, at a place that scalars name: read, or written into a copy."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from openbook.program.primitives.index_windows import plain_integers
from openbook.program.primitives.key_arrays import also_for_keys
from openbook.program.primitives.source_texts import index_text, shape_text
from openbook.program.primitives.table import (
    ATOM,
    Element,
    Index,
    Params,
    Primitive,
    Selection,
    Shape,
    Source,
    SourceCall,
    no_operations,
)

Operands = Sequence[np.ndarray]
Results = Sequence[Shape]
Place = tuple[int, Index]


def dynamic_slice(x: np.ndarray, start: Sequence[int], sizes: Sequence[int]) -> np.ndarray:
    """The window of x of the given sizes; a start too near to the end is moved back."""
    first = np.clip(start, 0, np.subtract(x.shape, sizes))
    return x[tuple(slice(at, at + size) for at, size in zip(first, sizes, strict=True))]


def update_slice(x: np.ndarray, update: np.ndarray, start: Sequence[int]) -> np.ndarray:
    """A copy of x with an update put in; a start too near to the end is moved back."""
    first = np.clip(start, 0, np.subtract(x.shape, update.shape))
    result = x.copy()
    result[tuple(slice(at, at + size) for at, size in zip(first, update.shape, strict=True))] = update
    return result


def _starts(scalars: Operands) -> list[int]:
    return [int(scalar) for scalar in scalars]


def _slice_value(params: Params, operands: Operands, results: Results) -> list[np.ndarray]:
    return [dynamic_slice(operands[0], _starts(operands[1:]), params["slice_sizes"])]


def _slice_explain(element: Element) -> Selection:
    x, *scalars = element.operands
    starts = _starts(scalars)
    lasts = [size - part for size, part in zip(x.shape, element.params["slice_sizes"], strict=True)]
    first = [min(max(start, 0), last) for start, last in zip(starts, lasts, strict=True)]
    index = tuple(start + at for start, at in zip(first, element.index, strict=True))
    why = f"from the part that starts at {shape_text(starts)}"
    if first != starts:
        why += f", moved to {shape_text(first)} to lie inside"
    return Selection(chosen=(0, index), why=why, deciders=_deciding(1, lasts))


def _deciding(first: int, lasts: Sequence[int]) -> tuple[Place, ...]:
    """The scalars that make a difference: those of axes along which the window can move."""
    return tuple((first + axis, ()) for axis, last in enumerate(lasts) if last > 0)


def _slice_source(call: SourceCall) -> Source:
    sizes = plain_integers(call.params["slice_sizes"])
    known = _known_starts(call.inputs[1:], call.operands[0].shape, sizes)
    if known is not None:
        return Source(text=call.inputs[0] + known, binding=ATOM)
    # Random keys have an axis of words more, which no scalar names.
    missing = len(call.operands[0].shape) - len(call.inputs) + 1
    starts = ", ".join([*call.inputs[1:], *("0",) * missing])
    comma = "," if len(call.operands[0].shape) == 1 else ""
    text = f"{call.helper('dynamic_slice')}({call.inputs[0]}, ({starts}{comma}), {sizes})"
    return Source(text=text, binding=ATOM)


def _known_starts(texts: Sequence[str], shape: Sequence[int], sizes: Sequence[int]) -> str | None:
    """The index in brackets where all starts that matter are written as numbers, else None."""
    parts = []
    for axis, (size, part) in enumerate(zip(shape, sizes, strict=True)):
        if size == part:
            parts.append(":")
            continue
        number = re.fullmatch(r"(?:np\.\w+\()?(-?\d+)\)?", texts[axis])
        if number is None:
            return None
        start = min(max(int(number[1]), 0), size - part)
        parts.append(f"{start or ''}:{start + part if start + part < size else ''}")
    return index_text(parts)


def _slice_bytes(params: Params, operands: Results, results: Results) -> tuple[float, float]:
    """The part, and the scalars; not the whole array."""
    return results[0].size_bytes + sum(each.size_bytes for each in operands[1:]), results[0].size_bytes


def _update_value(params: Params, operands: Operands, results: Results) -> list[np.ndarray]:
    return [update_slice(operands[0], operands[1], _starts(operands[2:]))]


def _update_explain(element: Element) -> Selection:
    x, update, *scalars = element.operands
    lasts = [size - part for size, part in zip(x.shape, update.shape, strict=True)]
    first = [min(max(start, 0), last) for start, last in zip(_starts(scalars), lasts, strict=True)]
    within = tuple(at - start for at, start in zip(element.index, first, strict=True))
    is_new = all(0 <= at < size for at, size in zip(within, update.shape, strict=True))
    return Selection(
        chosen=(1, within) if is_new else (0, element.index),
        why=f"put in at {shape_text(first)}" if is_new else "the same element; the update lies elsewhere",
        deciders=_deciding(2, lasts),
    )


def _update_source(call: SourceCall) -> Source:
    missing = len(call.operands[0].shape) - len(call.inputs) + 2
    starts = ", ".join([*call.inputs[2:], *("0",) * missing])
    comma = "," if len(call.operands[0].shape) == 1 else ""
    text = f"{call.helper('update_slice')}({call.inputs[0]}, {call.inputs[1]}, ({starts}{comma}))"
    return Source(text=text, binding=ATOM)


PRIMITIVES = (
    also_for_keys(
        Primitive(
            name="dynamic_slice",
            value=_slice_value,
            explain=_slice_explain,
            source=_slice_source,
            operations=no_operations,
            bytes_moved=_slice_bytes,
        )
    ),
    also_for_keys(
        Primitive(
            name="dynamic_update_slice",
            value=_update_value,
            explain=_update_explain,
            source=_update_source,
            operations=no_operations,
        )
    ),
)

HELPERS = {"dynamic_slice": dynamic_slice, "update_slice": update_slice}
