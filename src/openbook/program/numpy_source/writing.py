"""Writes a graph's nodes as statements; what is used once is folded into the expression that uses it."""

from __future__ import annotations

import ast
import dataclasses
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from openbook.program.numpy_source.expressions import (
    count_names,
    literal,
    needs_typed_literal,
    placeholder,
    substitute,
    sum_terms,
    template,
    text_of,
)
from openbook.program.numpy_source.graph import Block, Graph, Node
from openbook.program.numpy_source.layout import INDENT, LINE_LENGTH, Heading, Line
from openbook.program.numpy_source.names import Namer, layer_path
from openbook.program.numpy_source.views import ELEMENTWISE

# Operations that only move or spread what they read: they fold into any reader, and may be written twice.
_LIGHT_NAMES = (
    "expand full iota index at_time squeeze reshape transpose broadcast convert_element_type take eq "
    "ne lt le gt ge "
)
_LIGHT = frozenset(_LIGHT_NAMES.split())
_SAME_AXES = ELEMENTWISE | {"call"}
_MOST_OPERATIONS = 9
_SHORT = 26
_SHORT_CONSTANT = 40


@dataclasses.dataclass(slots=True)
class Pending:
    """An expression that waits for its reader."""

    tree: ast.expr
    heading: Heading
    operations: int


