"""Mask files: a number for each pixel, whatever they are saved as, and the numbers as classes."""

# N = masks, H = height, W = width, C = channels

from __future__ import annotations

import dataclasses
import io
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from openbook.errors import DataError, UsageError
from openbook.pictures.decode import FILE_FORMATS, MAX_PIXELS

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["MaskFile", "as_classes", "is_cut_out", "read_mask"]

_MAX_CLASSES = 64
# A share of fully transparent pixels from which on alpha means that something was cut out.
_CUT_OUT_SHARE = 0.01


@dataclasses.dataclass(frozen=True, kw_only=True)
class MaskFile:
    """One mask.

    Attributes:
        values_HW: int32; the grey value, the number in the palette, or the colour as red·65536 + green·256 + blue.
        size: width and height as they came.
    """

    name: str
    values_HW: np.ndarray
    size: tuple[int, int]


def read_mask(name: str, content: bytes, *, side: int) -> MaskFile:
    """A mask file, scaled to side × side by taking the nearest pixel.

    Raises:
        UsageError: no picture that can be read, or too large.
    """
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            file = Image.open(io.BytesIO(content), formats=list(FILE_FORMATS))
        if file.width * file.height > MAX_PIXELS:
            raise UsageError(f"the mask has more than {MAX_PIXELS:,} pixels. Make it smaller first")
        file.load()
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise UsageError(f"the mask has more than {MAX_PIXELS:,} pixels. Make it smaller first") from error
    except (OSError, ValueError, SyntaxError) as error:
        raise UsageError(f"this mask cannot be read ({error})") from error
    mask: Image.Image = file
    if mask.mode in ("LA", "RGBA", "PA") and is_cut_out(mask):
        mask = mask.getchannel("A").point(lambda value: 255 if value >= 128 else 0)
    elif mask.mode not in ("1", "L", "P") and not mask.mode.startswith("I"):
        mask = mask.convert("RGB")
    small = mask.resize((side, side), Image.Resampling.NEAREST)
    values = np.asarray(small).astype(np.int32)
    if values.ndim == 3:
        values = values @ np.array([65536, 256, 1], np.int32)
        grey = values // 65536
        # Grey saved in colour, as many tools do.
        values = grey if np.array_equal(values, grey * 65793) else values
    return MaskFile(name=name, values_HW=values, size=file.size)


def is_cut_out(picture: Image) -> bool:
    """Whether a picture has alpha that hides a part of it."""
    if "A" not in picture.getbands():
        return False
    alpha = np.asarray(picture.getchannel("A"))
    return bool((alpha < 128).mean() >= _CUT_OUT_SHARE and (alpha >= 128).any())


def as_classes(
    values_NHW: np.ndarray, names: Mapping[int, str]
) -> tuple[np.ndarray, tuple[str, ...], list[str]]:
    """Masks as uint8 positions in the classes, the classes, and notes for the report.

    Args:
        names: of the values, where they are known.
    Raises:
        DataError: there are too many values for classes.
    """
    found = np.unique(values_NHW)
    notes = []
    if names and set(found.tolist()) <= set(names):
        found = np.array(sorted(names))
        classes = tuple(names[int(value)] for value in found)
    elif len(found) > _MAX_CLASSES or (len(found) > 2 and _is_blurred(values_NHW, found)):
        if found.max() > 255:
            raise DataError(
                f"the masks have {len(found):,} colours; expected one for each class, {_MAX_CLASSES} at most. "
                f"Save masks as PNG: JPEG changes colours"
            )
        notes.append(f"masks of {len(found)} greys (JPEG, or soft borders) are cut at the middle")
        values_NHW, found = (values_NHW >= 128).astype(np.int32), np.array([0, 1])
        classes = ("background", "object")
    elif len(found) == 2:
        notes.append(f"{_said(found[0])} in the masks is the background, {_said(found[1])} the object")
        classes = ("background", "object")
    else:
        classes = tuple(f"class {_said(value)}" for value in found)
    positions = np.searchsorted(found, values_NHW)
    return positions.astype(np.uint8), classes, notes


def _is_blurred(values_NHW: np.ndarray, found: np.ndarray) -> bool:
    """Whether these are black and white with greys between them that are few."""
    is_extreme = (values_NHW <= 16) | ((values_NHW >= 239) & (values_NHW <= 255))
    return bool(found.max() > 16 and found.max() <= 255 and len(found) > 8 and is_extreme.mean() > 0.9)


def _said(value: int) -> str:
    return str(value) if value <= 255 else f"#{value:06x}"
