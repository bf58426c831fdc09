"""Gives each value its name."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from openbook.program.naming.axes import known_axes
from openbook.program.naming.gradients import gradients_of
from openbook.program.naming.placing import Placed, Placement, place
from openbook.program.naming.scopes import Path
from openbook.program.naming.words import (
    BEST_PARTS,
    FOR_GRADIENT,
    GRADIENTS,
    NAMED_INPUTS,
    OPERATION_WORDS,
    OUTPUT,
    RECURRENT_CELLS,
    STATES,
    UPDATES,
)
from openbook.program.program import BACKWARD, FORWARD, UPDATE, Program, Step

# The lower, the rather a name is the value's own; the others are aliases.
_ROLE, _WHOLE_LAYER, _GRADIENT, _LAYER_OUTPUT, _PART, _COMPOSITE, _KIND, _OPERATION, _ALIAS = range(9)


class Names(Mapping[int, str]):
    """Names by value id, in the order of computation.

    Attributes:
        aliases: further names, by name the value id.
        axes: names of a value's axes by value id, where they are known.
        placement: where each step belongs.
        owners: by id of an update's step the name of the one result that it serves.
    """

    def __init__(
        self,
        names: Mapping[int, str],
        aliases: Mapping[str, int],
        axes: Mapping[int, tuple[str, ...]],
        placement: Placement,
        owners: Mapping[int, str],
    ) -> None:
        self._names = names
        self._ids = {name: value_id for value_id, name in names.items()}
        self.aliases = aliases
        self.axes = axes
        self.placement = placement
        self.owners = owners

    def __getitem__(self, value_id: int) -> str:
        return self._names[value_id]

    def __iter__(self) -> Iterator[int]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def id_of(self, name: str) -> int | None:
        """The value of a name or an alias; None where there is none."""
        return self._ids.get(name, self.aliases.get(name))


def name_values(program: Program, roles: Any = None) -> Names:
    """Name every value that is an input, an array known beforehand, or computed by a step.

    Arguments of loop bodies and single numbers have no name.

    Args:
        roles: names of the program's own inputs and outputs: `inputs` (one for each input), `weights` (those
            among them that are weights) and `outputs` (by value id), as `openbook.program.trace.Roles`; or a
            mapping from value ids to names; or None.
    """
    given, weights = _given_names(program, roles)
    placement = place(program, weights)
    return _Namer(program, given, placement).names()


def axis_names(names: Names, name: str) -> tuple[str, ...]:
    """What the axes of a value stand for, such as ("batch", "head", "query position", "key position").

    Returns:
        one word an axis, or an empty tuple where that is not known.
    """
    value_id = names.id_of(name)
    return names.axes.get(value_id, ()) if value_id is not None else ()


def _given_names(program: Program, roles: Any) -> tuple[dict[int, str], frozenset[int]]:
    if roles is None:
        return {}, frozenset(program.inputs)
    if isinstance(roles, Mapping):
        return dict(roles), frozenset(program.inputs)
    named = dict(zip(program.inputs, roles.inputs, strict=True))
    weights = frozenset(value_id for value_id, name in named.items() if name in roles.weights)
    return {**roles.outputs, **named}, weights


@dataclasses.dataclass(frozen=True)
class _Candidate:
    priority: int
    rank: int
    name: str


class _Namer:
    def __init__(self, program: Program, given: Mapping[int, str], placement: Placement) -> None:
        self.program = program
        self.given = given
        self.placement = placement
        self.graph = placement.graph
        self.candidates: dict[int, list[_Candidate]] = {}
        self.order = list(_in_order(program))

    def names(self) -> Names:
        self._add_given()
        self._add_layer_outputs()
        self._add_states()
        for placed in self.placement.placed:
            self._add_composite(placed)
        owners = _update_owners(self.placement, self.given)
        for step in self.graph.steps:
            if self.graph.phases[step.id] != BACKWARD:
                self._add_operation(step, owners)
        names, taken = self._choose(value_id for value_id in self.order if self._is_before(value_id))
        self._add_gradients(names)
        more, taken = self._choose(self.order, names, taken)
        ordered = {value_id: more[value_id] for value_id in self.order if value_id in more}
        aliases = self._aliases(ordered, taken)
        return Names(ordered, aliases, known_axes(self.placement), self.placement, owners)

    def _is_before(self, value_id: int) -> bool:
        step = self.graph.producer.get(value_id)
        return step is None or self.graph.phases[step.id] != BACKWARD or value_id in self.given

    def _add(self, value_id: int, priority: int, parts: Sequence[str], rank: int = 0) -> None:
        name = "/".join(parts)
        self.candidates.setdefault(value_id, []).append(_Candidate(priority, rank, name))

    def _add_given(self) -> None:
        for number, value_id in enumerate(self.program.inputs, start=1):
            self._add(value_id, _ROLE, [self.given.get(value_id, f"input/{number}")])
        for value_id, name in self.given.items():
            self._add(value_id, _ROLE, [name])
        for value_id, array in self.graph.constants.items():
            if array.size > 1:
                users = self.graph.users.get(value_id, ())
                path = self.placement.paths[users[0].id] if users else ()
                self._add(value_id, _OPERATION, [*path, "constant"])

    def _add_layer_outputs(self) -> None:
        for path, value_id in self.placement.layer_outputs.items():
            # The innermost layer computes it; the others pass it on.
            self._add(value_id, _LAYER_OUTPUT, [*path, OUTPUT], rank=-len(path))

    def _add_states(self) -> None:
        """The state of a recurrent layer without gates."""
        gated = {
            self.graph.values[placed.composite.output].loops[-1:]
            for placed in self.placement.placed
            if placed.composite.name in RECURRENT_CELLS
        }
        for step in self.graph.program.steps:
            path = self.placement.paths[step.id]
            if step.primitive != "scan" or self.graph.phases[step.id] != FORWARD or (step.id,) in gated:
                continue
            if path and step.params["num_carry"] >= 1:
                state = step.bodies[0].outputs[0]
                if self.graph.values[state].is_float and len(self.graph.shape(state)) >= 2:
                    self._add(state, _PART, [*path, STATES[0]])

    def _add_composite(self, placed: Placed) -> None:
        composite = placed.composite
        if self.graph.phases[composite.steps[-1]] == UPDATE:
            return
        priority = _WHOLE_LAYER if placed.is_layer or composite.name == "attention" else _PART
        names = {**composite.parts}
        names.update(
            (name, composite.inputs[name])
            for name in NAMED_INPUTS.get(composite.name, ())
            if name in composite.inputs
        )
        for name, value_id in names.items():
            rank = BEST_PARTS.index(name) if name in BEST_PARTS else len(BEST_PARTS)
            step = self.graph.producer.get(value_id)
            is_inside = step is not None and (
                step.id in composite.steps
                or (bool(placed.path) and _starts_with(self.placement.paths[step.id], placed.path))
            )
            self._add(value_id, priority if is_inside else _ALIAS, [*placed.prefix, name], rank)
        if not placed.is_layer:
            self._add(composite.output, _COMPOSITE, placed.prefix)

    def _add_operation(self, step: Step, owners: Mapping[int, str]) -> None:
        """The name that a value has if it has no better one."""
        around = self.placement.around.get(step.id, ())
        prefix = self.placement.placed[around[-1]].prefix if around else self.placement.paths[step.id]
        word = OPERATION_WORDS.get(step.primitive, step.primitive.replace("-", "_"))
        if self.graph.phases[step.id] == UPDATE:
            self._add_update(step, owners, word)
            return
        if step.id in self.placement.aside:
            prefix = (*self.placement.paths[step.id], FOR_GRADIENT)
        if step.primitive == "scan":
            self._add_loop_results(step, prefix)
            return
        if self._is_biased(step):
            self._add(step.outputs[0], _KIND, [*prefix, "pre_activation"])
        for value_id in step.outputs:
            self._add(value_id, _OPERATION, [*prefix, word])

    def _is_biased(self, step: Step) -> bool:
        """Whether a step adds a weight to a product."""
        if step.primitive != "add" or step.id in self.placement.aside:
            return False
        for one, other in (step.inputs, step.inputs[::-1]):
            product = self.graph.producer.get(self.graph.root(one))
            is_product = product is not None and product.primitive in ("dot_general", "conv_general_dilated")
            bias = self.graph.root(other)
            is_smaller = len(self.graph.shape(bias)) < len(self.graph.shape(step.outputs[0]))
            if is_product and is_smaller and bias not in self.graph.producer:
                return True
        return False

    def _add_loop_results(self, step: Step, prefix: Path) -> None:
        """Results of a loop bear the name of what the body computes."""
        [body] = step.bodies
        num_carry = step.params["num_carry"]
        for position, (value_id, inner) in enumerate(zip(step.outputs, body.outputs, strict=True)):
            word = self._word_of(inner)
            name = f"final_{word}" if position < num_carry else f"{word}_over_time"
            self._add(value_id, _KIND if word in STATES else _OPERATION, [*prefix, name])

    def _word_of(self, value_id: int) -> str:
        """What a value in a loop's body is called within its layer."""
        known = sorted(self.candidates.get(value_id, ()), key=lambda each: (each.priority, each.rank))
        for candidate in known:
            word = candidate.name.rpartition("/")[2]
            if word in STATES:
                return word
        maker = self.graph.producer.get(value_id)
        if maker is None:
            return "state"
        if maker.primitive == "select_n":
            # Where a mask leaves a time step out, the state stays as it was.
            for operand in maker.inputs[1:]:
                if operand in self.graph.producer and self._word_of(operand) in STATES:
                    return self._word_of(operand)
        word = OPERATION_WORDS.get(maker.primitive, maker.primitive)
        return known[0].name.rpartition("/")[2] if known else word

    def _add_update(self, step: Step, owners: Mapping[int, str], word: str) -> None:
        owner = owners.get(step.id)
        prefix = [owner] if owner else [UPDATES, *self.placement.paths[step.id]]
        for position in self.placement.around.get(step.id, ()):
            composite = self.placement.placed[position].composite
            for name, value_id in composite.parts.items():
                if value_id in step.outputs:
                    self._add(value_id, _PART, [*prefix, name])
        for value_id in step.outputs:
            self._add(value_id, _OPERATION, [*prefix, word])

    def _add_gradients(self, names: Mapping[int, str]) -> None:
        # Where several values have one gradient (a sum and its terms), the one computed last names it.
        for rank, (forward_id, value_id) in enumerate(gradients_of(self.placement).items()):
            if forward_id in names and value_id not in self.graph.inputs:
                self._add(value_id, _GRADIENT, [GRADIENTS, names[forward_id]], rank)
                for candidate in self.candidates.get(forward_id, ()):
                    if candidate.priority not in (_OPERATION, _ROLE):
                        self._add(value_id, _ALIAS, [GRADIENTS, candidate.name])
        for step in self.graph.steps:
            if self.graph.phases[step.id] == BACKWARD:
                word = OPERATION_WORDS.get(step.primitive, step.primitive.replace("-", "_"))
                for value_id in step.outputs:
                    self._add(value_id, _OPERATION, [GRADIENTS, *self.placement.paths[step.id], word])

    def _choose(
        self,
        value_ids: Any,
        names: Mapping[int, str] | None = None,
        taken: set[str] | None = None,
    ) -> tuple[dict[int, str], set[str]]:
        """The best name of each value, made unique; better names are given first."""
        names, taken = dict(names or {}), set(taken or ())
        numbers: dict[str, int] = {}
        best = []
        for order, value_id in enumerate(value_ids):
            known = self.candidates.get(value_id)
            if known and value_id not in names:
                candidate = min(known, key=lambda each: (each.priority, each.rank))
                best.append((min(candidate.priority, _OPERATION), order, value_id, candidate.name))
        for _, _, value_id, name in sorted(best):
            unique = name
            while unique in taken:
                numbers[name] = numbers.get(name, 1) + 1
                unique = f"{name}_{numbers[name]}"
            taken.add(unique)
            names[value_id] = unique
        return names, taken

    def _aliases(self, names: Mapping[int, str], taken: set[str]) -> dict[str, int]:
        aliases: dict[str, int] = {}
        for value_id in self.order:
            for candidate in sorted(self.candidates.get(value_id, ()), key=lambda each: each.priority):
                is_telling = candidate.priority not in (_OPERATION, _ROLE)
                if is_telling and candidate.name not in taken and value_id in names:
                    aliases.setdefault(candidate.name, value_id)
        return aliases


