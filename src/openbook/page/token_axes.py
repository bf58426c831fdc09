"""Which axes of a program's values run over the words of a text, where its length is fixed."""

# T = positions

from __future__ import annotations

from collections.abc import Mapping, Sequence

from openbook.program.program import Program, Step

__all__ = ["aligned_axes"]

# What may bring positions into another order.
_REORDERS = ("rev", "sort", "top_k", "approx_top_k", "argsort")


def aligned_axes(
    program: Program, inputs: Sequence[int], length: int, names: Mapping[int, str]
) -> dict[int, tuple[int, ...]]:
    """By value id the axes of size T whose place t belongs to word t, and no other.

    Followed from the inputs through the steps: a result is aligned where everything that it is made from and has
    positions is. What is turned round, or stacked from both directions, is not; what leaves a layer as (1, T, …)
    is again, since a layer answers in the order in which it was asked.

    Args:
        inputs: values (1, T).
        names: of the values.
    """
    other_sizes = {
        size
        for value_id in program.inputs
        if value_id not in inputs and "position" not in names.get(value_id, "")
        for size in program.values[value_id].shape
    }
    # A layer as wide as the text is long would be taken for it.
    only_second = length in other_sizes
    aligned: dict[int, tuple[int, ...]] = dict.fromkeys(inputs, (1,))
    # From the text; of these, in another order; and without positions, whatever the size of their axes.
    depends, mixed, without = set(inputs), set[int](), set[int]()
    for step in program.steps:
        sources = [value_id for value_id in step.inputs if value_id in depends]
        if not sources:
            continue
        positioned = [
            each for each in sources if each not in without and length in program.values[each].shape
        ]
        is_mixed = any(each not in aligned for each in positioned) or _reorders(step, sources)
        for value_id in step.outputs:
            depends.add(value_id)
            shape = program.values[value_id].shape
            followed = None if is_mixed else _followed(step, aligned, program)
            if _leaves_layer(names.get(value_id, "")) and len(shape) > 2 and shape[:2] == (1, length):
                aligned[value_id] = (1,)
            elif not positioned or followed == ():
                without.add(value_id)
            elif is_mixed:
                mixed.add(value_id)
            else:
                axes = followed if followed is not None else _by_size(shape, length, only_second=only_second)
                if axes:
                    aligned[value_id] = axes
    return aligned


def _by_size(shape: Sequence[int], length: int, *, only_second: bool) -> tuple[int, ...]:
    return tuple(
        axis
        for axis, size in enumerate(shape)
        if size == length and (not only_second or (axis == 1 and shape[0] == 1))
    )


def _followed(step: Step, aligned: Mapping[int, tuple[int, ...]], program: Program) -> tuple[int, ...] | None:
    """Where the axes of the operands stand in the result; None where only their size can tell."""
    params, first = step.params, step.inputs[0]
    axes = aligned.get(first, ())
    if step.primitive.startswith(("reduce_", "argm")) and "axes" in params:
        gone = sorted(params["axes"])
        return tuple(axis - sum(each < axis for each in gone) for axis in axes if axis not in gone)
    if step.primitive == "transpose":
        return tuple(place for place, axis in enumerate(params["permutation"]) if axis in axes)
    if step.primitive == "broadcast_in_dim":
        return tuple(int(params["broadcast_dimensions"][axis]) for axis in axes)
    if step.primitive == "dot_general":
        (contracted, batched) = params["dimension_numbers"]
        found: list[int] = []
        place = len(batched[0])
        for side, value_id in enumerate(step.inputs[:2]):
            own = aligned.get(value_id, ())
            found += [position for position, axis in enumerate(batched[side]) if axis in own]
            free = [
                axis
                for axis in range(len(program.values[value_id].shape))
                if axis not in contracted[side] and axis not in batched[side]
            ]
            found += [place + position for position, axis in enumerate(free) if axis in own]
            place += len(free)
        return tuple(sorted(set(found)))
    shapes = {program.values[each].shape for each in (*step.inputs, *step.outputs)}
    if len(shapes) == 1:
        return tuple(sorted({axis for each in step.inputs for axis in aligned.get(each, ())}))
    return None


def _reorders(step: Step, sources: Sequence[int]) -> bool:
    if step.primitive in _REORDERS:
        return True
    # Rows picked out of a table of weights are a look-up; rows picked out of the text may be anywhere.
    return step.primitive in ("gather", "dynamic_slice") and step.inputs[0] in sources


def _leaves_layer(name: str) -> bool:
    """Whether it is the output of a layer of the model itself, such as "both_directions/output"."""
    return name.endswith("/output") and name.count("/") == 1
