"""Finds all composites of a program by all rules."""

from __future__ import annotations

import dataclasses
import functools
import importlib
import pkgutil
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from openbook.program.composites.composite import Composite, Rule
from openbook.program.composites.graph import VIEWS, Graph
from openbook.program.composites.matching import Match, matches
from openbook.program.composites.named_calls import NAMED_CALLS
from openbook.program.composites.pattern import Node, anchors, parse
from openbook.program.program import BACKWARD, Program, Step

# Too small to be worth a mention within another one.
WHOLE_ONLY = frozenset({"mean", "sigmoid", "relu", "relu6", "sgd_update", "clip", "newton_schulz"})


def find_composites(program: Program, *, graph: Graph | None = None) -> list[Composite]:
    """Operations of the textbook in a program and in the bodies of its loops, by their first step.

    One may lie within another, such as a softmax in attention; they never overlap in part.
    """
    graph = graph or Graph(program)
    found = _merged(graph, list(_by_pattern(graph)), list(_by_call(graph)))
    order = sorted(range(len(found)), key=lambda position: (-len(found[position].steps), position))
    owners: dict[int, list[int]] = {}
    results: set[int] = set()
    kept = []
    for position in order:
        composite = found[position]
        if composite.output in results or not _fits(composite, found, owners):
            continue
        results.add(composite.output)
        kept.append(composite)
        for step_id in composite.steps:
            owners.setdefault(step_id, []).append(position)
    place = {step.id: number for number, step in enumerate(graph.steps)}
    kept = _with_guarded_parts(graph, kept)
    return sorted(kept, key=lambda each: (place[each.steps[0]], -len(each.steps)))


def _fits(composite: Composite, found: Sequence[Composite], owners: Mapping[int, Sequence[int]]) -> bool:
    """Whether a composite lies apart from each larger one or wholly within it."""
    touched = {owner for step_id in composite.steps for owner in owners.get(step_id, ())}
    if not touched:
        return True
    steps = set(composite.steps)
    if composite.name in WHOLE_ONLY or any(found[owner].name == composite.name for owner in touched):
        return False
    return all(steps < set(found[owner].steps) for owner in touched)


def _with_guarded_parts(graph: Graph, composites: list[Composite]) -> list[Composite]:
    """A part that is a composite by itself is what that composite ends in, guards and all."""
    results = {
        (each.name, graph.root(each.output)): each.output
        for each in composites
        if graph.root(each.output) != each.output
    }
    return [
        dataclasses.replace(
            each,
            parts={name: results.get((name, value_id), value_id) for name, value_id in each.parts.items()},
        )
        for each in composites
    ]


def _merged(graph: Graph, by_pattern: list[Composite], by_call: list[Composite]) -> list[Composite]:
    """What was found both ways once: with the parts of the pattern and the steps of the call."""
    positions = {(each.name, each.output): number for number, each in enumerate(by_pattern)}
    merged = list(by_pattern)
    for called in by_call:
        position = positions.get((called.name, graph.root(called.output)))
        if position is None or not set(by_pattern[position].steps) <= set(called.steps):
            merged.append(called)
        else:
            merged[position] = dataclasses.replace(
                by_pattern[position], steps=called.steps, output=called.output
            )
    return merged


@functools.cache
def _rules() -> Mapping[tuple[str, str], Sequence[tuple[Rule, Node]]]:
    """All rules with their patterns, by phase and primitive of their last step; found by their place."""
    import openbook.program.composites as package

    rules: list[Rule] = []
    for info in pkgutil.iter_modules(package.__path__):
        if not info.name.endswith("_test"):
            module = importlib.import_module(f"{package.__name__}.{info.name}")
            rules += getattr(module, "RULES", ())
    texts: dict[str, str] = {}
    for rule in rules:
        texts.setdefault(rule.name, rule.pattern)
    table: dict[tuple[str, str], list[tuple[Rule, Node]]] = {}
    for rule in rules:
        node = parse(rule.pattern, {name: text for name, text in texts.items() if name != rule.name})
        for primitive in anchors(node):
            table.setdefault((rule.phase, primitive), []).append((rule, node))
    return table


def _by_pattern(graph: Graph) -> Iterator[Composite]:
    rules = _rules()
    for step in graph.steps:
        for rule, node in rules.get((graph.phases[step.id], step.primitive), ()):
            for match in matches(graph, node, step):
                composite = _composite(rule, match, step)
                if composite is not None:
                    yield composite
                    break


def _composite(rule: Rule, match: Match, last: Step) -> Composite | None:
    graph = match.graph
    params: dict[str, Any] = {
        name: number for name, number in match.numbers.items() if not name.startswith("_")
    }
    if rule.params is not None:
        more = rule.params(match)
        if more is None:
            return None
        params.update(more)
    if rule.axes_of is not None:
        reduction = match.reduction_of(rule.axes_of)
        rank = len(graph.shape(reduction.inputs[0]))
        params["axis"] = tuple(int(axis) - rank for axis in reduction.params["axes"])
    inputs, views, limits = _inputs(match)
    steps = _own_steps(graph, _with_guards(graph, match.steps.union(views), limits), last)
    parts = {
        name: value_id
        for name, value_id in match.values.items()
        if not name.startswith("_") and name not in match.places and name != "output"
    }
    return Composite(
        name=rule.name,
        formula=rule.formula,
        steps=steps,
        inputs=inputs,
        output=last.outputs[0],
        parts=parts,
        params=params,
        moves_axes=any(graph.step_by_id[step_id].primitive == "transpose" for step_id in steps),
    )


