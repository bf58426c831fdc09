"""The book's network for house prices (chapter 4), as published: Keras `fit` with RMSprop at its defaults."""

# N = rows, F = features

from __future__ import annotations

import time
from typing import Any

import numpy as np

NUM_EPOCHS, BATCH_SIZE, NUM_FOLDS = 130, 16, 4


def build(num_features: int) -> Any:
    """The network: standardised rows (B, F) → prices (B, 1), in their own unit.

    Source: Chollet (2021), listing 4.25.
    """
    import keras
    from keras import layers

    inputs = keras.Input((num_features,))
    hidden = layers.Dense(64, activation="relu")(inputs)
    hidden = layers.Dense(64, activation="relu")(hidden)
    model = keras.Model(inputs, layers.Dense(1)(hidden))
    model.compile(optimizer="rmsprop", loss="mse", metrics=["mae"])
    return model


def train(
    train_arrays: tuple[np.ndarray, np.ndarray],
    test_arrays: tuple[np.ndarray, np.ndarray],
    *,
    num_epochs: int,
    seed: int,
    with_curve: bool = False,
) -> tuple[float, list[float]]:
    """Seconds of training (making the network ready included), and the held-out mean absolute error.

    Args:
        with_curve: the error after each epoch instead of the last one alone; the seconds then count that as well.
    """
    import keras

    keras.utils.set_random_seed(seed)
    begin_s = time.perf_counter()
    model = build(train_arrays[0].shape[1])
    history = model.fit(
        *train_arrays,
        epochs=num_epochs,
        batch_size=BATCH_SIZE,
        validation_data=test_arrays if with_curve else None,
        verbose=0,
    )
    train_s = time.perf_counter() - begin_s
    if with_curve:
        return train_s, list(history.history["val_mae"])
    _, mae = model.evaluate(*test_arrays, verbose=0)
    return train_s, [float(mae)]
