"""The book's networks for pictures (chapters 8 and 9), as published: augmentation in the model, RMSprop."""

# B = batch, H = height, W = width, C = classes

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.book.epochs import scored_epochs

MODELS = ("convnet", "xception")
BATCH_SIZE = 32
NUM_EPOCHS = 100
# At 180 × 180 and with one output, as published.
PUBLISHED_SIDE = 180
NUM_PARAMETERS = {"convnet": 991_041, "xception": 721_857}


def build(model: str, *, side: int, num_classes: int) -> Any:
    """The network: pictures (B, H, W, 3), 0…255 → probabilities (B, C).

    Source: Chollet (2021), listings 8.14 to 8.16 (convnet with augmentation and dropout), and section 9.3.5
    (mini Xception).
    """
    import keras
    from keras import layers

    pictures = keras.Input((side, side, 3))
    hidden = layers.Rescaling(1 / 255)(augmentation()(pictures))
    if model == "convnet":
        for num_filters in (32, 64, 128, 256):
            hidden = layers.Conv2D(num_filters, 3, activation="relu")(hidden)
            hidden = layers.MaxPooling2D(2)(hidden)
        hidden = layers.Conv2D(256, 3, activation="relu")(hidden)
        hidden = layers.Flatten()(hidden)
    else:
        hidden = layers.Conv2D(32, 5, use_bias=False)(hidden)
        for num_filters in (32, 64, 128, 256, 512):
            hidden = _block(hidden, num_filters)
        hidden = layers.GlobalAveragePooling2D()(hidden)
    hidden = layers.Dropout(0.5)(hidden)
    return keras.Model(pictures, layers.Dense(num_classes, activation="softmax")(hidden))


def augmentation() -> Any:
    """Mirrored, turned and zoomed at random, in training alone."""
    import keras
    from keras import layers

    return keras.Sequential(
        [layers.RandomFlip("horizontal"), layers.RandomRotation(0.1), layers.RandomZoom(0.2)]
    )


def _block(inputs: Any, num_filters: int) -> Any:
    """Two separable convolutions and a shortcut around them."""
    from keras import layers

    hidden = inputs
    for _ in range(2):
        hidden = layers.Activation("relu")(layers.BatchNormalization()(hidden))
        hidden = layers.SeparableConv2D(num_filters, 3, padding="same", use_bias=False)(hidden)
    hidden = layers.MaxPooling2D(3, strides=2, padding="same")(hidden)
    shortcut = layers.Conv2D(num_filters, 1, strides=2, padding="same", use_bias=False)(inputs)
    return layers.add([hidden, shortcut])


def compiled(model: str, *, side: int, num_classes: int, seed: int) -> Any:
    """The network, ready to be trained."""
    import keras

    keras.utils.set_random_seed(seed)
    network = build(model, side=side, num_classes=num_classes)
    network.compile("rmsprop", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return network


def train(
    model: str,
    train_arrays: tuple[np.ndarray, np.ndarray],
    test_arrays: tuple[np.ndarray, np.ndarray],
    *,
    num_classes: int,
    seed: int,
    num_epochs: int,
) -> Iterator[tuple[int, float, float]]:
    """Epoch, seconds of training until its end (compilation included), and accuracy on the test pictures."""
    network = compiled(model, side=train_arrays[0].shape[1], num_classes=num_classes, seed=seed)
    return scored_epochs(
        network,
        *train_arrays,
        score=lambda: float(network.evaluate(*test_arrays, batch_size=BATCH_SIZE, verbose=0)[1]),
        num_epochs=num_epochs,
        batch_size=BATCH_SIZE,
    )


def from_files(paths: Sequence[Path], labels: np.ndarray, *, side: int, seed: int) -> Any:
    """Batches decoded from files in each epoch, in two threads ahead of training.

    The book has `image_dataset_from_directory`, which needs TensorFlow.
    """
    import keras
    from PIL import Image

    def decoded(path: Path) -> np.ndarray:
        with Image.open(path) as picture:
            is_size = picture.size == (side, side)
            made = picture.convert("RGB")
            return np.asarray(made if is_size else made.resize((side, side)), np.float32)

    class Files(keras.utils.PyDataset):  # type: ignore[misc]
        """Batches, in a new order each epoch."""

        def __init__(self) -> None:
            super().__init__(workers=2, max_queue_size=16)
            self.rng = np.random.default_rng(seed)
            self.on_epoch_end()

        def __len__(self) -> int:
            return math.ceil(len(paths) / BATCH_SIZE)

        def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
            chosen = self.order[BATCH_SIZE * index : BATCH_SIZE * (index + 1)]
            return np.stack([decoded(paths[each]) for each in chosen]), labels[chosen]

        def on_epoch_end(self) -> None:
            self.order = self.rng.permutation(len(paths))

    return Files()
