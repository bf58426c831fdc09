"""Loops and branches: scan becomes a `for`, while a `while`, cond an `if`."""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from openbook.program.numpy_source.expressions import text_of
from openbook.program.numpy_source.graph import Block, Node
from openbook.program.numpy_source.layout import Heading

if TYPE_CHECKING:
    from openbook.program.numpy_source.writing import Writer


def write_compound(writer: Writer, node: Node) -> None:
    """Write a loop or a branch."""
    writers = {"scan": _write_scan, "while": _write_while, "cond": _write_cond, "update_loop": _write_updates}
    writers[node.operation](writer, node)


def _write_scan(writer: Writer, node: Node) -> None:
    from openbook.program.numpy_source.writing import heading_of

    heading = heading_of(node)
    [body] = node.blocks
    num_carry = node.params["num_carry"]
    carries = _carry_names(writer, node, body.inputs[:num_carry], node.outputs[:num_carry])
    sequences = node.inputs[num_carry:]
    for value_id in sequences:
        writer.named(value_id)
    _start_carries(writer, node.inputs[:num_carry], carries, heading)
    stacks = [
        _stack_name(writer, node, body, position, carries) for position in range(num_carry, len(node.outputs))
    ]
    for name in stacks:
        writer.emit(f"{name} = []", heading)
    time = writer.namer.unique("t")
    steps = f"range({node.params['length']})"
    writer.emit(f"for {time} in {f'reversed({steps})' if node.params['reverse'] else steps}:", heading)
    writer.depth += 1
    for value_id, name in zip(body.inputs[:num_carry], carries, strict=True):
        writer.bind(value_id, name)
    _name_successors(writer, body, carries)
    for value_id, source in zip(body.inputs[num_carry:], sequences, strict=True):
        writer.atoms[value_id] = ast.Subscript(value=writer.value(source), slice=ast.Name(id=time))
    writer.write_nodes(body)
    for name, value_id in zip(stacks, body.outputs[num_carry:], strict=True):
        if value_id in body.outputs[:num_carry]:
            writer.named(value_id)
        text = writer.fitting(
            lambda name=name, value_id=value_id: (  # type: ignore[misc]
                f"{name}.append({text_of(writer.value(value_id, typed=True))})"
            ),
            [value_id],
        )
        writer.emit(text, heading)
    _carry_on(writer, carries, body.inputs[:num_carry], body.outputs[:num_carry], heading)
    writer.depth -= 1
    for value_id, name in zip(node.outputs, [*carries, *stacks], strict=True):
        writer.bind(value_id, name)
    for name in stacks:
        order = "[::-1]" if node.params["reverse"] else ""
        writer.emit(f"{name} = np.stack({name}{order})", heading)


def _write_while(writer: Writer, node: Node) -> None:
    from openbook.program.numpy_source.writing import heading_of

    heading = heading_of(node)
    condition, body = node.blocks
    carries = _carry_names(writer, node, body.inputs, node.outputs)
    _start_carries(writer, node.inputs, carries, heading)
    for block in (condition, body):
        for value_id, name in zip(block.inputs, carries, strict=True):
            writer.bind(value_id, name)
    start = len(writer.lines)
    writer.depth += 1
    writer.write_nodes(condition)
    test = text_of(writer.value(condition.outputs[0], typed=True))
    writer.depth -= 1
    inside = writer.lines[start:]
    del writer.lines[start:]
    if inside:
        writer.emit("while True:", heading)
        writer.lines.extend(inside)
    else:
        writer.emit(f"while {test}:", heading)
    writer.depth += 1
    if inside:
        writer.emit(f"if not ({test}):", heading)
        writer.depth += 1
        writer.emit("break", heading)
        writer.depth -= 1
    num_lines = len(writer.lines)
    _name_successors(writer, body, carries)
    writer.write_nodes(body)
    _carry_on(writer, carries, body.inputs, body.outputs, heading)
    if len(writer.lines) == num_lines:
        writer.emit("pass", heading)
    writer.depth -= 1
    for value_id, name in zip(node.outputs, carries, strict=True):
        writer.bind(value_id, name)


def _write_cond(writer: Writer, node: Node) -> None:
    from openbook.program.numpy_source.writing import heading_of

    heading = heading_of(node)
    [selector] = node.inputs
    results = [writer.namer.name(value_id) for value_id in node.outputs]
    test = text_of(writer.value(selector, typed=True))
    last = len(node.blocks) - 1
    if last > 1:
        chosen = writer.namer.unique("branch")
        writer.emit(f"{chosen} = int(np.clip({test}, 0, {last}))", heading)
        tests = [f"{chosen} == {number}" for number in range(last)]
        order: Sequence[Block] = node.blocks
    else:
        tests = [test]
        order = list(reversed(node.blocks))
    for number, block in enumerate(order):
        if number < len(tests):
            writer.emit(f"{'elif' if number else 'if'} {tests[number]}:", heading)
        elif len(order) > 1:
            writer.emit("else:", heading)
        writer.depth += 1
        num_lines = len(writer.lines)
        writer.write_nodes(block)
        _set(writer, results, block.outputs, heading)
        if len(writer.lines) == num_lines:
            writer.emit("pass", heading)
        writer.depth -= 1
    for value_id, name in zip(node.outputs, results, strict=True):
        writer.bind(value_id, name)


