"""Finds textbook functions among a graph's nodes, and puts a call in their place."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from openbook.program.numpy_source.graph import Block, Graph, Node
from openbook.program.numpy_source.patterns import NUM_CLASSES, Call, Pattern, patterns
from openbook.program.numpy_source.views import REDUCTIONS
from openbook.program.program import BACKWARD

_REDUCED = REDUCTIONS | {"mean", "variance"}
_COMMUTATIVE = frozenset(("add", "mul", "max", "min", "eq", "ne", "and", "or"))
# Parameters that must be equal; all others follow from shapes, or change nothing here.
_TELLING = ("y", "approximate", "new_dtype", "keepdims", "exclusive")


def replace_composites(graph: Graph) -> None:
    """Write the groups of nodes that are textbook functions as calls."""
    from openbook.program.numpy_source.simplify import simplify, split_sums

    present = {node.operation for node in graph.block.all_nodes()}
    has_gradients = any(node.scope.phase == BACKWARD for node in graph.block.all_nodes())
    for pattern in patterns(_rows(graph) if has_gradients else ()):
        if pattern.name.endswith(("gradient", "gradients")) and not has_gradients:
            continue
        needed = {node.operation for node in pattern.graph.block.nodes}
        if not needed <= present:
            continue
        if _replace(graph, pattern):
            graph.drop_unused()
            present = {node.operation for node in graph.block.all_nodes()}
    simplify(graph)
    split_sums(graph)


def _rows(graph: Graph) -> set[tuple[int, int]]:
    """Number of axes and row length of what a graph takes row means of."""
    shapes = {
        graph.shapes[node.inputs[0]]
        for node in graph.block.all_nodes()
        if node.operation == "mean"
        and node.params.get("keepdims")
        and tuple(node.params["axes"]) == (len(graph.shapes[node.inputs[0]]) - 1,)
    }
    return {(len(shape), shape[-1]) for shape in shapes if 2 <= len(shape) <= 4}


@dataclasses.dataclass(slots=True)
class _Match:
    """What a pattern's values and settings stand for."""

    values: dict[int, int]
    settings: dict[str, Any]
    # Of a sum that holds the pattern's output among other terms: these terms, and the sum.
    rest: list[int] = dataclasses.field(default_factory=list)
    sum_node: Node | None = None

    def copy(self) -> _Match:
        return _Match(dict(self.values), dict(self.settings), list(self.rest), self.sum_node)


def _replace(graph: Graph, pattern: Pattern) -> bool:
    """Replace all matches of one pattern."""
    small = pattern.graph
    last = _anchor(small)
    anchor = small.producers()[last]
    found = False
    for block in list(graph.block.all_blocks()):
        for node in list(block.nodes):
            if node.operation != anchor.operation or len(node.outputs) != 1:
                continue
            producers = graph.producers()
            if producers.get(node.outputs[0]) is not node:
                continue
            match = _Matcher(graph, pattern, producers, block).match(last, node.outputs[0])
            if match is not None and _stands_alone(graph, pattern, match, producers):
                _put_calls(graph, pattern, match, producers, block)
                found = True
    return found


def _anchor(small: Graph) -> int:
    """The output that depends on most of a pattern."""
    producers = small.producers()

    def size(value_id: int) -> int:
        found: set[int] = set()
        waiting = [value_id]
        while waiting:
            node = producers.get(waiting.pop())
            if node is not None and node.outputs[0] not in found:
                found.add(node.outputs[0])
                waiting += node.inputs
        return len(found)

    return max(small.block.outputs, key=size)


