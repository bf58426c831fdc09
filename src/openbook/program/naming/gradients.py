"""Which backward values are the gradient of the loss by which forward value.

JAX leaves no note of it. But each forward operation is transposed in one way, so the backward steps can be
recognised one after the other, from the loss and from each product with a weight towards the inputs. What is not
recognised keeps the name of its operation.
"""

from __future__ import annotations

from collections.abc import Sequence

from openbook.program.composites.graph import Graph
from openbook.program.naming.backward import Backward
from openbook.program.naming.placing import Placement
from openbook.program.naming.transposes import TRANSPOSES
from openbook.program.program import BACKWARD, FORWARD, Step

# Nothing of a gradient passes through these.
_BLOCKING = frozenset(
    {
        "stop_gradient", "gt", "ge", "lt", "le", "eq", "ne", "is_finite", "sign", "floor", "ceil", "round", "not",
        "and", "or", "argmax", "argmin", "iota", "random_bits", "random_wrap", "reduce_and", "reduce_or",
    }
)  # fmt: skip
_PRODUCTS = ("dot_general", "conv_general_dilated")


def gradients_of(placement: Placement) -> dict[int, int]:
    """By id of a forward value the id of the backward value that is the loss's gradient by it."""
    graph = placement.graph
    if BACKWARD not in graph.phases.values():
        return {}
    finder = _Finder(graph, placement.aside)
    return finder.find()


class _Finder:
    """Walks the forward steps from the last to the first and recognises their transposes.

    Attributes:
        gradients: by forward value id the id of its gradient.
        parts: by forward value id what each of its uses contributes to its gradient.
    """

    def __init__(self, graph: Graph, aside: frozenset[int]) -> None:
        self.graph = graph
        self.aside = aside
        self.gradients: dict[int, int] = {}
        self.parts: dict[int, dict[tuple[int, int], int]] = {}
        self.backward = Backward(graph)
        self.forward = [
            step
            for step in graph.program.steps
            if graph.phases[step.id] == FORWARD and step.id not in aside and len(step.outputs) >= 1
        ]
        self.results = frozenset(graph.program.outputs)
        self.useful = self._useful()

    def find(self) -> dict[int, int]:
        for step in reversed(self.forward):
            for output in step.outputs:
                gradient = self._gradient_of(output)
                if gradient is None and step.primitive in _PRODUCTS:
                    gradient = self._by_factors(step)
                if gradient is None:
                    gradient = self._at_the_end(output)
                if gradient is not None:
                    self.gradients[output] = gradient
            self._pass_on(step)
        for value_id in self.graph.program.inputs:
            gradient = self._gradient_of(value_id)
            if gradient is not None:
                self.gradients[value_id] = gradient
        return self.gradients

    def _useful(self) -> set[int]:
        """Values that the loss depends on in a way that can be differentiated."""
        wanted: set[int] = set()
        for step in reversed(self.forward):
            is_wanted = any(each in wanted or each in self.results for each in step.outputs)
            if is_wanted and step.primitive not in _BLOCKING:
                wanted.update(value_id for value_id in step.inputs if self.graph.values[value_id].is_float)
        return wanted

    def _gradient_of(self, value_id: int) -> int | None:
        """What all uses of a value contribute, added up; None where one of them is not recognised."""
        uses = [
            (step.id, position)
            for step in self.graph.users.get(value_id, ())
            if self.graph.phases[step.id] == FORWARD and step.id not in self.aside
            for position, operand in enumerate(step.inputs)
            if operand == value_id and self._counts(step, position)
        ]
        parts = self.parts.get(value_id, {})
        if not uses or any(use not in parts for use in uses):
            return None
        waiting = [parts[use] for use in uses]
        while len(waiting) > 1:
            total = self._sum_of(waiting)
            if total is None:
                return None
            waiting = total
        return waiting[0]

    def _counts(self, step: Step, position: int) -> bool:
        if step.primitive in _BLOCKING or (step.primitive == "select_n" and position == 0):
            return False
        return any(each in self.useful or each in self.results for each in step.outputs)

    def _sum_of(self, waiting: Sequence[int]) -> list[int] | None:
        for first in waiting:
            for step in self.backward.behind(first, "add_any"):
                if all(operand in waiting for operand in step.inputs):
                    rest = list(waiting)
                    for operand in step.inputs:
                        if operand in rest:
                            rest.remove(operand)
                    return [*rest, step.outputs[0]]
        return None

    def _by_factors(self, step: Step) -> int | None:
        """The gradient of a product: what is multiplied by each factor for the other factor's gradient."""
        shape = self.graph.shape(step.outputs[0])
        found: set[int] | None = None
        for factor in step.inputs[:2]:
            candidates = {
                other
                for user in self.backward.near(step, factor, step.primitive)
                for other in user.inputs
                if other != factor and self.backward.is_behind(other) and self.graph.shape(other) == shape
            }
            if candidates:
                found = candidates if found is None else found & candidates
        return found.pop() if found is not None and len(found) == 1 else None

    def _at_the_end(self, value_id: int) -> int | None:
        """The gradient of what is summed into the loss: one number in all places."""
        graph = self.graph
        users = [step for step in graph.users.get(value_id, ()) if graph.phases[step.id] == FORWARD]
        if len(users) != 1 or users[0].primitive != "reduce_sum" or not graph.shape(value_id):
            return None
        if not self._leads_to_end(users[0].outputs[0]):
            return None
        candidates = [
            step.outputs[0]
            for step in graph.program.steps
            if step.primitive == "broadcast_in_dim"
            and graph.phases[step.id] == BACKWARD
            and not graph.shape(step.inputs[0])
            and graph.shape(step.outputs[0]) == graph.shape(value_id)
            and step.scope.path == users[0].scope.path
            and graph.number(step.inputs[0]) not in (None, 0.0)
        ]
        return candidates[0] if len(candidates) == 1 else None

    def _leads_to_end(self, value_id: int) -> bool:
        """Whether a number is, but for a factor and guards, the result itself."""
        graph = self.graph
        for _ in range(16):
            if graph.shape(value_id):
                return False
            if value_id in graph.program.outputs:
                return True
            users = [
                step
                for step in graph.users.get(value_id, ())
                if graph.phases[step.id] == FORWARD and step.id not in self.aside
            ]
            if len(users) != 1 or users[0].primitive not in ("div", "mul", "select_n", "neg", "copy"):
                return False
            value_id = users[0].outputs[0]
        return False

    def _pass_on(self, step: Step) -> None:
        """Recognise what a step contributes to its operands' gradients."""
        if step.primitive == "split":
            self._pass_on_split(step)
            return
        gradient = self.gradients.get(step.outputs[0])
        if gradient is None or len(step.outputs) != 1:
            return
        for position, value_id in enumerate(step.inputs):
            if not self.graph.values[value_id].is_float or not self._counts(step, position):
                continue
            found = self._part(step, position, gradient)
            if found is not None and self.graph.shape(found) == self.graph.shape(value_id):
                self.parts.setdefault(value_id, {})[(step.id, position)] = found

    def _part(self, step: Step, position: int, gradient: int) -> int | None:
        rule = TRANSPOSES.get(step.primitive)
        return rule(self.backward, step, position, gradient) if rule is not None else None

    def _pass_on_split(self, step: Step) -> None:
        known = [self.gradients.get(each) for each in step.outputs]
        first = known[0]
        if first is None or None in known:
            return
        for user in self.backward.behind(first, "concatenate"):
            if list(user.inputs) == known:
                self.parts.setdefault(step.inputs[0], {})[(step.id, 0)] = user.outputs[0]