def _inputs(match: Match) -> tuple[dict[str, int], set[int], set[int]]:
    """The inputs by role, the steps that turn them into what the operations take, and where to stop."""
    graph = match.graph
    inputs: dict[str, int] = {}
    views: set[int] = set()
    limits: set[int] = set()
    for name, places in match.places.items():
        chains = [graph.chain(each) for each in places]
        common = next(each for each in chains[0] if all(each in chain for chain in chains))
        given = _before_leading_axes(graph, common)
        limits.add(given)
        for chain in chains:
            views.update(graph.producer[each].id for each in chain[: chain.index(given)])
        if not name.startswith("_"):
            inputs[name] = given
    return inputs, views, limits


def _with_guards(graph: Graph, steps: frozenset[int], limits: set[int]) -> frozenset[int]:
    """The steps and those that serve them alone, such as the guard of a logarithm."""
    own = set(steps)
    waiting = list(steps)
    while waiting:
        for value_id in graph.step_by_id[waiting.pop()].inputs:
            step = graph.producer.get(value_id)
            if step is None or step.id in own or value_id in limits or step.bodies:
                continue
            users = [user for each in step.outputs for user in graph.users.get(each, ())]
            if all(
                user.id in own or user.scope.phase == BACKWARD for user in users
            ) and not graph.outputs.intersection(step.outputs):
                own.add(step.id)
                waiting.append(step.id)
    return frozenset(own)


def _before_leading_axes(graph: Graph, value_id: int) -> int:
    """The value that this one is without axes of size one in front; what broadcasts alike needs no such step."""
    while (before := graph.source(value_id)) != value_id:
        shape, earlier = graph.shape(value_id), graph.shape(before)
        step = graph.producer[value_id]
        added = len(shape) - len(earlier)
        is_alike = added >= 0 and shape == (1,) * added + earlier
        if not is_alike or step.primitive not in ("reshape", "broadcast_in_dim", "expand_dims", "copy"):
            return value_id
        value_id = before
    return value_id


def _own_steps(graph: Graph, steps: frozenset[int], last: Step) -> tuple[int, ...]:
    """The steps in order, without views and numbers that others use as well."""
    own = set(steps)
    for step_id in sorted(steps, reverse=True):
        step = graph.step_by_id[step_id]
        is_aside = step.primitive in VIEWS or all(graph.number(each) is not None for each in step.outputs)
        if step is last or not is_aside:
            continue
        users = [user for value_id in step.outputs for user in graph.users.get(value_id, ())]
        shared = any(user.id not in own and user.scope.phase != BACKWARD for user in users)
        if shared or any(value_id in graph.outputs for value_id in step.outputs):
            own.discard(step_id)
    return tuple(sorted(own))


def _by_call(graph: Graph) -> Iterator[Composite]:
    """Steps of JAX functions that are known by name."""
    groups: dict[tuple[str, int], list[Step]] = {}
    for step in graph.steps:
        if step.scope.phase != BACKWARD:
            for call in step.scope.calls:
                if call[0] in NAMED_CALLS:
                    groups.setdefault(call, []).append(step)
    for (call_name, _), steps in groups.items():
        composite = _called(graph, call_name, steps)
        if composite is not None:
            yield composite


def _called(graph: Graph, call_name: str, steps: Sequence[Step]) -> Composite | None:
    ids = {step.id for step in steps}
    made = {value_id for step in steps for value_id in step.outputs}
    left = [
        value_id
        for step in steps
        for value_id in step.outputs
        if value_id in graph.outputs
        or any(user.id not in ids and user.scope.phase != BACKWARD for user in graph.users.get(value_id, ()))
    ]
    if not left:
        return None
    # Steps after the result only serve the gradient.
    output = left[-1]
    needed = _needed_for(graph, output, ids)
    given = dict.fromkeys(
        value_id
        for step in steps
        if step.id in needed
        for value_id in step.inputs
        if value_id not in made and graph.number(value_id) is None
    )
    roles = ["x"] if len(given) == 1 else [f"x{number}" for number in range(1, len(given) + 1)]
    name, formula = NAMED_CALLS[call_name]
    return Composite(
        name=name,
        formula=formula,
        steps=tuple(sorted(needed)),
        inputs=dict(zip(roles, given, strict=True)),
        output=output,
        parts={},
        params={},
    )


def _needed_for(graph: Graph, value_id: int, among: set[int]) -> set[int]:
    needed: set[int] = set()
    waiting = [value_id]
    while waiting:
        step = graph.producer.get(waiting.pop())
        if step is not None and step.id in among and step.id not in needed:
            needed.add(step.id)
            waiting.extend(step.inputs)
    return needed
