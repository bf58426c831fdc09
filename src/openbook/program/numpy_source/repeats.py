"""The same update of many weights: written once as a function, and called for each weight."""

from __future__ import annotations

import ast
import dataclasses
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from openbook.program.numpy_source.cycles import waiting_for_each_other
from openbook.program.numpy_source.expressions import text_of
from openbook.program.numpy_source.graph import Block, Graph, Node
from openbook.program.numpy_source.layout import INDENT, wrapped
from openbook.program.numpy_source.loops import update_loop
from openbook.program.numpy_source.names import Namer, identifier, layer_path
from openbook.program.numpy_source.views import ELEMENTWISE
from openbook.program.numpy_source.writing import Writer
from openbook.program.program import UPDATE

_FEWEST = 2


@dataclasses.dataclass(frozen=True, kw_only=True)
class Repeat:
    """One formula and all its uses.

    Attributes:
        function: the name it gets.
        nodes: of its first use.
        inputs, outputs: value ids, one tuple a use.
    """

    function: str
    nodes: tuple[Node, ...]
    inputs: tuple[tuple[int, ...], ...]
    outputs: tuple[tuple[int, ...], ...]


def find_repeats(graph: Graph, known: Mapping[int, str], results: Mapping[int, str]) -> list[Repeat]:
    """Find the updates that occur several times, and put calls in their place.

    Args:
        known: names of the program's inputs, such as "dense/kernel" or "optimizer/learning_rate".
        results: names of the program's results, such as "updates/dense/kernel".
    """
    block = graph.block
    groups: dict[Any, list[tuple[list[Node], list[int], list[int]]]] = {}
    for nodes in _components(graph):
        signature, inputs = _signature(graph, nodes)
        outputs = _outputs(graph, nodes)
        produced = [value_id for node in nodes for value_id in node.outputs]
        places = tuple(produced.index(value_id) for value_id in outputs)
        groups.setdefault((signature, places), []).append((nodes, inputs, outputs))
    repeats: list[Repeat] = []
    taken: set[str] = set()
    for members in groups.values():
        if len(members) < _FEWEST or len(members[0][0]) < 2:
            continue
        function = _function_name(members[0][0], taken)
        taken.add(function)
        order = _parameter_order(graph, [inputs for _, inputs, _ in members], known)
        uses = [(nodes, [inputs[each] for each in order], outputs) for nodes, inputs, outputs in members]
        loop = update_loop(uses, known, results)
        for nodes, inputs, outputs in uses:
            call = Node(
                operation="call",
                params={"function": function, "settings": {}, "role": ""},
                inputs=list(inputs),
                outputs=list(outputs),
                scope=nodes[0].scope,
            )
            if loop is None:
                block.nodes.insert(block.nodes.index(nodes[-1]), call)
            elif nodes is uses[-1][0]:
                call.operation, call.params = "update_loop", {"function": function, "loop": loop}
                call.inputs = [value_id for _, given, _ in uses for value_id in given]
                # The loop runs over all gradients, so all are computed before it.
                every = [value_id for value_id, name in results.items() if name.startswith("gradients/")]
                call.inputs += [value_id for value_id in every if value_id not in call.inputs]
                call.outputs = [value_id for _, _, given in uses for value_id in given]
                block.nodes.insert(block.nodes.index(nodes[-1]), call)
            removed = {id(node) for node in nodes}
            block.nodes[:] = [node for node in block.nodes if id(node) not in removed]
        repeats.append(
            Repeat(
                function=function,
                nodes=tuple(uses[0][0]),
                inputs=tuple(tuple(inputs) for _, inputs, _ in uses),
                outputs=tuple(tuple(outputs) for _, _, outputs in uses),
            )
        )
    _sort_nodes(block)
    return repeats


