"""Optimizers: from a parameter and its gradient to the next parameter, with what each remembers between."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np

from openbook.scratch.layers import Array, Layer

__all__ = ["SGD", "Adam", "Momentum", "Optimizer", "RMSprop"]

Memory = dict[str, Any]


class Optimizer(ABC):
    """Takes steps against the gradient, of a length that the learning rate decides."""

    def __init__(self, learning_rate: float = 0.001) -> None:
        self.learning_rate = learning_rate
        self.memories: dict[tuple[int, str], Memory] = {}

    def update(self, layers: Sequence[Layer]) -> None:
        """Give every layer its next parameters, from the gradients that `backward` left."""
        for number, layer in enumerate(layers):
            for name, gradient in layer.gradients.items():
                memory = self.memories.get((number, name), {})
                layer.parameters[name], memory = self.step(layer.parameters[name], gradient, memory)
                self.memories[number, name] = memory

    @abstractmethod
    def step(self, parameter: Array, gradient: Array, memory: Memory) -> tuple[Array, Memory]:
        """The next parameter, and what to remember for the step after; the first memory is empty."""


class SGD(Optimizer):
    """w ← w − α g."""

    def step(self, parameter: Array, gradient: Array, memory: Memory) -> tuple[Array, Memory]:
        return parameter - self.learning_rate * gradient, memory


class Momentum(Optimizer):
    """v ← μ v − α g; w ← w + v: a ball that rolls on. Source: Polyak (1964)."""

    momentum = 0.9

    def step(self, parameter: Array, gradient: Array, memory: Memory) -> tuple[Array, Memory]:
        velocity = self.momentum * memory.get("velocity", 0.0) - self.learning_rate * gradient
        return parameter + velocity, {"velocity": velocity}


class RMSprop(Optimizer):
    """v ← ρ v + (1 − ρ) g²; w ← w − α g / √(v + ε). Source: Hinton (2012), Coursera lecture 6e."""

    rho, epsilon = 0.9, 1e-7

    def step(self, parameter: Array, gradient: Array, memory: Memory) -> tuple[Array, Memory]:
        mean_square = self.rho * memory.get("mean_square", 0.0) + (1 - self.rho) * gradient**2
        step = self.learning_rate * gradient / np.sqrt(mean_square + self.epsilon)
        return parameter - step, {"mean_square": mean_square}


class Adam(Optimizer):
    """Momentum and RMSprop in one, corrected for starting at 0. Source: Kingma and Ba (2015), section 2."""

    beta_1, beta_2, epsilon = 0.9, 0.999, 1e-7

    def step(self, parameter: Array, gradient: Array, memory: Memory) -> tuple[Array, Memory]:
        t = memory.get("t", 0) + 1
        mean = self.beta_1 * memory.get("mean", 0.0) + (1 - self.beta_1) * gradient
        mean_square = self.beta_2 * memory.get("mean_square", 0.0) + (1 - self.beta_2) * gradient**2
        alpha = self.learning_rate * (1 - self.beta_2**t) ** 0.5 / (1 - self.beta_1**t)
        step = alpha * mean / (np.sqrt(mean_square) + self.epsilon)
        return parameter - step, {"t": t, "mean": mean, "mean_square": mean_square}
