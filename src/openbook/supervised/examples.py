"""Examples in memory, given out as batches: arrays row by row, or windows gathered from a series."""

# N = examples, B = batch, T = time, W = window, C = channels

from __future__ import annotations

import dataclasses
from typing import Any, Protocol

import numpy as np


class Examples(Protocol):
    """Inputs with their targets."""

    def __len__(self) -> int: ...

    def batch(self, indices_B: np.ndarray) -> tuple[Any, Any]:
        """Inputs and targets of some examples."""

    @property
    def size_bytes(self) -> int:
        """What they occupy in memory."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class ArrayExamples:
    """One row of each array is one example.

    Attributes:
        inputs: (N, …), or several by the names of the model's inputs.
        targets: (N, …).
        texts: what each was before it became numbers, for a person; empty where that says nothing.
    """

    inputs: Any
    targets: np.ndarray
    texts: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.targets)

    def batch(self, indices_B: np.ndarray) -> tuple[Any, Any]:
        if isinstance(self.inputs, dict):
            return {name: array[indices_B] for name, array in self.inputs.items()}, self.targets[indices_B]
        return self.inputs[indices_B], self.targets[indices_B]

    @property
    def size_bytes(self) -> int:
        arrays = self.inputs.values() if isinstance(self.inputs, dict) else (self.inputs,)
        return (
            sum(int(array.nbytes) for array in arrays) + int(self.targets.nbytes) + sum(map(len, self.texts))
        )


@dataclasses.dataclass(frozen=True, kw_only=True)
class WindowExamples:
    """Windows of a series: gathered when they are asked for, so the series lies in memory once.

    Attributes:
        series_TC: float32; all channels that the model sees.
        starts_N: first row of each window.
        length: rows of the series that a window sees, every `stride`-th of `length * stride` rows.
        targets_N: what each window should tell.
    """

    series_TC: np.ndarray
    starts_N: np.ndarray
    length: int
    targets_N: np.ndarray
    stride: int = 1

    def __len__(self) -> int:
        return len(self.starts_N)

    def batch(self, indices_B: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        rows_BW = self.starts_N[indices_B][:, None] + self.stride * np.arange(self.length)
        return self.series_TC[rows_BW], self.targets_N[indices_B]

    @property
    def size_bytes(self) -> int:
        return int(self.series_TC.nbytes + self.starts_N.nbytes + self.targets_N.nbytes)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Batches:
    """Batches of a step, from a new order in each epoch; each depends on the step and the seed alone."""

    examples: Examples
    batch_size: int
    seed: int

    @property
    def steps_per_epoch(self) -> int:
        return max(1, len(self.examples) // self.batch_size)

    def batch_at(self, step: int) -> tuple[Any, Any]:
        """Inputs and targets; the rest of an epoch that fills no batch is left to other epochs."""
        epoch, position = divmod(step, self.steps_per_epoch)
        order = _order(len(self.examples), epoch, self.seed)
        start = position * self.batch_size
        indices = order[start : start + self.batch_size]
        if len(indices) < self.batch_size:  # fewer examples than a batch takes
            indices = np.resize(indices, self.batch_size)
        return self.examples.batch(indices)


_orders: dict[tuple[int, int, int], np.ndarray] = {}


def _order(num_examples: int, epoch: int, seed: int) -> np.ndarray:
    """A permutation; the last one is kept, because every step of an epoch asks for it."""
    key = (num_examples, epoch, seed)
    if key not in _orders:
        _orders.clear()
        _orders[key] = np.random.default_rng([seed, epoch]).permutation(num_examples)
    return _orders[key]
