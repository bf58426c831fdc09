"""Pictures of people: every format and trick, and the numbers that come out."""

import base64
import io

import numpy as np
import pytest
from PIL import Image, ImageDraw

from openbook.errors import UsageError
from openbook.page.inputs.images import ImageReader
from openbook.pictures.decode import MAX_SIDE, read_picture
from openbook.pictures.preprocess import Target, in_range
from page_types import check_type

GREY = ImageReader(
    target=Target(height=28, width=28, channels=1),
    settings={"range": "0…1"},
    classes=None,
    target_reader=None,
)
COLOUR = ImageReader(
    target=Target(height=8, width=12, channels=3), settings={"range": "0…1"}, classes=None, target_reader=None
)


def address(content, kind="png"):
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def encoded(picture, kind="PNG", **options):
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return address(buffer.getvalue(), kind.lower())


def read(reader, picture_address, **settings):
    found = reader.read({"picture": picture_address, "settings": settings})
    check_type(found.preview, "InputPreview")
    return found


def drawing(background=255, ink=0, size=(300, 200)):
    picture = Image.new("L", size, background)
    ImageDraw.Draw(picture).rectangle((40, 60, 79, 139), fill=ink)
    return picture


def test_drawing_becomes_bright_on_black_in_the_middle_of_the_models_size():
    found = read(GREY, encoded(drawing()))
    array = found.arrays
    assert array.shape == (1, 28, 28, 1)
    assert array.dtype == np.float32
    # 80 of 112 pixels are ink in height: 20 of 28; the sign is twice as high as wide.
    rows, cols = np.flatnonzero(array[0, :, 14, 0] > 0.5), np.flatnonzero(array[0, 14, :, 0] > 0.5)
    assert (rows[0], rows[-1], cols[0], cols[-1]) == (4, 23, 9, 18)
    assert array[0, 0, 0, 0] == 0.0
    assert array[0, 14, 14, 0] == 1.0
    titles = [step["title"] for step in found.preview["steps"]]
    assert titles == ["Your picture", "Invert", "Crop to what is drawn", "Scale", "Value range"]
    assert (found.preview["steps"][-1]["height"], found.preview["steps"][0]["width"]) == (28, 300)


def test_white_on_black_is_not_inverted():
    bright, dark = read(GREY, encoded(drawing())), read(GREY, encoded(drawing(0, 255)))
    np.testing.assert_array_equal(bright.arrays, dark.arrays)
    assert "Invert" not in [step["title"] for step in dark.preview["steps"]]


def test_last_step_shows_the_very_numbers_that_the_model_gets():
    found = read(GREY, encoded(drawing()), crop="whole", invert="no", range="0…255")
    content = base64.b64decode(found.preview["steps"][-1]["picture"].partition(",")[2])
    shown = np.asarray(Image.open(io.BytesIO(content)))
    np.testing.assert_array_equal(found.arrays[0, :, :, 0], shown)


def test_empty_drawing_is_read_too():
    assert read(GREY, encoded(Image.new("L", (50, 50), 255))).arrays.max() == 0.0


@pytest.mark.parametrize(
    ("name", "low", "high"), [("0…1", 0.0, 1.0), ("−1…1", -1.0, 1.0), ("0…255", 0.0, 255.0)]
)
def test_ranges_go_from_black_to_white(name, low, high):
    assert in_range(np.array([0.0, 255.0], np.float32), name).tolist() == [low, high]


def test_imagenet_range_standardises_each_colour():
    grey = in_range(np.full((1, 1, 1, 3), 127.5, np.float32), "ImageNet")
    np.testing.assert_allclose(
        grey[0, 0, 0], (0.5 - np.array([0.485, 0.456, 0.406])) / [0.229, 0.224, 0.225], rtol=1e-5
    )


