"""A program as a graph: who makes a value, who uses it, which values are numbers known beforehand."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from openbook.program.program import BACKWARD, FORWARD, UPDATE, Program, Step

# Steps whose result holds the same numbers as their operand, in another shape, order or type.
VIEWS = frozenset(
    {
        "reshape",
        "squeeze",
        "expand_dims",
        "broadcast_in_dim",
        "transpose",
        "convert_element_type",
        "copy",
        "copy_p",
        "stop_gradient",
        "optimization_barrier",
        "reduce_precision",
    }
)
_LARGEST_FOLDED = 16
# Scopes in which Keras' optimizers run, when they run by themselves.
_OPTIMIZERS = ("sgd", "rm_sprop", "adam", "ada", "nadam", "lion", "muon", "ftrl", "lamb", "loss_scale")

_FOLDED: Mapping[str, Callable[..., Any]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b if b else math.nan,
    "max": max,
    "min": min,
    "pow": lambda a, b: a**b,
    "neg": lambda a: -a,
    "abs": abs,
    "sqrt": lambda a: math.sqrt(a) if a >= 0 else math.nan,
    "log": lambda a: math.log(a) if a > 0 else math.nan,
    "exp": math.exp,
    "square": lambda a: a * a,
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
    "select_n": lambda which, *cases: cases[int(which)],
}


class Graph:
    """Look-ups in a program, the bodies of its loops and branches included."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.values = program.values
        self.steps: list[Step] = list(program.all_steps())
        self.step_by_id: dict[int, Step] = {step.id: step for step in self.steps}
        self.producer: dict[int, Step] = {}
        self.users: dict[int, list[Step]] = {}
        self.constants: dict[int, np.ndarray] = dict(program.constants)
        self.inputs = frozenset(program.inputs)
        self.outputs: set[int] = set(program.outputs)
        self.body_inputs: set[int] = set()
        for step in self.steps:
            for value_id in step.outputs:
                self.producer[value_id] = step
            for value_id in dict.fromkeys(step.inputs):
                self.users.setdefault(value_id, []).append(step)
            for body in step.bodies:
                self.constants.update(body.constants)
                self.outputs.update(body.outputs)
                self.body_inputs.update(body.inputs)
        self.phases = _phases(self)
        self._numbers: dict[int, float | None] = {}
        self._sources: dict[int, int] = {}
        self._kinds: dict[int, frozenset[str]] = {}

    def shape(self, value_id: int) -> tuple[int, ...]:
        return self.values[value_id].shape

    def number(self, value_id: int) -> float | None:
        """The one number that all elements of a value are, where it is known beforehand."""
        if value_id not in self._numbers:
            self._numbers[value_id] = self._fold(value_id)
        return self._numbers[value_id]

    def source(self, value_id: int) -> int:
        """The value before the last step that only passes it on; the value itself where there is none."""
        if value_id not in self._sources:
            self._sources[value_id] = self._find_source(value_id)
        return self._sources[value_id]

    def chain(self, value_id: int) -> list[int]:
        """A value, the value it is a view of, and so on to the one that is computed or given."""
        found = [value_id]
        while (before := self.source(found[-1])) != found[-1]:
            found.append(before)
        return found

    def kinds(self, value_id: int) -> frozenset[str]:
        """Primitives of the steps on the chain of a value, and "number" where it is one known beforehand."""
        if value_id not in self._kinds:
            steps = (self.producer.get(each) for each in self.chain(value_id))
            found = {step.primitive for step in steps if step is not None}
            self._kinds[value_id] = frozenset(found if self.number(value_id) is None else {*found, "number"})
        return self._kinds[value_id]

    def root(self, value_id: int) -> int:
        """The end of the chain."""
        while (before := self.source(value_id)) != value_id:
            value_id = before
        return value_id

    def is_given(self, value_id: int) -> bool:
        """Whether a value is an input or a constant, or a view of one."""
        root = self.root(value_id)
        return root not in self.producer

    def _find_source(self, value_id: int) -> int:
        step = self.producer.get(value_id)
        if step is None:
            return value_id
        if step.primitive in VIEWS:
            return step.inputs[0]
        if step.primitive == "select_n":
            return self._chosen(step, value_id)
        if step.primitive == "max":
            # The maximum with minus infinity, which jax.nn.softmax takes.
            for one, other in (step.inputs, step.inputs[::-1]):
                if self.number(one) == -math.inf and self.number(other) is None:
                    return other
        return value_id

    def _chosen(self, step: Step, value_id: int) -> int:
        """Of a selection, the case always taken, or taken unless a guard against non-finites acts."""
        which = self.number(step.inputs[0])
        if which is not None:
            return step.inputs[1 + int(which)]
        condition = self.producer.get(self.root(step.inputs[0]))
        if condition is not None and condition.primitive == "is_finite":
            watched = self.root(condition.inputs[0])
            for case in step.inputs[1:]:
                if self.root(case) == watched:
                    return case
        return value_id

    def _fold(self, value_id: int) -> float | None:
        constant = self.constants.get(value_id)
        if constant is not None:
            return _as_number(constant)
        step = self.producer.get(value_id)
        if step is None:
            return None
        if step.primitive in ("reduce_prod", "reduce_sum") and step.inputs[0] in self.constants:
            array = self.constants[step.inputs[0]]
            if array.size <= _LARGEST_FOLDED and math.prod(self.shape(value_id)) == 1:
                return float(array.prod() if step.primitive == "reduce_prod" else array.sum())
        if step.primitive in VIEWS:
            return self.number(step.inputs[0])
        function = _FOLDED.get(step.primitive)
        if function is None or len(step.outputs) != 1:
            return None
        numbers = [self.number(operand) for operand in step.inputs]
        known = [each for each in numbers if each is not None]
        if len(known) != len(numbers):
            return None
        try:
            return float(function(*known))
        except (OverflowError, ValueError, ZeroDivisionError):
            return None


