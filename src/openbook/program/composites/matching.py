"""Finds where a pattern stands in a graph."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from openbook.program.composites.graph import Graph
from openbook.program.composites.pattern import (
    ANY,
    COMMUTATIVE,
    Anything,
    Either,
    Mean,
    Named,
    Node,
    Number,
    Operation,
    anchors,
    last_operations,
)
from openbook.program.program import Step

_NUMBER_TOLERANCE = 2e-6

# Step ids, the last one first; matches that share their beginning share its tail.
_Chain = Any  # of (int, _Chain) or None


class Match:
    """A place where a pattern stands; never changed once made.

    Attributes:
        graph: where.
        values: ids of the values that names stand for: of a part its step's result, of an input as first met.
        places: all the ids that each input was met as, views of one value.
        numbers: numbers by name.
    """

    __slots__ = ("_steps", "graph", "numbers", "places", "values")

    def __init__(
        self,
        graph: Graph,
        values: Mapping[str, int],
        places: Mapping[str, tuple[int, ...]],
        numbers: Mapping[str, float],
        steps: _Chain,
    ) -> None:
        self.graph = graph
        self.values = values
        self.places = places
        self.numbers = numbers
        self._steps = steps

    @property
    def steps(self) -> frozenset[int]:
        """Ids of the steps."""
        found = []
        chain = self._steps
        while chain is not None:
            step_id, chain = chain
            found.append(step_id)
        return frozenset(found)

    def with_steps(self, *steps: int) -> Match:
        chain = self._steps
        for step_id in steps:
            chain = (step_id, chain)
        return Match(self.graph, self.values, self.places, self.numbers, chain)

    def with_value(self, name: str, value_id: int) -> Match:
        return Match(self.graph, {**self.values, name: value_id}, self.places, self.numbers, self._steps)

    def with_place(self, name: str, value_id: int) -> Match:
        places = {**self.places, name: (*self.places.get(name, ()), value_id)}
        values = self.values if name in self.values else {**self.values, name: value_id}
        return Match(self.graph, values, places, self.numbers, self._steps)

    def with_number(self, name: str, number: float) -> Match:
        return Match(self.graph, self.values, self.places, {**self.numbers, name: number}, self._steps)

    def step_of(self, name: str) -> Step:
        """The step that computes a part."""
        return self.graph.producer[self.values[name]]

    def reduction_of(self, name: str) -> Step:
        """The step that sums or compares along axes for a part."""
        step = self.step_of(name)
        while "axes" not in step.params:
            operand = next(each for each in step.inputs if self.graph.number(each) is None)
            step = next(
                found
                for found in map(self.graph.producer.get, self.graph.chain(operand))
                if found is not None and (found.primitive.startswith("reduce_") or found.id in self.steps)
            )
        return step


def matches(graph: Graph, pattern: Node, step: Step) -> Iterator[Match]:
    """All ways in which a step is the last one of a pattern."""
    if not any(_is_start(graph, operation, step) for operation in last_operations(pattern, step.primitive)):
        return iter(())
    return _at_step(Match(graph, {}, {}, {}, None), pattern, step)


def _at_step(match: Match, node: Node, step: Step) -> Iterator[Match]:
    """The node as this very step."""
    if isinstance(node, Named):
        if node.name in match.values:
            if match.values[node.name] == step.outputs[0]:
                yield match
            return
        for found in _at_step(match, node.node, step):
            yield found.with_value(node.name, step.outputs[0])
    elif isinstance(node, Either):
        for each in node.nodes:
            if step.primitive in anchors(each):
                yield from _at_step(match, each, step)
    elif isinstance(node, Mean):
        yield from _mean(match, node, step)
    elif isinstance(node, Operation):
        yield from _operation(match, node, step)


def _at(match: Match, node: Node, value_id: int) -> Iterator[Match]:
    """The node as this value, or as what it is a view of."""
    graph = match.graph
    if isinstance(node, Anything):
        yield from _anything(match, node, value_id)
    elif isinstance(node, Number):
        yield from _number(match, node, value_id)
    elif isinstance(node, Either):
        for alternative in node.nodes:
            if _is_possible(graph, alternative, value_id):
                yield from _at(match, alternative, value_id)
    elif isinstance(node, Named) and node.name in match.values:
        between, meeting = _views(graph, value_id, match.values[node.name])
        if meeting:
            yield match.with_steps(*between)
    elif isinstance(node, Named) and isinstance(node.node, Anything | Number):
        for found in _at(match, node.node, value_id):
            yield found.with_value(node.name, value_id)
    else:
        wanted = anchors(node)
        views: list[int] = []
        for each in graph.chain(value_id):
            step = graph.producer.get(each)
            if step is None:
                return
            if step.primitive in wanted:
                yield from _at_step(match.with_steps(*views), node, step)
            views.append(step.id)


def _anything(match: Match, node: Anything, value_id: int) -> Iterator[Match]:
    graph = match.graph
    earlier = match.values.get(node.name)
    if earlier is not None:
        if graph.root(earlier) != graph.root(value_id):
            return
        yield match.with_place(node.name, value_id)
    elif graph.number(value_id) is None or graph.shape(value_id):
        yield match.with_place(node.name, value_id)


def _number(match: Match, node: Number, value_id: int) -> Iterator[Match]:
    number = match.graph.number(value_id)
    if number is None:
        return
    if node.value is not None and not (
        number == node.value or math.isclose(number, node.value, rel_tol=_NUMBER_TOLERANCE)
    ):
        return
    steps = _made_of_numbers(match.graph, value_id)
    if node.name:
        if match.numbers.get(node.name, number) != number:
            return
        match = match.with_number(node.name, number)
    yield match.with_steps(*steps)


def _made_of_numbers(graph: Graph, value_id: int) -> list[int]:
    """Steps that compute a number known beforehand."""
    step = graph.producer.get(value_id)
    if step is None:
        return []
    return [step.id, *(each for operand in step.inputs for each in _made_of_numbers(graph, operand))]


def _views(graph: Graph, value_id: int, target: int) -> tuple[list[int], bool]:
    """Steps from a value back to one that it is a view of."""
    steps: list[int] = []
    for each in graph.chain(value_id):
        if each == target:
            return steps, True
        if each in graph.producer:
            steps.append(graph.producer[each].id)
    # Both may be views of one value, such as a maximum that is taken with minus infinity in between.
    return [], graph.root(value_id) == graph.root(target)


def _operation(match: Match, node: Operation, step: Step) -> Iterator[Match]:
    if step.primitive != node.primitive or len(step.inputs) < len(node.operands):
        return
    if any(step.params.get(name) != value for name, value in node.params):
        return
    match = match.with_steps(step.id)
    inputs = step.inputs
    if _are_possible(match.graph, node, inputs):
        yield from _operands(match, node, inputs, 0)
    if node.primitive in COMMUTATIVE and len(inputs) == 2 and inputs[0] != inputs[1]:
        inputs = inputs[::-1]
        if _are_possible(match.graph, node, inputs):
            yield from _operands(match, node, inputs, 0)


def _is_start(graph: Graph, node: Operation | Mean, step: Step) -> bool:
    if isinstance(node, Mean):
        return True
    return _are_possible(graph, node, step.inputs) or (
        node.primitive in COMMUTATIVE and _are_possible(graph, node, step.inputs[::-1])
    )


def _are_possible(graph: Graph, node: Operation, inputs: tuple[int, ...]) -> bool:
    for wanted, value_id in zip(node.wanted, inputs, strict=False):
        if wanted and wanted.isdisjoint(graph.kinds(value_id)):
            return False
    return True


def _is_possible(graph: Graph, node: Node, value_id: int) -> bool:
    """Whether the primitives behind a value leave it possible that a node stands there; a quick look ahead."""
    wanted = anchors(node)
    return ANY in wanted or not wanted.isdisjoint(graph.kinds(value_id))


def _operands(match: Match, node: Operation, inputs: tuple[int, ...], done: int) -> Iterator[Match]:
    if done == len(node.order):
        yield match
        return
    position = node.order[done]
    for found in _at(match, node.operands[position], inputs[position]):
        yield from _operands(found, node, inputs, done + 1)


def _mean(match: Match, node: Mean, step: Step) -> Iterator[Match]:
    graph = match.graph
    if step.primitive not in ("div", "mul"):
        return
    pairs = [step.inputs] if step.primitive == "div" else [step.inputs, step.inputs[::-1]]
    for value_id, count_id in pairs:
        count = graph.number(count_id)
        if count is None:
            continue
        views: list[int] = []
        for each in graph.chain(value_id):
            summing = graph.producer.get(each)
            if summing is None:
                break
            if summing.primitive == "reduce_sum":
                shape = graph.shape(summing.inputs[0])
                expected = math.prod(shape[axis] for axis in summing.params["axes"])
                given = count if step.primitive == "div" else (1.0 / count if count else 0.0)
                if math.isclose(given, expected, rel_tol=1e-5):
                    found = match.with_steps(step.id, summing.id, *views, *_made_of_numbers(graph, count_id))
                    yield from _at(found, node.operand, summing.inputs[0])
                break
            views.append(summing.id)