def repeat_definition(
    repeat: Repeat,
    graph: Graph,
    known: Mapping[int, str],
    results: Mapping[int, str],
    taken: Sequence[str],
    helper: Callable[[str], str],
) -> str:
    """The definition of a repeated formula.

    Args:
        known: names of the program's inputs, such as "dense/kernel" or "optimizer/learning_rate".
        results: names of the program's results.
        helper: marks a helper function as used, and returns its name.
    """
    small = Graph()
    small.shapes, small.dtypes, small.constants = graph.shapes, graph.dtypes, graph.constants
    inputs, outputs = repeat.inputs[0], repeat.outputs[0]
    small.block = Block(nodes=list(repeat.nodes), inputs=list(inputs), outputs=list(outputs))
    parameters: list[str] = []
    for position in range(len(inputs)):
        name = _parameter(graph, [use[position] for use in repeat.inputs], known)
        while name in parameters or name in taken:
            name += "_"
        parameters.append(name)
    namer = Namer(small, {}, [*taken, *parameters], layers=False)
    atoms = {value_id: ast.Name(id=name) for value_id, name in zip(inputs, parameters, strict=True)}
    writer = Writer(small, namer, atoms, helper)
    for output in outputs:
        before = _before(output, inputs, known, results)
        if before is not None:
            writer.successors[output] = (before, parameters[inputs.index(before)])
    writer.write_nodes(small.block)

    def build() -> str:
        return "return " + ", ".join(text_of(writer.value(value_id)) for value_id in outputs)

    last = writer.fitting(build, outputs)
    lines = [wrapped_line for line in writer.lines for wrapped_line in wrapped(line.text, 1)]
    head = wrapped(f"def {repeat.function}({', '.join(parameters)}):", 0)
    return "\n".join(
        [*head, f'{INDENT}"""One weight after a step of the optimizer."""', *lines, *wrapped(last, 1)]
    )


def _components(graph: Graph) -> list[list[Node]]:
    """The update's array-valued nodes, in groups that hang together."""
    nodes = [
        node
        for node in graph.block.nodes
        if node.scope.phase == UPDATE
        and not node.blocks
        and any(graph.shapes[value_id] for value_id in node.outputs)
    ]
    home: dict[int, int] = {}
    groups: dict[int, list[Node]] = {}
    for number, node in enumerate(nodes):
        joined = sorted({home[value_id] for value_id in node.inputs if value_id in home})
        group = joined[0] if joined else number
        members = groups.setdefault(group, [])
        for other in joined[1:]:
            moved = groups.pop(other)
            members += moved
            home.update({value_id: group for each in moved for value_id in each.outputs})
        members.append(node)
        home.update(dict.fromkeys(node.outputs, group))
    order = {id(node): number for number, node in enumerate(graph.block.nodes)}
    whole = _with_what_they_wait_for(graph.block, list(groups.values()))
    return [sorted(members, key=lambda node: order[id(node)]) for members in whole]


def _with_what_they_wait_for(block: Block, groups: Sequence[list[Node]]) -> list[list[Node]]:
    """The groups with all that they both make and need, such as a weight's own step size from its update's norm.

    A group with a loop or a branch among these is left out: it cannot be one call.
    """
    grouped = {id(node) for members in groups for node in members}
    units = [*groups, *([node] for node in block.nodes if id(node) not in grouped)]
    maker = {
        value_id: number for number, unit in enumerate(units) for node in unit for value_id in node.outputs
    }
    reads = {
        number: {maker[each] for node in unit for each in _reads(node) if each in maker} - {number}
        for number, unit in enumerate(units)
    }
    parts = waiting_for_each_other(reads)
    merged = {number for part in parts for number in part}
    whole = [unit for number, unit in enumerate(groups) if number not in merged]
    joined = [[node for number in part for node in units[number]] for part in parts]
    return [*whole, *(nodes for nodes in joined if not any(node.blocks for node in nodes))]


def _signature(graph: Graph, nodes: Sequence[Node]) -> tuple[Any, list[int]]:
    """What a group computes, apart from the names and shapes of its operands; and these operands."""
    inside: dict[int, tuple[str, int]] = {}
    inputs: list[int] = []
    described = []
    for node in nodes:
        operands: list[Any] = []
        for value_id in node.inputs:
            if value_id in inside:
                operands.append(inside[value_id])
            elif value_id in graph.constants and graph.constants[value_id].ndim == 0:
                operands.append(("number", repr(graph.constants[value_id].item())))
            else:
                if value_id not in inputs:
                    inputs.append(value_id)
                operands.append(("input", inputs.index(value_id), bool(graph.shapes[value_id])))
        params = {
            key: value
            for key, value in node.params.items()
            if node.operation not in ELEMENTWISE or key == "y"
        }
        shapes = (
            ()
            if node.operation in ELEMENTWISE
            else tuple(graph.shapes[value_id] for value_id in node.outputs)
        )
        described.append((node.operation, str(sorted(params.items(), key=str)), shapes, tuple(operands)))
        for value_id in node.outputs:
            inside[value_id] = ("node", len(inside))
    return tuple(described), inputs


