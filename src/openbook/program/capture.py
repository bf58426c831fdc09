"""Compiled capture: one jitted function that returns the wanted values of a program.

Interpreting step by step costs hundreds of times the compiled computation; here the steps are only replayed while
JAX traces, so what runs is one compiled program that hands out its intermediate values.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

from openbook.program.program import Program, Step, is_key_type

# Their results are views of an operand or known beforehand: made when asked for, never captured.
DERIVED = frozenset(
    {"reshape", "squeeze", "expand_dims", "broadcast_in_dim", "stop_gradient", "copy", "iota"}
)


def compile_capture(program: Program, wanted: Collection[int]) -> Callable[[Sequence[Any]], dict[int, Any]]:
    """A jitted function from the program's inputs to the wanted values by id.

    Args:
        wanted: ids of values that steps compute; those inside a `scan` come with a leading time axis. Values
            inside `while` and `cond` cannot be captured.
    """
    import jax

    kept = frozenset(wanted)

    def capture(inputs: Sequence[Any]) -> dict[int, Any]:
        return replay(program, inputs, kept)[1]

    return jax.jit(capture)


def replay(
    program: Program, inputs: Sequence[Any], wanted: frozenset[int]
) -> tuple[list[Any], dict[int, Any]]:
    """Run the steps by JAX, under a trace or not; returns the outputs and the wanted values."""
    environment: dict[int, Any] = dict(program.constants)
    environment.update(zip(program.inputs, inputs, strict=True))
    captured: dict[int, Any] = {}
    for step in program.steps:
        operands = [environment[value_id] for value_id in step.inputs]
        if step.primitive == "scan":
            results, inside = _scan(step, operands, wanted)
            captured.update(inside)
        else:
            params = step.jax_primitive.get_bind_params(step.params)
            results = step.jax_primitive.bind(*operands, **params)
            if not step.jax_primitive.multiple_results:
                results = [results]
        environment.update(zip(step.outputs, results, strict=True))
    captured.update({key: _plain(environment[key]) for key in wanted if key in environment})
    return [environment[value_id] for value_id in program.outputs], captured


def _scan(step: Step, operands: Sequence[Any], wanted: frozenset[int]) -> tuple[list[Any], dict[int, Any]]:
    import jax

    [body] = step.bodies
    num_consts, num_carry = step.params["num_consts"], step.params["num_carry"]
    consts = operands[:num_consts]
    inside = frozenset(body_value_ids(body)) & wanted

    def run_body(carry: Any, sequences: Any) -> Any:
        outputs, captured = replay(body, [*consts, *carry, *sequences], inside)
        return tuple(outputs[:num_carry]), (tuple(outputs[num_carry:]), captured)

    carry, (stacked, captured) = jax.lax.scan(
        run_body,
        tuple(operands[num_consts : num_consts + num_carry]),
        tuple(operands[num_consts + num_carry :]),
        length=step.params["length"],
        reverse=step.params["reverse"],
        unroll=step.params.get("unroll", 1),
    )
    return [*carry, *stacked], captured


def body_value_ids(body: Program) -> set[int]:
    """Ids that the steps of a body compute, those of bodies inside it too."""
    return {value_id for step in body.all_steps() for value_id in step.outputs}


def _plain(array: Any) -> Any:
    """Random keys as their words; every other array as it is."""
    import jax

    if hasattr(array, "dtype") and is_key_type(array.dtype):
        return jax.random.key_data(array)
    return array