class _Matcher:
    def __init__(self, graph: Graph, pattern: Pattern, producers: Mapping[int, Node], block: Block) -> None:
        self.graph = graph
        self.small = pattern.graph
        self.small_producers = self.small.producers()
        self.numbers = pattern.numbers
        self.producers = producers
        self.block = block
        self.readers: dict[int, list[Node]] | None = None

    def match(self, output: int, anchor: int) -> _Match | None:
        """What the pattern's values are when one of its outputs is the anchor."""
        outputs = self.small.block.outputs
        found = self._solve([(output, anchor)], _Match({}, {}))
        if found is None:
            return None
        # Outputs that this one does not depend on are searched among all nodes.
        for output in outputs:
            if output in found.values:
                continue
            found = self._extend(output, found)
            if found is None:
                return None
        return found

    def _extend(self, output: int, match: _Match) -> _Match | None:
        operation = self.small_producers[output].operation
        taken = set(match.values.values())
        for node in self.block.nodes:
            if node.operation == operation and len(node.outputs) == 1 and node.outputs[0] not in taken:
                found = self._solve([(output, node.outputs[0])], match.copy())
                if found is not None:
                    return found
        return None

    def _solve(self, goals: list[tuple[int, int]], match: _Match) -> _Match | None:
        goals = list(goals)
        while goals:
            small, value_id = goals.pop()
            known = match.values.get(small)
            if known is not None:
                if known != value_id:
                    return None
                continue
            constant = self.small.constants.get(small)
            if constant is not None:
                if not self._same_number(constant, value_id, match):
                    return None
                continue
            if small in self.small.block.inputs:
                if self.graph.dtypes[value_id] == np.bool_:
                    return None
                match.values[small] = value_id
                continue
            small_node = self.small_producers[small]
            node = self.producers.get(value_id)
            if node is None or not self._same_operation(small_node, node, match):
                return None
            if node.operation == "add_any":
                return self._solve_sum(small, small_node, value_id, node, goals, match)
            match.values[small] = value_id
            pairs = list(zip(small_node.inputs, node.inputs, strict=True))
            if node.operation in _COMMUTATIVE:
                swapped = list(zip(small_node.inputs, reversed(node.inputs), strict=True))
                found = self._solve([*goals, *pairs], match.copy())
                return found if found is not None else self._solve([*goals, *swapped], match)
            goals += pairs
        return match

    def _solve_sum(
        self,
        small: int,
        small_node: Node,
        value_id: int,
        node: Node,
        goals: list[tuple[int, int]],
        match: _Match,
    ) -> _Match | None:
        """Find the pattern's terms among those of a sum; only the first goal may leave terms over."""
        is_anchor = not match.values
        left_over = len(node.inputs) - len(small_node.inputs)
        if left_over and not is_anchor:
            return None
        match = match.copy()
        if left_over:
            # The value that stands for the pattern's output is made when the call is put in.
            match.values[small] = -1
        else:
            match.values[small] = value_id

        def assign(position: int, free: tuple[int, ...], so_far: _Match) -> _Match | None:
            if position == len(small_node.inputs):
                so_far = so_far.copy()
                if left_over:
                    so_far.rest = [node.inputs[each] for each in free]
                    so_far.sum_node = node
                return self._solve(goals, so_far)
            for each in free:
                found = self._solve([(small_node.inputs[position], node.inputs[each])], so_far.copy())
                if found is not None:
                    remaining = tuple(other for other in free if other != each)
                    found = assign(position + 1, remaining, found)
                    if found is not None:
                        return found
            return None

        return assign(0, tuple(range(len(node.inputs))), match)

    def _same_number(self, constant: np.ndarray, value_id: int, match: _Match) -> bool:
        number = self.graph.scalar(value_id)
        if number is None or constant.ndim:
            return False
        for name, stand_in in self.numbers.items():
            if math.isclose(constant.item(), stand_in, rel_tol=1e-6):
                known = match.settings.setdefault(name.lstrip("-"), -number if name[0] == "-" else number)
                return bool(known == (-number if name[0] == "-" else number))
        return constant.item() == number or math.isclose(constant.item(), number, rel_tol=1e-6)

    def _same_operation(self, small: Node, node: Node, match: _Match) -> bool:
        if small.operation != node.operation:
            return False
        if len(small.inputs) != len(node.inputs) and not (
            node.operation == "add_any" and len(small.inputs) < len(node.inputs)
        ):
            return False
        if node.blocks or len(node.outputs) != len(small.outputs) or node not in self.block.nodes:
            return False
        for key in _TELLING:
            if small.params.get(key) != node.params.get(key):
                return False
        if node.operation in _REDUCED:
            return self._same_axes(small, node, match)
        if node.operation == "expand":
            return self._same_expansion(small.params["present"], node.params["present"])
        if node.operation == "iota":
            [size] = self.graph.shapes[node.outputs[0]]
            assert self.small.shapes[small.outputs[0]] == (NUM_CLASSES,)
            return bool(match.settings.setdefault("num_classes", size) == size)
        if node.operation == "call":
            return all(small.params[key] == node.params[key] for key in ("function", "settings"))
        return True

    def _same_axes(self, small: Node, node: Node, match: _Match) -> bool:
        small_rank = len(self.small.shapes[small.inputs[0]])
        rank = len(self.graph.shapes[node.inputs[0]])
        small_axes = tuple(axis - small_rank for axis in small.params["axes"])
        axes = tuple(axis - rank for axis in node.params["axes"])
        if small_axes == (-1,) and len(axes) == 1:
            axis = match.settings.setdefault("axis", axes[0])
            return bool(axis == axes[0])
        return small_rank == rank and small_axes == axes

    @staticmethod
    def _same_expansion(small: Sequence[bool], present: Sequence[bool]) -> bool:
        if tuple(small) == tuple(present):
            return True
        return not small[-1] and not present[-1] and all(small[:-1]) and all(present[:-1])


