"""Statistics of arrays that may hold NaN, infinity, booleans, whole or complex numbers."""

from __future__ import annotations

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True, kw_only=True)
class Statistics:
    """Of the finite elements; None where there are none."""

    minimum: float | None
    maximum: float | None
    mean: float | None
    std: float | None
    num_nonfinite: int


def as_floats(array: np.ndarray) -> np.ndarray:
    """The numbers as float32, as they are drawn; of complex numbers the real part."""
    if array.dtype.kind == "c":
        array = array.real
    floats: np.ndarray = np.asarray(array, dtype=np.float32)
    return floats


def statistics(array: np.ndarray) -> Statistics:
    """Range, mean and standard deviation of the finite elements."""
    finite, num_nonfinite = finite_part(array)
    if not finite.size:
        return Statistics(minimum=None, maximum=None, mean=None, std=None, num_nonfinite=num_nonfinite)
    mean = float(finite.mean(dtype=np.float64))
    # In blocks, so that no float64 copy of a large value is made at once.
    flat = finite.reshape(-1)
    squares = sum(
        float(np.square(flat[start : start + _BLOCK].astype(np.float64) - mean).sum())
        for start in range(0, flat.size, _BLOCK)
    )
    return Statistics(
        minimum=float(finite.min()),
        maximum=float(finite.max()),
        mean=mean,
        std=float(np.sqrt(squares / flat.size)),
        num_nonfinite=num_nonfinite,
    )


def histogram(array: np.ndarray, num_bins: int = 16) -> list[int]:
    """Counts of finite elements in equal parts from the smallest to the largest; zeros where there are none."""
    finite, _ = finite_part(array)
    if not finite.size:
        return [0] * num_bins
    low, high = float(finite.min()), float(finite.max())
    counts = np.zeros(num_bins, np.int64)
    flat = finite.reshape(-1)
    width = (high - low) or 1.0
    for start in range(0, flat.size, _BLOCK):
        shares = (flat[start : start + _BLOCK].astype(np.float64) - low) / width
        bins = np.minimum((shares * num_bins).astype(np.int64), num_bins - 1)
        counts += np.bincount(bins, minlength=num_bins)
    return [int(count) for count in counts]


def finite_part(array: np.ndarray) -> tuple[np.ndarray, int]:
    """The finite elements as real numbers, and how many others there are."""
    floats = array.real if array.dtype.kind == "c" else array
    if floats.dtype.kind in "biu":
        return floats.astype(np.int64) if floats.dtype.kind == "b" else floats, 0
    floats = floats if floats.dtype in (np.float32, np.float64) else floats.astype(np.float32)
    is_finite = np.isfinite(floats)
    num_nonfinite = int(floats.size - np.count_nonzero(is_finite))
    return (floats[is_finite] if num_nonfinite else floats), num_nonfinite


_BLOCK = 2**18
