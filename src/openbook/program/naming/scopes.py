"""Layer paths of steps, one for each call of a layer: "encoder", and "encoder@2" for its second call."""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Iterator, Sequence

from openbook.program.composites.graph import Graph
from openbook.program.program import BACKWARD, Program, Step

Path = tuple[str, ...]

# Scopes that JAX and Keras add and that are no layers; an einsum's scope is its equation.
_NO_LAYER = re.compile(
    r"->|^(?:branch_\d+_fun|rematted_computation|checkpoint|closed_call|custom_jvp_call|custom_vjp_call)$"
)


def call_paths(graph: Graph, weights: Collection[int]) -> dict[int, Path]:
    """The layer path of each step by id, calls after the first numbered as in "dense@2".

    Args:
        weights: ids of the inputs that are weights; a repetition with the same ones is another call.
    """
    plain = _plain_paths(graph)
    aside = gradient_only(graph)
    paths: dict[int, Path] = {}
    forward = [step for step in graph.steps if graph.phases[step.id] != BACKWARD]
    _Numbering(graph, plain, aside, frozenset(weights), paths).number(forward, (), 0)
    backward = [step for step in graph.steps if graph.phases[step.id] == BACKWARD]
    behind: dict[int, Path] = {}
    _Numbering(graph, plain, frozenset(), frozenset(), behind).number(backward, (), 0)
    paths.update(_reversed_calls(paths, behind))
    return paths


def gradient_only(graph: Graph) -> frozenset[int]:
    """Ids of the steps outside the backward phase whose results only gradients use."""
    found: set[int] = set()
    if BACKWARD in graph.phases.values():
        _mark_gradient_only(graph, graph.program, set(graph.program.outputs), found)
    return frozenset(found)


def _mark_gradient_only(graph: Graph, program: Program, wanted: set[int], found: set[int]) -> None:
    wanted = set(wanted)
    for step in reversed(program.steps):
        is_wanted = not wanted.isdisjoint(step.outputs)
        if graph.phases[step.id] == BACKWARD:
            continue
        if not is_wanted:
            found.add(step.id)
            found.update(each.id for body in step.bodies for each in body.all_steps())
            continue
        wanted.update(step.inputs)
        for body in step.bodies:
            kept = set(body.outputs)
            if step.primitive == "scan":
                num_carry = step.params["num_carry"]
                kept = {
                    inner
                    for position, (outer, inner) in enumerate(zip(step.outputs, body.outputs, strict=True))
                    if position < num_carry or outer in wanted
                }
            _mark_gradient_only(graph, body, kept, found)


def _plain_paths(graph: Graph) -> dict[int, Path]:
    paths = {
        step.id: tuple(part for part in step.scope.path if not _NO_LAYER.search(part)) for step in graph.steps
    }
    # What JAX moves out of a loop keeps only the path inside it.
    in_bodies = {
        paths[step.id] for outer in graph.steps for body in outer.bodies for step in body.all_steps()
    }
    for step in graph.program.steps:
        path = paths[step.id]
        if path and not step.bodies:
            longer = [each for each in in_bodies if len(each) > len(path) and each[-len(path) :] == path]
            if len(longer) == 1 and path not in in_bodies:
                paths[step.id] = longer[0]
    return paths


class _Numbering:
    """Numbers the calls, one level of the paths after the other."""

    def __init__(
        self,
        graph: Graph,
        plain: dict[int, Path],
        aside: frozenset[int],
        weights: frozenset[int],
        paths: dict[int, Path],
    ) -> None:
        self.graph = graph
        self.plain = plain
        self.aside = aside
        self.weights = weights
        self.paths = paths

    def number(self, steps: Sequence[Step], prefix: Path, depth: int) -> None:
        calls: dict[str, list[set[tuple[Path, str]]]] = {}
        for part, run in self._runs(steps, depth):
            if part is None:
                for step in run:
                    self.paths[step.id] = prefix
                continue
            for piece in self._pieces(run, depth):
                signatures = {self._signature(step, depth) for step in piece if step.id not in self.aside}
                earlier = calls.setdefault(part, [])
                # What shares no operation with the last call goes on with it.
                if not earlier or signatures & earlier[-1]:
                    earlier.append(signatures)
                else:
                    earlier[-1] |= signatures
                name = part if len(earlier) == 1 else f"{part}@{len(earlier)}"
                self.number(piece, (*prefix, name), depth + 1)

    def _runs(self, steps: Sequence[Step], depth: int) -> Iterator[tuple[str | None, list[Step]]]:
        run: list[Step] = []
        current: str | None = None
        for step in steps:
            path = self.plain[step.id]
            part = path[depth] if len(path) > depth else None
            if run and part != current:
                yield current, run
                run = []
            current = part
            run.append(step)
        if run:
            yield current, run

    def _signature(self, step: Step, depth: int) -> tuple[Path, str]:
        return self.plain[step.id][depth + 1 :], step.primitive

    def _pieces(self, run: list[Step], depth: int) -> list[list[Step]]:
        """The calls within a run: repetitions of the same operations with the same weights."""
        telling = [position for position, step in enumerate(run) if step.id not in self.aside]
        used = [self._weights_of(run[position]) for position in telling]
        if not any(used):
            return [run]
        marks = [
            (*self._signature(run[position], depth), weights)
            for position, weights in zip(telling, used, strict=True)
        ]
        first = marks[0]
        for length in range(1, len(marks) // 2 + 1):
            is_period = len(marks) % length == 0 and marks[length] == first
            if is_period and any(used[:length]) and marks[length:] == marks[:-length]:
                starts = [telling[position] for position in range(0, len(marks), length)]
                limits = [0, *starts[1:], len(run)]
                return [run[begin:end] for begin, end in itertools.pairwise(limits)]
        return [run]

    def _weights_of(self, step: Step) -> tuple[int, ...]:
        roots = (self.graph.root(value_id) for value_id in step.inputs)
        return tuple(root for root in roots if root in self.weights)


def _reversed_calls(forward: dict[int, Path], behind: dict[int, Path]) -> dict[int, Path]:
    """Paths of the backward steps: the last call's gradient comes first."""
    counts = _call_counts(forward.values())
    found = _call_counts(behind.values())
    renamed: dict[int, Path] = {}
    for step_id, path in behind.items():
        parts: list[str] = []
        plain: list[str] = []
        for part in path:
            name, _, number = part.partition("@")
            plain.append(name)
            key = tuple(plain)
            position = counts.get(key, 1) + 1 - int(number or 1)
            is_known = counts.get(key, 1) == found[key]
            parts.append(f"{name}@{position}" if is_known and position > 1 else name)
        renamed[step_id] = tuple(parts)
    return renamed


def _call_counts(paths: Collection[Path]) -> dict[Path, int]:
    """The largest number of calls of each plain path."""
    counts: dict[Path, int] = {}
    for path in set(paths):
        plain: list[str] = []
        for part in path:
            name, _, number = part.partition("@")
            plain.append(name)
            key = tuple(plain)
            counts[key] = max(counts.get(key, 1), int(number or 1))
    return counts
