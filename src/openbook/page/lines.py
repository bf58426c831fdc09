"""One line of a value along an axis, and its largest numbers with what they stand for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from openbook.errors import UsageError
from openbook.page.answers import number
from openbook.page.inputs.reading import Json
from openbook.page.looked import Looked
from openbook.page.numbers import as_floats

MAX_LENGTH = 100_000
_MAX_TOP = 1000


def line(looked: Looked, name: str, at: Sequence[int], axis: int) -> np.ndarray:
    """A value's numbers along an axis, the other axes held at `at`.

    Raises:
        UsageError: no such axis or position, or too long.
    """
    array = looked.array(name)
    if array.ndim == 0:
        return as_floats(array.reshape(1))
    if not 0 <= axis < array.ndim:
        raise UsageError(f"{name} has axes 0…{array.ndim - 1}, not {axis}")
    if array.shape[axis] > MAX_LENGTH:
        raise UsageError(
            f"{name} has {array.shape[axis]:,} numbers on axis {axis}; at most {MAX_LENGTH:,} are sent"
        )
    held = [at[each] if each < len(at) else 0 for each in range(array.ndim)]
    for each, position in enumerate(held):
        if each != axis and not 0 <= position < array.shape[each]:
            raise UsageError(f"position {position} on axis {each} lies outside 0…{array.shape[each] - 1}")
    index = tuple(slice(None) if each == axis else position for each, position in enumerate(held))
    return as_floats(array[index])


def top(looked: Looked, name: str, at: Sequence[int], axis: int, k: int) -> list[Json]:
    """`TopEntry`s of docs/page-protocol.md: the k largest numbers of a line, the largest first."""
    values = line(looked, name, at, axis)
    k = max(0, min(k, len(values), _MAX_TOP))
    # NaN is never among the largest.
    ranked = np.where(np.isnan(values), -np.inf, values)
    order = np.argsort(-ranked, kind="stable")[:k]
    info = looked.axes(name)
    probabilities = None
    if info.kind == "logits" and info.axes and axis == len(info.axes) - 1:
        probabilities = probabilities_of(values)
    labels = looked.labels(name, axis, [int(row) for row in order]) if info.labels else ["0"] * k
    return [
        {
            "index": int(row),
            "label": label,
            "value": number(values[row]),
            "probability": None if probabilities is None else number(probabilities[row]),
        }
        for row, label in zip(order, labels, strict=True)
    ]


def probabilities_of(logits: np.ndarray) -> np.ndarray:
    """The softmax of logits; what is a distribution already stays as it is."""
    wide = logits.astype(np.float64)
    # float32 probabilities of many classes add up to one within their rounding.
    if np.all(wide >= 0.0) and abs(float(wide.sum()) - 1.0) < 1e-4:
        return wide
    finite = wide[np.isfinite(wide)]
    exponentials = np.exp(wide - (finite.max() if finite.size else 0.0))
    probabilities: np.ndarray = exponentials / exponentials.sum()
    return probabilities
