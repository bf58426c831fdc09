"""A project from a run of the recipe image-classifier: its pictures, and the backbone if it has one."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from openbook.data.split import split_by_content
from openbook.projects.filling import filled
from openbook.projects.layer_source import LayerSource
from openbook.projects.pieces import Pieces
from openbook.projects.run_again import RunAgain, read_again, sha256_of, sides_in_words
from openbook.recipes import image_classifier
from openbook.runs import Run
from openbook.saved_models import load_model

_DATA = "data/pictures.npz"
_BACKBONE = "backbone.keras"


def pieces_of(run: Run, folder: Path) -> Iterator[Pieces]:
    """The pictures go into the folder, and the pretrained backbone beside them."""
    again = read_again(run)
    data, splits, settings = again.data, again.splits, again.settings
    path = write_pictures(folder, again, labels=data.labels_N)
    is_pretrained = settings["model"] == "pretrained"
    has_features = again.recipe.has_cached_features
    accuracy, num_test = float(run.section("score")["accuracy"]), len(splits.test)
    spread = max(accuracy * (1 - accuracy), 1 / num_test)
    model = _pretrained(again, folder) if is_pretrained else ""
    notes = (
        f" The layers after the backbone ({settings['backbone']}, in `{_BACKBONE}`) begin with other weights than "
        "the run's did, so the score differs a little even on the same machine."
        if is_pretrained
        else ""
    )
    yield Pieces(
        template="pictures",
        goal="classification",
        constants={
            "DATA": _DATA,
            "FINGERPRINT": sha256_of(path),
            "CLASSES": tuple(data.classes),
            "SIDE": data.form.height,
            "HELD_OUT_SHARE": settings["held_out_share"],
        },
        parts=("array", "features" if has_features else "whole"),
        model=model,
        num_test=num_test,
        tolerance=2 * math.sqrt(2 * spread / num_test),
        packages=("pillow",),
        about=f"A network ({settings['model']}) that tells {len(data.classes)} classes of pictures apart",
        given="PICTURE.png",
        data=_DATA,
        data_note="the pictures as the run had them, with the side of the split that each is on",
        examples="pictures",
        own_data="a folder with a folder of pictures for each class; name its place in `DATA` and the folders in "
        "`CLASSES` at the top of `data.py`"
        + (
            ", delete `data/features.npy`, and say in `model.py` how many classes there are."
            if has_features
            else ". The last layer in `model.py` has as many units as there are classes."
        ),
        notes=notes,
    )


def write_pictures(folder: Path, again: RunAgain, **targets: np.ndarray) -> Path:
    """An archive of a run's pictures with what is known of each."""
    path = folder / _DATA
    path.parent.mkdir(parents=True)
    data = again.data
    rows = split_by_content(data.hashes, held_out_share=again.recipe.held_out_share)
    sides = np.array(sides_in_words(len(data.hashes), rows))
    arrays: dict[str, Any] = {"pictures": data.pictures_NHWC, "sides": sides, **targets}
    np.savez_compressed(path, **arrays)
    return path


def _pretrained(again: RunAgain, folder: Path) -> str:
    """Source of the network; the backbone's weights of ImageNet go into the folder."""
    settings, recipe = again.settings, again.recipe
    side = again.data.form.height
    backbone = image_classifier._frozen_backbone(settings["backbone"], side)
    backbone.save(folder / _BACKBONE)
    constants: dict[str, Any] = {
        "SIDE": side,
        "NUM_CLASSES": len(again.data.classes),
        "DROPOUT": settings["dropout"],
    }
    parts = []
    if recipe.has_cached_features:
        parts.append("features")
        constants["NUM_FEATURES"] = int(backbone.output.shape[-1])
    else:
        is_tuned, is_augmented = bool(settings["fine_tune"]), bool(settings["augmentation"])
        parts += ["whole", "tuned" if is_tuned else "frozen", "augmented" if is_augmented else "plain"]
        if is_tuned:
            constants["NUM_FROZEN"] = math.ceil((1 - image_classifier._TUNED_SHARE) * len(backbone.layers))
        if is_augmented:
            constants["SEED"] = settings["seed"]
    layers = ""
    if "augmented" in parts:
        view = load_model(again.run.model_path).get_layer("random_view")
        layers = LayerSource([type(view)]).text + "\n\n\n"
    return filled("pictures/pretrained.py", constants=constants, parts=parts, sources={"layers": layers})
