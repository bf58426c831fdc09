"""What an entry of the zoo is: a small model with data, loss and optimizer, or a plain function."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import numpy as np


@dataclasses.dataclass(frozen=True, kw_only=True)
class ZooModel:
    """A small model with everything that its forward pass and its training step need.

    Attributes:
        build: makes the model, in the float type that Keras is set to.
        inputs: draws the model's inputs, as the model takes them (array, list or dict).
        targets: draws what the loss compares with; None where the model brings its own loss.
        loss: makes what `compile` takes as loss; None where the model brings its own.
        optimizer: makes the optimizer; SGD when left out.
        trains: whether there is a training step to read.
        slow: takes more than a few seconds.
    """

    name: str
    build: Callable[[], Any]
    inputs: Callable[[np.random.Generator], Any]
    targets: Callable[[np.random.Generator], Any] | None = None
    loss: Callable[[], Any] | None = None
    optimizer: Callable[[], Any] | None = None
    trains: bool = True
    slow: bool = False

    def make(self) -> Any:
        """The compiled model with the same weights each time, none of them zero or one by habit.

        Biases of zero and scales of one would hide a wrong sign or a forgotten factor.
        """
        import keras

        keras.utils.clear_session(free_memory=False)  # names of layers count from one again
        keras.utils.set_random_seed(0)
        rng = np.random.default_rng(1)
        with numpy_initializers(rng):
            model = self.build()
        if not model.built:
            model(self.inputs(np.random.default_rng(2)))  # subclassed models get their weights by a call
        for variable in model.trainable_variables:
            noise = 0.05 * rng.standard_normal(variable.shape)
            variable.assign(np.asarray(variable) + noise.astype(variable.dtype))
        if self.trains:
            optimizer = self.optimizer() if self.optimizer else keras.optimizers.SGD(0.1)
            model.compile(optimizer=optimizer, loss=self.loss() if self.loss else None)
            model.optimizer.build(model.trainable_variables)
        return model

    def data(self) -> tuple[Any, Any]:
        """Inputs and targets, the same each time."""
        rng = np.random.default_rng(3)
        inputs = self.inputs(rng)
        return inputs, self.targets(rng) if self.targets else None


@dataclasses.dataclass(frozen=True, kw_only=True)
class ZooFunction:
    """A JAX function with its arguments: what is no single model, such as a step with two optimizers.

    Attributes:
        make: gives the function and its arguments (pytrees of arrays).
    """

    name: str
    make: Callable[[], tuple[Callable[..., Any], tuple[Any, ...]]]
    slow: bool = False


@contextlib.contextmanager
def numpy_initializers(rng: np.random.Generator) -> Iterator[None]:
    """Draw first weights with NumPy: JAX compiles a program for each shape, which takes a second a layer."""
    import keras
    from keras.src.backend.jax import random

    def drawing(name: str, draw: Callable[..., np.ndarray]) -> Callable[..., Any]:
        by_jax = getattr(random, name)

        def drawn(shape: Any, *bounds: Any, dtype: Any = None, seed: Any = None, **named_bounds: Any) -> Any:
            if not all(isinstance(size, int) for size in shape):  # Keras asks for an output's shape only
                return by_jax(shape, *bounds, dtype=dtype, seed=seed, **named_bounds)
            return draw(shape, *bounds, **named_bounds).astype(dtype or keras.config.floatx())

        return drawn

    def uniform_numbers(shape: Any, minval: float = 0.0, maxval: float = 1.0) -> np.ndarray:
        return rng.uniform(minval, maxval, shape)

    def normal_numbers(shape: Any, mean: float = 0.0, stddev: float = 1.0) -> np.ndarray:
        return rng.normal(mean, stddev, shape)

    patched = {
        "uniform": drawing("uniform", uniform_numbers),
        "normal": drawing("normal", normal_numbers),
        "truncated_normal": drawing("truncated_normal", normal_numbers),
    }
    with mock.patch.multiple(random, **patched):
        yield


def normal(*shape: int) -> Callable[[np.random.Generator], np.ndarray]:
    """Draws normal numbers in the float type that Keras is set to."""
    import keras

    return lambda rng: rng.standard_normal(shape).astype(keras.config.floatx())


def uniform(*shape: int, low: float = 0.0, high: float = 1.0) -> Callable[[np.random.Generator], np.ndarray]:
    """Draws uniform numbers in the float type that Keras is set to."""
    import keras

    return lambda rng: rng.uniform(low, high, shape).astype(keras.config.floatx())


def integers(*shape: int, low: int = 0, high: int) -> Callable[[np.random.Generator], np.ndarray]:
    """Draws integers below `high`."""
    return lambda rng: rng.integers(low, high, shape).astype("int32")


def binary(*shape: int) -> Callable[[np.random.Generator], np.ndarray]:
    """Draws zeros and ones, as floats."""
    import keras

    return lambda rng: rng.integers(0, 2, shape).astype(keras.config.floatx())


def one_hot(*shape: int, classes: int) -> Callable[[np.random.Generator], np.ndarray]:
    """Draws one-hot rows."""
    import keras

    return lambda rng: np.eye(classes, dtype=keras.config.floatx())[rng.integers(0, classes, shape)]


def probabilities(*shape: int) -> Callable[[np.random.Generator], np.ndarray]:
    """Draws rows that sum to one."""
    import keras

    return lambda rng: rng.dirichlet(np.ones(shape[-1]), shape[:-1]).astype(keras.config.floatx())


def padded_tokens(batch: int, time: int, *, high: int) -> Callable[[np.random.Generator], np.ndarray]:
    """Draws token rows of several lengths, filled up with zeros."""

    def draw(rng: np.random.Generator) -> np.ndarray:
        tokens = rng.integers(1, high, (batch, time)).astype("int32")
        for row, length in enumerate(rng.integers(2, time + 1, batch)):
            tokens[row, length:] = 0
        return tokens

    return draw


def each(*draws: Callable[[np.random.Generator], Any]) -> Callable[[np.random.Generator], list[Any]]:
    """Draws a list, one of each."""
    return lambda rng: [draw(rng) for draw in draws]


def named(**draws: Callable[[np.random.Generator], Any]) -> Callable[[np.random.Generator], dict[str, Any]]:
    """Draws a dict, one of each."""
    return lambda rng: {name: draw(rng) for name, draw in draws.items()}
