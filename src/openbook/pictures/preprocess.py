"""A person's picture made into what an image model was trained on, one step at a time, each with its picture."""

# H = height, W = width, C = channels

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from openbook.pictures.decode import as_address, on_white

if TYPE_CHECKING:
    from PIL.Image import Image

Json = dict[str, Any]

# Source: the statistics that torchvision and Keras use for models trained on ImageNet.
_IMAGENET_MEAN, _IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
RANGES: Mapping[str, str] = {
    "0…1": "Every brightness 0…255 is divided by 255.",
    "−1…1": "Every brightness 0…255 is divided by 127.5, then 1 is subtracted.",
    "0…255": "Brightness stays as it is, 0…255; the model scales it itself.",
    "ImageNet": "Divided by 255; then each colour loses its mean over ImageNet, and is divided by its standard "
    "deviation.",
}
# A digit of MNIST fills 20 of 28 pixels.
_CONTENT_SHARE = 20 / 28
_INK_DIFFERENCE = 25
_SHOWN_SIDE = 512


@dataclasses.dataclass(frozen=True, kw_only=True)
class Target:
    """What the model takes."""

    height: int
    width: int
    channels: int


def preprocess(picture: Image, target: Target, settings: Mapping[str, str]) -> tuple[np.ndarray, list[Json]]:
    """The model's input (1, H, W, C) and the steps to it.

    Args:
        picture: mode L, RGB or RGBA.
        settings: `crop` ("content", "centre", "whole"), `invert` ("auto", "yes", "no"), `range` (one of `RANGES`).
    """
    steps = []
    for title, explanation, changed in stages(picture, target, settings):
        steps.append(_step(title, explanation, changed))
        picture = changed
    array = in_range(
        np.asarray(picture, np.float32).reshape(1, target.height, target.width, -1), settings["range"]
    )
    low, high = float(array.min()), float(array.max())
    steps.append(_step("Value range", f"{RANGES[settings['range']]} Here: {low:.3g} to {high:.3g}.", picture))
    return array, steps


def stages(picture: Image, target: Target, settings: Mapping[str, str]) -> Iterator[tuple[str, str, Image]]:
    """The picture after each change, with a title and the reason; the last one is as large as the model takes it.

    Args: see `preprocess`.
    """
    from PIL import Image, ImageOps

    yield "Your picture", "As it was given.", picture
    if picture.mode == "RGBA":
        picture = on_white(picture)
        yield "On white", "What is transparent becomes white.", picture
    mode, word = ("L", "grey") if target.channels == 1 else ("RGB", "colour")
    if picture.mode != mode:
        picture = picture.convert(mode)
        what = "The model knows brightness only." if mode == "L" else "The model takes red, green and blue."
        yield f"To {word}", what, picture
    is_inverted = settings["invert"] == "yes"
    if is_inverted or (settings["invert"] == "auto" and _background(picture) > 127):
        picture = ImageOps.invert(picture)
        why = "The background is bright; the model was trained on bright signs on black."
        yield "Invert", "Dark becomes bright." if is_inverted else why, picture
    if settings["crop"] == "content":
        picture = _crop_to_content(picture, target)
        yield "Crop to what is drawn", "A margin of one fifth is kept around it.", picture
    elif settings["crop"] == "centre":
        picture = ImageOps.fit(picture, _fitting(picture, target), method=Image.Resampling.NEAREST)
        yield "Crop to the centre", "In the shape that the model takes.", picture
    size = (target.width, target.height)
    picture = picture.resize(size, Image.Resampling.BOX if _shrinks(picture, target) else None)
    yield "Scale", "To the size that the model takes.", picture


def in_range(brightness: np.ndarray, name: str) -> np.ndarray:
    """Brightness 0…255 in the range that the model takes."""
    if name == "0…255":
        return brightness
    if name == "−1…1":
        return np.asarray(brightness / np.float32(127.5) - np.float32(1))
    scaled = brightness / np.float32(255)
    if name == "ImageNet":
        mean, std = np.array(_IMAGENET_MEAN, np.float32), np.array(_IMAGENET_STD, np.float32)
        return np.asarray((scaled - mean) / std)
    return np.asarray(scaled)


def shown_array(array_HWC: np.ndarray) -> Image:
    """An array that was given as such, as a picture: its smallest number black, its largest white."""
    from PIL import Image

    low, high = float(array_HWC.min()), float(array_HWC.max())
    grey = ((array_HWC - low) * (255.0 / ((high - low) or 1.0))).round().astype(np.uint8)
    return Image.fromarray(grey[..., 0] if grey.shape[-1] == 1 else grey)


def _shrinks(picture: Image, target: Target) -> bool:
    return picture.width > target.width or picture.height > target.height


def _background(picture: Image) -> float:
    """The usual brightness along the border."""
    grey = np.asarray(picture.convert("L"))
    border = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    return float(np.median(border))


def _crop_to_content(picture: Image, target: Target) -> Image:
    from PIL import Image

    grey = np.asarray(picture.convert("L")).astype(np.int16)
    background = _background(picture)
    has_ink = np.abs(grey - background) > _INK_DIFFERENCE
    if not has_ink.any():
        return picture
    rows, cols = np.flatnonzero(has_ink.any(axis=1)), np.flatnonzero(has_ink.any(axis=0))
    top, bottom, left, right = int(rows[0]), int(rows[-1]) + 1, int(cols[0]), int(cols[-1]) + 1
    # As large as needed in both directions, in the model's own shape.
    unit = max((bottom - top) / target.height, (right - left) / target.width) / _CONTENT_SHARE
    width, height = max(1, round(unit * target.width)), max(1, round(unit * target.height))
    centre_x, centre_y = (left + right) / 2, (top + bottom) / 2
    colour = round(background) if picture.mode == "L" else (round(background),) * 3
    canvas = Image.new(picture.mode, (width, height), colour)
    canvas.paste(picture, (round(width / 2 - centre_x), round(height / 2 - centre_y)))
    return canvas


def _fitting(picture: Image, target: Target) -> tuple[int, int]:
    """The largest size within the picture in the model's shape."""
    unit = min(picture.width / target.width, picture.height / target.height)
    return max(1, round(unit * target.width)), max(1, round(unit * target.height))


def _step(title: str, explanation: str, picture: Image) -> Json:
    shown = picture
    if max(picture.size) > _SHOWN_SIDE:
        shown = picture.copy()
        shown.thumbnail((_SHOWN_SIDE, _SHOWN_SIDE))
    return {
        "title": title,
        "explanation": explanation,
        "picture": as_address(shown),
        "height": picture.height,
        "width": picture.width,
    }
