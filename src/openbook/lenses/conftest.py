"""Small models that the lenses are tried on."""

import numpy as np
import pytest


@pytest.fixture(scope="session")
def lens_models():
    """Untrained models by name, each with an input: a convolutional one, nested, sequential, a table, words."""
    import keras

    import openbook  # noqa: F401 - chooses the backend, so it stands before Keras
    from openbook.training.seeding import seeded

    layers = keras.layers
    rng = np.random.default_rng(3)

    def picture(*shape):
        return rng.uniform(0.0, 1.0, (2, *shape)).astype(np.float32)

    with seeded(5):
        pictures = keras.Input((12, 10, 1), name="pictures")
        hidden = layers.Conv2D(4, 3, use_bias=False, name="convolution_1")(pictures)
        hidden = layers.BatchNormalization(name="normalization_1")(hidden)
        hidden = layers.ReLU(name="relu_1")(hidden)
        hidden = layers.Conv2D(6, 3, name="convolution_2")(hidden)
        hidden = layers.Dropout(0.5)(layers.Flatten()(hidden))
        convnet = keras.Model(pictures, layers.Dense(3, name="logits")(hidden), name="convnet")

        backbone_in = keras.Input((12, 12, 3))
        hidden = layers.Rescaling(1 / 255)(backbone_in)
        hidden = layers.Conv2D(4, 3, activation="relu", name="convolution")(hidden)
        backbone = keras.Model(backbone_in, hidden, name="backbone")
        pictures = keras.Input((12, 12, 3), name="pictures")
        hidden = layers.GlobalAveragePooling2D()(backbone(pictures))
        answers = layers.Dense(2, activation="softmax", name="answers")(hidden)
        nested = keras.Model(pictures, answers, name="nested")

        sequential = keras.Sequential(
            [
                keras.Input((9, 9, 1)),
                layers.SeparableConv2D(4, 3, activation="relu"),
                layers.Conv2D(3, 3, activation="relu"),
                layers.GlobalAveragePooling2D(),
                layers.Dense(2),
                layers.Softmax(),
            ]
        )
        row = keras.Input((5,), name="row")
        table = keras.Model(row, layers.Dense(1)(layers.Dense(8, activation="relu")(row)), name="table")
        words = keras.Input((6,), dtype="int32", name="words")
        hidden = layers.GlobalAveragePooling1D()(layers.Embedding(20, 8, name="word_embedding")(words))
        text = keras.Model(words, layers.Dense(2)(hidden), name="text")
        rows = keras.Input((7, 3), name="rows")
        hidden = layers.Bidirectional(layers.LSTM(4), name="both_directions")(rows)
        series = keras.Model(rows, layers.Dense(1)(hidden), name="series")
    return {
        "convnet": (convnet, picture(12, 10, 1)),
        "nested": (nested, 255 * picture(12, 12, 3)),
        "sequential": (sequential, picture(9, 9, 1)),
        "series": (series, rng.normal(size=(2, 7, 3)).astype(np.float32)),
        "table": (table, rng.normal(size=(40, 5)).astype(np.float32)),
        "text": (text, rng.integers(0, 20, (2, 6)).astype(np.int32)),
    }
