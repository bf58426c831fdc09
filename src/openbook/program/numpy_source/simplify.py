"""Rewrites a graph into what a textbook would write; the numbers stay the same but for rounding."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from openbook.program.numpy_source.graph import Graph, Node
from openbook.program.numpy_source.kept_axes import keep_dimensions


def simplify(graph: Graph) -> None:
    """Rewrite a graph in place."""
    for _ in range(8):
        rules = _Rules(graph)
        rules.apply()
        graph.drop_unused()
        has_kept = keep_dimensions(graph)
        graph.drop_unused()
        if not rules.num_changes and not has_kept:
            break


class _Rules:
    """One pass of rules, each about a node and the nodes that compute its operands."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.uses = graph.uses()
        self.producers = graph.producers()
        self.replacements: dict[int, int] = {}
        self.returned = {value_id for block in graph.block.all_blocks() for value_id in block.outputs}
        self.num_changes = 0

    def apply(self) -> None:
        """Try each rule on each node, operands before readers."""
        for node in self.graph.block.all_nodes():
            node.inputs[:] = [self._final(value_id) for value_id in node.inputs]
            rule = _RULES.get(node.operation)
            if rule is not None and rule(self, node):
                self.num_changes += 1
        self.graph.replace(self.replacements)

    def _final(self, value_id: int) -> int:
        while value_id in self.replacements:
            value_id = self.replacements[value_id]
        return value_id

    def only(self, value_id: int, operation: str) -> Node | None:
        """The node that computes a value, where it is of that operation and nothing else reads it."""
        node = self.producers.get(value_id)
        return node if node and node.operation == operation and self.uses[value_id] == 1 else None

    def division(self, node: Node) -> bool:
        """A sum divided by the number of its terms is a mean."""
        number = self.graph.scalar(node.inputs[1])
        return number is not None and self._mean(node, node.inputs[0], number)

    def product(self, node: Node) -> bool:
        """A sum times one over the number of its terms is a mean; minus one times is minus."""
        for value_id, other in (node.inputs, reversed(node.inputs)):
            number = self.graph.scalar(other)
            if isinstance(number, complex):
                continue
            if number is not None and number > 0 and self._mean(node, value_id, 1 / number):
                return True
            if number is not None and self._merged(node, value_id, number):
                return True
            if number == -1 and np.dtype(self.graph.dtypes[value_id]).kind == "f":
                node.operation, node.params, node.inputs[:] = "neg", {}, [value_id]
                return True
        return False

    def _merged(self, node: Node, value_id: int, number: float) -> bool:
        """A number times a number times x is one number times x."""
        inner = self.only(value_id, "mul")
        dtype = self.graph.dtypes[value_id]
        if inner is None or np.dtype(dtype).kind != "f":
            return False
        for rest, other in (inner.inputs, reversed(inner.inputs)):
            second = self.graph.scalar(other)
            if second is not None and self.graph.scalar(rest) is None:
                merged = self.graph.new_constant(np.asarray(number * second, dtype))
                node.inputs[:] = [merged, rest]
                return True
        return False

    def negation(self, node: Node) -> bool:
        """Minus a number times x is minus that number times x."""
        inner = self.only(node.inputs[0], "mul")
        if inner is None or np.dtype(self.graph.dtypes[node.outputs[0]]).kind != "f":
            return False
        for rest, other in (inner.inputs, reversed(inner.inputs)):
            number = self.graph.scalar(other)
            if number is not None:
                negative = self.graph.new_constant(np.asarray(-number, self.graph.dtypes[other]))
                node.operation, node.params, node.inputs[:] = "mul", {}, [negative, rest]
                return True
        return False

    def variance(self, node: Node) -> bool:
        """The mean square of what differs from the mean is the variance."""
        square = self.only(node.inputs[0], "square")
        difference = self.only(square.inputs[0], "sub") if square is not None else None
        mean = self.producers.get(difference.inputs[1]) if difference is not None else None
        if difference is None or mean is None or mean.operation != "mean":
            return False
        if mean.inputs[0] != difference.inputs[0] or mean.params["axes"] != node.params["axes"]:
            return False
        keeps = mean.params.get("keepdims") or 0 in mean.params["axes"]
        if not keeps:
            return False
        node.operation = "variance"
        node.inputs[:] = [difference.inputs[0]]
        return True

    def _mean(self, node: Node, value_id: int, number: float) -> bool:
        total = self.only(value_id, "reduce_sum")
        if total is None or np.dtype(self.graph.dtypes[value_id]).kind != "f":
            return False
        shape = self.graph.shapes[total.inputs[0]]
        count = math.prod(shape[axis] for axis in total.params["axes"])
        if count < 2 or not math.isclose(number, count, rel_tol=1e-6):
            return False
        node.operation, node.params, node.inputs[:] = "mean", total.params, list(total.inputs)
        return True

    def difference(self, node: Node) -> bool:
        """Taking away −b is adding b."""
        negative = self.only(node.inputs[1], "neg")
        if negative is None:
            return False
        node.operation, node.inputs[:] = "add", [node.inputs[0], negative.inputs[0]]
        return True

    def gradient_sum(self, node: Node) -> bool:
        """Gradients that meet are one sum of all of them, in whatever pairs they were added."""
        changed = False
        terms: list[int] = []
        for value_id in node.inputs:
            inner = self.only(value_id, "add_any")
            if inner is not None and value_id not in self.returned:
                terms += inner.inputs
                changed = True
            else:
                terms.append(value_id)
        node.inputs[:] = terms
        return changed

    def addition(self, node: Node) -> bool:
        """Adding −b is taking away b."""
        left, right = node.inputs
        for kept, negated in ((left, right), (right, left)):
            negative = self.only(negated, "neg")
            if negative is not None:
                node.operation, node.inputs[:] = "sub", [kept, negative.inputs[0]]
                return True
        return False

    def transposition(self, node: Node) -> bool:
        """The transpose of a product is a product with its axes in that order."""
        product = self.only(node.inputs[0], "dot_general")
        if product is None:
            return False
        (left_sum, right_sum), (left_batch, right_batch) = product.params["dimension_numbers"]
        left, right = product.inputs
        num_left = len(self.graph.shapes[left]) - len(left_sum) - len(left_batch)
        num_right = len(self.graph.shapes[right]) - len(right_sum) - len(right_batch)
        num_batch = len(left_batch)
        order = product.params.get("permutation") or range(num_batch + num_left + num_right)
        order = tuple(order[axis] for axis in node.params["permutation"])
        swapped = (
            *range(num_batch),
            *range(num_batch + num_left, num_batch + num_left + num_right),
            *range(num_batch, num_batch + num_left),
        )
        node.operation = "dot_general"
        if order == swapped:
            numbers = ((right_sum, left_sum), (right_batch, left_batch))
            node.params = {**product.params, "dimension_numbers": numbers, "permutation": None}
            node.inputs[:] = [right, left]
        else:
            node.params = {**product.params, "permutation": order}
            node.inputs[:] = [left, right]
        return True

    def contraction(self, node: Node) -> bool:
        """A product reads a transposed operand along its axes as they were."""
        changed = False
        numbers = [list(map(tuple, each)) for each in node.params["dimension_numbers"]]
        free_axes = []
        for side in (0, 1):
            bound = {*numbers[0][side], *numbers[1][side]}
            rank = len(self.graph.shapes[node.inputs[side]])
            free_axes.append([axis for axis in range(rank) if axis not in bound])
        for side in (0, 1):
            moved = self.only(node.inputs[side], "transpose")
            if moved is None:
                continue
            order = moved.params["permutation"]
            # The order of the free axes decides the result's axes; it must stay.
            free = [order[axis] for axis in free_axes[side]]
            if free != sorted(free):
                continue
            for kind in (0, 1):
                numbers[kind][side] = tuple(int(order[axis]) for axis in numbers[kind][side])
            node.inputs[side] = moved.inputs[0]
            changed = True
        if changed:
            node.params = {**node.params, "dimension_numbers": tuple(tuple(each) for each in numbers)}
        return changed

    def expansion(self, node: Node) -> bool:
        """An axis that is taken away and put back stays."""
        squeezed = self.producers.get(node.inputs[0])
        if squeezed is None or squeezed.operation != "squeeze":
            return False
        if self.graph.shapes[squeezed.inputs[0]] != self.graph.shapes[node.outputs[0]]:
            return False
        self.replacements[node.outputs[0]] = squeezed.inputs[0]
        return True

    def choice(self, node: Node) -> bool:
        """where(not mask, a, b) is where(mask, b, a)."""
        if len(node.inputs) != 3 or self.graph.dtypes[node.inputs[0]] != np.bool_:
            return False
        negated = self.producers.get(node.inputs[0])
        if negated is None or negated.operation != "not":
            return False
        node.inputs[:] = [negated.inputs[0], node.inputs[2], node.inputs[1]]
        return True

    def branch(self, node: Node) -> bool:
        """A truth chooses between two branches as it is, without being made a number."""
        number = self.producers.get(node.inputs[0])
        if len(node.blocks) != 2 or number is None or number.operation != "convert_element_type":
            return False
        if self.graph.dtypes[number.inputs[0]] != np.bool_:
            return False
        node.inputs[:] = number.inputs
        return True

    def look_up(self, node: Node) -> bool:
        """Rows of a table by their numbers; NumPy counts negative numbers from the end by itself."""
        numbers = node.params.get("dimension_numbers")
        table, indices = node.inputs
        shape = self.graph.shapes[table]
        rank = len(self.graph.shapes[node.outputs[0]])
        expansion = self.producers.get(indices)
        if numbers is None or expansion is None or expansion.operation != "expand":
            return False
        present = expansion.params["present"]
        kept_axes = tuple(range(rank - len(shape) + 1, rank))
        is_row = (
            tuple(numbers.collapsed_slice_dims) == (0,)
            and tuple(numbers.start_index_map) == (0,)
            and tuple(numbers.offset_dims) == kept_axes
            and not getattr(numbers, "operand_batching_dims", ())
            and tuple(node.params["slice_sizes"]) == (1, *shape[1:])
            and all(present[:-1])
            and not present[-1]
        )
        if not is_row:
            return False
        rows = expansion.inputs[0]
        node.operation, node.params = "take", {}
        node.inputs[:] = [table, self._unwrapped(rows, shape[0])]
        return True

    def _unwrapped(self, value_id: int, size: int) -> int:
        """Of `where(i < 0, i + size, i)` the i."""
        chosen = self.producers.get(value_id)
        if chosen is None or chosen.operation != "select_n" or len(chosen.inputs) != 3:
            return value_id
        test, plain, wrapped = chosen.inputs
        is_negative, moved = self.producers.get(test), self.producers.get(wrapped)
        if is_negative is None or moved is None or (is_negative.operation, moved.operation) != ("lt", "add"):
            return value_id
        number, zero = is_negative.inputs
        if number != plain or self.graph.scalar(zero) != 0 or plain not in moved.inputs:
            return value_id
        added = [self.graph.scalar(each) for each in moved.inputs if each != plain]
        return plain if added == [size] else value_id

    def last_step(self, node: Node) -> bool:
        """The last of a loop's outputs is what the loop carries out of it, where it carries that."""
        loop = self.producers.get(node.inputs[0])
        if loop is None or loop.operation != "scan":
            return False
        is_last = node.params["position"] == (0 if loop.params["reverse"] else -1)
        num_carry = loop.params["num_carry"]
        [body] = loop.blocks
        collected = body.outputs[loop.outputs.index(node.inputs[0])]
        carried = body.outputs[:num_carry]
        if not is_last or collected not in carried:
            return False
        self.replacements[node.outputs[0]] = loop.outputs[carried.index(collected)]
        return True


