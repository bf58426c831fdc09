"""A project from a run of the recipe digits: reads folders, IDX files, tables and NumPy archives."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from openbook.data.picture_catalog import PICTURE_CATALOG
from openbook.errors import UsageError
from openbook.projects.pieces import Pieces
from openbook.projects.place import place_of
from openbook.recipes.supervised import SupervisedRecipe
from openbook.runs import Run

# How the run's report says that the pictures came: a word of it, and the part of the template that reads them.
_WAYS: Mapping[str, str] = {
    "a folder per class": "folder",
    "a table of paths": "paths",
    "IDX files": "idx",
    "a NumPy archive": "npz",
    "a table of": "pixels",
}
_PACKAGES: Mapping[str, tuple[str, ...]] = {"paths": ("polars",), "pixels": ("polars",)}


def pieces_of(run: Run, folder: Path) -> Iterator[Pieces]:
    """A copy of a known data set goes into the folder.

    If the first pieces do not read the run's data, the next ones read more kinds of it.

    Raises:
        UsageError: the data came in a way that a project cannot read.
    """
    facts = SupervisedRecipe.facts_of(run)
    settings = run.section("settings")
    way, detail = _way(run)
    place = place_of(run)
    place.copy_into(folder)
    names = PICTURE_CATALOG[settings["data"]].classes if settings["data"] in PICTURE_CATALOG else None
    constants: dict[str, Any] = {
        "DATA": place.written,
        "CLASSES": tuple(facts["classes"]),
        "SIDE": facts["shape"][0],
        "HELD_OUT_SHARE": settings["held_out_share"],
        "FINGERPRINT": run.section("data")["fingerprint"],
    }
    if way == "paths":
        constants |= {"PATH_COLUMN": detail, "LABEL_COLUMN": _label_column(run)}
    if way == "pixels":
        constants["LABEL_COLUMN"] = _label_column(run)
    if names is not None:
        constants["NAMES"] = names
    tolerance, num_test = _tolerance(run)
    forms = ("same_form", "other_form") if way in ("idx", "npz", "pixels") else ("",)
    for form in forms:
        yield Pieces(
            template="digits",
            goal="classification",
            constants=constants,
            parts=("array", way, form, "numbered" if names is not None else "unnumbered"),
            num_test=num_test,
            tolerance=tolerance,
            packages=("pillow", *_PACKAGES.get(way, ())),
            about=f"A {settings['model']} network for {len(facts['classes'])} classes of small pictures",
            given="PICTURE.png",
            data=place.written,
            data_note="the pictures" if place.is_copied else "the pictures, read where they lie",
            examples="pictures",
            own_data="`DATA=PATH python train.py` reads others of the same kind; to keep them, name their place "
            "in `DATA` and their classes in `CLASSES` at the top of `data.py`.",
        )


def _way(run: Run) -> tuple[str, str]:
    """The part of the template that reads this run's data, and the column of paths if there is one."""
    read_as = [str(text) for label, text in run.section("data")["report"]["facts"] if label == "Read as"]
    said = [text for text in read_as if re.search(r": [\d,]+$", text)]
    ways = {part for text in said for start, part in _WAYS.items() if text.startswith(start)}
    if {"paths", "pixels"} <= ways:  # one begins as the other
        ways.discard("pixels")
    if len(ways) != 1:
        raise UsageError(
            f"{run.name} read its pictures in several ways ({'; '.join(said)}). Train on one kind of data first"
        )
    column = re.search(r"a table of paths \((.*)\)", said[0])
    return ways.pop(), column[1] if column else ""


def _label_column(run: Run) -> str | None:
    """Of a table; None where it has no header."""
    if run.section("settings").get("target"):
        return str(run.section("settings")["target"])
    notes = [str(text) for label, text in run.section("data")["report"]["facts"] if label == "Read as"]
    guessed = [
        found[1] for text in notes if (found := re.match(r"labels are in the column (.*) \(guessed", text))
    ]
    return guessed[0] if guessed else None


def _tolerance(run: Run) -> tuple[float, int]:
    """Two standard errors of the difference of two scores on as many examples, and their number."""
    report = run.section("data")["report"]
    number = max(1, round(report["num_pictures"] * run.section("settings")["held_out_share"]))
    accuracy = float(run.section("score")["accuracy"])
    # A share of 0 or 1 would have no error at all; one example more or less is always possible.
    spread = max(accuracy * (1 - accuracy), 1 / number)
    return round(2 * math.sqrt(2 * spread / number), 4), number
