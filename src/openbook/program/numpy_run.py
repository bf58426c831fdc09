"""Running a program by the table: every value once more, in plain NumPy."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence
from typing import Any

import numpy as np

from openbook.errors import ModelError
from openbook.program.primitives.table import Shape, primitives
from openbook.program.program import Program, Step


def run_numpy(
    program: Program, inputs: Sequence[np.ndarray], *, skip_unknown: bool = False
) -> dict[int, np.ndarray]:
    """Compute all values of a program.

    Args:
        program: what to compute.
        inputs: arrays in the order of `program.inputs`.
        skip_unknown: leave out what depends on a primitive that is not in the table, instead of failing.
    Returns:
        arrays by value id; values inside a `scan` have a leading time axis for each loop around them.
    Raises:
        ModelError: a primitive is not in the table; the message names it and its layer.
    """
    values: dict[int, np.ndarray] = {}
    _run(program, inputs, values, skip_unknown)
    return values


def compute_step(step: Step, operands: Sequence[np.ndarray], program: Program) -> Sequence[np.ndarray]:
    """The results of one step that is no loop or branch.

    Raises:
        ModelError: its primitive is not in the table.
    """
    entry = primitives().get(step.primitive)
    if entry is None:
        place = "/".join(step.scope.path) or "the function"
        raise ModelError(
            f"the primitive {step.primitive!r} in {place} has no entry in openbook's table, so NumPy cannot "
            f"compute it. Its values are captured all the same; please report it"
        )
    shapes = [_shape(program, value_id) for value_id in step.outputs]
    # Overflow and division by zero give what IEEE says, as in JAX.
    with np.errstate(all="ignore"):
        return entry.value(step.params, operands, shapes)


def _run(
    program: Program,
    inputs: Sequence[np.ndarray],
    values: MutableMapping[int, np.ndarray],
    skip_unknown: bool = False,
) -> None:
    values.update(program.constants)
    values.update(zip(program.inputs, inputs, strict=True))
    for step in program.steps:
        if skip_unknown and not _is_computable(step, values):
            continue
        operands = [values[value_id] for value_id in step.inputs]
        if step.primitive == "scan":
            results: Sequence[np.ndarray] = _scan(step, operands, values)
        elif step.primitive == "while":
            results = _while(step, operands, values)
        elif step.primitive == "cond":
            results = _cond(step, operands, values)
        else:
            results = compute_step(step, operands, program)
        values.update(zip(step.outputs, results, strict=True))


def _is_computable(step: Step, values: Mapping[int, np.ndarray]) -> bool:
    known = primitives()
    inner = [each for body in step.bodies for each in body.all_steps()]
    names = {each.primitive for each in inner or [step]} - {"scan", "while", "cond"}
    return names <= known.keys() and all(value_id in values for value_id in step.inputs)


def _scan(
    step: Step, operands: Sequence[np.ndarray], values: MutableMapping[int, np.ndarray]
) -> list[np.ndarray]:
    [body] = step.bodies
    num_consts, num_carry = step.params["num_consts"], step.params["num_carry"]
    consts, carry = operands[:num_consts], list(operands[num_consts : num_consts + num_carry])
    sequences = operands[num_consts + num_carry :]
    length = step.params["length"]
    times = range(length - 1, -1, -1) if step.params["reverse"] else range(length)
    inside: dict[int, list[Any]] = {}
    collected: list[list[Any]] = [[None] * length for _ in body.outputs[num_carry:]]
    for time in times:
        at_time: dict[int, np.ndarray] = {}
        _run(body, [*consts, *carry, *(each[time] for each in sequences)], at_time)
        outputs = [at_time[value_id] for value_id in body.outputs]
        carry = outputs[:num_carry]
        for stack, output in zip(collected, outputs[num_carry:], strict=True):
            stack[time] = output
        for value_id, array in at_time.items():
            inside.setdefault(value_id, [None] * length)[time] = array
    # A branch that is not taken at some time has no value for that time.
    whole = {key: arrays for key, arrays in inside.items() if all(array is not None for array in arrays)}
    values.update({value_id: np.stack(arrays) for value_id, arrays in whole.items() if length})
    shapes = [body.values[value_id] for value_id in body.outputs[num_carry:]]
    stacked = [
        np.stack(stack) if length else np.zeros((0, *value.shape), value.dtype)
        for stack, value in zip(collected, shapes, strict=True)
    ]
    return [*carry, *stacked]


def _while(
    step: Step, operands: Sequence[np.ndarray], values: MutableMapping[int, np.ndarray]
) -> list[np.ndarray]:
    condition, body = step.bodies
    num_condition, num_body = step.params["cond_nconsts"], step.params["body_nconsts"]
    condition_consts = operands[:num_condition]
    body_consts = operands[num_condition : num_condition + num_body]
    carry = list(operands[num_condition + num_body :])
    # The values of the last round stay; how many rounds there are is not known beforehand.
    inside: dict[int, np.ndarray] = {}
    while True:
        tested: dict[int, np.ndarray] = {}
        _run(condition, [*condition_consts, *carry], tested)
        if not tested[condition.outputs[0]].all():
            values.update(inside)
            return carry
        inside = {}
        _run(body, [*body_consts, *carry], inside)
        carry = [inside[value_id] for value_id in body.outputs]


def _cond(
    step: Step, operands: Sequence[np.ndarray], values: MutableMapping[int, np.ndarray]
) -> list[np.ndarray]:
    branch = step.bodies[taken_branch(step, operands[0])]
    _run(branch, operands[1:], values)
    return [values[value_id] for value_id in branch.outputs]


def taken_branch(step: Step, selector: np.ndarray) -> int:
    """Which branch of a `cond` its selector takes."""
    return int(np.clip(int(selector), 0, len(step.bodies) - 1))


def _shape(program: Program, value_id: int) -> Shape:
    value = program.values[value_id]
    return Shape(shape=value.shape, dtype=value.dtype)


def shapes_of(program: Program, value_ids: Mapping[int, Any] | Sequence[int]) -> list[Shape]:
    """Shapes of some values, as the table's entries take them."""
    return [_shape(program, value_id) for value_id in value_ids]
