"""The language in which composites are written down.

A pattern is a few assignments in Python's notation, read from the dataflow's end:

    maximum = reduce_max(x)
    exponentials = exp(x - maximum)
    output = exponentials / reduce_sum(exponentials)

Calls are JAX primitives; `+ - * /` and unary minus stand for add, sub, mul, div and neg; `a @ b` for dot_general;
`a | b` for either. A keyword names a static parameter, as in `integer_pow(x, y=3)`. A number matches the same
number. `constant(name)` matches any number known beforehand and keeps it; `mean(x)` a mean over some axes. A name
assigned above means that very value; another name means any value, the same one wherever it stands. Names of
other rules may be called, as in `softmax(scores)`. A name that begins with an underscore is not reported. Views
(reshape, cast, copy, …) between the steps are passed over.
"""

from __future__ import annotations

import ast
import dataclasses
import functools
from collections.abc import Mapping
from typing import Any

_OPERATORS: Mapping[type, str] = {
    ast.Add: "add",
    ast.Sub: "sub",
    ast.Mult: "mul",
    ast.Div: "div",
    ast.MatMult: "dot_general",
}
# What stands in place of a primitive for any value, and for a number known beforehand.
ANY, NUMBER = "*", "number"
COMMUTATIVE = frozenset({"add", "mul", "max", "min", "and", "or", "eq", "ne", "add_any"})


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Anything:
    """Any value, the same one wherever the name stands."""

    name: str


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Number:
    """A number known beforehand; any one where `value` is None."""

    value: float | None
    name: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Operation:
    """A step of one primitive.

    Attributes:
        order: positions of the operands, the most telling ones first.
        wanted: primitives that may stand behind each operand; empty for any.
    """

    primitive: str
    operands: tuple[Node, ...]
    params: tuple[tuple[str, Any], ...] = ()
    order: tuple[int, ...] = ()
    wanted: tuple[frozenset[str], ...] = ()


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Mean:
    """A sum over axes divided by the number of elements summed."""

    operand: Node


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Named:
    """What stands here has a name."""

    name: str
    node: Node


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Either:
    """One of several."""

    nodes: tuple[Node, ...]


Node = Anything | Number | Operation | Mean | Named | Either


def parse(text: str, rules: Mapping[str, str]) -> Node:
    """A pattern as a tree.

    Args:
        rules: patterns of other rules by name, that this one may call.
    """
    return _Parser(rules, "").assignments(text, {})


class _Parser:
    def __init__(self, rules: Mapping[str, str], prefix: str) -> None:
        self.rules = rules
        self.prefix = prefix
        self.num_calls = 0

    def assignments(self, text: str, names: dict[str, Node]) -> Node:
        """The last assignment of a text, with the earlier ones inside it."""
        node: Node | None = None
        for statement in ast.parse(_dedent(text)).body:
            assert isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name), text
            name = statement.targets[0].id
            node = _named(self.prefix + name, self.node(statement.value, names))
            names[name] = node
        assert node is not None, "a pattern needs an assignment"
        return node

    def node(self, tree: ast.expr, names: dict[str, Node]) -> Node:
        if isinstance(tree, ast.Name):
            return names.get(tree.id) or Anything(name=self.prefix + tree.id)
        if isinstance(tree, ast.Constant):
            return Number(value=float(tree.value))  # type: ignore[arg-type]
        if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.USub):
            if isinstance(tree.operand, ast.Constant):
                return Number(value=-float(tree.operand.value))  # type: ignore[arg-type]
            return _operation("neg", (self.node(tree.operand, names),))
        if isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.BitOr):
            left, right = self.node(tree.left, names), self.node(tree.right, names)
            return Either(nodes=(left, right))
        if isinstance(tree, ast.BinOp):
            operands = (self.node(tree.left, names), self.node(tree.right, names))
            return _operation(_OPERATORS[type(tree.op)], operands)
        assert isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name), ast.dump(tree)
        return self.call(tree.func.id, tree, names)

    def call(self, name: str, tree: ast.Call, names: dict[str, Node]) -> Node:
        if name == "constant":
            assert isinstance(tree.args[0], ast.Name)
            return Number(value=None, name=self.prefix + tree.args[0].id)
        operands = tuple(self.node(each, names) for each in tree.args)
        if name == "mean":
            return Mean(operand=operands[0])
        if name in self.rules:
            return self.inlined(name, operands)
        params = tuple((str(each.arg), ast.literal_eval(each.value)) for each in tree.keywords)
        return _operation(name, operands, params)

    def inlined(self, name: str, operands: tuple[Node, ...]) -> Node:
        """Another rule's pattern with its first free names replaced by the operands."""
        self.num_calls += 1
        inner = _Parser(self.rules, f"_{self.prefix}{name}{self.num_calls}_")
        text = self.rules[name]
        return inner.assignments(text, dict(zip(_free_names(text), operands, strict=False)))


