"""Every floating value of a trace against NumPy, step by step."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from openbook.program.numpy_run import compute_step
from openbook.program.primitives.table import primitives
from openbook.program.program import Program, Step

if TYPE_CHECKING:
    from openbook.program.trace import Trace

# Where terms cancel, a result may be all rounding: it is measured against its terms instead of itself.
_SUMS = frozenset({"add", "sub", "add_any", "reduce_sum", "cumsum", "reduce_window_sum"})
_SUMS_OF_PRODUCTS = frozenset({"dot_general", "conv_general_dilated"})
_BARELY_HELD = 1e6 * float(np.finfo(np.float32).tiny)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Check:
    """Floating values against NumPy.

    Attributes:
        largest: largest relative difference: norm of the difference by norm of the value, or of its terms
            where these cancel.
        name: of the value with it.
        num_values: how many were compared.
        differences: by name.
        unchecked: names of values that NumPy could not compute, because a primitive has no entry.
    """

    largest: float
    name: str
    num_values: int
    differences: Mapping[str, float] = dataclasses.field(repr=False)
    unchecked: tuple[str, ...] = ()

    def __str__(self) -> str:
        text = f"{self.num_values:,} values agree with NumPy to {self.largest:.1e} (largest in {self.name})"
        return f"{text}; {len(self.unchecked):,} could not be checked" if self.unchecked else text


def check_steps(trace: Trace) -> Check:
    """Compute each step from its captured operands; those inside a `scan` at every time."""
    differences: dict[str, float] = {}
    unchecked: list[str] = []
    for step in _computed_steps(trace.program):
        names = {position: trace.name_of(value_id) for position, value_id in enumerate(step.outputs)}
        floats = [
            position
            for position, value_id in enumerate(step.outputs)
            if names[position] is not None and trace.program.values[value_id].is_float
        ]
        if not floats:
            continue
        if step.primitive not in primitives():
            unchecked += [str(names[position]) for position in floats]
            continue
        loops = trace.program.values[step.outputs[0]].loops
        for times in trace.times_of(loops):
            operands = [trace.operand(value_id, times) for value_id in step.inputs]
            results = compute_step(step, operands, trace.program)
            for position in floats:
                captured = trace.operand(step.outputs[position], times)
                difference = _relative_difference(captured, results[position], _scale(step, operands))
                name = str(names[position])
                differences[name] = max(difference, differences.get(name, 0.0))
    name = max(differences, key=differences.__getitem__, default="")
    return Check(
        largest=differences.get(name, 0.0),
        name=name,
        num_values=len(differences),
        differences=differences,
        unchecked=tuple(unchecked),
    )


def _computed_steps(program: Program) -> Iterator[Step]:
    for step in program.steps:
        if step.primitive == "scan":
            yield from _computed_steps(step.bodies[0])
        elif not step.bodies:
            yield step


def _scale(step: Step, operands: Sequence[np.ndarray]) -> float:
    norms = [_norm(operand) for operand in operands if operand.dtype.kind not in "biu"]
    if step.primitive in _SUMS:
        return max(norms, default=0.0)
    if step.primitive in _SUMS_OF_PRODUCTS and len(norms) == 2:
        return norms[0] * norms[1]
    return 0.0


def _relative_difference(one: np.ndarray, other: np.ndarray, scale: float) -> float:
    wide_one, wide_other = _wide(one), _wide(other)
    is_finite = np.isfinite(wide_one) & np.isfinite(wide_other)
    if not np.array_equal(wide_one[~is_finite], wide_other[~is_finite], equal_nan=True):
        return float("inf")
    finite_one = wide_one[is_finite]
    difference = float(np.linalg.norm(finite_one - wide_other[is_finite]))
    if difference == 0.0:
        return 0.0
    # Compiled programs round what float32 can barely hold to zero.
    floor = _BARELY_HELD * np.sqrt(finite_one.size)
    return difference / max(_norm(finite_one), scale, float(floor))


def _norm(array: np.ndarray) -> float:
    wide = _wide(array)
    return float(np.linalg.norm(wide[np.isfinite(wide)].ravel()))


def _wide(array: np.ndarray) -> np.ndarray:
    return np.asarray(array, np.complex128 if array.dtype.kind == "c" else np.float64)