_RULES: dict[str, Callable[[_Rules, Node], bool]] = {
    "div": _Rules.division,
    "mul": _Rules.product,
    "sub": _Rules.difference,
    "add": _Rules.addition,
    "add_any": _Rules.gradient_sum,
    "mean": _Rules.variance,
    "neg": _Rules.negation,
    "transpose": _Rules.transposition,
    "dot_general": _Rules.contraction,
    "cond": _Rules.branch,
    "expand": _Rules.expansion,
    "gather": _Rules.look_up,
    "index": _Rules.last_step,
    "select_n": _Rules.choice,
}


def split_sums(graph: Graph) -> None:
    """Write sums of several gradients as sums and differences of two."""
    uses, producers = graph.uses(), graph.producers()
    for block in graph.block.all_blocks():
        nodes: list[Node] = []
        for node in block.nodes:
            if node.operation != "add_any":
                nodes.append(node)
                continue
            plain = []
            negative = []
            for value_id in node.inputs:
                producer = producers.get(value_id)
                if producer is not None and producer.operation == "neg" and uses[value_id] == 1:
                    negative.append(producer.inputs[0])
                else:
                    plain.append(value_id)
            if not plain:
                plain, negative = list(node.inputs), []
            total = plain[0]
            terms = [("add", value_id) for value_id in plain[1:]] + [("sub", each) for each in negative]
            for number, (operation, value_id) in enumerate(terms):
                output = node.outputs[0]
                if number < len(terms) - 1:
                    shape = np.broadcast_shapes(graph.shapes[total], graph.shapes[value_id])
                    output = graph.new_value(shape, graph.dtypes[output])
                nodes.append(
                    Node(
                        operation=operation,
                        params={},
                        inputs=[total, value_id],
                        outputs=[output],
                        scope=node.scope,
                    )
                )
                total = output
        block.nodes[:] = nodes
    graph.drop_unused()
