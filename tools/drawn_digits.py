"""A small network that reads digits, trained in seconds on digits that are drawn here."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

# B = batch, H = height, W = width, C = channels

SIDE = 20
NUM_PICTURES = 4000


def write_digits(path: Path, *, seed: int = 0) -> None:
    """Train the network and write it as a `.keras` file."""
    # openbook chooses the backend, so it comes before Keras.
    import openbook  # noqa: F401, I001
    import keras

    keras.utils.set_random_seed(seed)
    pictures_BHWC, digits_B = drawn_digits(np.random.default_rng(seed))
    network = digits_network()
    network.fit(pictures_BHWC, digits_B, batch_size=32, epochs=3, verbose=0)
    network.save(path)


def digits_network() -> Any:
    """Two convolutions with pooling between them, and a softmax over ten classes."""
    from keras import Sequential, layers

    network = Sequential(
        [
            layers.Input((SIDE, SIDE, 1), name="picture"),
            layers.Conv2D(8, 3, activation="relu", name="strokes"),
            layers.MaxPooling2D(name="smaller"),
            layers.Conv2D(16, 3, activation="relu", name="shapes"),
            layers.Flatten(name="flat"),
            layers.Dense(10, activation="softmax", name="digit"),
        ],
        name="digits",
    )
    network.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
    return network


def drawn_digits(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Digits of many sizes and slants.

    Returns:
        pictures, float32 (B, H, W, C) from 0 to 1, light on dark; and the digits, int64 (B,).
    """
    digits_B = rng.integers(0, 10, NUM_PICTURES)
    pictures = [np.asarray(one_digit(int(digit), rng), np.float32) / 255 for digit in digits_B]
    return np.stack(pictures)[..., None], digits_B


def one_digit(digit: int, rng: np.random.Generator) -> Image.Image:
    """A digit, light on dark, a little larger, turned and moved by chance."""
    picture = Image.new("L", (SIDE, SIDE))
    place = (SIDE / 2 + rng.uniform(-1, 1), SIDE / 2 + rng.uniform(-1, 1))
    font = ImageFont.load_default(int(rng.integers(16, 22)))
    stroke = float(rng.uniform(0, 0.6))
    ImageDraw.Draw(picture).text(place, str(digit), 255, font, "mm", stroke_width=stroke)
    return picture.rotate(rng.uniform(-15, 15), Image.Resampling.BILINEAR)


def as_address(digit: int) -> str:
    """A digit in dark ink on paper, as somebody would photograph it: a data address for the page."""
    picture = Image.new("L", (64, 64), 255)
    ImageDraw.Draw(picture).text((32, 32), str(digit), 20, ImageFont.load_default(52), "mm")
    content = io.BytesIO()
    picture.rotate(-6, Image.Resampling.BILINEAR, fillcolor=255).save(content, "PNG")
    return f"data:image/png;base64,{base64.b64encode(content.getvalue()).decode()}"