def _as_number(array: np.ndarray) -> float | None:
    # Small floats of other packages say that they are of kind "V".
    is_small_float = array.dtype.kind == "V" and array.dtype.itemsize <= 2
    if array.size != 1 or not (array.dtype.kind in "fiub" or is_small_float):
        return None
    try:
        return float(array.reshape(()).astype(np.float64))
    except (TypeError, ValueError):
        return None


def _phases(graph: Graph) -> dict[int, str]:
    """The phase of each step by id; what comes after a gradient and serves no further one is an update."""
    phases = {step.id: step.scope.phase for step in graph.steps}
    if UPDATE in phases.values():
        return phases
    if BACKWARD not in phases.values():
        of_optimizers = [
            step for step in graph.steps if step.scope.path and step.scope.path[0].startswith(_OPTIMIZERS)
        ]
        return {**phases, **{step.id: UPDATE for step in of_optimizers}}
    top = graph.program.steps
    after: set[int] = set()
    updates: list[Step] = []
    for step in top:
        is_after = any(value_id in after for value_id in step.inputs)
        if is_after or phases[step.id] == BACKWARD:
            after.update(step.outputs)
        if is_after and phases[step.id] == FORWARD:
            updates.append(step)
    before: set[int] = set()
    for step in reversed(top):
        if phases[step.id] == BACKWARD or before.intersection(step.outputs):
            before.update(step.inputs)
    updates = [step for step in updates if not before.intersection(step.outputs)]
    update_ids = {step.id for step in updates}
    scopes = {step.scope.path[:1] for step in updates} - {()}
    for step in top:
        is_aside = step.scope.path[:1] in scopes and not before.intersection(step.outputs)
        if phases[step.id] == FORWARD and (step.id in update_ids or is_aside):
            phases.update({each.id: UPDATE for each in (step, *_inside(step))})
    return phases


def _inside(step: Step) -> list[Step]:
    return [each for body in step.bodies for each in body.all_steps()]