class Writer:
    """Writes blocks as lines; holds the expression that each value is known by."""

    def __init__(
        self, graph: Graph, namer: Namer, atoms: Mapping[int, ast.expr], helper: Callable[[str], str]
    ) -> None:
        """Prepare to write.

        Args:
            atoms: expressions of the values that are known beforehand: arguments and weights.
            helper: marks a helper function as used, and returns its name.
        """
        self.graph = graph
        self.namer = namer
        self.atoms: dict[int, ast.expr] = dict(atoms)
        self.helper = helper
        self.lines: list[Line] = []
        self.depth = 0
        # Values that are returned under names of their own.
        self.results: frozenset[int] = frozenset()
        # Gradients by the name of their weight, and whether they stand in a dictionary by now.
        self.all_gradients: dict[str, int] = {}
        self.gradients = False
        # Values that are to take over the name of another: (that value, its name).
        self.successors: dict[int, tuple[int, str]] = {}
        self._unread: Counter[int] = Counter()
        self._pending: dict[int, Pending] = {}
        self._uses = graph.uses()
        self._reader: dict[int, Node | None] = {}
        self._home: dict[int, Block] = {}
        self._reader_home: dict[int, Block] = {}
        for block in graph.block.all_blocks():
            for node in block.nodes:
                for value_id in node.outputs:
                    self._home[value_id] = block
                self._unread.update(set(node.inputs))
                for value_id in node.inputs:
                    self._reader[value_id] = node
                    self._reader_home[value_id] = block
            for value_id in block.outputs:
                self._reader[value_id] = None
                self._reader_home[value_id] = block

    def write_nodes(self, block: Block) -> None:
        """Write all nodes of a block; its outputs are left pending where nothing else reads them."""
        from openbook.program.numpy_source.loops import write_compound

        for node in block.nodes:
            if node.blocks or node.operation == "update_loop":
                write_compound(self, node)
            else:
                self._write_node(node)

    def emit(self, text: str, heading: Heading) -> None:
        """Add a statement."""
        self.lines.append(Line(text=text, heading=heading, depth=self.depth))

    def assign(self, value_id: int, base: str | None = None) -> None:
        """Give a pending value a name, and write the statement."""
        waiting = self._pending.pop(value_id)
        name = self._successor_name(value_id) or self.namer.name(value_id, base)
        self.emit(f"{name} = {text_of(waiting.tree)}", waiting.heading)
        self.atoms[value_id] = ast.Name(id=name)

    def succeed(self, value_id: int) -> None:
        """Let a pending value take over the name that it is to have, where that is free by now."""
        before, name = self.successors.get(value_id, (0, ""))
        others = [each for other, each in self._pending.items() if other != value_id]
        is_free = name and not self._unread[before]
        if is_free and value_id in self._pending:
            if any(name in count_names(each.tree) for each in others):
                return
            self.assign(value_id)

    def _successor_name(self, value_id: int) -> str | None:
        """The name that a value can take over, once nothing reads what stood under it."""
        before, name = self.successors.get(value_id, (0, ""))
        if not name or self._unread[before]:
            return None
        if any(name in count_names(each.tree) for each in self._pending.values()):
            return None
        self.namer.names[value_id] = name
        return name

    def value(self, value_id: int, *, typed: bool = False) -> ast.expr:
        """The expression of a value; it may be read from once where it is pending."""
        if value_id in self.atoms:
            return self.atoms[value_id]
        if value_id in self._pending:
            return self._pending[value_id].tree
        return literal(self.graph.constants[value_id], typed=typed)

    def pending_heading(self, value_id: int) -> Heading | None:
        """The heading of a value that waits for its reader."""
        return self._pending[value_id].heading if value_id in self._pending else None

    def named(self, value_id: int) -> None:
        """Make sure that a value stands under a name or is a literal."""
        if value_id in self._pending:
            self.assign(value_id)

    def fitting(self, build: Callable[[], str], value_ids: Sequence[int]) -> str:
        """A statement of several values, some of them named before it where it would be too long."""
        text = build()
        waiting = [each for each in dict.fromkeys(value_ids) if each in self._pending]
        while waiting and len(text) > self._room():
            longest = max(waiting, key=lambda each: len(text_of(self._pending[each].tree)))
            waiting.remove(longest)
            self.assign(longest)
            text = build()
        return text

    def bind(self, value_id: int, name: str) -> None:
        """Let a name stand for a value."""
        self.namer.names[value_id] = name
        self.atoms[value_id] = ast.Name(id=name)

    def _room(self) -> int:
        return LINE_LENGTH - len(INDENT) * (self.depth + 1)

    def _write_node(self, node: Node) -> None:
        heading = heading_of(node)
        pattern = template(node, self.graph, self.helper)
        counts = count_names(pattern)
        for position, value_id in enumerate(node.inputs):
            if counts[placeholder(position)] > 1 and value_id in self._pending:
                waiting = self._pending[value_id]
                if len(text_of(waiting.tree)) > _SHORT:
                    self.assign(value_id)

        def tree() -> ast.expr:
            operands = {
                placeholder(position): self.value(
                    value_id, typed=needs_typed_literal(node, self.graph, position)
                )
                for position, value_id in enumerate(node.inputs)
            }
            return substitute(pattern, operands)

        for value_id in set(node.inputs):
            self._unread[value_id] -= 1
        if len(node.outputs) > 1:
            names = ", ".join(
                self.namer.name(value_id) if self._uses[value_id] else "_" for value_id in node.outputs
            )
            self.emit(self.fitting(lambda: f"{names} = {text_of(tree())}", node.inputs), heading)
            for value_id in node.outputs:
                self.atoms[value_id] = ast.Name(id=self.namer.names.get(value_id, "_"))
            return
        [output] = node.outputs
        # The name counts with eight characters more than its base may need.
        prefix = len(self.namer.base(output)) + 3
        while True:
            built = tree()
            room = self._room() - prefix + _extra_room(built)
            folded = [each for each in node.inputs if each in self._pending]
            too_long = len(text_of(built)) > room
            too_deep = 1 + sum(self._pending[each].operations for each in folded) > _MOST_OPERATIONS
            heavy = [each for each in folded if self._pending[each].operations > 0]
            if not (too_long or too_deep) or not folded:
                break
            candidates = heavy or folded
            self.assign(max(candidates, key=lambda each: len(text_of(self._pending[each].tree))))
        operations = sum(self._pending[each].operations for each in set(node.inputs) if each in self._pending)
        light = node.operation in _LIGHT and operations == 0
        entry = Pending(built, heading, operations if light else operations + 1)
        again = light and self._may_stand_twice(node, built)
        self._note_axes(node)
        for value_id in node.inputs:
            if value_id in self._pending and self._uses[value_id] == 1:
                del self._pending[value_id]
        self._pending[output] = entry
        if again:
            return
        if not self._folds(output, heading, light=light):
            self.assign(output)

    def _may_stand_twice(self, node: Node, tree: ast.expr) -> bool:
        if any(node.outputs[0] in block.outputs for block in self.graph.block.all_blocks()):
            return False
        return len(text_of(tree)) <= (_SHORT_CONSTANT if node.operation == "full" else _SHORT)

    def _note_axes(self, node: Node) -> None:
        """Remember which operand a result has its axes from."""
        shape = self.graph.shapes[node.outputs[0]]
        for value_id in node.inputs:
            is_source = self.graph.shapes[value_id] == shape and node.operation in _SAME_AXES
            if is_source and len(shape) > 2 and self.graph.letters_of(value_id):
                self.graph.axis_sources[node.outputs[0]] = value_id
                return

    def _folds(self, value_id: int, heading: Heading, *, light: bool) -> bool:
        if self._uses[value_id] != 1 or self._home[value_id] is not self._reader_home[value_id]:
            return False
        reader = self._reader[value_id]
        if reader is None:
            return value_id not in self.results
        return light or heading_of(reader) == heading


def _extra_room(tree: ast.expr) -> int:
    """Sums stand on several lines, a term on each, and calls an argument on each."""
    if isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.Add | ast.Sub):
        terms = sum_terms(tree)
        return 90 if max(len(text_of(term)) for term in terms) <= 80 else 0
    if isinstance(tree, ast.Call) and len(tree.args) > 2:
        return 60
    return 0


def heading_of(node: Node) -> Heading:
    """The heading of the paragraph that a node belongs to."""
    return Heading(phase=node.scope.phase, path=layer_path(node.scope))