@dataclasses.dataclass(frozen=True, kw_only=True)
class UpdateLoop:
    """An update of all weights, one after the other, in a loop over their names.

    Attributes:
        names: of the weights.
        operands: an expression in terms of `name`, `gradient` and `slot` for each operand of the update, or None
            where it is the same value for all weights.
        results: keys of what the update gives, as expressions in terms of `name` and `slot`.
        slot: expression of the name that the optimizer's arrays of a weight have in common; empty where not used.
        gradients: value ids, one a weight.
        shared: value ids of the operands that are the same for all weights.
        result_keys: the keys themselves, of all weights.
    """

    names: tuple[str, ...]
    operands: tuple[str | None, ...]
    results: tuple[str, ...]
    slot: str
    gradients: tuple[int, ...]
    shared: tuple[int | None, ...]
    result_keys: tuple[str, ...]


def update_loop(
    uses: Sequence[tuple[Sequence[Node], Sequence[int], Sequence[int]]],
    known: Mapping[int, str],
    results: Mapping[int, str],
) -> UpdateLoop | None:
    """How the uses of an update are written as a loop over names, or None where the names do not follow a rule."""
    names = [results.get(outputs[0], "") for _, _, outputs in uses]
    if not all(name.startswith("updates/") for name in names) or len(uses) < 3:
        return None
    names = [name.removeprefix("updates/") for name in names]
    plain = [name.replace("/", "_") for name in names]
    before = _slot_start(known, plain)
    operands: list[str | None] = []
    shared: list[int | None] = []
    gradients: tuple[int, ...] = ()
    for position in range(len(uses[0][1])):
        value_ids = [inputs[position] for _, inputs, _ in uses]
        keys = [known.get(value_id, "") for value_id in value_ids]
        if len(set(value_ids)) == 1:
            operands.append(None)
            shared.append(value_ids[0])
            continue
        shared.append(None)
        if keys == names:
            operands.append("weights[name]")
        elif [results.get(each) for each in value_ids] == [f"gradients/{name}" for name in names]:
            operands.append("gradient")
            gradients = tuple(value_ids)
        else:
            text = _slot_text(keys, plain, before)
            if text is None:
                return None
            operands.append(f"optimizer[{text}]")
    written = ["name"]
    for position in range(1, len(uses[0][2])):
        keys = [results.get(outputs[position], "").removeprefix("updates/") for _, _, outputs in uses]
        text = _slot_text(keys, plain, before)
        if text is None:
            return None
        written.append(text.replace('f"', 'f"optimizer/', 1))
    if not gradients:
        return None
    needs_slot = any("slot" in text for text in [*written, *(each or "" for each in operands)])
    slot = (f'"{before}" + ' if before else "") + 'name.replace("/", "_")'
    return UpdateLoop(
        names=tuple(names),
        operands=tuple(operands),
        results=tuple(written),
        slot=slot if needs_slot else "",
        gradients=gradients,
        shared=tuple(shared),
        result_keys=tuple(
            results[value_id].removeprefix("updates/") for _, _, outputs in uses for value_id in outputs
        ),
    )


def _slot_start(known: Mapping[int, str], plain: Sequence[str]) -> str:
    """What stands before a weight's name in the names of the optimizer's arrays, such as a model's name."""
    for key in known.values():
        start, found, _ = key.removeprefix("optimizer/").partition(plain[0])
        if key.startswith("optimizer/") and found:
            return start
    return ""


def _slot_text(keys: Sequence[str], plain: Sequence[str], before: str) -> str | None:
    """The f-string that gives an optimizer's key for each weight, or None where no rule holds."""
    starts = [f"optimizer/{before}{name}" for name in plain]
    if not all(key.startswith(start) for key, start in zip(keys, starts, strict=True)):
        return None
    ends = {key.removeprefix(start) for key, start in zip(keys, starts, strict=True)}
    return f'f"{{slot}}{ends.pop()}"' if len(ends) == 1 else None


