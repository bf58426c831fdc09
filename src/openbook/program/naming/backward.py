"""The backward steps of a program, and how to recognise one by what it takes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from openbook.program.composites.graph import Graph
from openbook.program.program import BACKWARD, Step


class Backward:
    """The backward steps of a program.

    Attributes:
        claimed: results that were recognised as the transpose of some operation.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.claimed: set[int] = set()

    def behind(self, value_id: int, *primitives: str) -> Iterator[Step]:
        """Backward steps that take a value."""
        for step in self.graph.users.get(value_id, ()):
            if step.primitive in primitives and self.graph.phases[step.id] == BACKWARD:
                yield step

    def is_behind(self, value_id: int) -> bool:
        step = self.graph.producer.get(value_id)
        return step is not None and self.graph.phases[step.id] == BACKWARD

    def first(self, found: Sequence[int]) -> int | None:
        """The first result that is no other operation's: transposes stand in the reverse order."""
        for value_id in sorted(set(found)):
            if value_id not in self.claimed:
                self.claimed.add(value_id)
                return value_id
        return None

    def near(self, step: Step, value_id: int, *primitives: str) -> list[Step]:
        """Backward steps of the same layer that take a value."""
        return [each for each in self.behind(value_id, *primitives) if each.scope.path == step.scope.path]

    def summed_to(self, step: Step, value_id: int | None, shape: tuple[int, ...]) -> int | None:
        """What is left of a gradient for an operand that was broadcast."""
        graph = self.graph
        if value_id is None or graph.shape(value_id) == shape:
            return value_id
        wide = graph.shape(value_id)
        padded = (1,) * (len(wide) - len(shape)) + shape
        if len(padded) != len(wide):
            return None
        axes = tuple(axis for axis, size in enumerate(wide) if padded[axis] == 1 and size != 1)
        for user in self.near(step, value_id, "reduce_sum"):
            if tuple(int(axis) for axis in user.params["axes"]) != axes and math.prod(shape) != math.prod(
                graph.shape(user.outputs[0])
            ):
                continue
            total = user.outputs[0]
            if graph.shape(total) == shape:
                return total
            for shaped in self.near(step, total, "reshape", "broadcast_in_dim", "squeeze", "expand_dims"):
                if graph.shape(shaped.outputs[0]) == shape:
                    return shaped.outputs[0]
        return None

    def shaped(self, step: Step, value_id: int, shape: tuple[int, ...]) -> int | None:
        if self.graph.shape(value_id) == shape:
            return value_id
        return self.first(
            [
                user.outputs[0]
                for user in self.near(
                    step, value_id, "reshape", "squeeze", "expand_dims", "broadcast_in_dim", "reduce_sum"
                )
                if self.graph.shape(user.outputs[0]) == shape
            ]
        )

    def negative(self, step: Step, value_id: int) -> int | None:
        return self.first([user.outputs[0] for user in self.near(step, value_id, "neg")])

    def times(self, step: Step, value_id: int, factor: int, primitive: str = "mul") -> int | None:
        """A value times another one, or by it."""
        graph = self.graph
        number = graph.number(factor)
        found = []
        for user in self.near(step, value_id, primitive):
            others = [each for each in user.inputs if each != value_id] or [value_id]
            is_it = len(others) == 1 and (
                graph.root(others[0]) == graph.root(factor)
                or (number is not None and graph.number(others[0]) == number)
            )
            if is_it and (primitive == "mul" or user.inputs[0] == value_id):
                found.append(user.outputs[0])
        return self.first(found)
