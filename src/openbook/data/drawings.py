"""Colour drawings out of a font, as picture files in a folder per class: animals, faces, food and so on."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from openbook.data.files import FoundFile

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["DRAWING_CLASSES", "drawing_files", "drawings"]

# Source: the Unicode charts; ranges of code points, both ends included.
_RANGES: Mapping[str, str] = {
    "animal": "1F400-1F43C 1F43F 1F54A 1F577 1F648-1F64A 1F980-1F99F 1F9A1-1F9A9 1F9AB-1F9AE 1FAB0-1FAB3 "
    "1FABC 1FABF 1FACE 1FACF",
    "building": "1F3AA 1F3D7-1F3DB 1F3DF-1F3E6 1F3E8-1F3ED 1F3EF 1F3F0 1F492 1F54B-1F54D 1F5FC 1F6D5 1F6D6 "
    "26E9 26EA 26FA",
    "clock": "1F550-1F567",
    "clothing": "1F392 1F393 1F3A9 1F3BD 1F451-1F462 1F576 1F94B 1F97B-1F97F 1F9BA 1F9E2-1F9E6 1FA70-1FA74 1FA96 "
    "26D1",
    "face": "1F600-1F637 1F641-1F644 1F910-1F917 1F920-1F925 1F927-1F92F 1F970-1F976 1F978-1F97A 1F9D0 "
    "1FAE0-1FAE5 1FAE8",
    "food": "1F32D-1F32F 1F336 1F33D 1F345-1F373 1F375-1F37B 1F37E 1F37F 1F382 1F942 1F943 1F950-1F961 "
    "1F963-1F96F 1F9C0-1F9CB 1FAD0-1FAD9 2615",
    "hand": "1F446-1F450 1F590 1F595 1F596 1F90C 1F90F 1F918-1F91F 1F932 1F64C 1F64F 1FAF0-1FAF6 261D 270A-270D",
    "person": "1F385 1F3C2-1F3C4 1F3C7 1F3CA-1F3CC 1F466-1F469 1F46E 1F470-1F478 1F47C 1F481-1F483 1F486 1F487 "
    "1F574 1F575 1F57A 1F645-1F647 1F64B 1F64D 1F64E 1F6A3 1F6B4-1F6B6 1F926 1F930 1F931 1F934-1F939 1F9B8 1F9B9 "
    "1F9CD-1F9CF 1F9D1-1F9DF 1FAC3-1FAC5",
    "plant": "1F331-1F335 1F337-1F33C 1F33E-1F344 1F384 1F38B 1F490 1F940 1FAB4 1FAB7 1FABB 2618",
    "sign": "1F4F3-1F4F6 1F500-1F504 1F518-1F524 1F6AB 1F6AD-1F6B1 1F6B3 1F6B7-1F6BC 1F6BE 1F6C2-1F6C5 2622 2623 "
    "2626 262A 262E 262F 2638 2648-2653 267F 26A0 26CE 26D4 271D 2721 274E",
    "vehicle": "1F3CD 1F3CE 1F680-1F686 1F688 1F68A-1F68E 1F690-1F69E 1F6A2 1F6A4 1F6B2 1F6E5 1F6E9 1F6EB 1F6EC "
    "1F6F3-1F6F6 1F6F8 1F6FA 1F6FB 26F4 26F5 2708",
}
DRAWING_CLASSES = tuple(_RANGES)
# All that is drawn in colour, without the patches of skin colour (1F3FB to 1F3FF).
_ALL = "1F300-1F3FA 1F400-1F64F 1F680-1F6FF 1F900-1FAFF 2600-27BF"
_NOBODYS = chr(0x10FFFE)
_FONT_SIZE = 128
_MARGIN_SHARE = 0.15


def drawing_files(font_path: Path) -> Iterator[FoundFile]:
    """Drawings on white as PNG files, `animal/1F400.png`, in the classes `DRAWING_CLASSES`."""
    from PIL import Image

    for label, ranges in _RANGES.items():
        for code_point, drawing in drawings(font_path, ranges):
            white = Image.new("RGBA", drawing.size, (255, 255, 255, 255))
            buffer = io.BytesIO()
            Image.alpha_composite(white, drawing).convert("RGB").save(buffer, "PNG", compress_level=1)
            yield FoundFile(name=f"{label}/{code_point:X}.png", content=buffer.getvalue())


def drawings(
    font_path: Path, ranges: str = _ALL, *, font_size: int = _FONT_SIZE
) -> Iterator[tuple[int, Image]]:
    """Code points with their drawings, mode RGBA, cut to what is drawn and made square.

    Args:
        font_path: a font with drawings in colour.
        ranges: code points in hexadecimal, with a hyphen between the ends of a range; those the font lacks are
            passed over.
        font_size: in pixels; what is drawn is about as large.
    """
    from PIL import Image, ImageDraw, ImageFont

    font = ImageFont.truetype(str(font_path), font_size, layout_engine=ImageFont.Layout.BASIC)
    lacking = bytes(font.getmask(_NOBODYS))
    for code_point in _code_points(ranges):
        character = chr(code_point)
        if bytes(font.getmask(character)) == lacking:
            continue
        canvas = Image.new("RGBA", (2 * font_size, 2 * font_size), (255, 255, 255, 0))
        middle = (font_size, font_size)
        ImageDraw.Draw(canvas).text(middle, character, font=font, embedded_color=True, anchor="mm")
        box = canvas.getchannel("A").getbbox()
        if box is None:
            continue
        drawn = canvas.crop(box)
        side = max(drawn.size) + round(_MARGIN_SHARE * font_size)
        square = Image.new("RGBA", (side, side), (255, 255, 255, 0))
        square.paste(drawn, ((side - drawn.width) // 2, (side - drawn.height) // 2))
        yield code_point, square


def _code_points(ranges: str) -> Iterator[int]:
    for part in ranges.split():
        first, _, last = part.partition("-")
        yield from range(int(first, 16), int(last or first, 16) + 1)