def _write_updates(writer: Writer, node: Node) -> None:
    from openbook.program.numpy_source.writing import heading_of

    heading = heading_of(node)
    loop: UpdateLoop = node.params["loop"]
    for value_id in node.inputs:
        writer.named(value_id)
    if not writer.gradients:
        writer.gradients = True
        pairs = ", ".join(
            f'"{name}": {text_of(writer.value(value_id))}' for name, value_id in writer.all_gradients.items()
        )
        writer.emit(f"gradients = {{{pairs}}}", heading)
        writer.emit("updates = {}", heading)
    if set(loop.names) == set(writer.all_gradients):
        writer.emit("for name, gradient in gradients.items():", heading)
        start: list[str] = []
    else:
        names = ", ".join(f'"{name}"' for name in loop.names)
        writer.emit(f"for name in [{names}]:", heading)
        start = ["gradient = gradients[name]"]
    writer.depth += 1
    for text in start:
        writer.emit(text, heading)
    if loop.slot:
        writer.emit(f"slot = {loop.slot}", heading)
    operands = [
        text if value_id is None else text_of(writer.value(value_id))
        for text, value_id in zip(loop.operands, loop.shared, strict=True)
    ]
    call = f"{writer.helper(node.params['function'])}({', '.join(str(each) for each in operands)})"
    results = [f"updates[{key}]" for key in loop.results]
    if len(results) > 2:
        short = ["weight", *(f"slot_{number}" for number in range(1, len(results)))]
        short = [
            key.split("_")[-1].rstrip('"') if "_" in key else name
            for key, name in zip(loop.results, short, strict=True)
        ]
        short[0] = "weight"
        short = (
            short if len(set(short)) == len(short) else [f"result_{number}" for number in range(len(short))]
        )
        writer.emit(f"{', '.join(short)} = {call}", heading)
        for result, name in zip(results, short, strict=True):
            writer.emit(f"{result} = {name}", heading)
    else:
        writer.emit(f"{', '.join(results)} = {call}", heading)
    writer.depth -= 1
    for value_id, key in zip(node.outputs, loop.result_keys, strict=True):
        writer.atoms[value_id] = ast.Subscript(value=ast.Name(id="updates"), slice=ast.Constant(value=key))


def _carry_names(writer: Writer, node: Node, inputs: Sequence[int], outputs: Sequence[int]) -> list[str]:
    """Names of what a loop carries from step to step."""
    graph = writer.graph
    layer = writer.namer.layer(node.scope)
    floats = [
        value_id
        for value_id in inputs
        if graph.shapes[value_id] and np.issubdtype(np.dtype(graph.dtypes[value_id]), np.floating)
    ]
    names = []
    for value_id, output in zip(inputs, outputs, strict=True):
        if writer.namer.names.get(output):
            names.append(writer.namer.names[output])
            continue
        if value_id not in floats:
            role = "count" if not graph.shapes[value_id] else "carried"
        elif len(floats) <= 2 and node.operation == "scan" and node.scope.phase != "backward":
            role = ("hidden", "cell")[floats.index(value_id)]
        else:
            role = "carried"
        prefix = "d_" if node.scope.phase == "backward" else ""
        names.append(writer.namer.unique(f"{prefix}{layer}_{role}" if layer else f"{prefix}{role}"))
    return names


def _stack_name(writer: Writer, node: Node, body: Block, position: int, carries: Sequence[str]) -> str:
    """The name of what a loop collects, one entry a step."""
    output = node.outputs[position]
    value_id = body.outputs[position]
    layer = writer.namer.layer(node.scope)
    if value_id in body.inputs[: node.params["num_carry"]]:
        return writer.namer.name(output, f"{carries[body.inputs.index(value_id)]}_before")
    if value_id in body.outputs[: node.params["num_carry"]]:
        return writer.namer.name(output, f"{layer}_outputs" if layer else "outputs")
    return writer.namer.name(output, f"{writer.namer.base(value_id)}_steps")


def _start_carries(writer: Writer, starts: Sequence[int], names: Sequence[str], heading: Heading) -> None:
    """Set what a loop carries to its values before the first step."""
    for value_id, name in zip(starts, names, strict=True):
        start = text_of(writer.value(value_id, typed=True))
        if start != name:
            writer.emit(f"{name} = {start}", heading)


def _name_successors(writer: Writer, body: Block, names: Sequence[str]) -> None:
    """What a step hands on takes over the name of what it was given, as soon as that is not read any more."""
    handed_on = body.outputs[: len(names)]
    for given, output, name in zip(body.inputs, handed_on, names, strict=False):
        # What is handed on or collected besides must stay under its own name.
        if body.outputs.count(given) == 0 and handed_on.count(output) == 1:
            writer.successors[output] = (given, name)


def _carry_on(
    writer: Writer, names: Sequence[str], inputs: Sequence[int], outputs: Sequence[int], heading: Heading
) -> None:
    """Set what a loop carries to its values after a step."""
    for given, output in zip(inputs, outputs, strict=True):
        if given != output:
            writer.succeed(output)
    changed = [
        (name, output)
        for name, given, output in zip(names, inputs, outputs, strict=True)
        if given != output and writer.namer.names.get(output) != name
    ]
    _set(writer, [name for name, _ in changed], [output for _, output in changed], heading)


def _set(writer: Writer, names: Sequence[str], value_ids: Sequence[int], heading: Heading) -> None:
    """Assign several values at once, so that none is overwritten before it is read."""
    if not names:
        return

    def build() -> str:
        values = ", ".join(text_of(writer.value(value_id, typed=True)) for value_id in value_ids)
        return f"{', '.join(names)} = {values}"

    writer.emit(writer.fitting(build, value_ids), heading)