@functools.cache
def _free_names(text: str) -> tuple[str, ...]:
    """Names that a pattern does not assign, in the order in which they first stand."""
    assigned: set[str] = set()
    found: dict[str, None] = {}
    for statement in ast.parse(_dedent(text)).body:
        assert isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name)
        skipped = set()
        for tree in ast.walk(statement.value):
            if isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name):
                skipped.add(tree.func)
                if tree.func.id == "constant":
                    skipped.update(each for each in tree.args if isinstance(each, ast.Name))
        names = [tree for tree in ast.walk(statement.value) if isinstance(tree, ast.Name)]
        for tree in sorted(names, key=lambda each: (each.lineno, each.col_offset)):
            if tree not in skipped and tree.id not in assigned:
                found.setdefault(tree.id)
        assigned.add(statement.targets[0].id)
    return tuple(found)


def _named(name: str, node: Node) -> Node:
    if isinstance(node, Either):
        return Either(nodes=tuple(_named(name, each) for each in node.nodes))
    return Named(name=name, node=node)


def _operation(
    primitive: str, operands: tuple[Node, ...], params: tuple[tuple[str, Any], ...] = ()
) -> Operation:
    order = tuple(sorted(range(len(operands)), key=lambda position: _vagueness(operands[position])))
    behind = tuple(map(anchors, operands))
    wanted = tuple(frozenset[str]() if ANY in each else each for each in behind)
    return Operation(primitive=primitive, operands=operands, params=params, order=order, wanted=wanted)


def _vagueness(node: Node) -> int:
    """How little an operand says: numbers are quickly told, and any value fits a name."""
    if isinstance(node, Number):
        return 0
    if isinstance(node, Named):
        return 1 + _vagueness(node.node)
    if isinstance(node, Either):
        return max(map(_vagueness, node.nodes))
    return 4 if isinstance(node, Anything) else 1


@functools.cache
def anchors(node: Node) -> frozenset[str]:
    """Primitives of which the step may be that a node matches; a star for any."""
    if isinstance(node, Named):
        return anchors(node.node)
    if isinstance(node, Either):
        return frozenset().union(*map(anchors, node.nodes))
    if isinstance(node, Mean):
        return frozenset({"div", "mul"})
    if isinstance(node, Number):
        return frozenset({NUMBER})
    return frozenset({node.primitive}) if isinstance(node, Operation) else frozenset({ANY})


@functools.cache
def last_operations(node: Node, primitive: str) -> tuple[Operation | Mean, ...]:
    """What a step of a primitive may be where it is the last one of a node."""
    if isinstance(node, Named):
        return last_operations(node.node, primitive)
    if isinstance(node, Either):
        return tuple(each for one in node.nodes for each in last_operations(one, primitive))
    return (node,) if isinstance(node, Operation | Mean) and primitive in anchors(node) else ()


def _dedent(text: str) -> str:
    return "\n".join(line.strip() for line in text.strip().splitlines())
