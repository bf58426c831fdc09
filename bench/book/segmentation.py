"""The book's network for segmentation (chapter 9), as published: strided and transposed convolutions, RMSprop."""

# B = batch, H = height, W = width, C = classes

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from bench.book.epochs import scored_epochs

BATCH_SIZE = 64
NUM_EPOCHS = 50
# With three classes, as published.
NUM_PARAMETERS = 2_880_643


def build(*, side: int, num_classes: int) -> Any:
    """The network: pictures (B, H, W, 3), 0…255 → probabilities of each pixel (B, H, W, C).

    Source: Chollet (2021), section 9.2.
    """
    import keras
    from keras import layers

    pictures = keras.Input((side, side, 3))
    hidden = layers.Rescaling(1 / 255)(pictures)
    for num_filters in (64, 128, 256):
        hidden = layers.Conv2D(num_filters, 3, strides=2, activation="relu", padding="same")(hidden)
        hidden = layers.Conv2D(num_filters, 3, activation="relu", padding="same")(hidden)
    for num_filters in (256, 128, 64):
        hidden = layers.Conv2DTranspose(num_filters, 3, activation="relu", padding="same")(hidden)
        hidden = layers.Conv2DTranspose(num_filters, 3, strides=2, activation="relu", padding="same")(hidden)
    probabilities = layers.Conv2D(num_classes, 3, activation="softmax", padding="same")(hidden)
    return keras.Model(pictures, probabilities)


def train(
    train_arrays: tuple[np.ndarray, np.ndarray],
    test_pictures: np.ndarray,
    score: Callable[[np.ndarray], float],
    *,
    num_classes: int,
    seed: int,
    num_epochs: int,
) -> Iterator[tuple[int, float, float]]:
    """Epoch, seconds of training until its end (compilation included), and the score of the test pictures.

    Args:
        score: from the probabilities of all test pixels (N, H, W, C).
    """
    import keras

    keras.utils.set_random_seed(seed)
    network = build(side=train_arrays[0].shape[1], num_classes=num_classes)
    network.compile("rmsprop", "sparse_categorical_crossentropy")
    return scored_epochs(
        network,
        *train_arrays,
        score=lambda: score(network.predict(test_pictures, batch_size=BATCH_SIZE, verbose=0)),
        num_epochs=num_epochs,
        batch_size=BATCH_SIZE,
    )
