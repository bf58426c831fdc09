"""How each operation is transposed: what it contributes to its operands' gradients. Data, one rule a primitive.

A rule takes the backward steps, a forward step, the position of an operand and the gradient by the step's result,
and returns the part of the operand's gradient that comes through this step, or None.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from openbook.program.naming.backward import Backward
from openbook.program.program import Step

Rule = Callable[[Backward, Step, int, int], int | None]

# Steps that are transposed into one product, quotient or selection with something known from the forward pass.
_SCALING = (
    *("exp", "log", "log1p", "expm1", "logistic", "sin", "cos", "max", "min"),
    *("square", "integer_pow", "pow", "sqrt", "rsqrt", "cbrt"),
)
_PASSING = ("reshape", "squeeze", "expand_dims", "broadcast_in_dim", "transpose")


def _scaled(backward: Backward, step: Step, position: int, gradient: int) -> int | None:
    shape = backward.graph.shape(step.inputs[position])
    if step.primitive in ("max", "min", "pow") and backward.graph.number(step.inputs[1 - position]) is None:
        return None
    found = []
    for user in backward.near(step, gradient, "mul", "div", "select_n"):
        others = [each for each in user.inputs if each != gradient]
        is_known = not any(
            backward.is_behind(each) and backward.graph.number(each) is None for each in others
        )
        if is_known and backward.graph.shape(user.outputs[0]) == shape and _same_calls(step, user):
            found.append(user.outputs[0])
    return backward.first(found)


def _passed(backward: Backward, step: Step, position: int, gradient: int) -> int | None:
    shape = backward.graph.shape(step.inputs[0])
    if step.primitive == "transpose":
        wanted = step.params["permutation"]
        inverse = tuple(sorted(range(len(wanted)), key=lambda axis: wanted[axis]))
        return backward.first(
            [
                user.outputs[0]
                for user in backward.near(step, gradient, "transpose")
                if tuple(user.params["permutation"]) == inverse
            ]
        )
    if math.prod(shape) != math.prod(backward.graph.shape(gradient)):
        axes = tuple(
            axis
            for axis, size in enumerate(backward.graph.shape(gradient))
            if axis not in step.params.get("broadcast_dimensions", ())
            or (size != 1 and shape[list(step.params["broadcast_dimensions"]).index(axis)] == 1)
        )
        for user in backward.near(step, gradient, "reduce_sum"):
            if tuple(int(axis) for axis in user.params["axes"]) == axes:
                return backward.shaped(step, user.outputs[0], shape)
        return None
    return backward.shaped(step, gradient, shape)


def _same_calls(step: Step, user: Step) -> bool:
    return [name for name, _ in step.scope.calls][-1:] == [name for name, _ in user.scope.calls][-1:] or not (
        user.scope.calls
    )


def _add(backward: Backward, step: Step, position: int, gradient: int) -> int | None:
    return backward.summed_to(step, gradient, backward.graph.shape(step.inputs[position]))


def _sub(backward: Backward, step: Step, position: int, gradient: int) -> int | None:
    shape = backward.graph.shape(step.inputs[position])
    if position == 0:
        return backward.summed_to(step, gradient, shape)
    negative = backward.negative(step, gradient)
    found = backward.summed_to(step, negative, shape)
    if found is None and (total := backward.summed_to(step, gradient, shape)) is not None:
        found = backward.negative(step, total)
    return found


def _mul(backward: Backward, step: Step, position: int, gradient: int) -> int | None:
    scaled = backward.times(step, gradient, step.inputs[1 - position])
    return backward.summed_to(step, scaled, backward.graph.shape(step.inputs[position]))


def _div(backward: Backward, step: Step, position: int, gradient: int) -> int | None:
    shape = backward.graph.shape(step.inputs[position])
    if position == 0:
        return backward.summed_to(step, backward.times(step, gradient, step.inputs[1], "div"), shape)
    for user in backward.near(step, gradient, "mul"):
        if any(backward.is_behind(each) for each in user.inputs if each != gradient):
            continue
        scaled = backward.times(step, user.outputs[0], step.inputs[0])
        total = backward.summed_to(step, scaled, shape)
        if total is not None and (found := backward.negative(step, total)) is not None:
            return found
    return None


def _neg(backward: Backward, step: Step, position: int, gradient: int) -> int | None:
    return backward.negative(step, gradient)


def _copy(backward: Backward, step: Step, position: int, gradient: int) -> int | None:
    found = [user.outputs[0] for user in backward.near(step, gradient, step.primitive)]
    return backward.first(found) if found else None


def _sum(backward: Backward, step: Step, position: int, gradient: int) -> int | None:
    shape = backward.graph.shape(step.inputs[0])
    return backward.first(
        [
            user.outputs[0]
            for user in backward.near(step, gradient, "broadcast_in_dim")
            if backward.graph.shape(user.outputs[0]) == shape
        ]
    )


def _select(backward: Backward, step: Step, position: int, gradient: int) -> int | None:
    return backward.first(
        [
            user.outputs[0]
            for user in backward.near(step, gradient, "select_n")
            if user.inputs[0] == step.inputs[0] and user.inputs[position] == gradient
        ]
    )


def _tanh(backward: Backward, step: Step, position: int, gradient: int) -> int | None:
    found = []
    for user in backward.near(step, gradient, "mul"):
        again = backward.times(step, user.outputs[0], step.outputs[0])
        for total in backward.near(step, user.outputs[0], "add_any"):
            if again in total.inputs:
                found.append(total.outputs[0])
    return backward.first(found)


def _abs(backward: Backward, step: Step, position: int, gradient: int) -> int | None:
    found = [
        total.outputs[0]
        for user in backward.near(step, gradient, "select_n", "mul")
        for total in backward.near(step, user.outputs[0], "add_any")
    ]
    return backward.first(found)


def _erf(backward: Backward, step: Step, position: int, gradient: int) -> int | None:
    found = []
    for user in backward.near(step, gradient, "mul"):
        others = [each for each in user.inputs if each != gradient]
        if others and backward.graph.number(others[0]) is not None:
            found += [each.outputs[0] for each in backward.near(step, user.outputs[0], "mul")]
    return backward.first(found)


def _dot(backward: Backward, step: Step, position: int, gradient: int) -> int | None:
    graph = backward.graph
    other = step.inputs[1 - position]
    contracted, batch = step.params["dimension_numbers"]
    rank = len(graph.shape(step.inputs[position]))
    order = [contracted[position][place] for place in _sorted_places(contracted[1 - position])]
    kept = [axis for axis in range(rank) if axis not in contracted[position] and axis not in batch[position]]
    axes = [*batch[position], *kept, *order]
    permutation = tuple(sorted(range(rank), key=lambda axis: axes[axis]))
    found = []
    for user in backward.near(step, gradient, "dot_general"):
        others = [each for each in user.inputs if each != gradient]
        if len(others) != 1 or others[0] != other:
            continue
        if permutation == tuple(range(rank)):
            found.append(user.outputs[0])
        else:
            found += [
                each.outputs[0]
                for each in backward.near(step, user.outputs[0], "transpose")
                if tuple(each.params["permutation"]) == permutation
            ]
    return backward.first(found)


def _sorted_places(axes: Sequence[int]) -> list[int]:
    return sorted(range(len(axes)), key=lambda place: axes[place])


def _convolution(backward: Backward, step: Step, position: int, gradient: int) -> int | None:
    other = step.inputs[1 - position]
    shape = backward.graph.shape(step.inputs[position])
    return backward.first(
        [
            user.outputs[0]
            for user in backward.near(step, gradient, "conv_general_dilated")
            if other in user.inputs and backward.graph.shape(user.outputs[0]) == shape
        ]
    )


def _window_maximum(backward: Backward, step: Step, position: int, gradient: int) -> int | None:
    return backward.first(
        [user.outputs[0] for user in backward.near(step, gradient, "select_and_scatter_add")]
    )


TRANSPOSES: Mapping[str, Rule] = {
    "add": _add,
    "sub": _sub,
    "mul": _mul,
    "div": _div,
    "neg": _neg,
    "copy": _copy,
    "convert_element_type": _copy,
    "reduce_sum": _sum,
    "select_n": _select,
    "tanh": _tanh,
    "erf": _erf,
    "erfc": _erf,
    "dot_general": _dot,
    "conv_general_dilated": _convolution,
    "reduce_window_max": _window_maximum,
    "abs": _abs,
    **dict.fromkeys(_SCALING, _scaled),
    **dict.fromkeys(_PASSING, _passed),
}
