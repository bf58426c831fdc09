"""Masks to look at: how well they overlap, as a picture file of their own, and beside picture and truth."""

# N = examples, H = height, W = width, C = channels

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from openbook.lenses.lens import Lens, made_by_recipe, needs_no_model

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["LENS", "Masks", "draw_masks", "ious_of", "mask_picture", "masks_of"]

_NUM_DRAWN = 6

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


@dataclasses.dataclass(frozen=True, kw_only=True)
class Masks:
    """What a model made of held-out pictures.

    Attributes:
        ious_N: of all pictures.
        chosen: positions of those that are drawn: the best overlaps, then the worst.
        pictures_NHWC: of these, between 0 and 1.
        targets_NHW, answers_NHW: of these, the classes.
    """

    classes: tuple[str, ...]
    ious_N: np.ndarray
    chosen: np.ndarray
    pictures_NHWC: np.ndarray
    targets_NHW: np.ndarray
    answers_NHW: np.ndarray

    def text(self) -> str:
        """How well the masks overlap, in a line."""
        low, middle, high = np.percentile(self.ious_N, (10, 50, 90))
        return (
            f"overlap with the true mask (IoU) of {len(self.ious_N):,} held-out pictures: {middle:.1%} in the "
            f"middle, {low:.1%} and {high:.1%} at the lowest and highest tenth"
        )

    def to_dict(self) -> dict[str, Any]:
        """The numbers as plain lists."""
        return {
            "classes": list(self.classes),
            "iou": {
                name: float(np.percentile(self.ious_N, share))
                for name, share in (("lowest tenth", 10), ("middle", 50), ("highest tenth", 90))
            },
            "ious": self.ious_N.tolist(),
        }


def masks_of(outputs_NHWC: np.ndarray, targets_NHW: np.ndarray, classes: tuple[str, ...]) -> Masks:
    """From a model's scores of each pixel; the pictures are put in by who has them, for `chosen`."""
    answers_NHW = outputs_NHWC.argmax(axis=-1)
    ious_N = ious_of(answers_NHW, targets_NHW, num_classes=outputs_NHWC.shape[-1])
    order = np.argsort(-ious_N, kind="stable")
    half = _NUM_DRAWN // 2
    chosen = order if len(order) <= _NUM_DRAWN else np.r_[order[:half], order[-half:]]
    return Masks(
        classes=classes,
        ious_N=ious_N,
        chosen=chosen,
        pictures_NHWC=np.zeros((len(chosen), *targets_NHW.shape[1:], 3)),
        targets_NHW=targets_NHW[chosen],
        answers_NHW=answers_NHW[chosen],
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


def draw_masks(masks: Masks, path: Path) -> None:
    """A picture file with a column for each example: the picture, the true mask, the predicted one."""
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    num_columns = len(masks.pictures_NHWC)
    figure = Figure(figsize=(max(4.0, 1.7 * num_columns), 5.8), layout="constrained")
    cells = figure.subplots(3, num_columns, squeeze=False)
    for column in range(num_columns):
        shown = (
            masks.pictures_NHWC[column],
            np.asarray(mask_picture(masks.targets_NHW[column]).convert("RGB")),
            np.asarray(mask_picture(masks.answers_NHW[column]).convert("RGB")),
        )
        for row, picture in enumerate(shown):
            cells[row, column].imshow(picture)
            cells[row, column].set_xticks([])
            cells[row, column].set_yticks([])
        cells[0, column].set_title(f"IoU {masks.ious_N[masks.chosen[column]]:.0%}", fontsize=9)
    for row, title in enumerate(("picture", "true mask", "predicted mask")):
        cells[row, 0].set_ylabel(title)
    patches = [
        Patch(color="#{:02x}{:02x}{:02x}".format(*_COLOURS[index % len(_COLOURS)]), label=name)
        for index, name in enumerate(masks.classes)
    ]
    figure.legend(handles=patches, loc="outside lower center", ncols=min(6, len(patches)))
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)


LENS = Lens(
    name="masks",
    title="Masks",
    says="predicted masks of held-out pictures beside the true ones: the best overlaps and the worst",
    source="the run's own held-out examples",
    takes=frozenset({"finding"}),
    fits=needs_no_model,
    read=made_by_recipe,
    draw=draw_masks,
)
