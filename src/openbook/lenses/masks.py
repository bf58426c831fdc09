"""Masks to look at: how well they overlap, as a picture file of their own, and beside picture and truth."""

# N = examples, H = height, W = width, C = channels

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from PIL.Image import Image

# Source: Okabe and Ito (2008), colours that colour-blind people tell apart; the background dark.
_COLOURS = (
    (32, 32, 32),
    (230, 159, 0),
    (86, 180, 233),
    (0, 158, 115),
    (240, 228, 66),
    (0, 114, 178),
    (213, 94, 0),
)


def ious_of(answers_NHW: np.ndarray, targets_NHW: np.ndarray, *, num_classes: int) -> np.ndarray:
    """Intersection over union of each picture, (N,): the mean over the classes that are in it or in the answer."""
    sums_N = np.zeros(len(answers_NHW))
    counts_N = np.zeros(len(answers_NHW))
    for position in range(num_classes):
        says_NHW, is_NHW = answers_NHW == position, targets_NHW == position
        unions_N = (says_NHW | is_NHW).sum(axis=(1, 2))
        hits_N = (says_NHW & is_NHW).sum(axis=(1, 2))
        sums_N += np.where(unions_N > 0, hits_N / np.maximum(unions_N, 1), 0.0)
        counts_N += unions_N > 0
    return sums_N / counts_N


def mask_picture(classes_HW: np.ndarray, *, size: tuple[int, int] | None = None) -> Image:
    """A mask as a picture of a palette: the pixel's number is its class, its colour tells it apart.

    Args:
        size: width and height to bring it to; its own when left out.
    """
    from PIL import Image

    picture = Image.fromarray(classes_HW.astype(np.uint8))
    picture.putpalette([part for index in range(256) for part in _COLOURS[index % len(_COLOURS)]])
    return picture if size is None else picture.resize(size, Image.Resampling.NEAREST)


def draw_masks(
    pictures_NHWC: np.ndarray,
    targets_NHW: np.ndarray,
    answers_NHW: np.ndarray,
    ious_N: np.ndarray,
    *,
    classes: Sequence[str],
    path: Path,
) -> None:
    """A picture file with a column for each example: the picture (0…1), the true mask, the predicted one."""
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    num_columns = len(pictures_NHWC)
    figure = Figure(figsize=(max(4.0, 1.7 * num_columns), 5.8), layout="constrained")
    cells = figure.subplots(3, num_columns, squeeze=False)
    for column in range(num_columns):
        shown = (
            pictures_NHWC[column],
            np.asarray(mask_picture(targets_NHW[column]).convert("RGB")),
            np.asarray(mask_picture(answers_NHW[column]).convert("RGB")),
        )
        for row, picture in enumerate(shown):
            cells[row, column].imshow(picture)
            cells[row, column].set_xticks([])
            cells[row, column].set_yticks([])
        cells[0, column].set_title(f"IoU {ious_N[column]:.0%}", fontsize=9)
    for row, title in enumerate(("picture", "true mask", "predicted mask")):
        cells[row, 0].set_ylabel(title)
    patches = [
        Patch(color="#{:02x}{:02x}{:02x}".format(*_COLOURS[index % len(_COLOURS)]), label=name)
        for index, name in enumerate(classes)
    ]
    figure.legend(handles=patches, loc="outside lower center", ncols=min(6, len(patches)))
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
