"""Lets reductions keep the axes that would be put back after them."""

from __future__ import annotations

from collections import Counter

from openbook.program.numpy_source.graph import Block, Graph, Node
from openbook.program.numpy_source.views import ELEMENTWISE, REDUCTIONS

_KEEPING = REDUCTIONS | {"mean", "variance"}


def keep_dimensions(graph: Graph) -> bool:
    """Let reductions keep the axes that would be put back after them: `x.sum(...)[:, None]` needs no index.

    Returns:
        whether any now does.
    """
    readers: dict[int, list[Node]] = {}
    for node in graph.block.all_nodes():
        for value_id in node.inputs:
            readers.setdefault(value_id, []).append(node)
    returned = Counter(value_id for block in graph.block.all_blocks() for value_id in block.outputs)
    producers = graph.producers()
    replacements: dict[int, int] = {}
    for block in graph.block.all_blocks():
        for node in block.nodes:
            if node.operation != "expand":
                continue
            chain = _chain(node, graph, producers, readers, returned, block)
            if chain is None:
                continue
            members, expansions = chain
            present = node.params["present"]
            for member in members:
                [output] = member.outputs
                sizes = iter(graph.shapes[output])
                graph.shapes[output] = tuple(next(sizes) if each else 1 for each in present)
                if member.operation in _KEEPING:
                    member.params = {**member.params, "keepdims": True}
            for expansion in expansions:
                replacements[expansion.outputs[0]] = expansion.inputs[0]
            # The nodes have changed their shapes: what follows must not see them as they were.
            for expansion in expansions:
                expansion.operation = "kept"
    graph.replace(replacements)
    return bool(replacements)


def _chain(
    node: Node,
    graph: Graph,
    producers: dict[int, Node],
    readers: dict[int, list[Node]],
    returned: Counter[int],
    block: Block,
) -> tuple[list[Node], list[Node]] | None:
    """The nodes from reductions to an expansion that can all keep the reduced axes, and all such expansions."""
    present = node.params["present"]
    inserted = tuple(axis for axis, each in enumerate(present) if not each)
    inside = {id(each) for each in block.nodes}
    members: dict[int, Node] = {}
    expansions: dict[int, Node] = {}
    waiting = [node.inputs[0]]
    while waiting:
        value_id = waiting.pop()
        producer = producers.get(value_id)
        if producer is None or id(producer) not in inside or returned[value_id]:
            return None
        if id(producer) in members:
            continue
        if producer.operation in _KEEPING:
            rank = len(graph.shapes[producer.inputs[0]])
            if producer.params.get("keepdims") or rank != len(present):
                return None
            if tuple(sorted(producer.params["axes"])) != inserted:
                return None
        elif producer.operation in ELEMENTWISE and graph.shapes[value_id]:
            arrays = [each for each in producer.inputs if graph.shapes[each]]
            if any(graph.shapes[each] != graph.shapes[value_id] for each in arrays):
                return None
            waiting += arrays
        else:
            return None
        members[id(producer)] = producer
        for reader in readers.get(value_id, []):
            if reader.operation == "expand" and reader.params["present"] == present:
                expansions[id(reader)] = reader
            elif reader.operation in ELEMENTWISE:
                waiting += reader.outputs
            else:
                return None
    return list(members.values()), list(expansions.values())
