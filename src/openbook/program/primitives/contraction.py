"""Contractions: sums of products over shared axes.

Operations, by definition: a multiplication and an addition for each result and each summed product.
"""

from __future__ import annotations

import math
import string
from collections.abc import Sequence

import numpy as np

from openbook.program.primitives.elementwise import wide
from openbook.program.primitives.places import grid
from openbook.program.primitives.shape import transpose_text
from openbook.program.primitives.source_texts import index_text
from openbook.program.primitives.table import (
    ATOM,
    PRODUCT,
    Element,
    Factor,
    Params,
    Primitive,
    Shape,
    Source,
    SourceCall,
    Sum,
)


def _axis_letters(params: Params, left_axes: int, right_axes: int) -> tuple[str, str, str]:
    """Einstein-summation letters of left, right and result."""
    (left_contracted, right_contracted), (left_batch, right_batch) = params["dimension_numbers"]
    letters = iter(string.ascii_letters)
    left = [next(letters) for _ in range(left_axes)]
    right = [""] * right_axes
    for left_axis, right_axis in zip(
        (*left_batch, *left_contracted), (*right_batch, *right_contracted), strict=True
    ):
        right[right_axis] = left[left_axis]
    right = [letter or next(letters) for letter in right]
    batch = [left[axis] for axis in left_batch]
    shared = set(batch) | {left[axis] for axis in left_contracted}
    result = [
        *batch,
        *(each for each in left if each not in shared),
        *(each for each in right if each not in shared),
    ]
    return "".join(left), "".join(right), "".join(result)


def _dot_value(
    params: Params, operands: Sequence[np.ndarray], results: Sequence[Shape]
) -> Sequence[np.ndarray]:
    (left_summed, right_summed), (left_batch, right_batch) = params["dimension_numbers"]
    left, right = (wide(operand) for operand in operands)
    left_free = [axis for axis in range(left.ndim) if axis not in (*left_summed, *left_batch)]
    right_free = [axis for axis in range(right.ndim) if axis not in (*right_summed, *right_batch)]
    # As a stack of matrix products, which NumPy hands to its fast routines whatever the order of the axes.
    num_batch, num_summed, num_rows, num_columns = (
        math.prod(array.shape[axis] for axis in axes)
        for array, axes in ((left, left_batch), (left, left_summed), (left, left_free), (right, right_free))
    )
    left = left.transpose(*left_batch, *left_free, *left_summed)
    right = right.transpose(*right_batch, *right_summed, *right_free)
    left = left.reshape(num_batch, num_rows, num_summed)
    right = right.reshape(num_batch, num_summed, num_columns)
    return [(left @ right).reshape(results[0].shape).astype(results[0].dtype, copy=False)]


def _dot_explain(element: Element) -> Sum:
    left, right = element.operands
    (left_contracted, _), _ = element.params["dimension_numbers"]
    left_letters, right_letters, result_letters = _axis_letters(element.params, left.ndim, right.ndim)
    at = dict(zip(result_letters, element.index, strict=True))
    summed = grid([left.shape[axis] for axis in left_contracted])
    num_terms = summed.shape[1]
    along = {left_letters[axis]: summed[position] for position, axis in enumerate(left_contracted)}

    def rows(letters: str) -> np.ndarray:
        columns = np.empty((num_terms, len(letters)), int)
        for axis, letter in enumerate(letters):
            columns[:, axis] = along[letter] if letter in along else at[letter]
        return columns

    over = ",".join(left_letters[axis] for axis in left_contracted)
    return Sum(
        factors=(
            Factor(operand=0, indices=rows(left_letters)),
            Factor(operand=1, indices=rows(right_letters)),
        ),
        text=f"Σ_{over} {{0}}·{{1}}" if over else "{0}·{1}",
    )


def _dot_source(call: SourceCall) -> Source:
    (left_contracted, right_contracted), (left_batch, right_batch) = call.params["dimension_numbers"]
    left, right = (len(operand.shape) for operand in call.operands)
    num_batch = len(left_batch)
    in_front = tuple(range(num_batch))
    if tuple(left_batch) == tuple(right_batch) == in_front:
        text = None
        if len(left_contracted) == 1:
            text = _matmul(call, left_contracted[0], right_contracted[0], num_batch)
        elif not left_contracted and not num_batch:
            text = _outer(call)
        if text:
            return Source(text=text, binding=PRODUCT)
        if left_contracted and not num_batch:
            return Source(text=_tensordot(call, left_contracted, right_contracted), binding=ATOM)
    arguments = ['"{},{}->{}"'.format(*_axis_letters(call.params, left, right)), *call.inputs]
    return Source(text=f"np.einsum({', '.join(arguments)}, optimize=True)", binding=ATOM)


def _matmul(call: SourceCall, left_summed: int, right_summed: int, num_batch: int) -> str | None:
    """As a product of matrices, or None where the axes do not stand so."""
    left, right = (len(operand.shape) for operand in call.operands)
    left_free, right_free = left - num_batch - 1, right - num_batch - 1
    # Stacks of matrices share their batch axes; a plain matrix on the right serves a whole stack on the left.
    is_stack = left_free == right_free == 1
    is_shared = num_batch == 0 and right <= 2
    if not is_stack and not is_shared:
        return None
    if left_summed != left - 1 and left_free > 1:
        return None
    texts = [
        call.inputs[0] if left_summed == left - 1 else _last_two_swapped(call.inputs[0], left),
        call.inputs[1]
        if right_summed == right - right_free - 1 and right_summed == num_batch
        else _last_two_swapped(call.inputs[1], right),
    ]
    return " @ ".join(texts)


def _last_two_swapped(text: str, num_axes: int) -> str:
    order = list(range(num_axes))
    order[-2:] = order[:-3:-1]
    return transpose_text(text, order)


def _outer(call: SourceCall) -> str:
    """Every product of an element on the left and one on the right."""
    num_new = len(call.operands[1].shape)
    num_left = len(call.operands[0].shape)
    if num_new and num_left:
        left = call.inputs[0] + index_text([":"] * num_left + ["None"] * num_new)
        return f"{left} * {call.inputs[1]}"
    return f"{call.inputs[0]} * {call.inputs[1]}"


def _tensordot(call: SourceCall, left_summed: Sequence[int], right_summed: Sequence[int]) -> str:
    """A sum over several axes at once, or over axes that stand where `@` does not look."""
    axes = (tuple(map(int, left_summed)), tuple(map(int, right_summed)))
    num_summed, num_left = len(axes[0]), len(call.operands[0].shape)
    summed = f"axes={axes if num_summed > 1 else (axes[0][0], axes[1][0])}"
    if axes == (tuple(range(num_left - num_summed, num_left)), tuple(range(num_summed))):
        summed = str(num_summed)
    return f"np.tensordot({call.inputs[0]}, {call.inputs[1]}, {summed})"


def _dot_operations(params: Params, operands: Sequence[Shape], results: Sequence[Shape]) -> float:
    (left_contracted, _), _ = params["dimension_numbers"]
    num_terms: int = math.prod(operands[0].shape[axis] for axis in left_contracted)
    return 2.0 * results[0].num_elements * num_terms


PRIMITIVES = (
    Primitive(
        name="dot_general",
        value=_dot_value,
        explain=_dot_explain,
        source=_dot_source,
        operations=_dot_operations,
    ),
)