def _stands_alone(graph: Graph, pattern: Pattern, match: _Match, producers: Mapping[int, Node]) -> bool:
    """Whether nothing outside a match reads what only its inside computes."""
    small = pattern.graph
    is_last_axis = match.settings.get("axis", -1) == -1
    if not is_last_axis and not all("axis" in call.settings for call in pattern.calls):
        return False
    outputs = {match.values[value_id] for value_id in small.block.outputs} - {-1}
    inputs = {match.values[value_id] for value_id in small.block.inputs if value_id in match.values}
    inside = set(match.values.values()) - outputs - inputs - {-1}
    members = {id(producers[value_id]) for value_id in (*inside, *outputs) if value_id in producers}
    if match.sum_node is not None:
        members.add(id(match.sum_node))
    # Positions are cheap to write anew wherever they are read.
    inside = {value_id for value_id in inside if producers[value_id].operation != "iota"}
    for block in graph.block.all_blocks():
        if inside.intersection(block.outputs):
            return False
        for node in block.nodes:
            if id(node) not in members and inside.intersection(node.inputs):
                return False
    return True


def _put_calls(
    graph: Graph, pattern: Pattern, match: _Match, producers: Mapping[int, Node], block: Block
) -> None:
    outputs = [match.values[value_id] for value_id in pattern.graph.block.outputs]
    if match.sum_node is not None:
        term = _make_term(graph, match, block)
        outputs = [term.outputs[0] if value_id == -1 else value_id for value_id in outputs]
        producers = graph.producers()
    inputs = [match.values.get(value_id) for value_id in pattern.graph.block.inputs]
    position = 0
    for call in pattern.calls:
        results = outputs[position : position + call.num_outputs]
        position += call.num_outputs
        operands = [outputs[-1 - each] if each < 0 else inputs[each] for each in call.operands]
        nodes = [producers[value_id] for value_id in results]
        # Where several results come of one call, it stands where the first of them stood.
        place = min(nodes, key=block.nodes.index)
        new = Node(
            operation="call",
            params={
                "function": call.function,
                "settings": _settings(call, match),
                "role": call.role,
                "gradient_of": inputs[call.gradient_of] if call.gradient_of is not None else None,
            },
            inputs=[each for each in operands if each is not None],
            outputs=list(results),
            scope=place.scope,
        )
        assert len(new.inputs) == len(operands)
        place_index = _earliest(block, place, new.inputs, producers)
        block.nodes.insert(place_index, new)
        for node in nodes:
            block.nodes.remove(node)


def _make_term(graph: Graph, match: _Match, block: Block) -> Node:
    """Make the terms of a sum that a call gives a sum of their own."""
    total = match.sum_node
    assert total is not None
    [output] = total.outputs
    shape, dtype = graph.shapes[output], graph.dtypes[output]
    inner = [value_id for value_id in total.inputs if value_id not in match.rest]
    term = Node(
        operation="add_any",
        params={},
        inputs=inner,
        outputs=[graph.new_value(shape, dtype)],
        scope=total.scope,
    )
    block.nodes.insert(block.nodes.index(total), term)
    total.inputs[:] = [*match.rest, term.outputs[0]]
    return term


def _earliest(block: Block, place: Node, inputs: Sequence[int], producers: Mapping[int, Node]) -> int:
    """Where a call can stand: at its first result, and after all that it reads."""
    index = block.nodes.index(place)
    for value_id in inputs:
        producer = producers.get(value_id)
        if producer is not None and producer in block.nodes:
            index = max(index, block.nodes.index(producer) + 1)
    return index


def _settings(call: Call, match: _Match) -> dict[str, str]:
    written = {}
    for name, default in call.settings.items():
        value = match.settings.get(name, default)
        if value != default:
            written[name] = _number(value)
    return written


def _number(value: Any) -> str:
    if isinstance(value, float):
        return str(np.float32(value))
    return repr(value)
