"""Where each step belongs: its phase, its layer's call, the composites around it."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence

from openbook.program.composites.composite import Composite
from openbook.program.composites.finding import find_composites
from openbook.program.composites.graph import Graph
from openbook.program.naming.scopes import Path, call_paths, gradient_only
from openbook.program.naming.words import OWN_LAYER, RECURRENT_CELLS, WHOLE_LAYER
from openbook.program.program import BACKWARD, UPDATE, Program


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Placed:
    """A composite with its place.

    Attributes:
        path: of the layer that it is named by.
        home: of the innermost layer that all its steps are in.
        parent: position of the composite around it in the placement's list.
        prefix: under which the names of its parts stand; None within an update, which its weight names.
        is_layer: whether it is what its layer does, so that its parts stand directly under the layer's path.
    """

    composite: Composite
    path: Path
    home: Path
    parent: int | None
    prefix: Path
    is_layer: bool


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Placement:
    """Where everything of a program belongs.

    Attributes:
        paths: layer path by step id, calls numbered.
        placed: composites, outer ones before inner ones.
        around: positions in `placed` of the composites around a step, the outermost first.
        aside: ids of forward steps that only serve the gradient.
        layer_outputs: by layer path the id of the value that leaves the layer last.
    """

    graph: Graph
    paths: Mapping[int, Path]
    placed: Sequence[Placed]
    around: Mapping[int, Sequence[int]]
    aside: frozenset[int]
    layer_outputs: Mapping[Path, int]


def place(program: Program, weights: Collection[int] = ()) -> Placement:
    """Find out where each step of a program belongs.

    Args:
        weights: ids of the inputs that are weights.
    """
    graph = Graph(program)
    paths = call_paths(graph, weights)
    aside = gradient_only(graph)
    outputs = _layer_outputs(graph, paths, aside)
    placed, around = _place_composites(graph, paths, outputs)
    return Placement(
        graph=graph, paths=paths, placed=placed, around=around, aside=aside, layer_outputs=outputs
    )


def _layer_outputs(graph: Graph, paths: Mapping[int, Path], aside: frozenset[int]) -> dict[Path, int]:
    found: dict[Path, int] = {}
    is_program_output = set(graph.program.outputs)
    loop_paths: dict[int, Path] = {}
    for step in graph.steps:
        for body in step.bodies:
            loop_paths.update(dict.fromkeys(body.outputs, paths[step.id]))
    for step in graph.steps:
        if graph.phases[step.id] in (BACKWARD, UPDATE) or step.id in aside:
            continue
        path = paths[step.id]
        for value_id in step.outputs:
            shared = len(path)
            if value_id in is_program_output:
                shared = 0
            elif value_id in loop_paths:
                shared = min(shared, num_shared(path, loop_paths[value_id]))
            for user in graph.users.get(value_id, ()):
                if graph.phases[user.id] != BACKWARD and user.id not in aside:
                    shared = min(shared, num_shared(path, paths[user.id]))
            for length in range(shared + 1, len(path) + 1):
                found[path[:length]] = value_id
    return found


def num_shared(one: Path, other: Path) -> int:
    """How many parts two paths begin with alike."""
    count = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        count += 1
    return count


def _place_composites(
    graph: Graph, paths: Mapping[int, Path], outputs: Mapping[Path, int]
) -> tuple[list[Placed], dict[int, list[int]]]:
    composites = sorted(find_composites(graph.program, graph=graph), key=lambda each: -len(each.steps))
    order = {step.id: number for number, step in enumerate(graph.steps)}
    composites.sort(key=lambda each: (order[each.steps[0]], -len(each.steps)))
    around: dict[int, list[int]] = {}
    placed: list[Placed] = []
    taken: dict[Path, int] = {}
    loops = _cells_by_loop(graph, composites)
    for position, composite in enumerate(composites):
        outer = around.get(composite.steps[0], [])
        parent = outer[-1] if outer else None
        path = home = _common_path([paths[step_id] for step_id in composite.steps])
        if composite.name in RECURRENT_CELLS:
            path = _cell_path(graph, composite, paths, loops, path)
        is_layer = _is_layer(composite, path, outputs, taken)
        base = placed[parent].prefix if parent is not None else path
        label = composite.name
        if parent is not None:
            inner_names = {each: name for name, each in placed[parent].composite.parts.items()}
            part = inner_names.get(composite.output)
            label = part if part is not None and part.startswith(label) else label
        prefix = path if is_layer else _free((*base, label), taken)
        if is_layer:
            taken[(*path, composite.name)] = 1
        for step_id in composite.steps:
            around.setdefault(step_id, []).append(position)
        placed.append(
            Placed(composite=composite, path=path, home=home, parent=parent, prefix=prefix, is_layer=is_layer)
        )
    return placed, around


def _is_layer(
    composite: Composite, path: Path, outputs: Mapping[Path, int], taken: Mapping[Path, int]
) -> bool:
    if not path:
        return False
    if composite.name in WHOLE_LAYER:
        return (*path, composite.name) not in taken
    is_own = composite.name in OWN_LAYER or path[-1].startswith(composite.name)
    return is_own and outputs.get(path) == composite.output


def _cells_by_loop(graph: Graph, composites: Sequence[Composite]) -> dict[int, int]:
    """Number of recurrent cells by the id of the loop around them."""
    counts: dict[int, int] = {}
    for composite in composites:
        loops = graph.values[composite.output].loops
        if composite.name in RECURRENT_CELLS and loops:
            counts[loops[-1]] = counts.get(loops[-1], 0) + 1
    return counts


def _cell_path(
    graph: Graph, composite: Composite, paths: Mapping[int, Path], loops: Mapping[int, int], path: Path
) -> Path:
    """A layer's only cell bears the layer's name."""
    around = graph.values[composite.output].loops
    return paths[around[-1]] if around and loops[around[-1]] == 1 else path


def _common_path(paths: Sequence[Path]) -> Path:
    common = paths[0]
    for path in paths:
        common = common[: num_shared(common, path)]
    return common


def _free(prefix: Path, taken: dict[Path, int]) -> Path:
    taken[prefix] = taken.get(prefix, 0) + 1
    number = taken[prefix]
    return prefix if number == 1 else (*prefix[:-1], f"{prefix[-1]}_{number}")
