"""Sorting, and the largest elements of each row.

Operations, by definition: comparisons of a sort by merging, n · ⌈log₂ n⌉ a row; for the k largest of a row
n · ⌈log₂(k + 1)⌉.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from openbook.program.primitives.elementwise import wide
from openbook.program.primitives.reduction import as_place
from openbook.program.primitives.table import (
    ATOM,
    Element,
    Factor,
    Given,
    Index,
    Params,
    Primitive,
    Reason,
    Selection,
    Shape,
    Source,
    SourceCall,
)


def sort_together(arrays: Sequence[np.ndarray], num_keys: int, axis: int) -> tuple[np.ndarray, ...]:
    """Sort several arrays by the first of them, ties by the next key; equal ones keep their order."""
    order = np.lexsort(arrays[num_keys - 1 :: -1], axis=axis)
    return tuple(np.take_along_axis(x, order, axis) for x in arrays)


def _sort_value(
    params: Params, operands: Sequence[np.ndarray], results: Sequence[Shape]
) -> Sequence[np.ndarray]:
    order = _order(params, operands)
    return [np.take_along_axis(operand, order, params["dimension"]) for operand in operands]


def _order(params: Params, operands: Sequence[np.ndarray]) -> np.ndarray:
    keys = [wide(key) for key in operands[: params["num_keys"]]]
    return np.lexsort(keys[::-1], axis=params["dimension"])


def _sort_explain(element: Element) -> Selection:
    axis, num_keys = element.params["dimension"], element.params["num_keys"]
    rows = _row_indices(element.operands[0].shape, element.index, axis)
    keys = [wide(key)[tuple(rows.T)] for key in element.operands[:num_keys]]
    chosen = as_place(rows[np.lexsort(keys[::-1])[element.index[axis]]])
    by_others = num_keys > 1 or element.output >= num_keys
    return Selection(
        chosen=(element.output, chosen),
        candidates=Factor(operand=element.output, indices=rows),
        deciders=tuple((key, chosen) for key in range(num_keys)) if by_others else (),
        why=f"number {element.index[axis] + 1} in rising order along axis {axis}"
        + (" of the key" if by_others else ""),
    )


def _sort_source(call: SourceCall) -> Source:
    axis, num_keys = call.params["dimension"], call.params["num_keys"]
    if len(call.inputs) == 1:
        return Source(text=f"np.sort({call.inputs[0]}, axis={axis})", binding=ATOM)
    text = f"{call.helper('sort_together')}(({', '.join(call.inputs)}), {num_keys}, axis={axis})"
    return Source(text=text, binding=ATOM)


def _sort_operations(params: Params, operands: Sequence[Shape], results: Sequence[Shape]) -> float:
    length = operands[0].shape[params["dimension"]]
    return float(operands[0].num_elements * math.ceil(math.log2(max(length, 1))))


def _row_indices(shape: Sequence[int], index: Index, axis: int) -> np.ndarray:
    """Indices of the row along an axis that an element stands in."""
    rows = np.tile(np.asarray(index, dtype=int), (shape[axis], 1))
    rows[:, axis] = np.arange(shape[axis])
    return rows


def top_k(x: np.ndarray, k: int, axis: int = -1) -> tuple[np.ndarray, np.ndarray]:
    """The k largest elements along an axis, the largest first, and their positions; ties by position."""
    # Turned around before and after: a stable sort then leaves equal ones in order, the largest first.
    order = x.shape[axis] - 1 - np.flip(np.argsort(np.flip(x, axis), axis=axis, kind="stable"), axis)
    positions = np.take(order, np.arange(k), axis=axis)
    return np.take_along_axis(x, positions, axis), positions.astype(np.int32)


def _top(name: str, *, k: str, axis: str) -> Primitive:
    """The entry of `top_k` or of its approximation, which is exact where no accelerator helps.

    Args:
        k, axis: the names of these parameters.
    """

    def of(params: Params, array: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        along = _axis(params, array.ndim)
        return (top_k if params.get("is_max_k", True) else bottom_k)(array, params[k], along)

    def _axis(params: Params, num_axes: int) -> int:
        return int(params.get(axis, -1)) % num_axes

    def value(
        params: Params, operands: Sequence[np.ndarray], results: Sequence[Shape]
    ) -> Sequence[np.ndarray]:
        found = of(params, wide(operands[0]))
        return [array.astype(result.dtype) for array, result in zip(found, results, strict=True)]

    def explain(element: Element) -> Reason:
        [operand] = element.operands
        along = _axis(element.params, operand.ndim)
        rows = _row_indices(operand.shape, element.index, along)
        _, positions = of({**element.params, axis: 0}, wide(operand)[tuple(rows.T)])
        chosen = int(positions[element.index[along]])
        word = "largest" if element.params.get("is_max_k", True) else "smallest"
        why = f"number {element.index[along] + 1} of the {word} along axis {along}"
        place = (0, as_place(rows[chosen]))
        if element.output == 1:
            given = np.asarray(chosen).astype(element.results[1].dtype)[()]
            return Given(value=given, why=f"position of {why}", operands=(place,))
        return Selection(chosen=place, candidates=Factor(operand=0, indices=rows), why=why)

    def write(call: SourceCall) -> Source:
        along = _axis(call.params, len(call.operands[0].shape))
        last = along == len(call.operands[0].shape) - 1
        where = "" if last else f", axis={along}"
        helper = call.helper("top_k" if call.params.get("is_max_k", True) else "bottom_k")
        return Source(text=f"{helper}({call.inputs[0]}, {call.params[k]}{where})", binding=ATOM)

    def count(params: Params, operands: Sequence[Shape], results: Sequence[Shape]) -> float:
        return float(operands[0].num_elements * math.ceil(math.log2(params[k] + 1)))

    return Primitive(name=name, value=value, explain=explain, source=write, operations=count)


def bottom_k(x: np.ndarray, k: int, axis: int = -1) -> tuple[np.ndarray, np.ndarray]:
    """The k smallest elements along an axis, the smallest first, and their positions; ties by position."""
    positions = np.take(np.argsort(x, axis=axis, kind="stable"), np.arange(k), axis=axis)
    return np.take_along_axis(x, positions, axis), positions.astype(np.int32)


PRIMITIVES = (
    Primitive(
        name="sort",
        value=_sort_value,
        explain=_sort_explain,
        source=_sort_source,
        operations=_sort_operations,
    ),
    _top("top_k", k="k", axis="axis"),
    _top("approx_top_k", k="k", axis="reduction_dimension"),
)

HELPERS = {"sort_together": sort_together, "top_k": top_k, "bottom_k": bottom_k}
