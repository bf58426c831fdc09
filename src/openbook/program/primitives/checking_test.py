"""How a case is checked: every step by JAX and by the table, in float32 and in float64."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import jax
import numpy as np

from openbook.program.numpy_run import run_numpy, shapes_of
from openbook.program.numpy_source.helpers import needed_definitions
from openbook.program.primitives.cases_test import Case, all_cases
from openbook.program.primitives.reason import evaluate
from openbook.program.primitives.table import Element, Shape, SourceCall, primitives
from openbook.program.program import Program, Step, _as_numpy, program_of

# Small programs: compiling well takes longer than running badly. And bfloat16 is to be rounded after each step.
_QUICKLY = {"xla_backend_optimization_level": 0, "xla_allow_excess_precision": False}
NUM_ELEMENTS = 3  # of each result whose explanation is evaluated
# Relative error by dtype: rounding of the dtype times the length of the sums and the steps of the functions.
TOLERANCES = {"float32": 1e-5, "complex64": 1e-5, "float64": 1e-9, "complex128": 1e-9, "float16": 4e-3}
TOLERANCES |= {"bfloat16": 2e-2}
TOLERANCE_OF_SMALL_FLOATS = 0.3  # float8 has as few as two bits after the point


@dataclasses.dataclass(frozen=True, kw_only=True)
class Executed:
    """One step with its operands, and its results by JAX and by the table.

    Attributes:
        by_numpy: None where the step is a loop or branch, or the table has no entry.
    """

    step: Step
    operands: Sequence[np.ndarray]
    operand_shapes: Sequence[Shape]
    result_shapes: Sequence[Shape]
    by_jax: Sequence[np.ndarray]
    by_numpy: Sequence[np.ndarray] | None


@functools.cache
def executed(key: str, *, in_float64: bool) -> tuple[Executed, ...]:
    """Every step of a registered case."""
    return execute(all_cases()[key], in_float64=in_float64)


def execute(case: Case, *, in_float64: bool) -> tuple[Executed, ...]:
    """Every step of a case, each computed by both from JAX's operands."""
    with precision(in_float64=in_float64):
        arguments = [in_dtype(each, in_float64=in_float64) for each in case.arguments]
        program = program_of(case.function, *arguments)
        leaves = jax.tree.leaves(arguments)
        constants = {value_id: _as_jax(program, value_id) for value_id in program.constants}
        # One function for all steps, as compiling is what takes time.
        compiled = jax.jit(lambda *inputs: _all_values(program, constants, inputs)).lower(*leaves)
        values = compiled.compile(_QUICKLY)(*leaves)
        values |= dict(zip(program.inputs, leaves, strict=True)) | program.constants
        return tuple(_execute(step, program, values) for step in program.steps)


def _as_jax(program: Program, value_id: int) -> Any:
    constant = program.constants[value_id]
    is_key = jax.dtypes.issubdtype(program.values[value_id].dtype, jax.dtypes.prng_key)
    return jax.random.wrap_key_data(constant) if is_key else constant


def _all_values(program: Program, constants: Mapping[int, Any], inputs: Sequence[Any]) -> dict[int, Any]:
    """What every step computes, by JAX."""
    values = dict(zip(program.inputs, inputs, strict=True)) | constants
    found: dict[int, Any] = {}
    for step in program.steps:
        operands = [values[value_id] for value_id in step.inputs]
        results = step.jax_primitive.bind(*operands, **step.params)
        results = results if step.jax_primitive.multiple_results else [results]
        found.update(zip(step.outputs, results, strict=True))
        values.update(found)
    return found


def _execute(step: Step, program: Program, values: Mapping[int, Any]) -> Executed:
    operands = [_as_numpy(values[value_id]) for value_id in step.inputs]
    result_shapes = shapes_of(program, step.outputs)
    entry = primitives().get(step.primitive)
    by_numpy = None
    if entry is not None and not step.bodies:
        with np.errstate(all="ignore"):
            by_numpy = entry.value(step.params, operands, result_shapes)
    return Executed(
        step=step,
        operands=operands,
        operand_shapes=shapes_of(program, step.inputs),
        result_shapes=result_shapes,
        by_jax=[_as_numpy(values[value_id]) for value_id in step.outputs],
        by_numpy=by_numpy,
    )


