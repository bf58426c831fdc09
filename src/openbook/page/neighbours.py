"""Rows of a matrix that point the same way as one of them, and a map of them in two dimensions."""

# R = rows, F = features

from __future__ import annotations

import numpy as np

from openbook.errors import UsageError
from openbook.page.answers import number
from openbook.page.inputs.reading import Json
from openbook.page.looked import Looked
from openbook.page.numbers import as_floats

_MAX_NEIGHBOURS = 500
_MAX_EXACT_FEATURES = 256


def neighbours(looked: Looked, name: str, row: int, k: int) -> Json:
    """`Neighbours` of docs/page-protocol.md: the row itself first, then by cosine similarity.

    Raises:
        UsageError: no matrix, or no such row.
    """
    array = looked.array(name)
    if array.ndim < 2 or array[(0,) * (array.ndim - 2)].ndim != 2:
        raise UsageError(f"{name} is no matrix, so it has no rows to compare")
    matrix_RF = as_floats(array[(0,) * (array.ndim - 2)])
    if not 0 <= row < len(matrix_RF):
        raise UsageError(f"{name} has rows 0…{len(matrix_RF) - 1}, not {row}")
    similarities = cosine_similarities(matrix_RF, row)
    order = np.argsort(-similarities, kind="stable")
    chosen = [row, *(int(each) for each in order if each != row)][: 1 + max(0, min(k, _MAX_NEIGHBOURS))]
    if name not in looked.maps:
        looked.maps[name] = first_components(matrix_RF)
    places = looked.maps[name][chosen]
    labels = looked.labels(name, array.ndim - 2, chosen)
    return {
        "row": row,
        "entries": [
            {
                "row": each,
                "label": label,
                "similarity": number(similarities[each]) or 0.0,
                "x": number(x) or 0.0,
                "y": number(y) or 0.0,
            }
            for each, label, (x, y) in zip(chosen, labels, places, strict=True)
        ],
    }


def cosine_similarities(matrix_RF: np.ndarray, row: int) -> np.ndarray:
    """Cosine of the angle between one row and every row; 0 for rows of zeros."""
    wide = matrix_RF.astype(np.float64)
    norms = np.linalg.norm(wide, axis=1)
    products = wide @ wide[row]
    scale = norms * norms[row]
    similarities: np.ndarray = np.divide(products, scale, out=np.zeros_like(products), where=scale > 0)
    return similarities


def first_components(matrix_RF: np.ndarray) -> np.ndarray:
    """The place of each row in the plane of the two first principal components: (R, 2)."""
    centred = matrix_RF.astype(np.float64) - matrix_RF.mean(axis=0, dtype=np.float64)
    directions = _first_directions(centred)
    # A direction has no sign of its own: its largest entry counts as positive, so that maps stay the same.
    largest = directions[np.argmax(np.abs(directions), axis=0), range(2)]
    places: np.ndarray = centred @ (directions * np.where(largest < 0, -1.0, 1.0))
    return places


def _first_directions(centred_RF: np.ndarray) -> np.ndarray:
    """The two orthogonal directions (F, 2) along which the rows vary most."""
    num_features = centred_RF.shape[1]
    if num_features <= _MAX_EXACT_FEATURES:
        _, vectors = np.linalg.eigh(centred_RF.T @ centred_RF)
        directions = vectors[:, ::-1][:, :2]
        return np.pad(directions, ((0, 0), (0, 2 - directions.shape[1])))
    # All of them would take minutes; Lanczos' method finds the first ones from products with vectors.
    from scipy.sparse.linalg import LinearOperator, eigsh  # type: ignore[import-untyped]

    covariance = LinearOperator(
        (num_features, num_features),
        matvec=lambda vector: centred_RF.T @ (centred_RF @ vector),
        dtype=np.float64,
    )
    _, vectors = eigsh(covariance, k=2, v0=np.ones(num_features), tol=1e-6)
    found: np.ndarray = vectors[:, ::-1]
    return found
