"""How shapes, dtypes and indices are written in NumPy source."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np


def shape_text(shape: Sequence[int]) -> str:
    """A tuple of plain integers, such as "(2, 3)"."""
    return str(tuple(int(size) for size in shape))


def dtype_text(dtype: Any) -> str:
    """A dtype as an expression, such as "np.float32"; floats that NumPy lacks become float32."""
    if not isinstance(dtype, np.dtype):
        return "np.uint32"  # the words of random keys
    if dtype == np.bool_:
        return "bool"
    if dtype.kind in "fiuc":
        return f"np.{dtype.name}"
    if dtype.name.startswith(("int", "uint")):  # int4 and its like
        return "np.int8" if dtype.name.startswith("int") else "np.uint8"
    return "np.float32"


def index_text(parts: Sequence[str]) -> str:
    """An index in brackets, such as "[:, None]"; full slices at its ends are left out or shortened."""
    kept = list(parts)
    while kept and kept[-1] == ":":
        kept.pop()
    if not kept:
        return ""
    num_leading = next(position for position, part in enumerate(kept) if part != ":")
    if num_leading >= 2 and len(kept) == len(parts):
        kept[:num_leading] = ["..."]
    return f"[{', '.join(kept)}]"


def slice_text(start: int, limit: int, step: int, size: int) -> str:
    """A slice of an axis of the given size, such as "1:3" or "::2"."""
    first = "" if start == 0 else str(int(start))
    last = "" if limit >= size else str(int(limit))
    return f"{first}:{last}" if step == 1 else f"{first}:{last}:{int(step)}"


def reshape_text(array: str, shape: Sequence[int], new_shape: Sequence[int]) -> str:
    """A change of shape in its shortest readable form."""
    if tuple(shape) == tuple(new_shape):
        return array
    if [size for size in shape if size != 1] == [size for size in new_shape if size != 1]:
        added = added_axes(shape, new_shape)
        if added is not None:
            return array + new_axes_text(len(shape), added)
    if len(new_shape) == 1 and math.prod(shape) > 0:
        return f"{array}.reshape(-1)"
    sizes = [str(int(size)) for size in new_shape]
    # Merged axes need no size of their own: x.reshape(32, -1).
    if len(new_shape) < len(shape) and math.prod(shape) > 0:
        changed = [axis for axis, size in enumerate(new_shape) if size not in shape]
        if changed:
            sizes[changed[0]] = "-1"
    return f"{array}.reshape({', '.join(sizes) or '()'})"


def added_axes(shape: Sequence[int], new_shape: Sequence[int]) -> list[int] | None:
    """Axes of size 1 in the new shape that the old one lacks; None where more has changed."""
    added = []
    remaining = list(shape)
    for axis, size in enumerate(new_shape):
        if remaining and remaining[0] == size and len(new_shape) - axis > len(remaining) - 1:
            remaining.pop(0)
        elif size == 1:
            added.append(axis)
        else:
            return None
    return None if remaining else added


def new_axes_text(num_axes: int, added: Sequence[int]) -> str:
    """The index that adds axes at these positions of the result."""
    total = num_axes + len(added)
    return index_text(["None" if axis in added else ":" for axis in range(total)])
