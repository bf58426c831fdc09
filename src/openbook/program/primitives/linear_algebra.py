"""Decompositions of matrices and systems of equations, by NumPy's own routines.

Operations, by definition: the leading terms of the textbook counts (Golub and Van Loan, Matrix Computations).
A matrix that cannot be decomposed gives NaN, as in JAX. Singular vectors and eigenvectors are determined up to a
sign (a complex factor of absolute value 1) only; each build of LAPACK chooses its own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from openbook.errors import ModelError
from openbook.program.primitives.elementwise import wide
from openbook.program.primitives.places import grid
from openbook.program.primitives.table import (
    ATOM,
    Element,
    Formula,
    Given,
    Params,
    Primitive,
    Reason,
    Shape,
    Source,
    SourceCall,
)

Operands = Sequence[np.ndarray]
Results = Sequence[Shape]

# Beyond so many elements of a matrix an explanation no longer lists them all.
LISTED_ELEMENTS = 256


def each_matrix(decompose: Any, x: np.ndarray, num_results: int) -> list[np.ndarray]:
    """Decompose a stack of matrices; those that cannot be give NaN.

    Args:
        decompose: from one or several matrices to one result, or a tuple of them.
    """
    try:
        found = decompose(x)
        return list(found) if num_results > 1 else [found]
    except np.linalg.LinAlgError:
        if x.ndim == 2:
            found = decompose(np.eye(*x.shape, dtype=x.dtype))
            parts = found if num_results > 1 else [found]
            return [np.full(part.shape, np.nan, part.dtype) for part in parts]
        stacked = [each_matrix(decompose, one, num_results) for one in x]
        return [np.stack(parts) for parts in zip(*stacked, strict=True)]


def _cholesky(params: Params, x: np.ndarray) -> Sequence[np.ndarray]:
    # JAX's primitive leaves the other triangle as it was; what follows it sets that to zero.
    return [each_matrix(np.linalg.cholesky, x, 1)[0] + np.triu(x, 1)]


def raw_qr(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """R in the upper triangle, the axes of the reflections that make Q below it, and their scales."""
    packed, scales = np.linalg.qr(x, mode="raw")
    return packed.swapaxes(-2, -1), scales


def lu(x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Elimination with the largest element of each column as pivot.

    Returns:
        the triangles L (below the diagonal of ones) and U in one matrix; the row exchanged with each row; the
        order of the rows that results.
    """
    x = x.copy()
    num_rows, num_columns = x.shape[-2:]
    stack = np.indices(x.shape[:-2])
    pivots = np.zeros((*x.shape[:-2], min(num_rows, num_columns)), np.int32)
    order = np.zeros((*x.shape[:-2], num_rows), np.int32) + np.arange(num_rows, dtype=np.int32)
    for column in range(min(num_rows, num_columns)):
        pivot = column + np.abs(x[..., column:, column]).argmax(axis=-1)
        pivots[..., column] = pivot
        for array in (x, order[..., None]):
            lower = array[(*stack, pivot)].copy()
            array[(*stack, pivot)] = array[..., column, :]
            array[..., column, :] = lower
        divisor = x[..., column : column + 1, column]
        x[..., column + 1 :, column] /= np.where(divisor == 0, 1, divisor)
        x[..., column + 1 :, column + 1 :] -= (
            x[..., column + 1 :, column, None] * x[..., column, None, column + 1 :]
        )
    return x, pivots, order


def _sizes(shape: Sequence[int]) -> tuple[int, int, int, int]:
    """How many matrices, their rows and columns, and the smaller of these."""
    num_rows, num_columns = shape[-2:]
    return math.prod(shape[:-2]), num_rows, num_columns, min(num_rows, num_columns)


