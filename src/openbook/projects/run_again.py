"""A finished run with its data once more: read as the run read it, and checked to be the same."""

from __future__ import annotations

import dataclasses
import hashlib
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from openbook.errors import DataError, FetchError
from openbook.recipes import make_recipe
from openbook.runs import Run
from openbook.saved_models import load_model
from openbook.training.reporter import Reporter

_NUM_SPREAD_EXAMPLES = 2000

SIDES = ("train", "validation", "test")


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunAgain:
    """A run, its recipe with all settings, and its data.

    Attributes:
        splits: the examples as the run had them.
    """

    run: Run
    recipe: Any
    data: Any
    splits: Any

    @property
    def settings(self) -> Any:
        return self.run.section("settings")


def read_again(run: Run) -> RunAgain:
    """Read a run's data.

    Raises:
        DataError: it is not there any more, or not what it was.
    """
    settings = dict(run.section("settings"))
    origin = run.section("data").get("origin") or {}
    path = str(origin.get("path", ""))
    if origin.get("kind") in ("file", "folder") and not os.path.isabs(str(settings["data"])):
        settings["data"] = path  # it does not depend on the folder that one stands in
    if origin.get("kind") in ("file", "folder") and not Path(path).exists():
        raise DataError(
            f"{path}: the data of {run.name} is no longer there, and its project would hold a copy. Put it back, "
            f"or train anew"
        )
    recipe = make_recipe(run.recipe, settings)
    try:
        data = recipe.load_data(Reporter())
    except FetchError as error:
        raise DataError(
            f"the data of {run.name} cannot be fetched again, and its project would hold a copy: {error}"
        ) from error
    if data.fingerprint != run.section("data")["fingerprint"]:
        raise DataError(
            f"the data at {settings['data']!r} is not what {run.name} was trained on. Put the earlier data back, "
            f"or train anew"
        )
    splits = recipe.split(data) if hasattr(recipe, "split") else None
    return RunAgain(run=run, recipe=recipe, data=data, splits=splits)


def sides_in_words(number: int, rows_of_sides: Any) -> list[str]:
    """For each of so many examples "train", "validation" or "test"."""
    sides = np.full(number, "", object)
    for name, rows in zip(SIDES, rows_of_sides, strict=True):
        sides[rows] = name
    assert all(sides), "an example lies on no side"
    return [str(side) for side in sides]


def tolerance_of(again: RunAgain, *, of_each: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> float:
    """How near a training elsewhere should come: two standard errors of the difference of two mean scores.

    Args:
        of_each: score of each example, from outputs and targets.
    """
    test = again.splits.test
    # A few thousand examples tell the spread of all.
    chosen = np.unique(np.linspace(0, len(test) - 1, _NUM_SPREAD_EXAMPLES).astype(int))
    inputs, targets = test.batch(chosen)
    model = load_model(again.run.model_path)
    outputs = model.predict(inputs, batch_size=again.recipe.batch_size, verbose=0)
    return 2 * math.sqrt(2 / len(test)) * float(np.std(of_each(np.asarray(outputs), targets)))


def sha256_of(path: Path) -> str:
    """Of a file's content."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def free_name(wanted: str, taken: Any) -> str:
    """A name for a column beside those that are there."""
    while wanted in taken:
        wanted += "_"
    return wanted
