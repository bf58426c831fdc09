"""Triangular systems of equations, and what decompositions are put to use by.

Operations, by definition: the leading terms of the textbook counts (Golub and Van Loan, Matrix Computations).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from openbook.program.primitives.elementwise import wide
from openbook.program.primitives.linear_algebra import reflections_count
from openbook.program.primitives.table import (
    ATOM,
    Element,
    Factor,
    Formula,
    Params,
    Primitive,
    Reason,
    Shape,
    Source,
    SourceCall,
    Sum,
)

Operands = Sequence[np.ndarray]
Results = Sequence[Shape]


def solve_triangular(triangle: np.ndarray, b: np.ndarray, lower: bool = True) -> np.ndarray:
    """Solve triangle @ x = b row by row, putting in what is known already; the other triangle is not looked at."""
    x = np.zeros_like(b)
    num_rows = b.shape[-2]
    for row in range(num_rows) if lower else range(num_rows - 1, -1, -1):
        known = slice(0, row) if lower else slice(row + 1, num_rows)
        summed = (triangle[..., row, None, known] @ x[..., known, :])[..., 0, :]
        x[..., row, :] = (b[..., row, :] - summed) / triangle[..., row, row, None]
    return x


def householder_product(x: np.ndarray, scales: np.ndarray) -> Any:
    """The orthogonal matrix that is a product of reflections; their axes stand below the diagonal of x."""
    num_rows, num_columns = x.shape[-2:]
    result = np.zeros_like(x) + np.eye(num_rows, num_columns, dtype=x.dtype)
    for column in range(scales.shape[-1] - 1, -1, -1):
        axis = x[..., column].copy()
        axis[..., :column] = 0
        axis[..., column] = 1
        along = (axis.conj()[..., None, :] @ result) * scales[..., column, None, None]
        result = result - axis[..., None] * along
    return result


def rows_after_exchanges(pivots: np.ndarray, num_rows: int) -> np.ndarray:
    """The order of the rows after each row has been exchanged with its pivot, one after the other."""
    order = np.zeros((*pivots.shape[:-1], num_rows), np.int32) + np.arange(num_rows, dtype=np.int32)
    for row in range(pivots.shape[-1]):
        pivot = pivots[..., row : row + 1]
        other = np.take_along_axis(order, pivot, axis=-1)
        np.put_along_axis(order, pivot, order[..., row : row + 1], axis=-1)
        order[..., row : row + 1] = other
    return order


def _triangle(params: Params, a: np.ndarray) -> tuple[np.ndarray, bool]:
    """The triangle to solve with, as a matrix on the left of the unknown, and whether it is the lower one."""
    a, lower = wide(a), bool(params["lower"])
    if params["unit_diagonal"]:
        a = np.where(np.eye(a.shape[-1], dtype=bool), a.dtype.type(1), a)
    if params["conjugate_a"]:
        a = a.conj()
    # x @ a = b is a.T @ x.T = b.T, so that the two transpositions cancel.
    if bool(params["transpose_a"]) != (not params["left_side"]):
        a, lower = a.swapaxes(-2, -1), not lower
    return a, lower


def _solve_value(params: Params, operands: Operands, results: Results) -> list[np.ndarray]:
    triangle, lower = _triangle(params, operands[0])
    b = wide(operands[1])
    if params["left_side"]:
        return [solve_triangular(triangle, b, lower).astype(results[0].dtype, copy=False)]
    x = solve_triangular(triangle, b.swapaxes(-2, -1), lower).swapaxes(-2, -1)
    return [x.astype(results[0].dtype, copy=False)]


def _solve_explain(element: Element) -> Reason:
    """The solution is a sum over the right-hand side, weighted by a row of the inverse triangle."""
    a, b = element.operands
    stack, (row, column) = element.index[:-2], element.index[-2:]
    triangle, lower = _triangle(element.params, a[stack])
    at, other = (row, column) if element.params["left_side"] else (column, row)
    unit = np.zeros((len(triangle), 1), np.result_type(triangle.dtype, np.float64))
    unit[at] = 1
    weights = solve_triangular(triangle.T.astype(unit.dtype), unit, not lower)[:, 0]
    kept = np.flatnonzero(weights)
    rows = np.empty((len(kept), b.ndim), int)
    rows[:, :-2] = stack
    rows[:, -2], rows[:, -1] = (kept, other) if element.params["left_side"] else (other, kept)
    return Sum(
        factors=(Factor(operand=1, indices=rows),),
        coefficients=weights[kept],
        text="Σ_k c_k · {0}, where c is a row of the inverse triangle",
    )


def _solve_source(call: SourceCall) -> Source:
    params = call.params
    a, b = call.inputs
    lower = bool(params["lower"])
    if params["unit_diagonal"]:
        size = call.operands[0].shape[-1]
        a = f"np.where(np.eye({size}, dtype=bool), 1, {a})"
    if params["conjugate_a"]:
        a = f"{a}.conj()"
    swapped = ".T" if len(call.operands[0].shape) == 2 else ".swapaxes(-2, -1)"
    if bool(params["transpose_a"]) != (not params["left_side"]):
        a, lower = f"{a}{swapped}", not lower
    more = "" if lower else ", lower=False"
    helper = call.helper("solve_triangular")
    if params["left_side"]:
        return Source(text=f"{helper}({a}, {b}{more})", binding=ATOM)
    return Source(text=f"{helper}({a}, {b}{swapped}{more}){swapped}", binding=ATOM)


def _solve_operations(params: Params, operands: Results, results: Results) -> float:
    return float(results[0].num_elements * operands[0].shape[-1])


def _product_value(params: Params, operands: Operands, results: Results) -> list[np.ndarray]:
    return [householder_product(wide(operands[0]), wide(operands[1])).astype(results[0].dtype, copy=False)]


def _product_explain(element: Element) -> Formula:
    """Only the axes of the reflections and their scales matter."""
    x, scales = element.operands
    stack, at = element.index[:-2], element.index[-2:]
    below = tuple(
        (0, (*stack, row, column))
        for column in range(scales.shape[-1])
        for row in range(column + 1, x.shape[-2])
    )
    factors = tuple((1, (*stack, column)) for column in range(scales.shape[-1]))

    def compute(*numbers: Any) -> Any:
        matrix = np.zeros(x.shape[-2:], x.dtype)
        for (_, place), number in zip(below, numbers[: len(below)], strict=True):
            matrix[place[-2:]] = number
        return householder_product(wide(matrix), np.asarray(numbers[len(below) :], wide(matrix).dtype))[at]

    text = f"element ({at[0]}, {at[1]}) of the product of {scales.shape[-1]} reflections"
    return Formula(operands=(*below, *factors), compute=compute, text=text)


def _product_source(call: SourceCall) -> Source:
    return Source(text=f"{call.helper('householder_product')}({', '.join(call.inputs)})", binding=ATOM)


def _product_operations(params: Params, operands: Results, results: Results) -> float:
    return math.prod(operands[0].shape[:-2]) * reflections_count(params, operands[0].shape)


def _order_value(params: Params, operands: Operands, results: Results) -> list[np.ndarray]:
    return [rows_after_exchanges(operands[0], params["permutation_size"])]


def _order_explain(element: Element) -> Formula:
    [pivots] = element.operands
    stack, row = element.index[:-1], element.index[-1]

    def compute(*numbers: Any) -> Any:
        return rows_after_exchanges(np.asarray(numbers, np.int32), element.params["permutation_size"])[row]

    return Formula(
        operands=tuple((0, (*stack, at)) for at in range(pivots.shape[-1])),
        compute=compute,
        text=f"the row that stands at {row} after all exchanges",
    )


def _order_source(call: SourceCall) -> Source:
    size = call.params["permutation_size"]
    return Source(text=f"{call.helper('rows_after_exchanges')}({call.inputs[0]}, {size})", binding=ATOM)


PRIMITIVES = (
    Primitive(
        name="triangular_solve",
        value=_solve_value,
        explain=_solve_explain,
        source=_solve_source,
        operations=_solve_operations,
    ),
    Primitive(
        name="householder_product",
        value=_product_value,
        explain=_product_explain,
        source=_product_source,
        operations=_product_operations,
    ),
    Primitive(
        name="lu_pivots_to_permutation",
        value=_order_value,
        explain=_order_explain,
        source=_order_source,
        operations=lambda params, operands, results: 0.0,
    ),
)

HELPERS = {
    function.__name__: function
    for function in (
        householder_product,
        rows_after_exchanges,
        solve_triangular,
    )
}
