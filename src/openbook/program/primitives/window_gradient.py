"""Gradients of extremes in windows: what comes back goes to the element that was chosen.

Operations, by definition: a comparison for each place in a window but one, and an addition for each window.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np

from openbook.program.primitives.elementwise import wide
from openbook.program.primitives.table import (
    ATOM,
    Element,
    Factor,
    Given,
    Params,
    Primitive,
    Reason,
    Selection,
    Shape,
    Source,
    SourceCall,
    Sum,
)
from openbook.program.primitives.window import geometry_of, pool_operations, rows_of_window, windows_of

Operands = Sequence[np.ndarray]
Results = Sequence[Shape]


def max_pool_gradient(
    gradient: np.ndarray,
    x: np.ndarray,
    window: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[tuple[int, int]],
    sign: int = 1,
) -> np.ndarray:
    """Hand the gradient of each window to its largest element, the first of equal ones.

    Args:
        sign: -1 for the smallest element.
    """
    padded = np.pad(sign * x, padding, constant_values=-np.inf)
    steps = tuple(slice(None, None, step) for step in stride)
    windows = np.lib.stride_tricks.sliding_window_view(padded, window)[steps]
    chosen = windows.reshape(*gradient.shape, -1).argmax(axis=-1)
    result = np.zeros(padded.shape, gradient.dtype)
    for number, at in enumerate(np.ndindex(*window)):
        under = tuple(
            slice(first, first + (count - 1) * step + 1, step)
            for first, count, step in zip(at, gradient.shape, stride, strict=True)
        )
        result[under] += np.where(chosen == number, gradient, 0)
    inside = tuple(slice(before, before + size) for (before, _), size in zip(padding, x.shape, strict=True))
    return result[inside]


def _sign(params: Params) -> int:
    """1 where the largest element was chosen, -1 where the smallest."""
    return -1 if params["select_prim"].name == "le" else 1


def _scatter_value(params: Params, operands: Operands, results: Results) -> list[np.ndarray]:
    source, x = operands
    geometry = geometry_of(params, x.ndim)
    passed = max_pool_gradient(
        wide(source), wide(x), geometry["window"], geometry["stride"], geometry["padding"], _sign(params)
    )
    return [passed.astype(results[0].dtype, copy=False)]


def _scatter_explain(element: Element) -> Reason:
    source, x = element.operands
    geometry, sign = geometry_of(element.params, x.ndim), _sign(element.params)
    around = []
    for axis, at in enumerate(element.index):
        # Windows that hold the element start at most one window before it.
        padded = at + geometry["padding"][axis][0]
        length, step = geometry["window"][axis], geometry["stride"][axis]
        first = max(-(-(padded - length + 1) // step), 0)
        around.append(range(first, min(padded // step, source.shape[axis] - 1) + 1))
    winners = []
    for place in itertools.product(*around):
        rows = rows_of_window(element.params, x.shape, place)
        chosen = rows[int(np.argmax(sign * wide(x[tuple(rows.T)])))]
        if tuple(chosen) == tuple(element.index):
            winners.append(place)
    indices = np.array(winners, int).reshape(len(winners), source.ndim)
    word = "largest" if sign == 1 else "smallest"
    return Sum(
        factors=(Factor(operand=0, indices=indices),),
        text=f"Σ {{0}} over the windows whose {word} element this is",
    )


def _scatter_source(call: SourceCall) -> Source:
    geometry = geometry_of(call.params, len(call.operands[1].shape))
    arguments = [*call.inputs, *(str(geometry[key]) for key in ("window", "stride", "padding"))]
    arguments += ["sign=-1"] if _sign(call.params) == -1 else []
    return Source(text=f"{call.helper('max_pool_gradient')}({', '.join(arguments)})", binding=ATOM)


def at_largest(
    x: np.ndarray,
    y: np.ndarray,
    window: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[tuple[int, int]],
    sign: int = 1,
    spread: Sequence[int] | None = None,
    dilation: Sequence[int] | None = None,
) -> np.ndarray:
    """The element of x where y is largest (or smallest, for sign -1) in each window."""
    geometry = (window, stride, padding)
    seen = windows_of(x, *geometry, 0, spread, dilation)
    judged = windows_of(sign * y, *geometry, -np.inf, spread, dilation)
    places = seen.shape[: x.ndim]
    chosen = judged.reshape(*places, -1).argmax(axis=-1)[..., None]
    return np.take_along_axis(seen.reshape(*places, -1), chosen, axis=-1)[..., 0]


def _select_value(params: Params, operands: Operands, results: Results) -> list[np.ndarray]:
    tangents, x = operands
    chosen = at_largest(wide(tangents), wide(x), sign=_sign(params), **geometry_of(params, x.ndim))
    return [chosen.astype(results[0].dtype, copy=False)]


def _select_explain(element: Element) -> Reason:
    x = element.operands[1]
    rows = rows_of_window(element.params, x.shape, element.index)
    if not len(rows):
        return Given(value=element.operands[0].dtype.type(0), why="the window holds padding only")
    chosen = rows[int(np.argmax(_sign(element.params) * wide(x[tuple(rows.T)])))]
    place = tuple(int(at) for at in chosen)
    word = "largest" if _sign(element.params) == 1 else "smallest"
    return Selection(
        chosen=(0, place),
        candidates=Factor(operand=0, indices=rows),
        deciders=((1, place),),
        why=f"where the other array is {word} in this window",
    )


def _select_source(call: SourceCall) -> Source:
    geometry = geometry_of(call.params, len(call.operands[1].shape))
    arguments = [*call.inputs, *(str(geometry[key]) for key in ("window", "stride", "padding"))]
    arguments += ["sign=-1"] if _sign(call.params) == -1 else []
    arguments += [f"{key}={geometry[key]}" for key in ("spread", "dilation") if set(geometry[key]) != {1}]
    return Source(text=f"{call.helper('at_largest')}({', '.join(arguments)})", binding=ATOM)


def _comparisons(params: Params, operands: Results, results: Results) -> float:
    """A comparison for each place in a window but one, and an addition for each window."""
    return float(operands[0].num_elements * math.prod(params["window_dimensions"]))


PRIMITIVES = (
    Primitive(
        name="select_and_scatter_add",
        value=_scatter_value,
        explain=_scatter_explain,
        source=_scatter_source,
        operations=_comparisons,
    ),
    Primitive(
        name="select_and_gather_add",
        value=_select_value,
        explain=_select_explain,
        source=_select_source,
        operations=pool_operations,
    ),
)

HELPERS = {"max_pool_gradient": max_pool_gradient, "at_largest": at_largest}