def _decomposition(
    name: str,
    compute: Callable[[Params, np.ndarray], Sequence[np.ndarray]],
    *,
    parts: Sequence[str],
    source: Callable[[SourceCall], str],
    count: Callable[[Params, Sequence[int]], float],
) -> Primitive:
    """An entry whose results depend on whole matrices.

    Args:
        compute: from the parameters and a stack of matrices to the results.
        parts: what each result is, such as "the eigenvalues".
        count: from the parameters and the shape of the stack to the operations of one matrix.
    """

    def value(params: Params, operands: Operands, results: Results) -> list[np.ndarray]:
        if 0 in operands[0].shape:
            return [np.zeros(result.shape, result.dtype) for result in results]
        found = compute(params, wide(operands[0]))
        return [
            np.asarray(array).astype(result.dtype, copy=False)
            for array, result in zip(found, results, strict=True)
        ]

    def explain(element: Element) -> Reason:
        x = element.operands[0]
        stack = element.index[: x.ndim - 2]
        at = element.index[x.ndim - 2 :]
        num_rows, num_columns = x.shape[-2:]
        dtype = element.results[element.output].dtype
        part = parts[min(element.output, len(parts) - 1)]
        text = f"element ({', '.join(map(str, at))}) of {part} of a {num_rows}×{num_columns} matrix"

        def of_matrix(*numbers: Any) -> Any:
            matrix = np.asarray(numbers, x.dtype).reshape(num_rows, num_columns)
            return np.asarray(compute(element.params, wide(matrix))[element.output]).astype(dtype)[at]

        places = tuple((0, (*stack, *map(int, place))) for place in grid((num_rows, num_columns)).T)
        if len(places) <= LISTED_ELEMENTS:
            return Formula(operands=places, compute=of_matrix, text=text)
        given = of_matrix(*x[stack].reshape(-1))
        return Given(value=given, why=text, operands=places[:num_columns])

    def write(call: SourceCall) -> Source:
        return Source(text=source(call), binding=ATOM)

    def operations(params: Params, operands: Results, results: Results) -> float:
        return float(math.prod(operands[0].shape[:-2]) * count(params, operands[0].shape))

    return Primitive(name=name, value=value, explain=explain, source=write, operations=operations)


def _square_count(factor: float) -> Callable[[Params, Sequence[int]], float]:
    return lambda params, shape: factor * shape[-1] ** 3


def _qr(params: Params, x: np.ndarray) -> Sequence[np.ndarray]:
    if params.get("pivoting"):
        raise ModelError(
            "a QR decomposition with column pivoting has no counterpart in NumPy. Use pivoting=False"
        )
    q, r = np.linalg.qr(x, mode="complete" if params["full_matrices"] else "reduced")
    return q, r


def _qr_source(call: SourceCall) -> str:
    mode = ', mode="complete"' if call.params["full_matrices"] else ""
    return f"np.linalg.qr({call.inputs[0]}{mode})"


def reflections_count(params: Params, shape: Sequence[int]) -> float:
    """Of the reflections that make a matrix triangular."""
    _, num_rows, num_columns, smaller = _sizes(shape)
    return 2 * smaller**2 * (max(num_rows, num_columns) - smaller / 3)


def _qr_count(params: Params, shape: Sequence[int]) -> float:
    _, num_rows, _, smaller = _sizes(shape)
    if not params["full_matrices"]:
        return 2 * reflections_count(params, shape)
    whole = 4 * (num_rows**2 * smaller - num_rows * smaller**2 + smaller**3 / 3)
    return reflections_count(params, shape) + whole


def _lu_count(params: Params, shape: Sequence[int]) -> float:
    _, num_rows, num_columns, smaller = _sizes(shape)
    return smaller**2 * (max(num_rows, num_columns) - smaller / 3)


