"""A program made ready to be run: names, origins and compiled captures."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from openbook.errors import UsageError
from openbook.program.capture import DERIVED, compile_capture
from openbook.program.origin import origins
from openbook.program.program import Program, Step
from openbook.program.roles import Roles

LIMIT_BYTES = 2 * 2**30


class Reading:
    """A program made ready: names, origins and compiled captures, shared by all traces of it.

    Args:
        limit_bytes: above so many bytes of values, only what leaves a layer is kept, and the inside of a layer
            is computed again when asked for.
        is_captured: all values come from another process; this one runs nothing.
    """

    def __init__(
        self, program: Program, roles: Roles, *, limit_bytes: int = LIMIT_BYTES, is_captured: bool = False
    ) -> None:
        from openbook.program.naming import name_values

        self.program = program
        self.roles = roles
        self.names = name_values(program, roles)
        self.origins = origins(program)
        self.constants = _all_constants(program)
        unnamed = [value_id for value_id in self.constants if value_id not in self.names]
        self.constant_names = {value_id: f"constant/{number}" for number, value_id in enumerate(unnamed, 1)}
        named = {**self.names, **self.constant_names}
        self.ids: Mapping[str, int] = {
            **self.names.aliases,
            **roles.aliases,
            **{name: value_id for value_id, name in named.items()},
        }
        computed = _capturable(program)
        sizes = {value_id: self.size_bytes(value_id) for value_id in computed}
        self.is_partial = not is_captured and sum(sizes.values()) > limit_bytes
        self.kept = _leaving_their_layer(program, computed) if self.is_partial else computed
        self.capture = compile_capture(program, self.kept) if not is_captured else _cannot_run

    def size_bytes(self, value_id: int) -> int:
        """Of all elements, over all loop times."""
        value = self.program.values[value_id]
        times = [self._step(step_id).params["length"] for step_id in value.loops]
        itemsize = getattr(value.dtype, "itemsize", 8)
        return int(np.prod([*times, *value.shape], dtype=np.int64)) * itemsize

    @functools.cached_property
    def textbook(self) -> Mapping[int, str]:
        """Formulas of textbook operations by the id of their result."""
        composites = (placed.composite for placed in self.names.placement.placed)
        return {composite.output: composite.formula for composite in composites}

    @functools.cached_property
    def steps_by_id(self) -> Mapping[int, Step]:
        return {step.id: step for step in self.program.all_steps()}

    def _step(self, step_id: int) -> Step:
        return self.steps_by_id[step_id]

    @functools.cached_property
    def loop_lengths(self) -> Mapping[int, int]:
        """Number of time steps by the id of the `scan` step."""
        return {
            step_id: step.params["length"]
            for step_id, step in self.steps_by_id.items()
            if step.primitive == "scan"
        }

    @functools.lru_cache(maxsize=4)  # noqa: B019 - a reading lives as long as its model
    def region(self, path: tuple[str, ...]) -> tuple[Program, Any]:
        """The steps of one layer as a program from kept values, and its compiled capture."""
        steps = tuple(step for step in self.program.steps if step.scope.path == path)
        made = {value_id for step in steps for value_id in step.outputs}
        needed = dict.fromkeys(
            value_id
            for step in steps
            for value_id in step.inputs
            if value_id not in made and value_id not in self.program.constants
        )
        part = Program(
            values=self.program.values,
            steps=steps,
            inputs=tuple(needed),
            outputs=(),
            constants=self.program.constants,
        )
        return part, compile_capture(part, _capturable(part))


def _cannot_run(inputs: Sequence[Any]) -> dict[int, Any]:
    raise UsageError(
        "this trace was made in another process, because Keras runs on another backend here; trace again with the "
        "changed model, or set KERAS_BACKEND=jax before starting"
    )


def _all_constants(program: Program) -> dict[int, np.ndarray]:
    constants = dict(program.constants)
    for step in program.steps:
        for body in step.bodies:
            constants.update(_all_constants(body))
    return constants


def _capturable(program: Program) -> set[int]:
    """Values that steps compute, without views and without the insides of `while` and `cond`."""
    found: set[int] = set()
    for step in program.steps:
        if step.primitive not in DERIVED:
            found.update(step.outputs)
        if step.primitive == "scan":
            found |= _capturable(step.bodies[0])
    return found


def _leaving_their_layer(program: Program, computed: set[int]) -> set[int]:
    """Values used outside the layer that computes them, and results."""
    path_of = {value_id: step.scope.path for step in program.steps for value_id in step.outputs}
    kept = set(program.outputs)
    for step in program.steps:
        # A view of a value leaves the layer on its behalf.
        kept.update(
            value_id for value_id in step.inputs if path_of.get(value_id, step.scope.path) != step.scope.path
        )
    for step in reversed(program.steps):
        if step.primitive in DERIVED and kept.intersection(step.outputs):
            kept.update(step.inputs)
    return kept & computed
