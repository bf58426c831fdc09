"""Reductions: one element of the result from all elements along some axes.

Operations, by definition: elements read minus elements written, one for each combination of two.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from openbook.program.primitives.elementwise import in_wide, is_integer, wide
from openbook.program.primitives.source_texts import dtype_text
from openbook.program.primitives.table import (
    ATOM,
    Element,
    Factor,
    Formula,
    Given,
    Index,
    Params,
    Primitive,
    Reason,
    Selection,
    Shape,
    Source,
    SourceCall,
    Sum,
)


def reduced_rows(shape: Sequence[int], axes: Sequence[int], index: Index) -> np.ndarray:
    """Indices of the operand's elements that are reduced to one element, in the order of memory.

    Returns:
        integer array (number of elements, number of the operand's axes).
    """
    sizes = [size if axis in axes else 1 for axis, size in enumerate(shape)]
    rows = np.indices(sizes).reshape(len(sizes), -1).T
    kept = [axis for axis in range(len(shape)) if axis not in axes]
    rows[:, kept] += np.asarray(index, dtype=int)
    return rows


def axis_text(axes: Sequence[int]) -> str:
    """How a formula names the axes."""
    return ("axis " if len(axes) == 1 else "axes ") + ", ".join(str(axis) for axis in axes)


def as_place(row: np.ndarray) -> Index:
    """An index as Python numbers."""
    return tuple(int(each) for each in row)


def _axis_argument(call: SourceCall) -> str:
    axes = tuple(call.params["axes"])
    if len(axes) == len(call.operands[0].shape):
        return ""
    return f"axis={axes[0] if len(axes) == 1 else axes}"


def _combinations(params: Params, operands: Sequence[Shape], results: Sequence[Shape]) -> float:
    return float(max(operands[0].num_elements - results[0].num_elements, 0))


def _method_source(method: str, *, keeps_dtype: bool = True) -> Callable[[SourceCall], Source]:
    """Source that calls a method of the operand, such as `x.sum(axis=1)`."""

    def write(call: SourceCall) -> Source:
        if not call.params["axes"]:
            return Source(text=call.inputs[0], binding=ATOM)
        arguments = [_axis_argument(call)]
        dtype = np.dtype(call.results[0].dtype)
        if not keeps_dtype and is_integer(dtype) and dtype.itemsize < 8:
            # NumPy would add up whole numbers in 64 bits.
            arguments.append(f"dtype={dtype_text(dtype)}")
        text = f"{call.inputs[0]}.{method}({', '.join(each for each in arguments if each)})"
        return Source(text=text, binding=ATOM)

    return write


def _sum_value(
    params: Params, operands: Sequence[np.ndarray], results: Sequence[Shape]
) -> Sequence[np.ndarray]:
    operand = wide(operands[0])
    total = operand.sum(axis=tuple(params["axes"]), dtype=operand.dtype)
    return [np.asarray(total).astype(results[0].dtype)]


def _sum_explain(element: Element) -> Sum:
    axes = element.params["axes"]
    rows = reduced_rows(element.operands[0].shape, axes, element.index)
    text = f"Σ over {axis_text(axes)} of {{0}}" if axes else "{0}"
    return Sum(factors=(Factor(operand=0, indices=rows),), text=text)


def _product_value(
    params: Params, operands: Sequence[np.ndarray], results: Sequence[Shape]
) -> Sequence[np.ndarray]:
    operand = wide(operands[0])
    product = operand.prod(axis=tuple(params["axes"]), dtype=operand.dtype)
    return [np.asarray(product).astype(results[0].dtype)]


def over_all(rows: np.ndarray, function: np.ufunc, sign: str, *, operand: int = 0) -> Formula:
    """A formula that combines all named elements of one operand."""

    def compute(*numbers: Any) -> Any:
        joined = np.stack(numbers)
        return function.reduce(joined, dtype=joined.dtype)

    return Formula(
        operands=tuple((operand, as_place(row)) for row in rows),
        compute=in_wide(compute),
        text=f" {sign} ".join(f"{{{position}}}" for position in range(len(rows))),
    )


def _product_explain(element: Element) -> Reason:
    rows = reduced_rows(element.operands[0].shape, element.params["axes"], element.index)
    if not len(rows):
        return Given(value=1, why="nothing to multiply")
    return over_all(rows, np.multiply, "·")


def _extreme(name: str, method: str, word: str) -> Primitive:
    """The entry of `reduce_max` or `reduce_min`."""

    def value(
        params: Params, operands: Sequence[np.ndarray], results: Sequence[Shape]
    ) -> Sequence[np.ndarray]:
        operand, dtype = wide(operands[0]), results[0].dtype
        axes = tuple(params["axes"])
        if 0 in (operand.shape[axis] for axis in axes):
            return [np.full(results[0].shape, _nothing(dtype, lowest=word == "largest"), dtype)]
        return [np.asarray(getattr(operand, method)(axis=axes)).astype(dtype)]

    def explain(element: Element) -> Reason:
        axes = element.params["axes"]
        rows = reduced_rows(element.operands[0].shape, axes, element.index)
        if not len(rows):
            dtype = element.results[0].dtype
            return Given(value=_nothing(dtype, lowest=word == "largest"), why="nothing to choose from")
        numbers = wide(element.operands[0])[tuple(rows.T)]
        chosen = int(getattr(numbers, f"arg{method}")())
        return Selection(
            chosen=(0, as_place(rows[chosen])),
            candidates=Factor(operand=0, indices=rows),
            why=f"the {word} along {axis_text(axes)}" if axes else "handed on",
        )

    return Primitive(
        name=name, value=value, explain=explain, source=_method_source(method), operations=_combinations
    )


def _nothing(dtype: Any, *, lowest: bool) -> Any:
    """The result where no element stands to choose from."""
    dtype = np.dtype(dtype)
    if dtype.kind == "b":
        return not lowest
    if is_integer(dtype):
        limits = np.iinfo(dtype)
        return limits.min if lowest else limits.max
    return -np.inf if lowest else np.inf


def _bitwise(name: str, function: np.ufunc, word: str, method: str, decisive: bool | None) -> Primitive:
    """The entry of `reduce_and`, `reduce_or` or `reduce_xor`.

    Args:
        decisive: the truth value of which one element is enough; None where all count.
    """

    def value(
        params: Params, operands: Sequence[np.ndarray], results: Sequence[Shape]
    ) -> Sequence[np.ndarray]:
        return [np.asarray(function.reduce(wide(operands[0]), axis=tuple(params["axes"])))]

    def explain(element: Element) -> Reason:
        [operand], axes = element.operands, element.params["axes"]
        rows = reduced_rows(operand.shape, axes, element.index)
        if not len(rows):
            return Given(value=function.reduce(np.zeros(0, operand.dtype)), why="nothing to combine")
        if decisive is None or operand.dtype != np.bool_:
            return over_all(rows, function, word)
        found = np.flatnonzero(operand[tuple(rows.T)] == decisive)
        if len(found):
            why = f"one that is {str(decisive).lower()} is enough"
        else:
            why = f"all along {axis_text(axes)} are {str(not decisive).lower()}"
        return Selection(
            chosen=(0, as_place(rows[found[0] if len(found) else 0])),
            candidates=Factor(operand=0, indices=rows),
            why=why,
        )

    def write(call: SourceCall) -> Source:
        if not call.params["axes"]:
            return Source(text=call.inputs[0], binding=ATOM)
        if method and np.dtype(call.operands[0].dtype) == np.bool_:
            return _method_source(method)(call)
        axes = _axis_argument(call) or "axis=None"
        return Source(text=f"np.{function.__name__}.reduce({call.inputs[0]}, {axes})", binding=ATOM)

    return Primitive(name=name, value=value, explain=explain, source=write, operations=_combinations)


def _position(name: str, word: str) -> Primitive:
    """The entry of `argmax` or `argmin`."""

    def value(
        params: Params, operands: Sequence[np.ndarray], results: Sequence[Shape]
    ) -> Sequence[np.ndarray]:
        [axis] = params["axes"]
        return [np.asarray(getattr(wide(operands[0]), name)(axis=axis)).astype(results[0].dtype)]

    def explain(element: Element) -> Given:
        [axis] = element.params["axes"]
        rows = reduced_rows(element.operands[0].shape, (axis,), element.index)
        found = int(getattr(wide(element.operands[0])[tuple(rows.T)], name)())
        return Given(
            value=np.asarray(found).astype(element.results[0].dtype)[()],
            why=f"position of the {word} along axis {axis}",
            operands=((0, as_place(rows[found])),),
        )

    return Primitive(
        name=name, value=value, explain=explain, source=_method_source(name), operations=_combinations
    )


PRIMITIVES = (
    Primitive(
        name="reduce_sum",
        value=_sum_value,
        explain=_sum_explain,
        source=_method_source("sum", keeps_dtype=False),
        operations=_combinations,
    ),
    Primitive(
        name="reduce_prod",
        value=_product_value,
        explain=_product_explain,
        source=_method_source("prod", keeps_dtype=False),
        operations=_combinations,
    ),
    _extreme("reduce_max", "max", "largest"),
    _extreme("reduce_min", "min", "smallest"),
    _bitwise("reduce_and", np.bitwise_and, "and", "all", False),
    _bitwise("reduce_or", np.bitwise_or, "or", "any", True),
    _bitwise("reduce_xor", np.bitwise_xor, "xor", "", None),
    _position("argmax", "largest"),
    _position("argmin", "smallest"),
)