def _in_order(program: Program) -> Iterator[int]:
    """Ids of all values that get a name, in the order of computation."""
    yield from program.inputs
    yield from program.constants
    yield from _computed(program)


def _computed(program: Program) -> Iterator[int]:
    for step in program.steps:
        for body in step.bodies:
            yield from body.constants
            yield from _computed(body)
        yield from step.outputs


def _starts_with(path: Path, beginning: Path) -> bool:
    return path[: len(beginning)] == beginning


_MANY = "*"


def _update_owners(placement: Placement, given: Mapping[int, str]) -> dict[int, str]:
    """For each step of an update the one result that it serves, by name; weights before slots."""
    graph = placement.graph
    weights = {given[value_id] for value_id in graph.program.inputs if value_id in given}
    reached: dict[int, frozenset[str]] = {}
    for value_id in graph.program.outputs:
        name = given.get(value_id, "")
        if name.startswith(f"{UPDATES}/"):
            reached[value_id] = frozenset({name})
    for placed in placement.placed:
        weight = placed.composite.inputs.get("weight")
        if weight is not None and placed.composite.output not in reached:
            weight_name = given.get(graph.root(weight))
            if weight_name is not None:
                reached[placed.composite.output] = frozenset({f"{UPDATES}/{weight_name}"})
    owners: dict[int, str] = {}
    for step in reversed(graph.program.steps):
        if graph.phases[step.id] != UPDATE:
            continue
        goals: frozenset[str] = frozenset().union(*(reached.get(each, frozenset()) for each in step.outputs))
        if len(goals) > 3:
            goals = frozenset({_MANY})
        for value_id in step.inputs:
            producer = graph.producer.get(value_id)
            if producer is not None and graph.phases[producer.id] == UPDATE:
                reached[value_id] = reached.get(value_id, frozenset()) | goals
        of_weights = [
            name for name in goals if name.partition("/")[2] in weights and "optimizer/" not in name
        ]
        telling = of_weights if of_weights else [*goals]
        if len(telling) == 1 and telling[0] != _MANY:
            for each in (step, *(inner for body in step.bodies for inner in body.all_steps())):
                owners[each.id] = telling[0]
    return owners