def _eigh(params: Params, x: np.ndarray) -> Sequence[np.ndarray]:
    def decompose(matrices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        values, vectors = np.linalg.eigh(matrices, "L" if params["lower"] else "U")
        return vectors, values

    return each_matrix(decompose, x, 2)


def _eigh_source(call: SourceCall) -> str:
    triangle = "" if call.params["lower"] else ', "U"'
    return f"np.linalg.eigh({call.inputs[0]}{triangle})[::-1]"


def _svd(params: Params, x: np.ndarray) -> Sequence[np.ndarray]:
    full = bool(params["full_matrices"])
    if not params["compute_uv"]:
        return each_matrix(lambda matrices: np.linalg.svd(matrices, compute_uv=False), x, 1)
    left, values, right = each_matrix(lambda matrices: np.linalg.svd(matrices, full_matrices=full), x, 3)
    return values, left, right


def singular_values_first(x: np.ndarray, full_matrices: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Singular values, left and right singular vectors."""
    left, values, right = np.linalg.svd(x, full_matrices=full_matrices)
    return values, left, right


def _svd_source(call: SourceCall) -> str:
    if not call.params["compute_uv"]:
        return f"np.linalg.svd({call.inputs[0]}, compute_uv=False)"
    full = bool(call.params["full_matrices"])
    return f"{call.helper('singular_values_first')}({call.inputs[0]}, full_matrices={full})"


def _svd_count(params: Params, shape: Sequence[int]) -> float:
    _, num_rows, num_columns, smaller = _sizes(shape)
    larger = max(num_rows, num_columns)
    if not params["compute_uv"]:
        return 4 * larger * smaller**2 - 4 * smaller**3 / 3
    if params["full_matrices"]:
        return 4 * larger**2 * smaller + 8 * larger * smaller**2 + 9 * smaller**3
    return 14 * larger * smaller**2 + 8 * smaller**3


def eig(x: np.ndarray, left: bool, right: bool) -> list[np.ndarray]:
    """Eigenvalues, and left and right eigenvectors where wanted; all complex."""
    dtype = np.result_type(x.dtype, np.complex64)
    values, vectors = np.linalg.eig(x)
    results = [values]
    if left:
        others = np.linalg.inv(vectors).conj().swapaxes(-2, -1)
        results.append(others / np.linalg.norm(others, axis=-2, keepdims=True))
    if right:
        results.append(vectors)
    return [array.astype(dtype) for array in results]


def _eig(params: Params, x: np.ndarray) -> Sequence[np.ndarray]:
    return eig(x, params["compute_left_eigenvectors"], params["compute_right_eigenvectors"])


def _eig_source(call: SourceCall) -> str:
    left, right = call.params["compute_left_eigenvectors"], call.params["compute_right_eigenvectors"]
    text = f"{call.helper('eig')}({call.inputs[0]}, left={left}, right={right})"
    return text if left or right else f"{text}[0]"


PRIMITIVES = (
    _decomposition(
        "cholesky",
        _cholesky,
        parts=("the Cholesky factor",),
        source=lambda call: f"(np.linalg.cholesky({call.inputs[0]}) + np.triu({call.inputs[0]}, 1))",
        count=_square_count(1 / 3),
    ),
    _decomposition(
        "qr",
        _qr,
        parts=("the orthogonal factor Q", "the triangular factor R"),
        source=_qr_source,
        count=_qr_count,
    ),
    _decomposition(
        "geqrf",
        lambda params, x: raw_qr(x),
        parts=("R and the reflections below it", "the scales of the reflections"),
        source=lambda call: f"{call.helper('raw_qr')}({call.inputs[0]})",
        count=reflections_count,
    ),
    _decomposition(
        "lu",
        lambda params, x: lu(x),
        parts=("the triangles L and U", "the pivots", "the order of the rows"),
        source=lambda call: f"{call.helper('lu')}({call.inputs[0]})",
        count=_lu_count,
    ),
    _decomposition(
        "eigh",
        _eigh,
        parts=("the eigenvectors", "the eigenvalues"),
        source=_eigh_source,
        count=_square_count(9),
    ),
    _decomposition(
        "svd",
        _svd,
        parts=("the singular values", "the left singular vectors", "the right singular vectors"),
        source=_svd_source,
        count=_svd_count,
    ),
    _decomposition(
        "eig",
        _eig,
        parts=("the eigenvalues", "the eigenvectors"),
        source=_eig_source,
        count=_square_count(25),
    ),
)

HELPERS = {
    function.__name__: function
    for function in (
        raw_qr,
        lu,
        singular_values_first,
        eig,
    )
}
