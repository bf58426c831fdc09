"""Reads products of arrays: axes of size 1 need not stand in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from openbook.program.numpy_source.views import View
from openbook.program.program import Step

if TYPE_CHECKING:
    from openbook.program.numpy_source.reading import Reader


def read_contraction(reader: Reader, step: Step) -> None:
    """Read a product; axes of size 1 are left out of it."""
    (left_sum, right_sum), (left_batch, right_batch) = (
        [tuple(int(axis) for axis in axes) for axes in pair] for pair in step.params["dimension_numbers"]
    )
    # Axes of size 1 are left out wherever they stand; the views have them again after the product.
    operands: list[tuple[View, list[int]]] = []
    dropped: list[tuple[View, list[int]]] = []
    for value_id in step.inputs:
        declared, view = reader.declared(value_id), reader.views[value_id]
        shape = reader.graph.shapes[view.value_id]
        exact = all(
            size == 1 or ((axis := view.axes[place]) is not None and shape[axis] == size)
            for place, size in enumerate(declared)
        )
        if not exact:
            view = View(reader.whole(value_id), tuple(range(len(declared))))
        bound = (*left_sum, *left_batch) if not operands else (*right_sum, *right_batch)
        drop = [
            place
            for place, size in enumerate(declared)
            if size == 1 and (place in bound or view.axes[place] is None)
        ]
        operands.append((view, drop))
    # A summed axis of size 1 that is an operand's only real one stays: a product of vectors needs it.
    (left, left_drop), (right, right_drop) = operands
    if not _may_drop(left, left_drop) or not _may_drop(right, right_drop):
        left, left_drop = _plain(reader, step.inputs[0])
        right, right_drop = _plain(reader, step.inputs[1])
    for view, drop in ((left, left_drop), (right, right_drop)):
        dropped.append((reader.squeezed(view, drop), drop))
    (left, _), (right, _) = dropped

    def axes_of(view: View, drop: Sequence[int], places: Sequence[int]) -> tuple[int, ...]:
        remaining = [place for place in places if place not in drop]
        return tuple(
            axis
            for place in remaining
            if (axis := view.axes[place - sum(each < place for each in drop)]) is not None
        )

    numbers = (
        (axes_of(left, left_drop, left_sum), axes_of(right, right_drop, right_sum)),
        (axes_of(left, left_drop, left_batch), axes_of(right, right_drop, right_batch)),
    )
    left_rank, right_rank = (len(reader.declared(value_id)) for value_id in step.inputs)
    present = [place not in left_drop for place in left_batch]
    present += [place not in left_drop for place in range(left_rank) if place not in (*left_sum, *left_batch)]
    present += [
        place not in right_drop for place in range(right_rank) if place not in (*right_sum, *right_batch)
    ]
    output = step.outputs[0]
    sizes = [size for size, each in zip(reader.declared(output), present, strict=True) if each]
    operation, params = "dot_general", {**step.params, "dimension_numbers": numbers}
    if not any((*numbers[0], *numbers[1])) and not (
        reader.graph.shapes[left.value_id] and reader.graph.shapes[right.value_id]
    ):
        operation, params = "mul", {}
    [new] = reader.emit(operation, params, [left.value_id, right.value_id], [(sizes, reader.dtype(output))])
    numbered = iter(range(len(sizes)))
    reader.views[output] = View(new, tuple(next(numbered) if each else None for each in present))


def _plain(reader: Reader, value_id: int) -> tuple[View, list[int]]:
    return View(reader.whole(value_id), tuple(range(len(reader.declared(value_id))))), []


def _may_drop(view: View, drop: Sequence[int]) -> bool:
    """Whether dropping axes takes away no real axis but such as have a use for it: none or size-1 batches."""
    real = [place for place in drop if view.axes[place] is not None]
    return not real or len(real) < len([axis for axis in view.axes if axis is not None]) - 1
