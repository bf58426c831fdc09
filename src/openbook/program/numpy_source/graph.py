"""The graph that the NumPy source is written from: values, nodes and blocks under NumPy's own broadcasting.

A `Program` says every broadcast, every conversion and every axis of size 1. A graph leaves them to NumPy: the
shape of a value is the shape of its NumPy array, which may lack axes that the program's value has.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from openbook.errors import ModelError
from openbook.program.program import Scope


@dataclasses.dataclass(slots=True, kw_only=True, eq=False)
class Node:
    """One operation.

    Attributes:
        operation: JAX's name of a primitive, or one of the writer's own ("expand", "full", "mean", "call", …).
        scan, while and cond have blocks.
    """

    operation: str
    params: Mapping[str, Any]
    inputs: list[int]
    outputs: list[int]
    scope: Scope
    blocks: list[Block] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(slots=True, kw_only=True, eq=False)
class Block:
    """Nodes in the order of computation: a whole function, or the body of a loop or branch.

    Attributes:
        inputs: the values that its caller provides (of a loop body: what is carried, then what is read a step).
        outputs: the values it hands back.
    """

    nodes: list[Node]
    inputs: list[int]
    outputs: list[int]

    def all_nodes(self) -> Iterator[Node]:
        """Nodes of this block and of all blocks within, in order."""
        for node in self.nodes:
            yield node
            for block in node.blocks:
                yield from block.all_nodes()

    def all_blocks(self) -> Iterator[Block]:
        """This block and all blocks within."""
        yield self
        for node in self.nodes:
            for block in node.blocks:
                yield from block.all_blocks()


class Graph:
    """A block with the shapes and dtypes of all its values, those of inner blocks too."""

    def __init__(self) -> None:
        self.shapes: dict[int, tuple[int, ...]] = {}
        self.dtypes: dict[int, np.dtype] = {}
        self.constants: dict[int, np.ndarray] = {}
        self.block = Block(nodes=[], inputs=[], outputs=[])
        self._ids = itertools.count()
        # Letters that einsum gave the axes of some values; see `letters_of`.
        self.axis_letters: dict[int, str] = {}
        self.axis_sources: dict[int, int] = {}
        self._known_constants: dict[Any, int] = {}

    def new_value(self, shape: Sequence[int], dtype: Any) -> int:
        """Number a new value."""
        value_id = next(self._ids)
        self.shapes[value_id] = tuple(int(size) for size in shape)
        self.dtypes[value_id] = dtype
        return value_id

    def new_constant(self, array: np.ndarray) -> int:
        """The value that is known to be this array; equal arrays are one value."""
        key = (array.tobytes(), str(array.dtype), array.shape)
        if key in self._known_constants:
            return self._known_constants[key]
        value_id = self.new_value(array.shape, array.dtype)
        self.constants[value_id] = array
        self._known_constants[key] = value_id
        return value_id

    def scalar(self, value_id: int) -> Any:
        """The number that a value is, or None where it is none."""
        constant = self.constants.get(value_id)
        return constant.item() if constant is not None and constant.ndim == 0 else None

    def letters_of(self, value_id: int) -> str | None:
        """The letters of a value's axes, its own or of the value that it has its axes from."""
        for _ in range(8):
            if value_id in self.axis_letters:
                return self.axis_letters[value_id]
            if value_id not in self.axis_sources:
                return None
            value_id = self.axis_sources[value_id]
        return None

    def producers(self) -> dict[int, Node]:
        """The node of each value that one computes."""
        return {value_id: node for node in self.block.all_nodes() for value_id in node.outputs}

    def uses(self) -> Counter[int]:
        """How often each value is read."""
        counts: Counter[int] = Counter()
        for block in self.block.all_blocks():
            counts.update(block.outputs)
            for node in block.nodes:
                counts.update(node.inputs)
        return counts

    def replace(self, replacements: Mapping[int, int]) -> None:
        """Read other values in place of some."""
        if not replacements:
            return

        def final(value_id: int) -> int:
            while value_id in replacements:
                value_id = replacements[value_id]
            return value_id

        for block in self.block.all_blocks():
            block.outputs[:] = [final(value_id) for value_id in block.outputs]
            for node in block.nodes:
                node.inputs[:] = [final(value_id) for value_id in node.inputs]

    def drop_unused(self) -> None:
        """Leave out nodes that no output depends on, and what loops carry for nothing."""
        _drop_unused(self.block, set(self.block.outputs))


def _drop_unused(block: Block, wanted: set[int]) -> set[int]:
    """Drop nodes of a block that are not wanted; returns all values that the block reads."""
    wanted = set(wanted)
    kept: list[Node] = []
    for node in reversed(block.nodes):
        if not wanted.intersection(node.outputs):
            continue
        if node.operation == "scan":
            wanted |= _drop_unused_carries(node, wanted)
        else:
            for inner in node.blocks:
                wanted |= _drop_unused(inner, set(inner.outputs))
        wanted.update(node.inputs)
        kept.append(node)
    block.nodes[:] = reversed(kept)
    return wanted


def _drop_unused_carries(node: Node, wanted: set[int]) -> set[int]:
    """Drop what a scan carries, collects or reads without need; returns what its body reads."""
    [body] = node.blocks
    num_carry = node.params["num_carry"]
    live = {position for position, value_id in enumerate(node.outputs) if value_id in wanted}
    while True:
        reads = _reads(body, {body.outputs[position] for position in live})
        more = {position for position in range(num_carry) if body.inputs[position] in reads} - live
        if not more:
            break
        live |= more
    read_inputs = [
        position
        for position, value_id in enumerate(body.inputs)
        if (position in live if position < num_carry else value_id in reads)
    ]
    kept = sorted(live)
    node.params = {**node.params, "num_carry": sum(position < num_carry for position in kept)}
    node.inputs[:] = [node.inputs[position] for position in read_inputs]
    node.outputs[:] = [node.outputs[position] for position in kept]
    body.inputs[:] = [body.inputs[position] for position in read_inputs]
    body.outputs[:] = [body.outputs[position] for position in kept]
    return _drop_unused(body, set(body.outputs))


def _reads(block: Block, wanted: set[int]) -> set[int]:
    """All values that some outputs of a block depend on; nothing is changed."""
    wanted = set(wanted)
    for node in reversed(block.nodes):
        if wanted.intersection(node.outputs):
            wanted.update(node.inputs)
            for inner in node.blocks:
                wanted |= _reads(inner, set(inner.outputs))
    return wanted


def unknown_primitive(name: str, scope: Scope) -> ModelError:
    """The error for a primitive that NumPy source cannot be written for."""
    place = "/".join(scope.path) or "the function"
    return ModelError(
        f"the primitive {name!r} in {place} has no entry in openbook's table, so the program cannot be written as "
        f"NumPy source. Leave that layer out, or report the primitive"
    )
