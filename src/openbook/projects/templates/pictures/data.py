"""The pictures of this project: read, brought to one size, and split."""

# N = pictures, H = height, W = width, F = features of a picture

import dataclasses
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps

from model import build_backbone  #: if features

#: if classification
# A NumPy archive with pictures uint8 (N, H, W, 3), labels (N,) and sides (N,): "train", "validation" or "test";
# or a folder with a folder of pictures for each class, whose sides are drawn.
#: end
#: if segmentation
# A NumPy archive with pictures uint8 (N, H, W, 3), masks uint8 (N, H, W) and sides (N,): "train", "validation" or
# "test"; or a folder with the folders images and masks, with files of the same names. Their sides are drawn.
#: end
DATA = "data/pictures.npz"  #: fill
# SHA-256 of the archive that the run's pictures were written to.
FINGERPRINT = ""  #: fill
#: if features
# What the backbone makes of all pictures; made anew when the file is not there.
FEATURES = "data/features.npy"
#: end
CLASSES = ("circle", "square")  #: fill
SIDE = 96  #: fill
HELD_OUT_SHARE = 0.2  #: fill
VALIDATION_SHARE = 0.1
GIVEN = "PICTURE.png"


#: include common/examples.py
def load() -> Splits:
    """All pictures, each on its side of the split."""
    pictures, targets, sides = read()
    #: if features
    path = Path(__file__).parent / FEATURES
    if not path.exists():
        np.save(path, features_of(pictures))
    pictures = np.load(path)
    #: end
    return Splits(
        *(
            Examples(pictures, targets, np.flatnonzero(sides == side))
            for side in ("train", "validation", "test")
        )
    )


def path_of_data() -> Path:
    """Where the pictures are."""
    return Path(__file__).parent / DATA


def fingerprint() -> str:
    """Of the archive as it is now."""
    return hashlib.sha256(path_of_data().read_bytes()).hexdigest()


#: if classification
def read() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pictures, labels as positions in `CLASSES`, and sides."""
    place = path_of_data()
    if not place.is_dir():
        with np.load(place) as arrays:
            return arrays["pictures"], arrays["labels"].astype(np.int32), arrays["sides"]
    found = [(path, label) for label, name in enumerate(CLASSES) for path in sorted((place / name).iterdir())]
    pictures = np.stack([picture_of(path) for path, _ in found])
    return pictures, np.array([label for _, label in found], np.int32), drawn_sides(len(found))


#: end
#: if segmentation
def read() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pictures, masks whose pixels are positions in `CLASSES`, and sides."""
    place = path_of_data()
    if not place.is_dir():
        with np.load(place) as arrays:
            return arrays["pictures"], arrays["masks"], arrays["sides"]
    paths = sorted((place / "images").iterdir())
    masks = [next((place / "masks").glob(f"{path.stem}.*")) for path in paths]
    pictures = np.stack([picture_of(path) for path in paths])
    return pictures, np.stack([mask_of(path) for path in masks]), drawn_sides(len(paths))


def mask_of(path: Path) -> np.ndarray:
    """A mask in the size of the pictures."""
    return np.asarray(Image.open(path).resize((SIDE, SIDE), Image.Resampling.NEAREST), np.uint8)


#: end
def drawn_sides(number: int) -> np.ndarray:
    """The side of each of so many pictures."""
    draws = np.random.default_rng(0).random(number)
    validation_end = HELD_OUT_SHARE + (1 - HELD_OUT_SHARE) * VALIDATION_SHARE
    return np.select([draws < HELD_OUT_SHARE, draws < validation_end], ["test", "validation"], "train")


def picture_of(path: Path) -> np.ndarray:
    """A picture file as the network takes it, uint8 (H, W, 3)."""
    picture = ImageOps.exif_transpose(Image.open(path))
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
    picture = picture.convert("RGB")
    #: if classification
    side = min(picture.size)
    picture = ImageOps.fit(picture, (side, side), method=Image.Resampling.NEAREST)  # the middle of it
    shrinks = side > SIDE
    #: end
    #: if segmentation
    shrinks = max(picture.size) > SIDE
    #: end
    return np.asarray(picture.resize((SIDE, SIDE), Image.Resampling.BOX if shrinks else None))


#: if features
def features_of(pictures: np.ndarray) -> np.ndarray:
    """What the backbone makes of pictures, float32 (N, F)."""
    return build_backbone().predict(pictures, batch_size=32, verbose=0)


def inputs_of(given: str) -> np.ndarray:
    """The features of a picture file, a batch of one."""
    return features_of(picture_of(Path(given))[None])


#: end
#: if whole
def inputs_of(given: str) -> np.ndarray:
    """A picture file as the network takes it, a batch of one."""
    return picture_of(Path(given))[None]


#: end
#: if classification
def answer(output: np.ndarray) -> str:
    """The classes with their probabilities, the most probable first."""
    shares = np.exp(output - output.max()) / np.exp(output - output.max()).sum()
    return "\n".join(f"{shares[index]:6.1%}  {CLASSES[index]}" for index in np.argsort(-shares)[:5])


#: end
#: if segmentation
def answer(output: np.ndarray) -> str:
    """How much of the picture each class has; the mask itself goes to mask.png."""
    mask = output.argmax(axis=-1).astype(np.uint8)
    scale = 255 // max(1, len(CLASSES) - 1)
    Image.fromarray(mask * np.uint8(scale)).save(Path(__file__).parent / "mask.png")
    return "\n".join(f"{np.mean(mask == position):6.1%}  {name}" for position, name in enumerate(CLASSES))


#: end
