"""Planes of a value, and their pyramids of minimum, mean and maximum, for drawing matrices of any size."""

# R = rows, C = columns

from __future__ import annotations

import dataclasses
import math
import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import numpy as np

from openbook.errors import UsageError
from openbook.page.answers import number
from openbook.page.inputs.reading import Json
from openbook.page.numbers import as_floats, statistics

TILE_SIZE = 256


@dataclasses.dataclass(frozen=True, kw_only=True)
class Level:
    """One level of a pyramid above the elements themselves; NaN where no element of a cell is finite."""

    minimum_RC: np.ndarray
    mean_RC: np.ndarray
    maximum_RC: np.ndarray


class Pyramid:
    """A plane with its levels, each made when it is first asked for.

    Args:
        plane_RC: float32 array.
    """

    def __init__(self, plane_RC: np.ndarray) -> None:
        self.plane_RC = plane_RC
        self._levels: list[Level] = []
        self._counts_RC: np.ndarray | None = None
        self._lock = threading.Lock()
        largest = max(plane_RC.shape)
        self.num_levels = 1 + max(0, math.ceil(math.log2(largest / TILE_SIZE))) if largest else 1

    @property
    def size_bytes(self) -> int:
        """Of the levels; the plane itself is mostly a view of the trace's own array."""
        own = 0 if self.plane_RC.base is not None else self.plane_RC.nbytes
        return own + sum(3 * level.minimum_RC.nbytes for level in self._levels)

    def level(self, number: int) -> Level:
        """Level 1 and above."""
        with self._lock:
            while len(self._levels) < number:
                self._levels.append(self._next())
            return self._levels[number - 1]

    def tile(self, level: int, row: int, col: int) -> np.ndarray:
        """One tile: (R, C) at level 0, (3, R, C) above.

        Raises:
            UsageError: there is no such tile.
        """
        if not 0 <= level < self.num_levels:
            raise UsageError(f"level {level}: there are levels 0 to {self.num_levels - 1}")
        planes = [self.plane_RC]
        if level:
            made = self.level(level)
            planes = [made.minimum_RC, made.mean_RC, made.maximum_RC]
        num_rows, num_cols = planes[0].shape
        if row < 0 or col < 0 or row * TILE_SIZE >= num_rows or col * TILE_SIZE >= num_cols:
            raise UsageError(f"there is no tile in row {row} and column {col} of level {level}")
        rows = slice(row * TILE_SIZE, (row + 1) * TILE_SIZE)
        cols = slice(col * TILE_SIZE, (col + 1) * TILE_SIZE)
        tiles = np.stack([plane[rows, cols] for plane in planes])
        return tiles if level else tiles[0]

    def _next(self) -> Level:
        """Halve the highest level; a cell's mean weighs its four parts by how many finite elements they hold."""
        if not self._levels:
            finite = np.isfinite(self.plane_RC)
            plane = self.plane_RC if finite.all() else np.where(finite, self.plane_RC, np.float32("nan"))
            below = Level(minimum_RC=plane, mean_RC=plane, maximum_RC=plane)
            self._counts_RC = None if finite.all() else finite.astype(np.float32)
        else:
            below = self._levels[-1]
        num_rows, num_cols = below.mean_RC.shape
        if self._counts_RC is None and (num_rows % 2 or num_cols % 2):
            self._counts_RC = np.ones((num_rows, num_cols), np.float32)
        counts = self._counts_RC
        minimum = _of_four(np.fmin, below.minimum_RC, np.nan)
        maximum = _of_four(np.fmax, below.maximum_RC, np.nan)
        if counts is None:
            mean = _of_four(np.add, below.mean_RC, 0.0) / np.float32(4)
        else:
            sums = _of_four(np.add, np.where(counts > 0, below.mean_RC * counts, np.float32(0)), 0.0)
            counts = _of_four(np.add, counts, 0.0)
            mean = np.divide(sums, counts, out=np.full_like(sums, np.nan), where=counts > 0)
            # Counts in units of one full part, so that they stay small.
            self._counts_RC = counts / np.float32(4)
        return Level(minimum_RC=minimum, mean_RC=mean, maximum_RC=maximum)


class Pyramids:
    """Pyramids that were asked for lately, up to some bytes."""

    def __init__(self, limit_bytes: int = 2**29) -> None:
        self._limit_bytes = limit_bytes
        self._pyramids: OrderedDict[Any, Pyramid] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, key: Any, make: Any) -> Pyramid:
        """The pyramid of a key; `make` gives its plane."""
        with self._lock:
            if key not in self._pyramids:
                self._pyramids[key] = Pyramid(make())
            self._pyramids.move_to_end(key)
            pyramid = self._pyramids[key]
            total = sum(each.size_bytes for each in self._pyramids.values())
            while total > self._limit_bytes and len(self._pyramids) > 1:
                total -= self._pyramids.popitem(last=False)[1].size_bytes
        return pyramid

    def forget(self, trace: str) -> None:
        """Drop the pyramids of a trace that has gone; keys begin with its id."""
        with self._lock:
            for key in [key for key in self._pyramids if key[0] == trace]:
                del self._pyramids[key]


def plane_of(array: np.ndarray, at: Sequence[int], rows: int, cols: int) -> np.ndarray:
    """The plane (R, C) in which two axes run and the others are held.

    Raises:
        UsageError: no such axes or positions.
    """
    rank = array.ndim
    if rank < 2:
        return as_floats(array.reshape(1, -1))
    if not (0 <= rows < rank and 0 <= cols < rank and rows != cols):
        raise UsageError(f"axes {rows} and {cols} are no two different axes of {rank}")
    index: list[Any] = []
    for axis in range(rank):
        if axis in (rows, cols):
            index.append(slice(None))
            continue
        position = at[axis] if axis < len(at) else 0
        if not 0 <= position < array.shape[axis]:
            raise UsageError(f"position {position} on axis {axis} lies outside 0…{array.shape[axis] - 1}")
        index.append(position)
    plane = array[tuple(index)]
    return as_floats(plane if rows < cols else plane.T)


def plane_info(pyramid: Pyramid) -> Json:
    """`Plane` of docs/page-protocol.md."""
    found = statistics(pyramid.plane_RC)
    num_rows, num_cols = pyramid.plane_RC.shape
    return {
        "num_rows": num_rows,
        "num_cols": num_cols,
        "min": number(found.minimum),
        "max": number(found.maximum),
        "mean": number(found.mean),
        "std": number(found.std),
        "num_nonfinite": found.num_nonfinite,
        "num_levels": pyramid.num_levels,
    }


def _of_four(join: Any, plane_RC: np.ndarray, filling: float) -> np.ndarray:
    """Each 2 × 2 elements joined; what is missing at the border is filled."""
    num_rows, num_cols = plane_RC.shape
    if num_rows % 2 or num_cols % 2:
        padding = ((0, num_rows % 2), (0, num_cols % 2))
        plane_RC = np.pad(plane_RC, padding, constant_values=np.float32(filling))
    # Rows first: whole rows lie together in memory.
    halved = join(plane_RC[0::2], plane_RC[1::2])
    joined: np.ndarray = join(halved[:, 0::2], halved[:, 1::2])
    return joined
