"""Shape: every element of the result is an element of an operand, at another place."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from openbook.program.primitives.key_arrays import also_for_keys
from openbook.program.primitives.source_texts import (
    dtype_text,
    index_text,
    new_axes_text,
    reshape_text,
    shape_text,
)
from openbook.program.primitives.table import (
    ATOM,
    Element,
    Given,
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


def moving(
    name: str,
    value: Callable[[Params, Operands, Results], Sequence[np.ndarray]],
    locate: Callable[[Element], tuple[tuple[int, Index], str]],
    source: Callable[[SourceCall], str],
    bytes_moved: Callable[[Params, Results, Results], tuple[float, float]] | None = None,
) -> Primitive:
    """An entry that only moves elements.

    Args:
        locate: which operand's element it is, and why, in plain language.
        bytes_moved: whole operands and results when left out.
    """

    @functools.wraps(locate)  # keeps the name of its family
    def explain(element: Element) -> Selection:
        (position, index), why = locate(element)
        return Selection(chosen=(position, tuple(int(each) for each in index)), why=why)

    def write(call: SourceCall) -> Source:
        return Source(text=source(call), binding=ATOM)

    return also_for_keys(
        Primitive(
            name=name,
            value=value,
            explain=explain,
            source=write,
            operations=no_operations,
            bytes_moved=bytes_moved,
        )
    )


# reshape, and what only adds, drops or reorders axes


def _reshape_value(params: Params, operands: Operands, results: Results) -> list[np.ndarray]:
    order = params.get("dimensions")
    operand = operands[0] if order is None else operands[0].transpose(order)
    return [operand.reshape(results[0].shape)]


def _reshape_locate(element: Element) -> tuple[tuple[int, Index], str]:
    order = element.params.get("dimensions")
    shape = element.operands[0].shape
    read = shape if order is None else tuple(shape[axis] for axis in order)
    # By hand: NumPy's ravel_multi_index knows no array without axes.
    flat = 0
    for at, size in zip(element.index, element.results[0].shape, strict=True):
        flat = flat * size + at
    index = []
    for size in reversed(read):
        flat, at = divmod(flat, size)
        index.append(at)
    index.reverse()
    if order is not None:
        index = [index[tuple(order).index(axis)] for axis in range(len(shape))]
    return (0, tuple(index)), "the same element in an array of another shape"


def _reshape_source(call: SourceCall) -> str:
    text, shape = call.inputs[0], call.operands[0].shape
    order = call.params.get("dimensions")
    if order is not None:
        text, shape = transpose_text(text, order), tuple(shape[axis] for axis in order)
    return reshape_text(text, shape, call.results[0].shape)


def _squeeze_value(params: Params, operands: Operands, results: Results) -> list[np.ndarray]:
    return [operands[0].reshape(results[0].shape)]


def _squeeze_locate(element: Element) -> tuple[tuple[int, Index], str]:
    dropped = {axis % element.operands[0].ndim for axis in element.params["dimensions"]}
    kept = iter(element.index)
    index = tuple(0 if axis in dropped else next(kept) for axis in range(element.operands[0].ndim))
    return (0, index), "the same element; an axis of size 1 is dropped"


def _squeeze_source(call: SourceCall) -> str:
    num_axes = len(call.operands[0].shape)
    dropped = {axis % num_axes for axis in call.params["dimensions"]}
    return call.inputs[0] + index_text(["0" if axis in dropped else ":" for axis in range(num_axes)])


def _transpose_value(params: Params, operands: Operands, results: Results) -> list[np.ndarray]:
    return [operands[0].transpose(params["permutation"])]


def _transpose_locate(element: Element) -> tuple[tuple[int, Index], str]:
    index = [0] * len(element.index)
    for at, axis in zip(element.index, element.params["permutation"], strict=True):
        index[axis] = at
    return (0, tuple(index)), "the same element; the axes stand in another order"


def _transpose_source(call: SourceCall) -> str:
    return transpose_text(call.inputs[0], call.params["permutation"])


def transpose_text(text: str, permutation: Sequence[int]) -> str:
    """Axes in another order: .T of a matrix, .swapaxes of two axes, else .transpose."""
    order = [int(axis) for axis in permutation]
    moved = [axis for axis, source in enumerate(order) if axis != source]
    if not moved:
        return text
    if order == [1, 0]:
        return f"{text}.T"
    if len(moved) == 2:
        first, second = (axis - len(order) if moved[0] >= len(order) - 2 else axis for axis in moved)
        return f"{text}.swapaxes({first}, {second})"
    return f"{text}.transpose({', '.join(map(str, order))})"


def _rev_value(params: Params, operands: Operands, results: Results) -> list[np.ndarray]:
    return [np.flip(operands[0], tuple(params["dimensions"]))]


def _rev_locate(element: Element) -> tuple[tuple[int, Index], str]:
    reversed_axes = set(element.params["dimensions"])
    index = tuple(
        size - 1 - at if axis in reversed_axes else at
        for axis, (at, size) in enumerate(zip(element.index, element.operands[0].shape, strict=True))
    )
    return (0, index), f"read backwards along {_axes_text(element.params['dimensions'])}"


def _rev_source(call: SourceCall) -> str:
    reversed_axes = set(call.params["dimensions"])
    num_axes = len(call.operands[0].shape)
    return call.inputs[0] + index_text(["::-1" if axis in reversed_axes else ":" for axis in range(num_axes)])


def _axes_text(axes: Sequence[int]) -> str:
    return f"axis {int(axes[0])}" if len(axes) == 1 else f"axes {', '.join(str(int(a)) for a in axes)}"


# Repeating: broadcast_in_dim, tile


def _broadcast_value(params: Params, operands: Operands, results: Results) -> list[np.ndarray]:
    return [np.broadcast_to(operands[0].reshape(_aligned_shape(params, operands[0].shape)), params["shape"])]


def _aligned_shape(params: Params, shape: Sequence[int]) -> list[int]:
    """The operand's shape with axes of size 1 where the result has axes of its own."""
    aligned = [1] * len(params["shape"])
    for axis, size in zip(params["broadcast_dimensions"], shape, strict=True):
        aligned[axis] = size
    return aligned


