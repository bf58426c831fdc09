"""Looking up: windows of an array, one for each index.

A window not wholly inside is filled; or moved inside, also where the program promises that there is none, as XLA
does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from openbook.program.primitives.index_windows import (
    layout_text,
    mode_of,
    plain_integers,
    window_places,
    without_last_axis,
)
from openbook.program.primitives.key_arrays import also_for_keys
from openbook.program.primitives.table import (
    ATOM,
    Element,
    Given,
    Index,
    Params,
    Primitive,
    Reason,
    Selection,
    Shape,
    Source,
    SourceCall,
    no_operations,
)

Operands = Sequence[np.ndarray]
Results = Sequence[Shape]
Place = tuple[int, Index]


def gather(
    x: np.ndarray, indices: np.ndarray, *, window_axes: Sequence[int], fill: Any = None, **layout: Any
) -> np.ndarray:
    """The windows of x that start at the indices.

    Args:
        window_axes: the axes of the result that run within a window; the others run over the windows.
        fill: instead of windows not wholly inside; None moves them inside.
        layout: see `window_places`.
    """
    num_batch = indices.ndim - 1
    places, inside = window_places(x.shape, indices, **layout)
    result = x[tuple(places)]
    if fill is not None:
        result = np.where(inside.reshape((*inside.shape, *(1,) * (result.ndim - num_batch))), result, fill)
    return np.moveaxis(result.astype(x.dtype), range(num_batch, result.ndim), window_axes)


def _gather_layout(params: Params) -> dict[str, Any]:
    numbers = params["dimension_numbers"]
    return {
        "sizes": plain_integers(params["slice_sizes"]),
        "named": plain_integers(numbers.start_index_map),
        "dropped": plain_integers(numbers.collapsed_slice_dims),
        "batching": plain_integers(numbers.operand_batching_dims),
        "index_batching": plain_integers(numbers.start_indices_batching_dims),
    }


def _fill(params: Params, dtype: np.dtype) -> Any:
    """What stands for a window not wholly inside, or None where windows are moved inside."""
    if mode_of(params) != "fill_or_drop":
        return None
    if params.get("fill_value") is not None:
        return params["fill_value"]
    if dtype.kind == "b":
        return True
    if dtype.kind == "i":
        return np.iinfo(dtype).min
    return np.iinfo(dtype).max if dtype.kind == "u" else np.nan


def _gather_value(params: Params, operands: Operands, results: Results) -> list[np.ndarray]:
    x, indices = operands
    window_axes = plain_integers(params["dimension_numbers"].offset_dims)
    layout = _gather_layout(params)
    plain = _looked_up(params, x)
    if plain is not None:  # whole rows: NumPy copies each at once
        axis = layout["named"][0]
        rows = indices[..., 0].astype(int)
        taken = np.take(x, np.clip(rows, 0, x.shape[axis] - 1), axis=axis)
        fill = _fill(params, x.dtype)
        outside = (rows < 0) | (rows >= x.shape[axis])
        if fill is not None and outside.any():
            taken[(slice(None),) * axis + (outside,)] = fill
        return [taken]
    return [gather(x, indices, window_axes=window_axes, fill=_fill(params, x.dtype), **layout)]


def _looked_up(params: Params, x: Shape | np.ndarray) -> int | None:
    """The axis along which whole slices are taken, one for each index, as by `np.take`; else None."""
    numbers, layout = params["dimension_numbers"], _gather_layout(params)
    if len(layout["named"]) != 1 or layout["dropped"] != layout["named"] or layout["batching"]:
        return None
    [axis] = layout["named"]
    if any(size != x.shape[other] for other, size in enumerate(layout["sizes"]) if other != axis):
        return None
    # The window's axes stand around the indices' ones, where the axis was.
    before = tuple(range(axis))
    return axis if plain_integers(numbers.offset_dims)[:axis] == before and _is_block(params, axis) else None


def _is_block(params: Params, axis: int) -> bool:
    behind = plain_integers(params["dimension_numbers"].offset_dims)[axis:]
    return not behind or behind == tuple(range(behind[0], behind[0] + len(behind)))


def _gather_explain(element: Element) -> Reason:
    x, indices = element.operands
    window_axes = plain_integers(element.params["dimension_numbers"].offset_dims)
    layout = _gather_layout(element.params)
    batch = tuple(at for axis, at in enumerate(element.index) if axis not in window_axes)
    within = iter(element.index[axis] for axis in window_axes)
    deciders = tuple((1, (*batch, number)) for number in range(len(layout["named"])))
    starts = [int(indices[place]) for _, place in deciders]
    index, is_inside = [], True
    for axis, size in enumerate(layout["sizes"]):
        at = 0
        if axis in layout["named"]:
            start, last = starts[layout["named"].index(axis)], x.shape[axis] - size
            is_inside &= 0 <= start <= last
            at = min(max(start, 0), last)
        if axis in layout["batching"]:
            at = batch[layout["index_batching"][layout["batching"].index(axis)]]
        elif axis not in layout["dropped"]:
            at += next(within)
        index.append(at)
    named = ", ".join(map(str, starts))
    fill = _fill(element.params, x.dtype)
    if not is_inside and fill is not None:
        return Given(
            value=x.dtype.type(fill),
            why=f"the index ({named}) lies outside, so it is filled",
            operands=deciders,
        )
    why = f"looked up at index {named}" if starts else "the same element"
    if not is_inside:
        why += ", which lies outside and is moved inside"
    return Selection(chosen=(0, tuple(index)), why=why, deciders=deciders)


def _gather_source(call: SourceCall) -> Source:
    x, indices = call.inputs
    axis = _looked_up(call.params, call.operands[0])
    layout = _gather_layout(call.params)
    mode = mode_of(call.params)
    if axis is not None:
        rows = without_last_axis(indices, len(call.operands[1].shape))
        if mode == "clip":
            return Source(text=f'np.take({x}, {rows}, axis={axis}, mode="clip")', binding=ATOM)
        if axis == 0:
            return Source(text=f"{x}[{rows}]", binding=ATOM)
        return Source(text=f"np.take({x}, {rows}, axis={axis})", binding=ATOM)
    along = _along_axis(call, layout)
    if along is not None and mode != "clip":
        rows = without_last_axis(indices, len(call.operands[1].shape))
        return Source(text=f"np.take_along_axis({x}, {rows}, axis={along})", binding=ATOM)
    arguments = [x, indices, f"window_axes={plain_integers(call.params['dimension_numbers'].offset_dims)}"]
    fill = _fill(call.params, call.operands[0].dtype)
    if fill is not None:
        arguments.append(f"fill={'np.nan' if fill != fill else fill}")
    return Source(
        text=f"{call.helper('gather')}({', '.join(arguments)}, {layout_text(layout)})", binding=ATOM
    )


def _along_axis(call: SourceCall, layout: dict[str, Any]) -> int | None:
    """The axis along which one element is looked up at each place, as by `np.take_along_axis`; else None."""
    num_axes = len(call.operands[0].shape)
    if len(layout["named"]) != 1 or len(call.operands[1].shape) != num_axes + 1:
        return None
    others = tuple(axis for axis in range(num_axes) if axis != layout["named"][0])
    is_along = layout["batching"] == layout["index_batching"] == others
    return int(layout["named"][0]) if is_along else None


def _gather_bytes(params: Params, operands: Results, results: Results) -> tuple[float, float]:
    """What is looked up, and the indices; not the whole array."""
    return results[0].size_bytes + operands[1].size_bytes, results[0].size_bytes


PRIMITIVES = (
    also_for_keys(
        Primitive(
            name="gather",
            value=_gather_value,
            explain=_gather_explain,
            source=_gather_source,
            operations=no_operations,
            bytes_moved=_gather_bytes,
        )
    ),
)

HELPERS = {"gather": gather}
