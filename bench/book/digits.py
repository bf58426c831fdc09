"""The book's networks for digits (chapters 2 and 8), as published: Keras `fit` with RMSprop at its defaults."""

# B = batch

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from bench.book.epochs import scored_epochs

# (epochs, examples in a step)
LENGTH = {"dense": (5, 128), "convnet": (5, 64)}


def build(model: str, num_classes: int) -> Any:
    """The network: pictures (B, 28, 28, 1) → probabilities (B, C).

    Source: Chollet (2021), listings 2.2 and 8.1.
    """
    import keras
    from keras import layers

    inputs = keras.Input((28, 28, 1))
    if model == "dense":
        hidden = layers.Dense(512, activation="relu")(layers.Flatten()(inputs))
    else:
        hidden = layers.Conv2D(32, 3, activation="relu")(inputs)
        hidden = layers.MaxPooling2D(2)(hidden)
        hidden = layers.Conv2D(64, 3, activation="relu")(hidden)
        hidden = layers.MaxPooling2D(2)(hidden)
        hidden = layers.Conv2D(128, 3, activation="relu")(hidden)
        hidden = layers.Flatten()(hidden)
    return keras.Model(inputs, layers.Dense(num_classes, activation="softmax")(hidden))


def train(
    model: str,
    train_arrays: tuple[np.ndarray, np.ndarray],
    test_arrays: tuple[np.ndarray, np.ndarray],
    *,
    num_classes: int,
    seed: int,
) -> Iterator[tuple[int, float, float]]:
    """Epoch, seconds of training until its end (compilation included), and accuracy on the test examples."""
    import keras

    keras.utils.set_random_seed(seed)
    network = build(model, num_classes)
    network.compile("rmsprop", "sparse_categorical_crossentropy", metrics=["accuracy"])
    num_epochs, batch_size = LENGTH[model]
    return scored_epochs(
        network,
        *train_arrays,
        score=lambda: float(network.evaluate(*test_arrays, batch_size=256, verbose=0)[1]),
        num_epochs=num_epochs,
        batch_size=batch_size,
    )
