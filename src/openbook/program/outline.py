"""A program as a tree: phases, blocks, layers, operations, steps."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from openbook.errors import UsageError
from openbook.program.composites import Composite
from openbook.program.naming import Names
from openbook.program.naming.placing import Placement, num_shared, place
from openbook.program.naming.scopes import Path
from openbook.program.program import BACKWARD, FORWARD, UPDATE, Program, Step

PROGRAM, PHASE, BLOCK, LAYER, OPERATION, STEP = "program", "phase", "block", "layer", "operation", "step"
_PHASE_ORDER = (FORWARD, BACKWARD, UPDATE)
_LABEL_WIDTH, _SHAPES_WIDTH = 44, 22


@dataclasses.dataclass(frozen=True, kw_only=True)
class Outline:
    """A node of the tree, and all under it.

    Attributes:
        kind: "program", "phase", "block" (with layers inside), "layer", "operation" (steps that are one operation
            of the textbook) or "step".
        label: what it is called within the node above: a layer's name, "softmax", "dot_general".
        path: where it is: phase where there are several, layer path, label.
        names: of the values that it computes for others; of a step all its results.
        shapes: of these values.
        formula: of an operation, in textbook form.
        step_ids: all steps in it.
        num_times: how often a loop around it runs; 1 where there is none.
        children: in the order of computation.
    """

    kind: str
    label: str
    path: tuple[str, ...]
    names: tuple[str, ...]
    shapes: tuple[tuple[int, ...], ...]
    step_ids: tuple[int, ...]
    children: tuple[Outline, ...] = ()
    formula: str = ""
    num_times: int = 1

    def __str__(self) -> str:
        return self.text()

    def __iter__(self) -> Iterator[Outline]:
        """This node and all under it, from top to bottom."""
        yield self
        for child in self.children:
            yield from child

    def text(self, depth: int | None = None) -> str:
        """One line a node, indented.

        Args:
            depth: levels to show below this node; all when left out.
        """
        return "\n".join(self._lines(0, depth))

    def to_dict(self) -> dict[str, Any]:
        """The tree in lists, dictionaries, texts and numbers."""
        fields: dict[str, Any] = {
            "kind": self.kind,
            "label": self.label,
            "path": "/".join(self.path),
            "names": list(self.names),
            "shapes": [list(shape) for shape in self.shapes],
            "num_steps": len(self.step_ids),
        }
        if self.formula:
            fields["formula"] = self.formula
        if self.num_times > 1:
            fields["num_times"] = self.num_times
        if self.children:
            fields["children"] = [child.to_dict() for child in self.children]
        return fields

    def find(self, name: str) -> Outline:
        """The node of a path ("block_1/attention"), or the operation, else the step, that computes a value.

        Raises:
            UsageError: there is neither; the message says what is near.
        """
        nodes = list(self)
        for node in nodes:
            if node.path and name in ("/".join(node.path), "/".join(node.path[1:])) and node.kind != STEP:
                return node
        found = [node for node in nodes if name in node.names and node.kind in (OPERATION, STEP)]
        if found:
            return min(found, key=lambda node: (node.kind == STEP, len(node.step_ids)))
        import difflib

        known = [*("/".join(node.path) for node in nodes), *(each for node in nodes for each in node.names)]
        near = difflib.get_close_matches(name, known, n=3, cutoff=0.4)
        hint = f"Did you mean {' or '.join(near)}?" if near else "Print the outline to see all"
        raise UsageError(f"the outline has no {name!r}. {hint}")

    def _lines(self, level: int, depth: int | None) -> Iterator[str]:
        label = "  " * level + self.label + (f" ×{self.num_times}" if self.num_times > 1 else "")
        shapes = " ".join(str(shape) for shape in self.shapes)
        about = self.formula if self.kind == OPERATION else ", ".join(self.names)
        yield f"{label:<{_LABEL_WIDTH}} {shapes:<{_SHAPES_WIDTH}} {about}".rstrip()
        if depth is None or depth > 0:
            for child in self.children:
                yield from child._lines(level + 1, None if depth is None else depth - 1)


def outline(program: Program, names: Mapping[int, str]) -> Outline:
    """The tree of a program.

    Args:
        names: by value id, best from `name_values`.
    """
    placement = names.placement if isinstance(names, Names) else place(program)
    builder = _Builder(placement, names.owners if isinstance(names, Names) else {})
    root = _Branch(PROGRAM, "program", ())
    phases = {placement.graph.phases[step.id] for step in program.steps}
    if len(phases) > 1:
        for phase in _PHASE_ORDER:
            if phase in phases:
                root.child(phase, PHASE, phase)
    for step in program.steps:
        phase = placement.graph.phases[step.id]
        builder.add(step, root.child(phase, PHASE, phase) if len(phases) > 1 else root, (), 1)
    return _finished(root, names, placement)


@dataclasses.dataclass
class _Branch:
    """A node that is still being filled."""

    kind: str
    label: str
    path: tuple[str, ...]
    layer: Path = ()
    composite: Composite | None = None
    step: Step | None = None
    num_times: int = 1
    children: dict[object, _Branch] = dataclasses.field(default_factory=dict)

    def child(self, key: object, kind: str, label: str, **fields: Any) -> _Branch:
        if key not in self.children:
            self.children[key] = _Branch(kind, label, (*self.path, label), **fields)
        return self.children[key]


class _Builder:
    """Puts steps under the layers and operations that they belong to."""

    def __init__(self, placement: Placement, owners: Mapping[int, str]) -> None:
        self.placement = placement
        self.owners = owners

    def add(self, step: Step, top: _Branch, above: Path, num_times: int) -> None:
        """Put a step, and the bodies that it runs, under a branch.

        Args:
            above: layer path of the branch itself.
        """
        around = self.placement.around.get(step.id, ())
        path = self._path(step, around)
        branch = top
        for depth in range(num_shared(path, above), len(path)):
            branch = branch.child(
                ("path", path[depth]), LAYER, path[depth], layer=path[: depth + 1], num_times=num_times
            )
        for position in around:
            composite = self.placement.placed[position].composite
            branch = branch.child(
                ("operation", position), OPERATION, composite.name, composite=composite, num_times=num_times
            )
        leaf = branch.child(("step", step.id), STEP, step.primitive, step=step, num_times=num_times)
        times = int(step.params["length"]) if step.primitive == "scan" else 1
        for number, body in enumerate(step.bodies):
            inner = leaf
            if len(step.bodies) > 1:
                inner = leaf.child(("body", number), OPERATION, _body_label(step, number))
            for each in body.steps:
                self.add(each, inner, path, num_times * times)

    def _path(self, step: Step, around: Sequence[int]) -> Path:
        owner = self.owners.get(step.id)
        if owner is not None:
            return (owner.removeprefix("updates/"),)
        return self.placement.placed[around[0]].home if around else self.placement.paths[step.id]


def _body_label(step: Step, number: int) -> str:
    return f"branch_{number}" if step.primitive == "cond" else ("condition", "body")[number]


def _finished(branch: _Branch, names: Mapping[int, str], placement: Placement) -> Outline:
    children = tuple(_finished(child, names, placement) for child in branch.children.values())
    own = (branch.step.id,) if branch.step is not None else ()
    step_ids = (*own, *(step_id for child in children for step_id in child.step_ids))
    kind = branch.kind
    if kind == LAYER and any(child.kind in (LAYER, BLOCK) for child in children):
        kind = BLOCK
    results = _results(branch, step_ids, placement)
    return Outline(
        kind=kind,
        label=branch.label,
        path=branch.path,
        names=tuple(names[value_id] for value_id in results if value_id in names),
        shapes=tuple(placement.graph.shape(value_id) for value_id in results),
        step_ids=step_ids,
        children=children,
        formula=branch.composite.formula if branch.composite is not None else "",
        num_times=branch.num_times,
    )


def _results(branch: _Branch, step_ids: tuple[int, ...], placement: Placement) -> tuple[int, ...]:
    """What a node is there for."""
    graph = placement.graph
    if branch.step is not None:
        return branch.step.outputs
    if branch.composite is not None:
        return (branch.composite.output,)
    inside = set(step_ids)
    if branch.kind in (PROGRAM, PHASE):
        computed = (value_id for value_id in graph.program.outputs if value_id in graph.producer)
        return tuple(value_id for value_id in computed if graph.producer[value_id].id in inside)[:1]
    output = placement.layer_outputs.get(branch.layer)
    if output is not None and output in graph.producer and graph.producer[output].id in inside:
        return (output,)
    for step_id in reversed(step_ids):
        for value_id in reversed(graph.step_by_id[step_id].outputs):
            users = graph.users.get(value_id, ())
            if value_id in graph.outputs or any(user.id not in inside for user in users):
                return (value_id,)
    return ()