@contextlib.contextmanager
def precision(*, in_float64: bool) -> Iterator[None]:
    """JAX with or without 64-bit numbers."""
    with jax.enable_x64(in_float64):
        yield


def in_dtype(argument: Any, *, in_float64: bool) -> Any:
    """An argument of a case, its float32 arrays made float64 when asked for."""

    def convert(leaf: Any) -> Any:
        return leaf.astype(np.float64) if in_float64 and leaf.dtype == np.float32 else leaf

    return jax.tree.map(convert, argument)


def check_value(done: Executed) -> None:
    """The table's results are JAX's, in shape, dtype and value."""
    assert done.by_numpy is not None, f"no entry for {done.step.primitive}"
    assert len(done.by_numpy) == len(done.by_jax)
    for ours, theirs in zip(done.by_numpy, done.by_jax, strict=True):
        assert isinstance(ours, np.ndarray | np.generic), done.step.primitive
        assert ours.shape == theirs.shape and ours.dtype == theirs.dtype, (
            done.step.primitive,
            (ours.shape, ours.dtype),
            (theirs.shape, theirs.dtype),
        )
        assert_close(ours, theirs, tolerance_of(theirs.dtype), done.step.primitive)


def check_explanation(done: Executed, rng: np.random.Generator) -> None:
    """Random elements, recomputed from the operand elements that their explanations name, are the values."""
    assert done.by_numpy is not None
    entry = primitives()[done.step.primitive]
    for output, result in enumerate(done.by_numpy):
        for _ in range(NUM_ELEMENTS if result.size else 0):
            index = tuple(int(rng.integers(size)) for size in result.shape)
            element = Element(
                params=done.step.params,
                operands=done.operands,
                results=done.result_shapes,
                output=output,
                index=index,
            )
            with np.errstate(all="ignore"):
                again = np.asarray(evaluate(entry.explain(element), done.operands))
            assert again.shape == (), (done.step.primitive, again.shape)
            # An element of a sum is compared with the size of its neighbours: it may have cancelled to nothing.
            scale = _norm(_as_exact(result)) / math.sqrt(result.size)
            assert_close(
                again, result[index], tolerance_of(result.dtype), (done.step.primitive, index), scale
            )


def check_source(done: Executed) -> None:
    """The source text, run with NumPy and its helper functions, gives the values."""
    assert done.by_numpy is not None
    names = [f"operand_{position}" for position in range(len(done.operands))]
    helpers: list[str] = []

    def helper(name: str) -> str:
        helpers.append(name)
        return name

    source = primitives()[done.step.primitive].source(
        SourceCall(
            params=done.step.params,
            inputs=names,
            operands=done.operand_shapes,
            results=done.result_shapes,
            helper=helper,
        )
    )
    namespace: dict[str, Any] = {"np": np}
    for definition in needed_definitions(helpers):
        exec(definition, namespace)  # our own source text, and nothing else
    namespace.update(zip(names, (_known_to_numpy(each) for each in done.operands), strict=True))
    with np.errstate(all="ignore"):
        found = eval(source.text, namespace)
    results = found if isinstance(found, tuple | list) else (found,)
    assert len(results) == len(done.by_numpy), source.text
    for again, result in zip(results, done.by_numpy, strict=True):
        assert np.shape(again) == result.shape, (source.text, np.shape(again), result.shape)
        assert_close(again, result, tolerance_of(result.dtype), source.text)


def check_operations(done: Executed) -> None:
    """Costs are finite and not negative."""
    entry = primitives()[done.step.primitive]
    cost = entry.cost(done.step.params, done.operand_shapes, done.result_shapes)
    for amount in dataclasses.astuple(cost):
        assert math.isfinite(amount) and amount >= 0, (done.step.primitive, cost)


