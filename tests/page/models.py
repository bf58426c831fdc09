"""Small models of every kind that the page shows, written as the `.keras` files of a reader."""

import base64
import io
from pathlib import Path

import numpy as np

import openbook  # noqa: F401 - chooses the backend, so it stands before Keras

HOSTILE_NAME = "<img src=x onerror=alert(1)>"


def write_models(folder: Path) -> dict[str, Path]:
    """All of them, by the name of the file without its ending."""
    import keras

    keras.utils.set_random_seed(3)
    folder.mkdir(parents=True, exist_ok=True)
    written = {}
    for make in (digits, series, table, hostile):
        # A name that a page must not take for its own words.
        name = "<b>bold<b>" if make is hostile else make.__name__
        written[make.__name__] = folder / f"{name}.keras"
        if not written[make.__name__].exists():
            make().save(written[make.__name__])
    return written


def digits():
    """A convolutional network that tells ten digits apart, 12 × 12 pixels."""
    from keras import Sequential, layers

    model = Sequential(
        [
            layers.Input((12, 12, 1), name="picture"),
            layers.Conv2D(4, 3, activation="relu", name="convolution"),
            layers.MaxPooling2D(name="pooling"),
            layers.Flatten(name="flat"),
            layers.Dense(10, activation="softmax", name="classes"),
        ],
        name="digits",
    )
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
    rng = np.random.default_rng(0)
    model.fit(rng.random((32, 12, 12, 1)), rng.integers(0, 10, 32), verbose=0)
    return model


def series():
    """A recurrent network over a series of two columns."""
    from keras import Sequential, layers

    model = Sequential(
        [
            layers.Input((8, 2), name="series"),
            layers.LSTM(3, name="memory"),
            layers.Dense(1, name="forecast"),
        ],
        name="series",
    )
    model.compile(optimizer="sgd", loss="mse")
    return model


def table():
    """A dense network on a row of five columns."""
    from keras import Sequential, layers

    model = Sequential(
        [
            layers.Input((5,), name="row"),
            layers.Dense(6, activation="relu", name="hidden"),
            layers.Dense(1, name="price"),
        ],
        name="table",
    )
    model.compile(optimizer="sgd", loss="mse")
    return model


def hostile():
    """A model whose layer is named like a piece of a page with a script in it."""
    from keras import Input, Model, layers

    row = Input((3,), name="row")
    return Model(row, layers.Dense(2, name=HOSTILE_NAME)(row), name="hostile")


def drawing() -> str:
    """A stroke as the address of a picture."""
    from PIL import Image

    pixels = np.zeros((24, 24), np.uint8)
    pixels[4:20, 8:13] = np.linspace(80, 255, 5)
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "PNG")
    return f"data:image/png;base64,{base64.b64encode(content.getvalue()).decode()}"