def test_centre_keeps_the_models_shape():
    picture = Image.new("RGB", (90, 40), (255, 0, 0))
    ImageDraw.Draw(picture).rectangle((15, 0, 74, 39), fill=(0, 0, 255))
    array = read(COLOUR, encoded(picture)).arrays
    assert array.shape == (1, 8, 12, 3)
    # 12 : 8 of a height of 40 is the middle 60 columns, which are blue.
    assert array[..., 2].min() == 1.0
    assert array[..., 0].max() == 0.0


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "YCbCr"])
@pytest.mark.parametrize("reader", [GREY, COLOUR])
def test_every_mode_of_a_white_picture_is_white(mode, reader):
    if mode == "I;16":
        picture = Image.fromarray(np.full((20, 20), 65535, np.uint16))
    else:
        picture = Image.new("RGB", (20, 20), (255, 255, 255)).convert(mode)
    kind = "JPEG" if mode in ("CMYK", "YCbCr") else "PNG"
    array = read(reader, encoded(picture, kind), crop="whole", invert="no").arrays
    assert array.min() > 0.99


def test_transparent_becomes_white():
    picture = Image.new("RGBA", (20, 20), (0, 0, 0, 0))
    found = read(COLOUR, encoded(picture))
    assert found.arrays.min() == 1.0
    assert "On white" in [step["title"] for step in found.preview["steps"]]


def test_picture_is_turned_as_its_camera_noted():
    picture = Image.new("RGB", (60, 30), (255, 0, 0))
    exif = Image.Exif()
    exif[0x0112] = 6
    turned, notes = read_picture(encoded(picture, "JPEG", exif=exif))
    assert turned.size == (30, 60)
    assert "upright" in notes[0]


def test_moving_picture_gives_its_first_frame():
    frames = [Image.new("L", (16, 16), shade) for shade in (255, 0)]
    found = read(GREY, encoded(frames[0], "GIF", save_all=True, append_images=frames[1:]), invert="no")
    assert found.arrays.min() == 1.0
    assert "first of its 2 frames" in found.preview["notes"][0]


def test_large_picture_is_made_smaller_first():
    picture, notes = read_picture(encoded(Image.new("L", (3000, 1000), 9)))
    assert max(picture.size) == MAX_SIDE
    assert "smaller" in notes[0]


def test_picture_of_400_million_pixels_is_refused_before_it_is_decoded():
    # A PNG of 20,000 × 20,000 equal bits is 49 kB.
    with pytest.raises(UsageError, match="64 million pixels"):
        read_picture(encoded(Image.new("1", (20_000, 20_000))))
    with pytest.raises(UsageError, match="9,000 × 9,000 pixels"):
        read_picture(encoded(Image.new("1", (9_000, 9_000))))


SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


@pytest.mark.parametrize(
    ("given", "word"),
    [
        (address(SVG, "svg+xml"), "SVG"),
        (address(SVG, "png"), "SVG or HTML"),
        (address(b"\n <html>", "png"), "SVG or HTML"),
        (address(b"%PDF-1.4"), "no picture"),
        (address(b""), "no picture"),
        ("data:image/png;base64,!!!", "damaged"),
        ("http://example.org/cat.png", "data address"),
        ("", "data address"),
    ],
)
def test_what_is_no_picture_is_refused_in_a_sentence(given, word):
    with pytest.raises(UsageError, match=word):
        read_picture(given)


def test_picture_that_is_cut_off_is_refused_in_a_sentence():
    whole = encoded(Image.effect_noise((90, 90), 50))
    content = base64.b64decode(whole.partition(",")[2])
    with pytest.raises(UsageError, match="damaged or cut off"):
        read_picture(address(content[: len(content) // 2]))


@pytest.mark.parametrize("settings", [{"crop": "x"}, {"range": "ImageNet"}, {"invert": 1}])
def test_unknown_settings_are_refused(settings):
    with pytest.raises(UsageError, match="is one of"):
        read(GREY, encoded(drawing()), **settings)


def test_pixels_have_places():
    found = read(COLOUR, encoded(Image.new("RGB", (20, 20))))
    assert COLOUR.place(found, "input", (0, 2, 4, 1)) == "the pixel in row 3, column 5, green"
    assert COLOUR.place(found, "conv/kernel", (0, 2, 4, 1)) is None
