"""Where each value of a program comes from, loops and branches seen through."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping

from openbook.program.program import Program, Step

Place = tuple[int, tuple[int, ...]]  # a value id, and the index of one element (loop times first)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Origin:
    """What makes a value.

    Attributes:
        kind: "step", "input", "constant", or "body" (an argument of a loop's or a branch's body).
        step: the step that computes it, or the loop or branch around it.
        position: among the step's outputs, the program's inputs, or the body's arguments.
        body: of a "body" origin, which of the step's bodies.
    """

    kind: str
    step: Step | None = None
    position: int = 0
    body: int = 0


def origins(program: Program) -> Mapping[int, Origin]:
    """The origin of every value, by id."""
    found = {
        value_id: Origin(kind="input", position=position) for position, value_id in enumerate(program.inputs)
    }
    found.update(_inside(program))
    return found


def _inside(program: Program) -> Iterator[tuple[int, Origin]]:
    for value_id in program.constants:
        yield value_id, Origin(kind="constant")
    for step in program.steps:
        for position, value_id in enumerate(step.outputs):
            yield value_id, Origin(kind="step", step=step, position=position)
        for number, body in enumerate(step.bodies):
            for position, value_id in enumerate(body.inputs):
                yield value_id, Origin(kind="body", step=step, position=position, body=number)
            yield from _inside(body)


def same_element(
    program: Program, origin: Origin, index: tuple[int, ...], branch: int | None
) -> Place | None:
    """The element of another value that this element only passes on, through a loop or a branch.

    Args:
        index: of the element asked about, loop times first.
        branch: of a `cond`, the branch taken.
    Returns:
        None where the element is computed by its step, or, in a `while`, where its round is not known.
    """
    step = origin.step
    if step is None or not step.bodies:
        return None
    num_outer = len(program.values[step.outputs[0]].loops) if step.outputs else 0
    if step.primitive == "scan":
        if origin.kind == "body":
            return _scan_argument(step, origin.position, index, num_outer)
        return _scan_result(step, origin.position, index, num_outer)
    if step.primitive == "cond" and branch is not None:
        if origin.kind == "body":
            return step.inputs[origin.position + 1], index
        return step.bodies[branch].outputs[origin.position], index
    if step.primitive == "while" and origin.kind == "body":
        return _while_constant(step, origin, index)
    return None


def began_at(origin: Origin) -> int:
    """The value that a result, or an argument, of a `while` loop had before the first round."""
    assert origin.step is not None
    params = origin.step.params
    num_constants: int = params["cond_nconsts"] + params["body_nconsts"]
    own_constants: int = (
        params["body_nconsts" if origin.body else "cond_nconsts"] if origin.kind == "body" else 0
    )
    value_ids: tuple[int, ...] = origin.step.inputs
    return value_ids[num_constants + origin.position - own_constants]


def _while_constant(step: Step, origin: Origin, index: tuple[int, ...]) -> Place | None:
    """Arguments that stay the same in all rounds."""
    num_condition, num_body = step.params["cond_nconsts"], step.params["body_nconsts"]
    if origin.position >= (num_body if origin.body else num_condition):
        return None
    return step.inputs[origin.position + (num_condition if origin.body else 0)], index


def _scan_argument(step: Step, position: int, index: tuple[int, ...], num_outer: int) -> Place:
    [body] = step.bodies
    num_consts, num_carry = step.params["num_consts"], step.params["num_carry"]
    outer, time, inner = index[:num_outer], index[num_outer], index[num_outer + 1 :]
    if position < num_consts:
        return step.inputs[position], (*outer, *inner)
    if position < num_consts + num_carry:
        is_reversed, length = step.params["reverse"], step.params["length"]
        if time == (length - 1 if is_reversed else 0):
            return step.inputs[position], (*outer, *inner)
        earlier = time + 1 if is_reversed else time - 1
        return body.outputs[position - num_consts], (*outer, earlier, *inner)
    return step.inputs[position], (*outer, time, *inner)


def _scan_result(step: Step, position: int, index: tuple[int, ...], num_outer: int) -> Place | None:
    [body] = step.bodies
    num_consts, num_carry, length = (step.params[key] for key in ("num_consts", "num_carry", "length"))
    outer, inner = index[:num_outer], index[num_outer:]
    if position >= num_carry:
        return body.outputs[position], (*outer, *inner)
    if length == 0:
        return step.inputs[num_consts + position], index
    last = 0 if step.params["reverse"] else length - 1
    return body.outputs[position], (*outer, last, *inner)
