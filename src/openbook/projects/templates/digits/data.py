"""The pictures of this project: read, brought into one form, and split by their content."""

# N = pictures, H = height, W = width, C = channels

import dataclasses
import gzip  #: if folder idx pixels
import hashlib
import io
import os
import zipfile  #: if folder idx pixels
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars  #: if pixels paths
from PIL import Image, ImageOps

# Where the pictures are; DATA=… before a command names another place.
DATA = "data"  #: fill
CLASSES = ("circle", "square")  #: fill
SIDE = 28  #: fill
HELD_OUT_SHARE = 0.2  #: fill
VALIDATION_SHARE = 0.1
# Of all pictures with their classes, as the run had them.
FINGERPRINT = ""  #: fill
#: if numbered
# What the numbers in the label files stand for.
NAMES = ("circle", "square")  #: fill
#: end
#: if pixels
# Without a header it is None: the labels then are the first column or the last.
LABEL_COLUMN = "label"  #: fill
#: end
#: if paths
PATH_COLUMN = "path"  #: fill
LABEL_COLUMN = "label"  #: fill
#: end
#: if folder
PICTURE_SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".ppm", ".pgm"}
#: end
# A digit of MNIST fills 20 of 28 pixels.
CONTENT_SHARE = 20 / 28
INK_DIFFERENCE = 25
LARGEST_SIDE = 2048


GIVEN = "PICTURE.png"


#: include common/examples.py
def load() -> Splits:
    """All pictures, each once, on their side of the split; between 0 and 1."""
    pictures, labels, hashes = read_all()
    inputs = pictures.astype(np.float32) / np.float32(255)
    return Splits(*(Examples(inputs, labels, rows) for rows in split(hashes)))


def read_all() -> tuple[np.ndarray, np.ndarray, list[bytes]]:
    """Pictures as uint8 (N, H, W, 1), labels (N,) and the hash of each picture; duplicates are left out."""
    place = Path(os.environ.get("DATA") or Path(__file__).parent / DATA).expanduser()
    found: dict[bytes, tuple[np.ndarray, str]] = {}
    for picture, label in read(place):
        found.setdefault(hashlib.blake2b(picture.tobytes(), digest_size=16).digest(), (picture, label))
    known = {key: value for key, value in found.items() if value[1] in CLASSES}
    pictures = np.stack([picture for picture, _ in known.values()])
    labels = np.array([CLASSES.index(label) for _, label in known.values()], np.int32)
    return pictures, labels, list(known)


def fingerprint() -> str:
    """One hash of all pictures with their classes, in whatever order they lie."""
    _, labels, hashes = read_all()
    rows = sorted(key + CLASSES[label].encode() for key, label in zip(hashes, labels, strict=True))
    return hashlib.sha256(b"".join(rows)).hexdigest()


