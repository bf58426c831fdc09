"""What the table knows about each primitive, and how an entry says it.

An entry stands in the file of its family, in that file's tuple `PRIMITIVES`; it is found by its place. It gives
four readings of one operation: its value in NumPy, the arithmetic behind one element, its NumPy source text, and
its cost.
"""

from __future__ import annotations

import dataclasses
import functools
import importlib
import math
import pkgutil
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

Params = Mapping[str, Any]
Index = tuple[int, ...]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Shape:
    """Shape and dtype of an operand or a result."""

    shape: tuple[int, ...]
    dtype: Any

    @property
    def num_elements(self) -> int:
        return math.prod(self.shape)

    @property
    def size_bytes(self) -> int:
        return self.num_elements * int(getattr(self.dtype, "itemsize", 4))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Element:
    """One element of a step's result, asked about.

    Attributes:
        params: the step's static parameters.
        operands: the step's inputs, whole arrays.
        results: shapes of its results.
        output: which result is asked about.
        index: which element of it.
    """

    params: Params
    operands: Sequence[np.ndarray]
    results: Sequence[Shape]
    output: int
    index: Index


@dataclasses.dataclass(frozen=True, kw_only=True)
class Factor:
    """Elements of one operand that enter an element of the result, one row a term.

    Attributes:
        operand: position among the step's inputs.
        indices: integer array (num terms, number of the operand's axes).
    """

    operand: int
    indices: np.ndarray


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sum:
    """The element is Σ over terms of coefficient × product of the factors' elements.

    Attributes:
        factors: one or more, all with the same number of rows; sums of one operand have one.
        coefficients: float array (num terms,), or None for 1.
        text: what is summed, in textbook form, such as "Σ_k x[i,k]·W[k,j]".
    """

    factors: tuple[Factor, ...]
    text: str
    coefficients: np.ndarray | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Formula:
    """The element is a function of a few operand elements.

    Attributes:
        operands: (position, index) of each, in the order that `compute` takes them.
        compute: takes one NumPy scalar an operand, returns the element.
        text: the formula with {0}, {1}, … for the operands, such as "max({0}, {1})".
    """

    operands: tuple[tuple[int, Index], ...]
    compute: Callable[..., Any]
    text: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Selection:
    """The element is one chosen element of an operand.

    Attributes:
        chosen: (position, index) of it.
        candidates: among which it was chosen; empty where nothing competed (a reshape, a slice).
        deciders: (position, index) of the operand elements that made the choice, such as a condition.
        why: what the choice means, such as "the largest of its window".
    """

    chosen: tuple[int, Index]
    why: str
    candidates: Factor | None = None
    deciders: tuple[tuple[int, Index], ...] = ()


@dataclasses.dataclass(frozen=True, kw_only=True)
class Given:
    """The element depends on no operand's value: a counter, a filler, a drawn number.

    Attributes:
        value: the element.
        why: where it comes from, such as "position along axis 1" or "drawn from the key".
        operands: (position, index) of what it was drawn from, such as the key's words.
    """

    value: Any
    why: str
    operands: tuple[tuple[int, Index], ...] = ()


Reason = Sum | Formula | Selection | Given


@dataclasses.dataclass(frozen=True, kw_only=True)
class SourceCall:
    """What an entry needs to write its step as NumPy source.

    Attributes:
        params: the step's static parameters.
        inputs: NumPy expressions of the operands, each safe to follow with a dot or an index, or to put beside
            any operator (the writer adds parentheses where they are needed).
        operands, results: their shapes.
        helper: names a helper function whose definition is to stand at the top of the source, and returns the
            name, as in `call.helper("conv2d")`; helpers are defined in `numpy_helpers.py`.
    """

    params: Params
    inputs: Sequence[str]
    operands: Sequence[Shape]
    results: Sequence[Shape]
    helper: Callable[[str], str]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Source:
    """An expression and how tightly it binds, so that parentheses stand only where they are needed.

    Attributes:
        text: NumPy expression; of a primitive with several results, a tuple.
        binding: ATOM (a name, a call, an index), POWER, UNARY, PRODUCT, SUM, COMPARISON or LOOSE.
    """

    text: str
    binding: int


LOOSE, COMPARISON, SUM, PRODUCT, UNARY, POWER, ATOM = range(7)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Cost:
    """Arithmetic operations (a multiply-add counts as two) and bytes read and written."""

    operations: float
    bytes_read: float
    bytes_written: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class Primitive:
    """The four readings of one JAX primitive.

    Attributes:
        name: JAX's name.
        value: (params, operands, shapes of the results) -> results, one array each; NumPy only, in the
            precision of the operands.
        explain: the arithmetic behind one element.
        source: NumPy source of the step.
        operations: (params, operand shapes, result shapes) -> number of arithmetic operations.
        bytes_moved: as `operations`, bytes read and written; whole operands and results when left out.
    """

    name: str
    value: Callable[[Params, Sequence[np.ndarray], Sequence[Shape]], Sequence[np.ndarray]]
    explain: Callable[[Element], Reason]
    source: Callable[[SourceCall], Source]
    operations: Callable[[Params, Sequence[Shape], Sequence[Shape]], float]
    bytes_moved: Callable[[Params, Sequence[Shape], Sequence[Shape]], tuple[float, float]] | None = None

    def cost(self, params: Params, operands: Sequence[Shape], results: Sequence[Shape]) -> Cost:
        """Operations and bytes of one execution."""
        moved = self.bytes_moved or whole_arrays
        bytes_read, bytes_written = moved(params, operands, results)
        return Cost(
            operations=float(self.operations(params, operands, results)),
            bytes_read=float(bytes_read),
            bytes_written=float(bytes_written),
        )


def whole_arrays(params: Params, operands: Sequence[Shape], results: Sequence[Shape]) -> tuple[float, float]:
    """Every operand read once, every result written once."""
    return sum(each.size_bytes for each in operands), sum(each.size_bytes for each in results)


def no_operations(params: Params, operands: Sequence[Shape], results: Sequence[Shape]) -> float:
    """Moving data is no arithmetic."""
    return 0.0


def one_per_element(params: Params, operands: Sequence[Shape], results: Sequence[Shape]) -> float:
    """One operation for each element of the results."""
    return float(sum(each.num_elements for each in results))


@functools.cache
def primitives() -> Mapping[str, Primitive]:
    """All entries by name."""
    import openbook.program.primitives as package

    found: dict[str, Primitive] = {}
    for info in pkgutil.iter_modules(package.__path__):
        if info.name == "table" or info.name.endswith("_test"):
            continue
        module = importlib.import_module(f"{package.__name__}.{info.name}")
        for entry in getattr(module, "PRIMITIVES", ()):
            assert entry.name not in found, f"two entries for {entry.name}"
            found[entry.name] = entry
    return types.MappingProxyType(found)
