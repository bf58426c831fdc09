"""Reads loops and branches: their bodies become blocks, which see the values around them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from openbook.program.numpy_source.graph import Block
from openbook.program.program import Program, Step

if TYPE_CHECKING:
    from openbook.program.numpy_source.reading import Reader


def read_compound(reader: Reader, step: Step) -> None:
    """Read a scan, a while or a cond."""
    {"scan": _scan, "while": _while, "cond": _cond}[step.primitive](reader, step)


def _read_block(reader: Reader, body: Program, num_consts: int, consts: Sequence[int]) -> Block:
    """Read a body; its first inputs are values of the program around it and stay what they are."""
    outer_nodes, outer_known, outer_scope = reader.nodes, reader.known, reader.scope
    reader.nodes, reader.known = [], dict(outer_known)
    reader.add_constants(body)
    for inner, outer in zip(body.inputs[:num_consts], consts, strict=True):
        reader.views[inner] = reader.views[outer]
    inputs = [reader.new_input(value_id) for value_id in body.inputs[num_consts:]]
    reader.read_steps(body.steps)
    reader.scope = outer_scope
    outputs = [reader.whole(value_id) for value_id in body.outputs]
    block = Block(nodes=reader.nodes, inputs=inputs, outputs=outputs)
    reader.nodes, reader.known = outer_nodes, outer_known
    return block


def _emit_blocks(
    reader: Reader, step: Step, params: Mapping[str, Any], inputs: Sequence[int], blocks: list[Block]
) -> None:
    results = [(reader.declared(value_id), reader.dtype(value_id)) for value_id in step.outputs]
    reader.set_whole(step.outputs, reader.emit(step.primitive, params, inputs, results, blocks))


def _scan(reader: Reader, step: Step) -> None:
    num_consts, num_carry = step.params["num_consts"], step.params["num_carry"]
    block = _read_block(reader, step.bodies[0], num_consts, step.inputs[:num_consts])
    inputs = [reader.whole(value_id) for value_id in step.inputs[num_consts:]]
    params = {
        "num_carry": num_carry,
        "length": int(step.params["length"]),
        "reverse": bool(step.params["reverse"]),
    }
    _emit_blocks(reader, step, params, inputs, [block])


def _while(reader: Reader, step: Step) -> None:
    num_condition, num_body = step.params["cond_nconsts"], step.params["body_nconsts"]
    condition = _read_block(reader, step.bodies[0], num_condition, step.inputs[:num_condition])
    consts = step.inputs[num_condition : num_condition + num_body]
    body = _read_block(reader, step.bodies[1], num_body, consts)
    inputs = [reader.whole(value_id) for value_id in step.inputs[num_condition + num_body :]]
    _emit_blocks(reader, step, {}, inputs, [condition, body])


def _cond(reader: Reader, step: Step) -> None:
    operands = step.inputs[1:]
    blocks = [_read_block(reader, body, len(operands), operands) for body in step.bodies]
    _emit_blocks(reader, step, {}, [reader.whole(step.inputs[0])], blocks)
