"""Pictures as arrays: one picture file in the wanted form, IDX files, and arrays of other sizes."""

# N = pictures, H = height, W = width, C = channels

from __future__ import annotations

import dataclasses
import gzip
import io
import math
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from openbook.data.display import harmless, size_text
from openbook.errors import DataError, UsageError
from openbook.pictures.decode import FILE_FORMATS, decode_picture
from openbook.pictures.preprocess import Target, stages

PICTURE_SUFFIXES = frozenset(
    (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".ppm", ".pgm")
)
_MAX_UNZIPPED_BYTES = 4 << 30


@dataclasses.dataclass(frozen=True, kw_only=True)
class PictureForm:
    """What every picture is brought into.

    Attributes:
        crop: "content" (what is drawn, with a margin), "centre" or "whole".
        invert: "auto" (bright paper becomes black), "yes" or "no".
    """

    height: int
    width: int
    channels: int
    crop: str = "centre"
    invert: str = "no"

    @classmethod
    def of_facts(cls, facts: Mapping[str, Any]) -> PictureForm:
        """The form that `facts` told of."""
        height, width, channels = facts["shape"]
        return cls(height=height, width=width, channels=channels, crop=facts["crop"], invert=facts["invert"])

    def facts(self) -> dict[str, Any]:
        """The form as a run keeps it."""
        shape = [self.height, self.width, self.channels]
        return {"shape": shape, "crop": self.crop, "invert": self.invert}

    def read(self, given: str) -> np.ndarray:
        """A person's picture file as uint8 (H, W, C).

        Raises:
            UsageError: there is no such file, or it is no picture.
        """
        path = Path(given).expanduser()
        if not path.is_file():
            raise UsageError(f"expected the path of a picture, and there is no file {given!r}")
        return self.array_of(path.read_bytes())

    def array_of(self, content: bytes) -> np.ndarray:
        """A picture file's bytes as uint8 (H, W, C).

        Raises:
            UsageError: no picture that can be read.
        """
        picture, _ = decode_picture(content, formats=FILE_FORMATS)
        target = Target(height=self.height, width=self.width, channels=self.channels)
        for _, _, changed in stages(picture, target, {"crop": self.crop, "invert": self.invert}):
            picture = changed
        return np.asarray(picture, np.uint8).reshape(self.height, self.width, self.channels)


def in_form(images: np.ndarray, form: PictureForm) -> np.ndarray:
    """Pictures that came as arrays, in the wanted size and channels."""
    if images.shape[-1] != form.channels:
        grey = images if images.shape[-1] == 1 else images[..., :3].mean(axis=-1, keepdims=True)
        images = np.repeat(grey, form.channels, axis=-1).round().astype(np.uint8)
    if images.shape[1:3] == (form.height, form.width):
        return images
    from PIL import Image

    def resized(picture: np.ndarray) -> np.ndarray:
        shown = Image.fromarray(picture[..., 0] if picture.shape[-1] == 1 else picture)
        return np.asarray(shown.resize((form.width, form.height))).reshape(form.height, form.width, -1)

    return np.stack([resized(picture) for picture in images])


def idx_array(name: str, content: bytes) -> np.ndarray:
    """An IDX file. Source: the format's description on the MNIST page."""
    kinds = {8: ">u1", 9: ">i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}
    try:
        kind, num_axes = content[2], content[3]
        shape = struct.unpack(f">{num_axes}I", content[4 : 4 + 4 * num_axes])
        dtype = np.dtype(kinds[kind])
    except (KeyError, struct.error, IndexError):
        raise DataError(
            f"{harmless(name)}: begins like an IDX file but is none. Get the file again"
        ) from None
    expected = math.prod(shape) * dtype.itemsize
    body = content[4 + 4 * num_axes :]
    if len(body) != expected:
        raise DataError(
            f"{harmless(name)}: says {' × '.join(map(str, shape))} values, which are {size_text(expected)}, "
            f"and holds {size_text(len(body))}: it is cut off or damaged. Get it again"
        )
    return np.frombuffer(body, dtype).reshape(shape)


def unzipped(content: bytes) -> bytes:
    """What is in a .gz file."""
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as file:
            return file.read(_MAX_UNZIPPED_BYTES)
    except (OSError, EOFError) as error:
        raise DataError(f"this .gz file cannot be read ({error}). Get it again") from error


def is_npz(content: bytes) -> bool:
    """Whether these are the bytes of a NumPy archive."""
    return content[:4] == b"PK\x03\x04" and b".npy" in content[:256]