def _outputs(graph: Graph, nodes: Sequence[Node]) -> list[int]:
    """What is read outside a group, in the order of the program's outputs."""
    members = {id(node) for node in nodes}
    produced = {value_id for node in nodes for value_id in node.outputs}
    read = {value_id for node in graph.block.nodes if id(node) not in members for value_id in _reads(node)}
    returned = [value_id for value_id in dict.fromkeys(graph.block.outputs) if value_id in produced]
    others = [value_id for value_id in sorted(produced & read) if value_id not in returned]
    return [*returned, *others]


def _function_name(nodes: Sequence[Node], taken: set[str]) -> str:
    path = layer_path(nodes[0].scope)
    base = f"{identifier(path[0])}_update" if path else "update"
    name, number = base, 1
    while name in taken:
        number += 1
        name = f"{base}_{number}"
    return name


def _parameter_order(graph: Graph, uses: Sequence[Sequence[int]], known: Mapping[int, str]) -> list[int]:
    """The weight first, then its gradient, what the optimizer keeps for it, and numbers."""

    def rank(position: int) -> tuple[int, int]:
        name = _parameter(graph, [use[position] for use in uses], known)
        kind = ("weight", "gradient").index(name) if name in ("weight", "gradient") else 2
        return (kind if graph.shapes[uses[0][position]] else 3, position)

    return sorted(range(len(uses[0])), key=rank)


def step_sizes(repeats: Sequence[Repeat], graph: Graph, known: Mapping[int, str]) -> dict[int, str]:
    """Names of the numbers that the update computes once for all weights."""
    return {
        value_id: "step_size"
        for repeat in repeats
        for value_id in repeat.inputs[0]
        if not graph.shapes[value_id] and value_id not in known
    }


def _parameter(graph: Graph, value_ids: Sequence[int], known: Mapping[int, str]) -> str:
    """The name of an operand, from what its uses have in common."""
    names = [known.get(value_id, "") for value_id in value_ids]
    if not all(names):
        return "gradient" if graph.shapes[value_ids[0]] else "step_size"
    if not any(name.startswith("optimizer/") for name in names):
        return "weight"
    words = [re.split(r"[/_]", name.removeprefix("optimizer/")) for name in names]
    if len({*names}) == 1:
        return identifier(names[0].rpartition("/")[2])
    common = _common_start([list(reversed(each)) for each in words])
    if common:
        return identifier("_".join(reversed(common)))
    return identifier("_".join(_common_start(words)) or "slot")


def _common_start(lists: Sequence[Sequence[str]]) -> list[str]:
    """What all lists begin with."""
    common: list[str] = []
    for each in zip(*lists, strict=False):
        if len(set(each)) > 1:
            break
        common.append(each[0])
    return common


def _before(
    output: int, inputs: Sequence[int], known: Mapping[int, str], results: Mapping[int, str]
) -> int | None:
    """The input that an output is the new value of."""
    name = results.get(output, "").partition("/")[2]
    return next((value_id for value_id in inputs if name and known.get(value_id) == name), None)


def _reads(node: Node) -> set[int]:
    found = set(node.inputs)
    for inner in node.blocks:
        for each in inner.all_nodes():
            found.update(each.inputs)
        for every in inner.all_blocks():
            found.update(every.outputs)
    return found


def _sort_nodes(block: Block) -> None:
    """Put nodes in an order in which everything is computed before it is read, else as they stood."""
    producer = {value_id: node for node in block.nodes for value_id in node.outputs}
    done: set[int] = set()
    ordered: list[Node] = []

    for start in block.nodes:
        waiting = [start]
        while waiting:
            node = waiting[-1]
            if id(node) in done:
                waiting.pop()
                continue
            missing = [
                producer[value_id]
                for value_id in sorted(_reads(node))
                if value_id in producer
                and id(producer[value_id]) not in done
                and producer[value_id] is not node
            ]
            if missing:
                assert missing[0] not in waiting, "two updates wait for each other"
                waiting.append(missing[0])
                continue
            done.add(id(node))
            ordered.append(node)
            waiting.pop()
    block.nodes[:] = ordered