def check_gradient(case: Case, rng: np.random.Generator) -> None:
    """The table's value of JAX's gradient is the central difference of the table's values, along directions."""
    with precision(in_float64=True):
        arguments = tuple(in_dtype(each, in_float64=True) for each in case.arguments)
        leaves, tree = jax.tree.flatten(arguments)
        floats = [position for position, leaf in enumerate(leaves) if leaf.dtype == np.float64]
        outputs = jax.tree.leaves(jax.eval_shape(case.function, *arguments))
        probes = [rng.normal(size=output.shape) for output in outputs]

        def probed(*free: Any) -> Any:
            filled = list(leaves)
            for position, leaf in zip(floats, free, strict=True):
                filled[position] = leaf
            found = jax.tree.leaves(case.function(*jax.tree.unflatten(tree, filled)))
            return sum(
                (probe * each).sum()
                for probe, each in zip(probes, found, strict=True)
                if each.dtype == np.float64
            )

        free = [leaves[position] for position in floats]
        forward = program_of(probed, *free)
        backward = program_of(jax.grad(probed, argnums=tuple(range(len(free)))), *free)
        assert {step.primitive for step in backward.all_steps() if not step.bodies} <= set(primitives())
        values = run_numpy(backward, free)
        gradient = [values[value_id] for value_id in backward.outputs]
    step = 1e-5

    def at(shift: float, direction: Sequence[np.ndarray]) -> float:
        moved = [leaf + shift * each for leaf, each in zip(free, direction, strict=True)]
        return float(run_numpy(forward, moved)[forward.outputs[0]])

    for _ in range(2):
        direction = [rng.normal(size=leaf.shape) for leaf in free]
        difference = (at(step, direction) - at(-step, direction)) / (2 * step)
        along = sum(float((each * way).sum()) for each, way in zip(gradient, direction, strict=True))
        # The difference itself is off by the square of the step times the third derivative.
        size = max(abs(along), math.sqrt(sum(float((each**2).sum()) for each in gradient)), 1e-3)
        assert abs(difference - along) < 1e-6 * size, (difference, along)


def assert_close(ours: Any, theirs: Any, tolerance: float, what: Any, scale: float | None = None) -> None:
    """Equal where whole numbers or truth values, else of small relative error in norm, NaN and infinity alike."""
    theirs_exact, ours_exact = _as_exact(theirs), _as_exact(ours)
    if not tolerance:
        assert np.array_equal(ours_exact, theirs_exact), (what, ours, theirs)
        return
    finite = np.isfinite(theirs_exact)
    same = np.array_equal(ours_exact[~finite], theirs_exact[~finite], equal_nan=True)
    assert same and np.isfinite(ours_exact[finite]).all(), (what, ours, theirs)
    size = max(_norm(theirs_exact[finite]), scale or 0.0)
    # Tiny numbers are zero to a processor that flushes them.
    limit = tolerance * size + float(np.finfo(np.float32).tiny)
    assert _norm(ours_exact[finite] - theirs_exact[finite]) <= limit, (what, ours, theirs)


def tolerance_of(dtype: Any) -> float:
    """Relative error allowed; 0 where values are exact."""
    name = np.dtype(dtype).name
    if re.match("u?int|bool", name):
        return 0.0
    return TOLERANCES.get(name, TOLERANCE_OF_SMALL_FLOATS)


def _as_exact(array: Any) -> np.ndarray:
    array = np.asarray(array)
    if array.dtype.kind in "biu":
        return array
    return array.astype(np.complex128 if array.dtype.kind == "c" else np.float64)


def _norm(array: np.ndarray) -> float:
    finite = np.abs(array[np.isfinite(array)])
    largest = float(finite.max(initial=0.0))
    return 0.0 if largest == 0.0 else largest * float(np.linalg.norm(finite / largest))


def _known_to_numpy(array: np.ndarray) -> np.ndarray:
    """NumPy source knows no small floats: they come as float32."""
    return array if array.dtype.isbuiltin == 1 else array.astype(np.float32)


def by_dtype(cases: Mapping[str, Case]) -> list[tuple[str, bool]]:
    """Keys of cases with each precision they are run in."""
    return [
        (key, in_float64)
        for key, case in cases.items()
        for in_float64 in ((False, True) if case.in_float64 else (False,))
    ]
