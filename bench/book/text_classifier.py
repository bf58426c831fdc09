"""The book's text classifiers (chapter 11), with masks that are passed on, trained by Keras `fit`.

20,000 words, 600 of each text, batches of 32: a bag of bigrams as a multi-hot vector, a bidirectional LSTM over an
embedding, and a Transformer encoder without and with positions. The published encoder takes the maximum over the
padding as well; here padding is left out, which is kinder to it.
"""

# B = batch, T = time, V = vocabulary

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from bench.book.epochs import scored_epochs

MODELS = ("bag", "lstm", "transformer", "transformer-positions")
VOCABULARY_SIZE = 20_000
NUM_TOKENS = 600
BATCH_SIZE = 32
WIDTH, NUM_HEADS, FEED_FORWARD_UNITS, LSTM_UNITS = 256, 2, 32, 32
NUM_EPOCHS = {"bag": 10, "lstm": 10, "transformer": 20, "transformer-positions": 20}
# Of the networks with one output, as published.
NUM_PARAMETERS = {"lstm": 5_194_049, "transformer": 5_664_033, "transformer-positions": 5_817_633}


def build(model: str, num_classes: int, *, num_tokens: int = NUM_TOKENS) -> Any:
    """The network: multi-hot (B, V), or tokens (B, T) → probabilities (B, C).

    Source: Chollet (2021), listings 11.5, 11.17, 11.22 and 11.25.
    """
    import keras
    from keras import layers

    if model == "bag":
        inputs = keras.Input((VOCABULARY_SIZE,))
        hidden = layers.Dense(16, activation="relu")(inputs)
    elif model == "lstm":
        inputs = keras.Input((num_tokens,), dtype="int32")
        hidden = layers.Embedding(VOCABULARY_SIZE, WIDTH, mask_zero=True)(inputs)
        hidden = layers.Bidirectional(layers.LSTM(LSTM_UNITS))(hidden)
    else:
        inputs = keras.Input((num_tokens,), dtype="int32")
        hidden = _encoded(inputs, has_positions=model == "transformer-positions")
    hidden = layers.Dropout(0.5)(hidden)
    return keras.Model(inputs, layers.Dense(num_classes, activation="softmax")(hidden))


def _encoded(tokens: Any, *, has_positions: bool) -> Any:
    """The encoder: tokens (B, T) → the maximum over a text's words (B, E).

    Masks are handed over by hand: Keras 3 does not pass them on to a layer that is called with two tensors.
    """
    import keras
    from keras import layers

    is_token = keras.ops.not_equal(tokens, 0)
    hidden = layers.Embedding(VOCABULARY_SIZE, WIDTH)(tokens)
    if has_positions:
        num_tokens = tokens.shape[1]
        positions = keras.ops.zeros_like(tokens) + keras.ops.arange(num_tokens, dtype="int32")
        hidden = hidden + layers.Embedding(num_tokens, WIDTH)(positions)
    attended = layers.MultiHeadAttention(NUM_HEADS, WIDTH)(
        hidden, hidden, attention_mask=keras.ops.expand_dims(is_token, 1)
    )
    hidden = layers.LayerNormalization()(hidden + attended)
    projected = layers.Dense(WIDTH)(layers.Dense(FEED_FORWARD_UNITS, activation="relu")(hidden))
    hidden = layers.LayerNormalization()(hidden + projected)
    hidden = keras.ops.where(keras.ops.expand_dims(is_token, -1), hidden, -1e9)
    return layers.GlobalMaxPooling1D()(hidden)


def compiled(model: str, num_classes: int, seed: int, *, num_tokens: int = NUM_TOKENS) -> Any:
    """The network, ready to be trained."""
    import keras

    keras.utils.set_random_seed(seed)
    network = build(model, num_classes, num_tokens=num_tokens)
    network.compile("rmsprop", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return network


def multi_hot(numbers_BK: np.ndarray) -> np.ndarray:
    """Ones at the numbers of a bag, which are above 0: float32 (B, V)."""
    vectors_BV = np.zeros((len(numbers_BK), VOCABULARY_SIZE), np.float32)
    np.put_along_axis(vectors_BV, numbers_BK, 1.0, axis=1)
    vectors_BV[:, 0] = 0.0
    return vectors_BV


def batches(model: str, inputs: np.ndarray, labels: np.ndarray, *, is_shuffled: bool, seed: int) -> Any:
    """The data as Keras takes it; the vectors of a bag are made batch by batch, for all of them need gigabytes."""
    import keras

    class Data(keras.utils.PyDataset):  # type: ignore[misc]
        """Batches, in a new order each epoch."""

        def __init__(self) -> None:
            super().__init__()
            self.rng = np.random.default_rng(seed)
            self.on_epoch_end()

        def __len__(self) -> int:
            return math.ceil(len(labels) / BATCH_SIZE)

        def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
            chosen = self.order[BATCH_SIZE * index : BATCH_SIZE * (index + 1)]
            found = inputs[chosen]
            return (multi_hot(found) if model == "bag" else found), labels[chosen]

        def on_epoch_end(self) -> None:
            self.order = self.rng.permutation(len(labels)) if is_shuffled else np.arange(len(labels))

    return Data()


def train(
    model: str, train_arrays: Any, test_arrays: Any, *, num_classes: int, seed: int, num_epochs: int
) -> Iterator[tuple[int, float, float]]:
    """Epoch, seconds of training until its end (compilation included), and accuracy on the test examples."""
    network = compiled(model, num_classes, seed, num_tokens=train_arrays[0].shape[1])
    data = batches(model, *train_arrays, is_shuffled=True, seed=seed)
    test_data = batches(model, *test_arrays, is_shuffled=False, seed=seed)
    return scored_epochs(
        network,
        data,
        score=lambda: float(network.evaluate(test_data, verbose=0)[1]),
        num_epochs=num_epochs,
    )
