"""Pictures whose masks are known because they are made: something cut out, in front of something else."""

# H = height, W = width, C = channels

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from openbook.data.drawings import drawings

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["on_background", "scenes"]

_SCENE_SIDE = 128
_DRAWING_SIZE = 96
# Every second drawing: neighbours in the font are often alike, and the scenes are made anew for each run.
_EVERY = 2


def scenes(font_path: Path, *photo_paths: Path) -> Iterator[tuple[str, Image, Image]]:
    """A scene for every second drawing of a font: name, picture (RGB), alpha of the drawing (L).

    Each drawing stands once, turned, scaled and mirrored, on a part of a photo whose colours are changed, so that
    neither place nor size nor one colour tells it from the background. A scene depends on its drawing alone.
    """
    from PIL import Image

    photos = [Image.open(path).convert("RGB") for path in photo_paths]
    for code_point, drawing in drawings(font_path, font_size=_DRAWING_SIZE):
        if code_point % _EVERY:
            continue
        rng = np.random.default_rng(code_point)
        scene = _part_of(photos[rng.integers(len(photos))], rng)
        side = round(_SCENE_SIDE * rng.uniform(0.45, 0.95))
        turned = drawing.resize((side, side), Image.Resampling.BOX).rotate(
            rng.uniform(-40, 40), resample=Image.Resampling.BILINEAR
        )
        if rng.random() < 0.5:
            turned = turned.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        left, top = (int(place) for place in rng.integers(0, _SCENE_SIDE - side + 1, 2))
        alpha = Image.new("L", scene.size)
        alpha.paste(turned.getchannel("A"), (left, top))
        scene.paste(turned.convert("RGB"), (left, top), turned.getchannel("A"))
        yield f"{code_point:X}", scene, alpha


def on_background(cut_out: Image, *, seed: str) -> Image:
    """A cut-out (RGBA) on soft random colours, which depend on the seed alone."""
    from PIL import Image

    rng = np.random.default_rng(int.from_bytes(hashlib.blake2b(seed.encode(), digest_size=8).digest(), "big"))
    background = np.zeros((*cut_out.size[::-1], 3), np.float64)
    # Noise at several scales, as clouds, walls and leaves have it.
    for num_cells, strength in ((2, 1.0), (5, 0.6), (16, 0.35), (64, 0.2)):
        cells = Image.fromarray(rng.integers(0, 256, (num_cells, num_cells, 3), dtype=np.uint8))
        noise = np.asarray(cells.resize(cut_out.size, Image.Resampling.BICUBIC), np.float64)
        background += strength * (noise - 127.5)
    colours = (127.5 + background).clip(0, 255).astype(np.uint8)
    scene = Image.fromarray(colours)
    scene.paste(cut_out.convert("RGB"), (0, 0), cut_out.getchannel("A"))
    return scene


def _part_of(photo: Image, rng: np.random.Generator) -> Image:
    """A square of a photo, mirrored and with its colours changed half of the time."""
    from PIL import Image

    side = int(rng.integers(80, min(photo.size)))
    left, top = (int(rng.integers(0, length - side + 1)) for length in photo.size)
    part = photo.crop((left, top, left + side, top + side)).resize((_SCENE_SIDE, _SCENE_SIDE))
    if rng.random() < 0.5:
        part = part.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    pixels_HWC = np.asarray(part, np.float32)[..., rng.permutation(3)]
    pixels_HWC = pixels_HWC * rng.uniform(0.6, 1.4, 3).astype(np.float32) + rng.uniform(-30, 30)
    return Image.fromarray(pixels_HWC.clip(0, 255).astype(np.uint8))
