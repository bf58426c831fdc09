"""A project from a run of the recipe digits: reads folders, IDX files, tables and NumPy archives."""

from __future__ import annotations

import importlib.metadata
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from openbook.data.picture_catalog import PICTURE_CATALOG
from openbook.errors import UsageError
from openbook.projects.filling import filled, filled_text
from openbook.projects.keras_source import model_source
from openbook.projects.place import DataPlace
from openbook.recipes.supervised import SupervisedRecipe
from openbook.runs import Run
from openbook.runs.readable import score_text
from openbook.saved_models import load_model
from openbook.training.checkpoint import load_latest
from openbook.training.schedule import Schedule

# How the run's report says that the pictures came: a word of it, and the part of the template that reads them.
_WAYS: Mapping[str, str] = {
    "a folder per class": "folder",
    "a table of paths": "paths",
    "IDX files": "idx",
    "a NumPy archive": "npz",
    "a table of": "pixels",
}
_PACKAGES: Mapping[str, tuple[str, ...]] = {
    "folder": ("pillow",),
    "paths": ("pillow", "polars"),
    "pixels": ("polars",),
}


def project_files(run: Run, place: DataPlace) -> Iterator[dict[str, str]]:
    """The files of a project by name; if those do not read the run's data, the next ones read more kinds of it.

    Args:
        place: where the project will find the data.
    Raises:
        UsageError: the data came in a way that a project cannot read.
    """
    facts = SupervisedRecipe.facts_of(run)
    settings = run.section("settings")
    way, detail = _way(run)
    model = model_source(load_model(run.model_path))
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
    shape = str(settings.get("schedule", Schedule(peak=1.0).shape))
    train = filled(
        "digits/train.py",
        constants={
            "SEED": settings["seed"],
            "BATCH_SIZE": settings["batch_size"],
            "LEARNING_RATE": settings["learning_rate"],
            "WEIGHT_DECAY": settings["weight_decay"],
            "CHECKED_STEPS": tuple(row["step"] for row in run.metrics() if "held_out" in row),
            "NUM_STEPS": _num_steps(run),
            **({} if shape == "constant" else {"WARM_UP_SHARE": Schedule(peak=1.0).warm_up_share}),
            **({"DECAY_SHARE": Schedule(peak=1.0).decay_share} if shape == "trapezoid" else {}),
            "RUN_SCORE": {name: round(value, 6) for name, value in run.section("score").items()},
            "TOLERANCE": tolerance,
        },
        parts=(shape,),
        sources={"model": model},
    )
    has_budget = settings.get("steps") is None and settings.get("epochs") is None
    readme = filled_text(
        "digits/README.md",
        {
            "title": place.project,
            "model": str(settings["model"]),
            "num_classes": str(len(facts["classes"])),
            "run": run.name,
            "place": f"at `{place.written}`" if not place.is_copied else f"in `{place.written}`",
            "score": score_text(run.section("score")),
            "num_test": f"{num_test:,}",
            "tolerance": f"{100 * tolerance:.1f} points",
            "budget_note": " The run was trained for a time, so its learning rate followed the clock and "
            "differs a little from the one here."
            if has_budget
            else "",
        },
    )
    forms = ("same_form", "other_form") if way in ("idx", "npz", "pixels") else ("",)
    for form in forms:
        numbered = "numbered" if names is not None else "unnumbered"
        packages = [*_PACKAGES.get(way, ()), *(["pillow"] if form == "other_form" else [])]
        yield {
            "data.py": filled("digits/data.py", constants=constants, parts=(way, form, numbered)),
            "train.py": train,
            "test_project.py": filled("digits/test_project.py", constants={}),
            "README.md": readme,
            "requirements.txt": _requirements(run, packages),
        }


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


def _num_steps(run: Run) -> int:
    """The length that was planned; a run may have ended earlier."""
    latest = load_latest(run.checkpoints)
    if latest is not None and latest[1].num_steps:
        return latest[1].num_steps
    return int(run.section("settings").get("steps") or run.section("actual")["steps"])


def _requirements(run: Run, packages: list[str]) -> str:
    versions = dict(run.record["versions"])
    pinned = [f"{name}=={versions[name]}" for name in ("jax", "jaxlib", "keras", "numpy")]
    pinned += [f"{name}=={importlib.metadata.version(name)}" for name in packages]
    return "\n".join([*sorted(pinned), "pytest>=9"]) + "\n"
