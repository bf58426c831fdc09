"""Names of variables: what a value is, in words of its layer."""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterable, Mapping

from openbook.program.numpy_source.graph import Graph, Node
from openbook.program.program import BACKWARD, Scope

_ROLES = {
    "abs": "magnitude",
    "add": "sum",
    "add_any": "sum",
    "argmax": "choice",
    "argmin": "choice",
    "broadcast": "spread",
    "concatenate": "joined",
    "cond": "result",
    "conv_general_dilated": "convolution",
    "convert_element_type": "number",
    "cumsum": "running_sum",
    "div": "ratio",
    "dot_general": "product",
    "exp": "exponentials",
    "expand": "column",
    "full": "constant",
    "gather": "rows",
    "index": "last",
    "iota": "positions",
    "log": "logarithm",
    "logistic": "gate",
    "max": "larger",
    "mean": "mean",
    "min": "smaller",
    "mul": "scaled",
    "neg": "negative",
    "pad": "padded",
    "random_bits": "random_bits",
    "reduce_max": "largest",
    "reduce_min": "smallest",
    "reduce_sum": "total",
    "reshape": "reshaped",
    "rsqrt": "inverse_deviation",
    "scan": "steps",
    "scatter-add": "scattered",
    "select_n": "chosen",
    "slice": "part",
    "split": "part",
    "sqrt": "deviation",
    "square": "square",
    "sub": "difference",
    "tanh": "tanh",
    "transpose": "transposed",
    "variance": "variance",
    "while": "result",
}
_TRUTHS = frozenset(("eq", "ne", "lt", "le", "gt", "ge", "and", "or", "not", "is_finite"))
_TAKEN = frozenset((*keyword.kwlist, *keyword.softkwlist, *dir(builtins), "np", "arrays"))


def identifier(name: str) -> str:
    """A valid identifier in lower case, near the name."""
    plain = re.sub(r"\W+", "_", name.replace("/", "_")).strip("_").lower() or "value"
    return f"_{plain}" if plain[0].isdigit() else plain


def layer_path(scope: Scope) -> tuple[str, ...]:
    """The layers around a step; einsum's texts and the wrappers of transformations are no layers."""
    return tuple(part for part in scope.path if re.fullmatch(r"[\w.\- ]+", part))


