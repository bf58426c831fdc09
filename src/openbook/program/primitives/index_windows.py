"""Windows of an array that start at places which another array names: what gather and scatter share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from openbook.program.primitives.source_texts import index_text
from openbook.program.primitives.table import (
    Params,
)


def window_places(
    shape: Sequence[int],
    indices: np.ndarray,
    *,
    sizes: Sequence[int],
    named: Sequence[int],
    dropped: Sequence[int] = (),
    batching: Sequence[int] = (),
    index_batching: Sequence[int] = (),
) -> tuple[list[np.ndarray], np.ndarray]:
    """For each axis of an array where its windows lie, (*batch, *window), and which windows lie wholly inside.

    Args:
        shape: of the array.
        indices: (*batch, number of named axes): where each window starts; those outside are moved inside.
        sizes: of a window, along each axis of the array.
        named: the axes that the indices name.
        dropped: axes of size 1 that a window lacks.
        batching, index_batching: axes of the array, and of the batch, that are run through together.
    """
    num_batch = indices.ndim - 1
    num_window = len(sizes) - len(dropped) - len(batching)
    inside = np.ones(indices.shape[:-1], bool)
    places, position = [], num_batch
    for axis, size in enumerate(sizes):
        place = np.zeros((1,) * (num_batch + num_window), int)
        if axis in named:
            start = indices[..., list(named).index(axis)].astype(int)
            last = shape[axis] - size
            inside &= (start >= 0) & (start <= last)
            place = np.clip(start, 0, last).reshape((*start.shape, *(1,) * num_window))
        if axis in batching:
            along = list(index_batching)[list(batching).index(axis)]
            place = np.expand_dims(np.arange(shape[axis]), [n for n in range(place.ndim) if n != along])
        elif axis not in dropped:
            place = place + np.expand_dims(np.arange(size), [n for n in range(place.ndim) if n != position])
            position += 1
        places.append(place)
    return places, inside


def mode_of(params: Params) -> str:
    """One of "clip", "fill_or_drop" and "promise_in_bounds"."""
    mode = params["mode"]
    return "fill_or_drop" if mode is None else str(getattr(mode, "name", mode)).lower()


def plain_integers(numbers: Sequence[int]) -> tuple[int, ...]:
    """Numbers without NumPy's types, which would show in source text."""
    return tuple(int(number) for number in numbers)


def layout_text(layout: dict[str, Any]) -> str:
    """Keyword arguments of `window_places`; empty ones are left out."""
    return ", ".join(f"{key}={value}" for key, value in layout.items() if value or key == "sizes")


def without_last_axis(text: str, num_axes: int) -> str:
    """An expression without its last axis, which has size 1."""
    for added in ("[..., None]", f"[{', '.join([':'] * (num_axes - 1) + ['None'])}]"):
        if text.endswith(added):
            return text.removesuffix(added)
    return text + index_text([":"] * (num_axes - 1) + ["0"])


HELPERS = {"window_places": window_places}