def split(hashes: Sequence[bytes]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Positions to train on, to choose weights by, and to score.

    A picture's own hash says on which side it lies, so it stays there whatever else is added.
    """
    is_test = held_out(hashes, HELD_OUT_SHARE)
    rest, test = np.flatnonzero(~is_test), np.flatnonzero(is_test)
    if len(rest) < 2:
        return rest, test, test
    is_validation = held_out([hashes[index][8:] for index in rest], VALIDATION_SHARE)
    return rest[~is_validation], rest[is_validation], test


def held_out(hashes: Sequence[bytes], share: float) -> np.ndarray:
    """Whether each is held out: its hash, read as a number between 0 and 1, lies below the share."""
    flags = np.array([int.from_bytes(key[:8], "big") < share * 2.0**64 for key in hashes])
    if not flags.any():
        flags[hashes.index(min(hashes))] = True
    elif flags.all():
        flags[hashes.index(max(hashes))] = False
    return flags


#: if folder idx pixels
def files_of(place: Path) -> Iterator[tuple[str, bytes]]:
    """Name and content of a file, or of all files in a folder or a zip archive; .gz files are opened."""
    if place.is_dir():
        pairs = ((path.relative_to(place).as_posix(), path.read_bytes()) for path in files_below(place))
    elif zipfile.is_zipfile(place) and place.suffix != ".npz":
        archive = zipfile.ZipFile(place)
        pairs = ((each.filename, archive.read(each)) for each in archive.infolist() if not each.is_dir())
    else:
        pairs = iter([(place.name, place.read_bytes())])
    for name, content in pairs:
        if any(part.startswith(".") or part == "__MACOSX" for part in name.split("/")):
            continue
        if content[:2] == b"\x1f\x8b":
            yield name.removesuffix(".gz"), gzip.decompress(content)
        else:
            yield name, content


def files_below(folder: Path) -> Iterator[Path]:
    """Files of a folder by name, then those of its folders."""
    entries = sorted(folder.iterdir(), key=lambda path: path.name)
    yield from (path for path in entries if path.is_file())
    for path in entries:
        if path.is_dir() and not path.is_symlink() and not path.name.startswith("."):
            yield from files_below(path)


#: end
#: if folder
def read(place: Path) -> Iterator[tuple[np.ndarray, str]]:
    """Pictures with their class, which is the name of the folder they lie in."""
    for name, content in files_of(place):
        parts = name.split("/")
        is_picture = Path(name).suffix.lower() in PICTURE_SUFFIXES or "." not in parts[-1]
        if len(parts) > 1 and is_picture and content:
            try:
                yield picture_of(content), parts[-2]
            except (OSError, ValueError, SyntaxError) as error:
                print(f"{name}: left out, {error}")


#: end
#: if paths
def read(place: Path) -> Iterator[tuple[np.ndarray, str]]:
    """Pictures with their class, as a table of paths says."""
    table = polars.read_csv(place, infer_schema=False)
    for name, label in table.select(PATH_COLUMN, LABEL_COLUMN).iter_rows():
        path = place.parent / str(name)
        if path.is_file():
            try:
                yield picture_of(path.read_bytes()), str(label)
            except (OSError, ValueError, SyntaxError) as error:
                print(f"{name}: left out, {error}")


#: end
#: if idx
def read(place: Path) -> Iterator[tuple[np.ndarray, str]]:
    """Pictures with their class from pairs of IDX files, such as those of MNIST."""
    halves: dict[str, np.ndarray] = {}
    for name, content in files_of(place):
        array = idx_array(content)
        stem = Path(name).name.partition("images")[0].partition("labels")[0]
        if stem not in halves:
            halves[stem] = array
            continue
        images, labels = sorted([array, halves.pop(stem)], key=lambda each: -each.ndim)
        yield from zip(in_form(images), named(labels), strict=True)


def idx_array(content: bytes) -> np.ndarray:
    """An IDX file: two zeros, the kind of number, the number of axes, the shape, the numbers."""
    kinds = {8: ">u1", 9: ">i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}
    kind, num_axes = content[2], content[3]
    shape = np.frombuffer(content, ">u4", count=num_axes, offset=4)
    return np.frombuffer(content, kinds[kind], offset=4 + 4 * num_axes).reshape(shape.tolist())


#: end
#: if npz
def read(place: Path) -> Iterator[tuple[np.ndarray, str]]:
    """Pictures with their class from a NumPy archive: pictures with labels of the same length."""
    with np.load(io.BytesIO(place.read_bytes()), allow_pickle=False) as arrays:
        found = [arrays[name] for name in arrays.files]
    for images in (array for array in found if array.ndim >= 3):
        for labels in (array for array in found if array.ndim == 1 and len(array) == len(images)):
            yield from zip(in_form(images), named(labels), strict=True)


#: end
#: if pixels
def read(place: Path) -> Iterator[tuple[np.ndarray, str]]:
    """Pictures with their class from tables with a column for each pixel."""
    for _, content in files_of(place):
        table = polars.read_csv(content, has_header=LABEL_COLUMN is not None, infer_schema_length=1000)
        column = LABEL_COLUMN or label_column(table)
        labels = table.get_column(column).cast(polars.String).to_numpy()
        pixels = table.drop(column).cast(polars.Float32).to_numpy()
        num_channels = 1 if round(pixels.shape[1] ** 0.5) ** 2 == pixels.shape[1] else 3
        side = round((pixels.shape[1] / num_channels) ** 0.5)
        yield from zip(in_form(pixels.reshape(-1, side, side, num_channels)), named(labels), strict=True)


def label_column(table: polars.DataFrame) -> str:
    """The first column or the last: one that is not the same in all rows, as a corner pixel is."""
    ends = [table.columns[0], table.columns[-1]]
    return next((name for name in reversed(ends) if table.get_column(name).n_unique() > 1), ends[0])


#: end
#: if idx npz pixels
def named(labels: np.ndarray) -> list[str]:
    """Labels as the names of classes."""
    return [NAMES[int(label)] for label in labels.tolist()]  #: if numbered
    return [str(label) for label in labels.tolist()]  #: if unnumbered


#: end
#: if other_form
def in_form(images: np.ndarray) -> np.ndarray:
    """Pictures (N, H, W) or (N, H, W, C) of any number type as uint8 (N, SIDE, SIDE, 1)."""
    images = images if images.ndim == 4 else images[..., None]
    if images.dtype != np.uint8:
        scale = 255.0 if float(images.max()) <= 1.0 else 1.0
        images = (images * scale).round().clip(0, 255).astype(np.uint8)
    if images.shape[-1] != 1:
        images = images[..., :3].mean(axis=-1, keepdims=True).round().astype(np.uint8)
    if images.shape[1:3] != (SIDE, SIDE):
        images = np.stack([np.asarray(Image.fromarray(each[..., 0]).resize((SIDE, SIDE))) for each in images])
    return images.reshape(-1, SIDE, SIDE, 1)


#: end
#: if same_form
def in_form(images: np.ndarray) -> np.ndarray:
    """Pictures (N, H, W) or (N, H, W, C) of any number type as uint8 (N, SIDE, SIDE, 1)."""
    images = images if images.ndim == 4 else images[..., None]
    if images.dtype != np.uint8:
        scale = 255.0 if float(images.max()) <= 1.0 else 1.0
        images = (images * scale).round().clip(0, 255).astype(np.uint8)
    return images.reshape(-1, SIDE, SIDE, 1)


#: end
def picture_of(content: bytes) -> np.ndarray:
    """A picture file in the form the network takes: grey, bright on black, cropped to what is drawn."""
    file = Image.open(io.BytesIO(content))
    file.draft(None, (LARGEST_SIDE, LARGEST_SIDE))
    picture = plain(ImageOps.exif_transpose(file))
    if max(picture.size) > LARGEST_SIDE:
        picture.thumbnail((LARGEST_SIDE, LARGEST_SIDE))
    if picture.mode == "RGBA":
        white = Image.new("RGBA", picture.size, (255, 255, 255, 255))
        picture = Image.alpha_composite(white, picture).convert("RGB")
    picture = picture if picture.mode == "L" else picture.convert("L")
    if background(picture) > 127:
        picture = ImageOps.invert(picture)
    picture = cropped(picture)
    shrinks = picture.width > SIDE or picture.height > SIDE
    picture = picture.resize((SIDE, SIDE), Image.Resampling.BOX if shrinks else None)
    return np.asarray(picture).reshape(SIDE, SIDE, 1)


def plain(picture: Image.Image) -> Image.Image:
    """With 8 bits a channel: L, RGB, or RGBA where something is transparent."""
    if picture.mode.startswith("I") or picture.mode == "F":
        values = np.asarray(picture, dtype=np.float64)
        scale = 65535.0 if picture.mode.startswith("I") else max(float(values.max()), 1.0)
        return Image.fromarray(np.clip(values / scale * 255.0, 0, 255).round().astype(np.uint8))
    if picture.mode in ("LA", "PA", "RGBa", "La") or "transparency" in picture.info:
        return picture.convert("RGBA")
    if picture.mode == "1":
        return picture.convert("L")
    return picture if picture.mode in ("L", "RGB", "RGBA") else picture.convert("RGB")


def background(picture: Image.Image) -> float:
    """The usual brightness along the border."""
    grey = np.asarray(picture)
    return float(np.median(np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])))


def cropped(picture: Image.Image) -> Image.Image:
    """What is drawn, in the middle of a square with a margin."""
    empty = background(picture)
    has_ink = np.abs(np.asarray(picture).astype(np.int16) - empty) > INK_DIFFERENCE
    if not has_ink.any():
        return picture
    rows, cols = np.flatnonzero(has_ink.any(axis=1)), np.flatnonzero(has_ink.any(axis=0))
    top, bottom, left, right = int(rows[0]), int(rows[-1]) + 1, int(cols[0]), int(cols[-1]) + 1
    unit = max((bottom - top) / SIDE, (right - left) / SIDE) / CONTENT_SHARE
    side = max(1, round(unit * SIDE))
    canvas = Image.new("L", (side, side), round(empty))
    canvas.paste(picture, (round(side / 2 - (left + right) / 2), round(side / 2 - (top + bottom) / 2)))
    return canvas


def inputs_of(given: str) -> np.ndarray:
    """A picture file as the network takes it: (1, H, W, 1)."""
    return picture_of(Path(given).read_bytes())[None].astype(np.float32) / np.float32(255)


def answer(output: np.ndarray) -> str:
    """The classes with their probabilities, the most probable first."""
    shares = np.exp(output - output.max()) / np.exp(output - output.max()).sum()
    return "\n".join(f"{shares[index]:6.1%}  {CLASSES[index]}" for index in np.argsort(-shares)[:5])
