"""Pictures as they come from a person: checked, decoded and turned upright."""

from __future__ import annotations

import base64
import binascii
import io
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

from openbook.errors import UsageError

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_PIXELS = 64_000_000
# Larger pictures are made smaller at once: no model here sees more.
MAX_SIDE = 2048
_FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
# Files on disk may be of these as well.
FILE_FORMATS = (*_FORMATS, "BMP", "TIFF", "PPM")
_KINDS = "Give a PNG, JPEG, WebP or GIF"


def read_picture(address: str) -> tuple[Image, list[str]]:
    """A picture from its data address, in mode L, RGB or RGBA; and notes on what was done to it.

    Raises:
        UsageError: no picture, of another format, or too large; the message says what would do.
    """
    return decode_picture(_content(address))


def decode_picture(content: bytes, *, formats: Sequence[str] = _FORMATS) -> tuple[Image, list[str]]:
    """As `read_picture`, from a file's bytes."""
    from PIL import Image, ImageOps, UnidentifiedImageError

    notes = []
    try:
        with warnings.catch_warnings():
            # Pillow warns of large pictures; here they are measured before anything is decoded.
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            file = Image.open(io.BytesIO(content), formats=list(formats))
        if file.width * file.height > MAX_PIXELS:
            raise UsageError(_too_large(f"{file.width:,} × {file.height:,} pixels"))
        num_frames = getattr(file, "n_frames", 1)
        if num_frames > 1:
            notes.append(f"The picture moves: the first of its {num_frames} frames is used.")
        # JPEG can be decoded at a fraction of its size.
        file.draft(None, (MAX_SIDE, MAX_SIDE))
        file.load()
        picture: Image.Image = file
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise UsageError(_too_large(f"more than {MAX_PIXELS:,} pixels")) from error
    except UnidentifiedImageError as error:
        raise UsageError(f"this is no picture that can be read. {_KINDS}") from error
    except (OSError, ValueError, SyntaxError) as error:
        raise UsageError(f"the picture is damaged or cut off ({error}). {_KINDS}") from error
    if picture.getexif().get(_ORIENTATION, 1) != 1:
        picture = ImageOps.exif_transpose(picture)
        notes.append("The picture was turned upright, as its camera noted.")
    picture = _plain_mode(picture)
    if max(picture.size) > MAX_SIDE:
        notes.append(f"The picture of {picture.width:,} × {picture.height:,} pixels was made smaller first.")
        picture.thumbnail((MAX_SIDE, MAX_SIDE))
    return picture, notes


def on_white(picture: Image) -> Image:
    """The picture without transparency."""
    from PIL import Image

    if picture.mode != "RGBA":
        return picture
    white = Image.new("RGBA", picture.size, (255, 255, 255, 255))
    return Image.alpha_composite(white, picture).convert("RGB")


def as_address(picture: Image) -> str:
    """The picture as a PNG in a data address."""
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG")
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"


_ORIENTATION = 0x0112


def _content(address: str) -> bytes:
    head, comma, body = address.partition(",")
    if not (comma and head.startswith("data:")):
        raise UsageError(f"expected a picture as a data address. {_KINDS}")
    if "svg" in head.lower():
        raise UsageError("an SVG is a drawing program, not pixels, so it is not read. Save it as PNG first")
    try:
        content = base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError) as error:
        raise UsageError("the picture's data address is damaged") from error
    if content.lstrip()[:1] == b"<":
        raise UsageError(f"this is text that looks like SVG or HTML, no pixels. {_KINDS}")
    return content


def _too_large(size: str) -> str:
    limit = f"at most {MAX_PIXELS // 1_000_000} million pixels are read"
    return f"the picture has {size}; {limit}. Make it smaller first"


def _plain_mode(picture: Image) -> Image:
    """8 bits a channel: L, RGB, or RGBA where something is transparent."""
    import numpy as np
    from PIL import Image

    if picture.mode.startswith("I") or picture.mode == "F":
        values = np.asarray(picture, dtype=np.float64)
        # 16 bits a pixel, as cameras and scanners write; 65535 is white.
        scale = 65535.0 if picture.mode.startswith("I") else max(float(values.max()), 1.0)
        return Image.fromarray(np.clip(values / scale * 255.0, 0, 255).round().astype(np.uint8))
    if picture.mode in ("LA", "PA", "RGBa", "La") or "transparency" in picture.info:
        return picture.convert("RGBA")
    if picture.mode == "1":
        return picture.convert("L")
    return picture if picture.mode in ("L", "RGB", "RGBA") else picture.convert("RGB")
