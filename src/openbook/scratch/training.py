"""A model as a chain of layers, and the loop that trains it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from openbook.scratch.layers import Array, Layer, Loss
from openbook.scratch.optimizers import Optimizer

__all__ = ["Sequential", "Settings", "batches", "train"]


class Sequential:
    """Layers one after the other; the gradient goes back from the last to the first: the chain rule."""

    def __init__(self, layers: Sequence[Layer]) -> None:
        self.layers = list(layers)

    def forward(self, x: Array) -> Array:
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, gradient: Array) -> Array:
        for layer in reversed(self.layers):
            gradient = layer.backward(gradient)
        return gradient


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How long to train, and on how many examples at a time; `seed` decides their order."""

    num_epochs: int = 5
    batch_size: int = 128
    seed: int = 0


def train(
    model: Sequential, inputs: Array, targets: Array, *, loss: Loss, optimizer: Optimizer, settings: Settings
) -> Iterator[float]:
    """Train the model in place, an epoch each time that the next loss is asked for: the mean over its batches.

    Source: Chollet (2021), "Deep Learning with Python", 2nd edition, section 2.5.
    """
    rng = np.random.default_rng(settings.seed)
    for _ in range(settings.num_epochs):
        losses = []
        for batch in batches(len(inputs), settings.batch_size, rng=rng):
            losses.append(loss.forward(model.forward(inputs[batch]), targets[batch]))
            model.backward(loss.backward())
            optimizer.update(model.layers)
        yield float(np.mean(losses))


def batches(num_examples: int, batch_size: int, *, rng: np.random.Generator) -> Iterator[NDArray[np.int64]]:
    """The numbers of all examples in a new order, `batch_size` at a time; the last may be fewer."""
    order = rng.permutation(num_examples)
    for start in range(0, num_examples, batch_size):
        yield order[start : start + batch_size]
