"""The book's networks for the weather of tomorrow (chapter 10), as published: Keras `fit` with RMSprop."""

# B = batch, W = window, C = columns, N = windows

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

BATCH_SIZE = 256
# Epochs of the published notebooks.
EPOCHS = {"dense": 10, "conv1d": 10, "lstm": 10, "lstm_dropout": 50, "gru": 50}


def build(model: str, window: int, num_columns: int) -> Any:
    """The network: windows (B, W, C) → values (B, 1).

    Source: Chollet (2021), chapter 10: the densely connected model, the 1D convnet, the LSTM, the LSTM with
    recurrent dropout, and the stacked GRU with dropout.
    """
    import keras
    from keras import layers

    inputs = keras.Input((window, num_columns))
    if model == "dense":
        hidden = layers.Dense(16, activation="relu")(layers.Flatten()(inputs))
    elif model == "conv1d":
        hidden = layers.Conv1D(8, 24, activation="relu")(inputs)
        hidden = layers.MaxPooling1D(2)(hidden)
        hidden = layers.Conv1D(8, 12, activation="relu")(hidden)
        hidden = layers.MaxPooling1D(2)(hidden)
        hidden = layers.Conv1D(8, 6, activation="relu")(hidden)
        hidden = layers.GlobalAveragePooling1D()(hidden)
    elif model == "lstm":
        hidden = layers.LSTM(16)(inputs)
    elif model == "lstm_dropout":
        hidden = layers.Dropout(0.5)(layers.LSTM(32, recurrent_dropout=0.25)(inputs))
    else:
        hidden = layers.GRU(32, recurrent_dropout=0.5, return_sequences=True)(inputs)
        hidden = layers.Dropout(0.5)(layers.GRU(32, recurrent_dropout=0.5)(hidden))
    return keras.Model(inputs, layers.Dense(1)(hidden))


def windows(
    series_TC: np.ndarray, starts_N: np.ndarray, targets_N: np.ndarray, *, window: int, seed: int | None
) -> Any:
    """Batches as of `timeseries_dataset_from_array`, which needs TensorFlow: windows are cut out one by one.

    Args:
        seed: of the order in each epoch; None for the order of time.
    """
    import keras

    class Windows(keras.utils.PyDataset):
        def __init__(self) -> None:
            super().__init__()
            self._rng = np.random.default_rng(seed)
            self._order = np.arange(len(starts_N))
            self.on_epoch_end()

        def __len__(self) -> int:
            return math.ceil(len(starts_N) / BATCH_SIZE)

        def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
            chosen_B = self._order[index * BATCH_SIZE : (index + 1) * BATCH_SIZE]
            rows = [series_TC[start : start + window] for start in starts_N[chosen_B]]
            return np.stack(rows), targets_N[chosen_B]

        def on_epoch_end(self) -> None:
            if seed is not None:
                self._rng.shuffle(self._order)

    return Windows()


def train(
    model: str,
    train_data: Any,
    validation_data: Any,
    test_data: Any,
    *,
    window: int,
    num_columns: int,
    seed: int,
    num_epochs: int,
) -> Iterator[tuple[int, float, float, float]]:
    """Epoch, seconds of training until its end (compilation included), validation and test MAE."""
    import keras

    keras.utils.set_random_seed(seed)
    network = build(model, window, num_columns)
    network.compile("rmsprop", "mse", metrics=["mae"])
    passed_s = 0.0
    for epoch in range(1, num_epochs + 1):
        begin_s = time.perf_counter()
        network.fit(train_data, epochs=1, verbose=0)
        passed_s += time.perf_counter() - begin_s
        _, validation_mae = network.evaluate(validation_data, verbose=0)
        _, test_mae = network.evaluate(test_data, verbose=0)
        yield epoch, passed_s, float(validation_mae), float(test_mae)
