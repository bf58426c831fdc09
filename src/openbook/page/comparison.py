"""Two traces side by side: by how much each value differs."""

from __future__ import annotations

import numpy as np

from openbook.page.answers import number
from openbook.page.inputs.reading import Json
from openbook.page.looked import Looked


def comparison(first: Looked, second: Looked, *, first_id: str, second_id: str) -> Json:
    """`Comparison` of docs/page-protocol.md, the values that differ most first.

    Of texts of different length the positions are compared that both have.
    """
    names_of_second = set(second.trace.names())
    values: list[Json] = []
    not_compared: list[str] = []
    for name in first.trace.names():
        cut = _common_shape(first, second, name) if name in names_of_second else None
        if cut is None:
            not_compared.append(name)
            continue
        one, other = (looked.array(name)[tuple(slice(size) for size in cut)] for looked in (first, second))
        relative, largest, index = _difference(one, other)
        values.append(
            {
                "name": name,
                "shape": list(cut),
                "relative": number(relative),
                "largest": number(largest),
                "index": index,
            }
        )
    names_of_first = set(first.trace.names())
    not_compared += [name for name in second.trace.names() if name not in names_of_first]
    values.sort(key=_by_difference)
    return {"first": first_id, "second": second_id, "values": values, "not_compared": not_compared}


def _by_difference(value: Json) -> float:
    """The largest first; what is not even finite before all."""
    return -np.inf if value["relative"] is None else -float(value["relative"])


def _common_shape(first: Looked, second: Looked, name: str) -> tuple[int, ...] | None:
    shape, other = first.shape(name), second.shape(name)
    if len(shape) != len(other):
        return None
    tokens = {*first.token_axes(name)} & {*second.token_axes(name)}
    fits = all(one == two or axis in tokens for axis, (one, two) in enumerate(zip(shape, other, strict=True)))
    return tuple(map(min, shape, other)) if fits else None


def _difference(one: np.ndarray, other: np.ndarray) -> tuple[float | None, float | None, list[int]]:
    """Norm of the difference by norm of the first, the largest difference, and where it is."""
    if not one.size:
        return 0.0, 0.0, [0] * one.ndim
    kind = np.complex128 if one.dtype.kind == "c" or other.dtype.kind == "c" else np.float64
    one, other = one.astype(kind), other.astype(kind)
    same = (one == other) | (np.isnan(one) & np.isnan(other))
    if same.all():
        return 0.0, 0.0, [0] * one.ndim
    with np.errstate(all="ignore"):
        sizes = np.where(same, 0.0, np.abs(np.where(same, 0.0, one) - np.where(same, 0.0, other)))
    if not np.isfinite(sizes).all():
        bad = np.argwhere(~np.isfinite(sizes))[0]
        return None, None, [int(position) for position in bad]
    index = np.unravel_index(int(np.argmax(sizes)), sizes.shape)
    norm = float(np.linalg.norm(np.where(np.isfinite(one), one, 0.0)))
    distance = float(np.linalg.norm(sizes))
    relative = distance / norm if norm else distance / float(np.linalg.norm(other))
    return relative, float(sizes[index]), [int(position) for position in index]
