"""A project from a run of the recipe segmentation: its pictures and masks as an archive."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from openbook.projects.image_classifier import write_pictures
from openbook.projects.pieces import Pieces
from openbook.projects.run_again import read_again, sha256_of, tolerance_of
from openbook.runs import Run


def pieces_of(run: Run, folder: Path) -> Iterator[Pieces]:
    """The pictures go into the folder."""
    again = read_again(run)
    data, settings = again.data, again.settings
    path = write_pictures(folder, again, masks=data.masks_NHW)
    yield Pieces(
        template="pictures",
        goal="segmentation",
        constants={
            "DATA": path.relative_to(folder).as_posix(),
            "FINGERPRINT": sha256_of(path),
            "CLASSES": tuple(data.classes),
            "SIDE": data.form.height,
            "HELD_OUT_SHARE": settings["held_out_share"],
        },
        parts=("array", "whole"),
        num_test=len(again.splits.test),
        tolerance=max(tolerance_of(again, of_each=_ious), 1 / len(again.splits.test)),
        packages=("pillow",),
        about=f"A network ({settings['model']}) that says what each pixel of a picture belongs to",
        given="PICTURE.png",
        data=path.relative_to(folder).as_posix(),
        data_note="pictures and masks as the run had them, with the side of the split that each is on",
        examples="pictures",
        own_data="a folder with the folders `images` and `masks`, with files of the same names; the number of a "
        "mask's pixel is its class. Name its place in `DATA` and the classes in `CLASSES` at the top of "
        "`data.py`. The last layer in `model.py` has as many filters as there are classes.",
    )


def _ious(outputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Intersection over union of each picture, the mean over the classes that are in it or in the answer."""
    answers = outputs.argmax(axis=-1)
    says, is_so = (np.eye(outputs.shape[-1], dtype=bool)[each] for each in (answers, targets))
    unions = (says | is_so).sum(axis=(1, 2))
    hits = (says & is_so).sum(axis=(1, 2))
    return np.asarray((hits / np.maximum(unions, 1)).sum(axis=1) / (unions > 0).sum(axis=1))