class Namer:
    """Gives each value of a graph a name that no other has."""

    def __init__(
        self, graph: Graph, wanted: Mapping[int, str], taken: Iterable[str], *, layers: bool = True
    ) -> None:
        """Prepare names.

        Args:
            wanted: names that some values are to have.
            taken: names that stand for something else.
            layers: whether names begin with that of their layer.
        """
        self._graph = graph
        self._wanted = wanted
        self._taken = {*_TAKEN, *taken}
        self._producers = graph.producers()
        self._consumers: dict[int, list[Node]] = {}
        for node in graph.block.all_nodes():
            for value_id in dict.fromkeys(node.inputs):
                self._consumers.setdefault(value_id, []).append(node)
        paths = {layer_path(node.scope) for node in graph.block.all_nodes()} if layers else set()
        self._short = _short_names(paths)
        self.names: dict[int, str] = {}

    def name(self, value_id: int, base: str | None = None) -> str:
        """The name of a value, chosen when asked for the first time."""
        if value_id not in self.names:
            self.names[value_id] = self.unique(base or self._wanted.get(value_id) or self.base(value_id))
        return self.names[value_id]

    def unique(self, base: str) -> str:
        """A name that nothing has yet."""
        base = identifier(base)
        name, number = base, 1
        while name in self._taken:
            number += 1
            name = f"{base}_{number}"
        self._taken.add(name)
        return name

    def layer(self, scope: Scope) -> str:
        """The short name of the layer around a step; empty outside all layers."""
        return self._short.get(layer_path(scope), "")

    def base(self, value_id: int) -> str:
        """What a value is, not yet unique."""
        if value_id in self._wanted:
            return identifier(self._wanted[value_id])
        node = self._producers.get(value_id)
        if node is None:
            return "value"
        layer = self.layer(node.scope)
        if node.scope.phase == BACKWARD:
            return self._gradient_base(node, value_id) or f"d_{layer or 'value'}"
        role = self._role(node, value_id)
        if not layer:
            return role
        path = layer_path(node.scope)
        consumers = self._consumers.get(value_id, [])
        forward = [each for each in consumers if each.scope.phase == node.scope.phase]
        if forward and not any(layer_path(each.scope)[: len(path)] == path for each in forward):
            return f"{layer}_output" if layer in self._taken and layer not in self.names.values() else layer
        return role if role.endswith(("_gate", "candidate")) else f"{layer}_{role}"

    def _role(self, node: Node, value_id: int) -> str:
        consumers = self._consumers.get(value_id, [])
        if node.operation == "call":
            if node.params["function"] == "softmax" and not node.params.get("role"):
                return "weights" if len(self._graph.shapes[value_id]) > 2 else "probabilities"
            return str(node.params.get("role") or node.params["function"])
        if node.operation in _TRUTHS:
            return "mask"
        if node.operation == "split":
            return self._part(node, value_id)
        if node.operation == "transpose" and any(each.operation == "scan" for each in consumers):
            return "by_time"
        if node.operation == "dot_general" and self._reads_softmax(node):
            return "context"
        if any(each.operation == "call" and "softmax" in each.params["function"] for each in consumers):
            return "scores" if len(self._graph.shapes[value_id]) > 2 else "logits"
        if node.operation == "add" and self._is_linear(node):
            return "linear"
        return _ROLES.get(node.operation, identifier(node.operation))

    def _part(self, node: Node, value_id: int) -> str:
        """The gates of recurrent cells, or any part."""
        readers = [{each.operation for each in self._consumers.get(output, [])} for output in node.outputs]
        is_lstm = len(readers) == 4 and all("logistic" in readers[each] for each in (0, 1, 3))
        if is_lstm and "tanh" in readers[2]:
            return ("input_gate", "forget_gate", "candidate", "output_gate")[node.outputs.index(value_id)]
        return "part"

    def _reads_softmax(self, node: Node) -> bool:
        producers = [self._producers.get(value_id) for value_id in node.inputs]
        return any(
            each is not None and each.operation == "call" and each.params["function"] == "softmax"
            for each in producers
        )

    def _is_linear(self, node: Node) -> bool:
        producers = [self._producers.get(value_id) for value_id in node.inputs]
        return any(
            each is not None and each.operation in ("dot_general", "conv_general_dilated")
            for each in producers
        )

    def _gradient_base(self, node: Node, value_id: int) -> str | None:
        """The name of a gradient after the forward value that it belongs to."""
        target = node.params.get("gradient_of") if node.operation == "call" else None
        if node.operation == "dot_general":
            target = self._forward_product(node, operand=True)
        for consumer in self._consumers.get(value_id, []):
            if target is None and consumer.operation == "dot_general" and consumer.scope.phase == BACKWARD:
                target = self._forward_product(consumer, operand=False)
        if target is None:
            return None
        return f"d_{self.names.get(target) or self.base(target)}"

    def _forward_product(self, node: Node, *, operand: bool) -> int | None:
        """Of a product with a weight in the backward pass: the forward product's operand or result."""
        for weight in node.inputs:
            if weight not in self._graph.block.inputs:
                continue
            for consumer in self._consumers.get(weight, []):
                if consumer.operation != "dot_general" or consumer.scope.phase == BACKWARD:
                    continue
                if operand:
                    others = [each for each in consumer.inputs if each != weight]
                    return others[0] if others and others[0] not in self._graph.block.inputs else None
                [result] = consumer.outputs
                for after in self._consumers.get(result, []):
                    if after.operation == "add" and after.scope.phase != BACKWARD:
                        return after.outputs[0]
                return result
        return None


def _short_names(paths: set[tuple[str, ...]]) -> dict[tuple[str, ...], str]:
    """For each layer path the shortest end of it that no other path has."""
    ends: dict[tuple[str, ...], set[tuple[str, ...]]] = {}
    for path in paths:
        for start in range(len(path)):
            ends.setdefault(path[start:], set()).add(path)
    short = {}
    for path in paths:
        for start in reversed(range(len(path))):
            if len(ends[path[start:]]) == 1 or start == 0:
                short[path] = identifier("_".join(path[start:]))
                break
    return short
