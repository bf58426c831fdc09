"""A function, a model's forward pass or a whole training step as a list of primitive steps.

A `Program` is a jaxpr with its calls inlined and its unused steps left out. Steps of a loop or a branch keep
their body as a program of its own; its values have ids of the same numbering, so that one number names one value
wherever it is computed.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from openbook.errors import ModelError

# Primitives that only call another jaxpr, and the parameter that holds it.
_CALLS = {
    "jit": "jaxpr",
    "pjit": "jaxpr",
    "closed_call": "call_jaxpr",
    "core_call": "call_jaxpr",
    "custom_jvp_call": "call_jaxpr",
    "custom_vjp_call": "call_jaxpr",
    "custom_vjp_call_jaxpr": "fun_jaxpr",
    "remat": "jaxpr",
    "remat2": "jaxpr",
    "checkpoint": "jaxpr",
    "custom_lin": "jaxpr",
    "composite": "jaxpr",
}
_BODIES = {"scan": ("jaxpr",), "while": ("cond_jaxpr", "body_jaxpr"), "cond": ("branches",)}
FORWARD, BACKWARD, UPDATE = "forward", "backward", "update"


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Value:
    """One array of a program.

    Attributes:
        id: its number, unique in the program and all bodies within.
        loops: ids of the `scan` steps around it, outermost first; each adds a leading time axis when captured.
    """

    id: int
    shape: tuple[int, ...]
    dtype: Any
    loops: tuple[int, ...] = ()

    @property
    def is_float(self) -> bool:
        import jax.numpy as jnp

        return bool(jnp.issubdtype(self.dtype, jnp.floating))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Scope:
    """Where a step comes from.

    Attributes:
        path: layer path, such as ("block_1", "attention", "query"); empty outside all layers.
        calls: named JAX functions around the step with a serial number each, such as (("softmax", 12),).
        phase: "forward", "backward" (the transposed steps of a gradient) or "update" (set by the reader of a
            training step).
    """

    path: tuple[str, ...]
    calls: tuple[tuple[str, int], ...] = ()
    phase: str = FORWARD


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Step:
    """One primitive operation.

    Attributes:
        id: its number, unique in the program and all bodies within.
        primitive: JAX's name of it.
        params: its static parameters.
        inputs, outputs: value ids.
        bodies: of `scan` one program, of `while` condition and body, of `cond` the branches.
        jax_primitive: to run it by JAX.
    """

    id: int
    primitive: str
    params: Mapping[str, Any]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    scope: Scope
    bodies: tuple[Program, ...] = ()
    jax_primitive: Any = None


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Program:
    """Steps in the order of computation.

    Attributes:
        values: all values by id, those of the bodies too.
        inputs, outputs: value ids, in the order of the function's flat arguments and results.
        constants: values known beforehand.
    """

    values: Mapping[int, Value]
    steps: tuple[Step, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    constants: Mapping[int, np.ndarray]

    def all_steps(self) -> Iterator[Step]:
        """All steps, those of the bodies after the step that has them."""
        for step in self.steps:
            yield step
            for body in step.bodies:
                yield from body.all_steps()


def program_of(function: Callable[..., Any], *arguments: Any) -> Program:
    """Read a function at the shapes and dtypes of its arguments.

    Args:
        function: any function that JAX can trace.
        arguments: arrays, or pytrees of arrays; their leaves are the program's inputs, in order.
    Raises:
        ModelError: JAX cannot trace it.
    """
    import jax

    try:
        closed = jax.make_jaxpr(function)(*arguments)
    except jax.errors.JAXTypeError as error:
        raise ModelError(
            "this computation decides in Python what depends on the values of its arrays, so it cannot be read "
            f"as a program ({str(error).splitlines()[0]}). Use jax.lax.cond, jax.numpy.where or fixed shapes"
        ) from error
    return _Reader().read(closed.jaxpr, closed.consts, Scope(path=()), loops=())


def program_of_jaxpr(closed: Any) -> Program:
    """Read what JAX has traced already."""
    return _Reader().read(closed.jaxpr, closed.consts, Scope(path=()), loops=())


class _Reader:
    """Turns jaxprs into programs; holds the numbering and the table of all values."""

    def __init__(self) -> None:
        self._ids = itertools.count()
        self._step_ids = itertools.count()
        self._call_ids = itertools.count(1)
        self.values: dict[int, Value] = {}

    def read(self, jaxpr: Any, consts: Sequence[Any], scope: Scope, loops: tuple[int, ...]) -> Program:
        environment: dict[Any, int] = {}
        constants: dict[int, np.ndarray] = {}
        for variable, const in zip(jaxpr.constvars, consts, strict=True):
            environment[variable] = self._new(variable.aval, loops)
            constants[environment[variable]] = _as_numpy(const)
        inputs = []
        for variable in jaxpr.invars:
            environment[variable] = self._new(variable.aval, loops)
            inputs.append(environment[variable])
        steps: list[Step] = []
        self._read_equations(jaxpr, environment, constants, steps, scope, loops)
        outputs = tuple(self._id_of(atom, environment, constants, loops) for atom in jaxpr.outvars)
        return Program(
            values=self.values,
            steps=_needed(steps, outputs),
            inputs=tuple(inputs),
            outputs=outputs,
            constants=constants,
        )

    def _read_equations(
        self,
        jaxpr: Any,
        environment: dict[Any, int],
        constants: dict[int, np.ndarray],
        steps: list[Step],
        scope: Scope,
        loops: tuple[int, ...],
    ) -> None:
        for equation in jaxpr.eqns:
            name = equation.primitive.name
            inner_scope = _inner_scope(scope, equation.source_info.name_stack.stack)
            inputs = [self._id_of(atom, environment, constants, loops) for atom in equation.invars]
            if name == "custom_linear_solve":
                # Of its four functions one computes the solution; the others serve its gradients.
                lengths = equation.params["const_lengths"]
                first = lengths.matvec + lengths.vecmat
                constants_of_solve = inputs[first : first + lengths.solve]
                self._inline(
                    equation.params["jaxprs"].solve,
                    [*constants_of_solve, *inputs[sum(lengths) :]],
                    equation.outvars,
                    environment,
                    constants,
                    steps,
                    inner_scope,
                    loops,
                )
                continue
            if name in _CALLS:
                called = equation.params[_CALLS[name]]
                call_name = str(equation.params.get("name", "") or "")
                if call_name:
                    call = (call_name, next(self._call_ids))
                    inner_scope = dataclasses.replace(inner_scope, calls=(*inner_scope.calls, call))
                self._inline(
                    called, inputs, equation.outvars, environment, constants, steps, inner_scope, loops
                )
                continue
            step_id = next(self._step_ids)
            outputs = []
            for variable in equation.outvars:
                environment[variable] = self._new(variable.aval, loops)
                outputs.append(environment[variable])
            steps.append(
                Step(
                    id=step_id,
                    primitive=name,
                    params=equation.params,
                    inputs=tuple(inputs),
                    outputs=tuple(outputs),
                    scope=inner_scope,
                    bodies=self._bodies(name, equation.params, inner_scope, loops, step_id),
                    jax_primitive=equation.primitive,
                )
            )

    def _inline(
        self,
        called: Any,
        inputs: Sequence[int],
        outvars: Sequence[Any],
        environment: dict[Any, int],
        constants: dict[int, np.ndarray],
        steps: list[Step],
        scope: Scope,
        loops: tuple[int, ...],
    ) -> None:
        jaxpr, consts = (called.jaxpr, called.consts) if hasattr(called, "consts") else (called, ())
        inner: dict[Any, int] = {}
        for variable, const in zip(jaxpr.constvars, consts, strict=True):
            inner[variable] = self._new(variable.aval, loops)
            constants[inner[variable]] = _as_numpy(const)
        inner.update(zip(jaxpr.invars, inputs, strict=True))
        self._read_equations(jaxpr, inner, constants, steps, scope, loops)
        for outer, atom in zip(outvars, jaxpr.outvars, strict=True):
            environment[outer] = self._id_of(atom, inner, constants, loops)

    def _bodies(
        self, name: str, params: Mapping[str, Any], scope: Scope, loops: tuple[int, ...], step_id: int
    ) -> tuple[Program, ...]:
        closed: list[Any] = []
        for key in _BODIES.get(name, ()):
            value = params[key]
            closed += list(value) if isinstance(value, list | tuple) else [value]
        inner_loops = (*loops, step_id) if name == "scan" else loops
        return tuple(self.read(each.jaxpr, each.consts, scope, inner_loops) for each in closed)

    def _new(self, aval: Any, loops: tuple[int, ...]) -> int:
        value = Value(id=next(self._ids), shape=tuple(aval.shape), dtype=aval.dtype, loops=loops)
        self.values[value.id] = value
        return value.id

    def _id_of(
        self,
        atom: Any,
        environment: dict[Any, int],
        constants: dict[int, np.ndarray],
        loops: tuple[int, ...],
    ) -> int:
        if hasattr(atom, "val"):  # a literal
            value_id = self._new(atom.aval, loops)
            constants[value_id] = np.asarray(atom.val, dtype=_numpy_dtype(atom.aval.dtype))
            return value_id
        return environment[atom]


def _needed(steps: Sequence[Step], outputs: Sequence[int]) -> tuple[Step, ...]:
    """The steps that the outputs depend on."""
    wanted = set(outputs)
    kept = []
    for step in reversed(steps):
        if wanted.intersection(step.outputs):
            wanted.update(step.inputs)
            kept.append(step)
    return tuple(reversed(kept))


def _inner_scope(scope: Scope, stack: Sequence[Any]) -> Scope:
    """Extend a scope by JAX's name stack: names given by layers, and the transformations around them."""
    transformations = {type(each).__name__ for each in stack} - {"Scope"}
    assert transformations <= {"Transform"}, f"JAX's name stack has a new kind of entry: {transformations}"
    if not stack:
        return scope
    is_backward = any(type(each).__name__ == "Transform" and each.name == "transpose" for each in stack)
    names = [each.name for each in stack if type(each).__name__ == "Scope"]
    parts = tuple(part for name in names for part in name.split("/") if part)
    phase = BACKWARD if is_backward else scope.phase
    return Scope(path=(*scope.path, *parts), calls=scope.calls, phase=phase)


def is_key_type(dtype: Any) -> bool:
    """Whether arrays of this dtype are JAX random keys."""
    import jax.numpy as jnp
    from jax import dtypes

    return bool(jnp.issubdtype(dtype, dtypes.prng_key))


def _numpy_dtype(dtype: Any) -> Any:
    return np.uint32 if is_key_type(dtype) else dtype


def _as_numpy(const: Any) -> np.ndarray:
    import jax

    if hasattr(const, "dtype") and is_key_type(const.dtype):
        return np.asarray(jax.random.key_data(const))
    return np.asarray(const)