def _broadcast_locate(element: Element) -> tuple[tuple[int, Index], str]:
    shape = element.operands[0].shape
    index = tuple(
        0 if size == 1 else element.index[axis]
        for axis, size in zip(element.params["broadcast_dimensions"], shape, strict=True)
    )
    aligned = _aligned_shape(element.params, shape)
    repeated = [axis for axis, size in enumerate(element.params["shape"]) if aligned[axis] == 1 and size != 1]
    why = f"repeated along {_axes_text(repeated)}" if repeated else "the same element; an axis is added"
    return (0, index), why


def _broadcast_source(call: SourceCall) -> str:
    text, shape = call.inputs[0], call.operands[0].shape
    new_shape = tuple(int(size) for size in call.params["shape"])
    if not shape:
        return _filled_text(text, new_shape, call.results[0].dtype)
    aligned = _aligned_shape(call.params, shape)
    present = set(call.params["broadcast_dimensions"])
    if tuple(aligned) == new_shape:
        return text + new_axes_text(
            len(shape), [axis for axis in range(len(new_shape)) if axis not in present]
        )
    # NumPy adds leading axes by itself.
    first = min(present)
    added = [axis - first for axis in range(first, len(new_shape)) if axis not in present]
    return f"np.broadcast_to({text}{new_axes_text(len(shape), added)}, {shape_text(new_shape)})"


def _filled_text(fill: str, shape: Sequence[int], dtype: Any) -> str:
    named = {"0": "zeros", "0.0": "zeros", "False": "zeros", "1": "ones", "1.0": "ones", "True": "ones"}
    if fill in named:
        return f"np.{named[fill]}({shape_text(shape)}, {dtype_text(dtype)})"
    return f"np.full({shape_text(shape)}, {fill}, {dtype_text(dtype)})"


def _tile_value(params: Params, operands: Operands, results: Results) -> list[np.ndarray]:
    return [np.tile(operands[0], params["reps"])]


def _tile_locate(element: Element) -> tuple[tuple[int, Index], str]:
    index = tuple(at % size for at, size in zip(element.index, element.operands[0].shape, strict=True))
    return (0, index), "the array is laid side by side with copies of itself"


def _tile_source(call: SourceCall) -> str:
    return f"np.tile({call.inputs[0]}, {shape_text(call.params['reps'])})"


# Known beforehand: iota, empty


def _iota_value(params: Params, operands: Operands, results: Results) -> list[np.ndarray]:
    result, axis = results[0], params["dimension"]
    counted = np.arange(result.shape[axis]).astype(result.dtype)
    aligned = [1] * len(result.shape)
    aligned[axis] = -1
    return [np.broadcast_to(counted.reshape(aligned), result.shape)]


def _iota_explain(element: Element) -> Given:
    axis = int(element.params["dimension"])
    counted = np.asarray(element.index[axis]).astype(element.results[0].dtype)
    return Given(value=counted[()], why=f"its position along axis {axis}")


def _iota_source(call: SourceCall) -> Source:
    result, axis = call.results[0], call.params["dimension"]
    is_plain = result.dtype in (np.dtype(np.int32), np.dtype(np.int64))
    counted = (
        f"np.arange({int(result.shape[axis])}{'' if is_plain else f', dtype={dtype_text(result.dtype)}'})"
    )
    if len(result.shape) > 1:
        behind = len(result.shape) - axis - 1
        aligned = counted + new_axes_text(1, range(1, 1 + behind))
        counted = f"np.broadcast_to({aligned}, {shape_text(result.shape)})"
    return Source(text=counted, binding=ATOM)


def _empty_value(params: Params, operands: Operands, results: Results) -> list[np.ndarray]:
    return [np.zeros(results[0].shape, results[0].dtype)]


def _empty_explain(element: Element) -> Given:
    return Given(value=np.zeros((), element.results[0].dtype)[()], why="a new array, before it is filled")


def _empty_source(call: SourceCall) -> Source:
    result = call.results[0]
    return Source(text=f"np.zeros({shape_text(result.shape)}, {dtype_text(result.dtype)})", binding=ATOM)


PRIMITIVES = (
    moving("reshape", _reshape_value, _reshape_locate, _reshape_source),
    moving("squeeze", _squeeze_value, _squeeze_locate, _squeeze_source),
    moving("transpose", _transpose_value, _transpose_locate, _transpose_source),
    moving("rev", _rev_value, _rev_locate, _rev_source),
    moving("broadcast_in_dim", _broadcast_value, _broadcast_locate, _broadcast_source),
    moving("tile", _tile_value, _tile_locate, _tile_source),
    Primitive(
        name="iota",
        value=_iota_value,
        explain=_iota_explain,
        source=_iota_source,
        operations=no_operations,
    ),
    Primitive(
        name="empty2",
        value=_empty_value,
        explain=_empty_explain,
        source=_empty_source,
        operations=no_operations,
    ),
)
