"""Starts a project: writes its files, reads the data with them, and keeps them only if that is the run's data."""

from __future__ import annotations

import dataclasses
import importlib
import os
import runpy
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openbook.errors import DataError, RunError, UsageError
from openbook.projects.common_files import project_files, save_run_model
from openbook.projects.scripts import importable

if TYPE_CHECKING:
    from openbook.runs import Run

# The module that brings a recipe's part; it has a function `pieces_of`.
_MODULES: Mapping[str, str] = {
    "digits": "digits",
    "regression": "regression",
    "forecasting": "forecasting",
    "image-classifier": "image_classifier",
    "segmentation": "segmentation",
    "text-generator": "text_generator",
    "text-classifier": "text_classifier",
}


RECIPES = tuple(_MODULES)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Project:
    """A project that was started.

    Attributes:
        files: names of its files, in the order of reading.
        data: where its data is, as the project names it.
    """

    folder: Path
    files: tuple[str, ...]
    data: str


def start_project(run: Run, folder: Path) -> Project:
    """Write a project that reproduces a run without openbook.

    Raises:
        UsageError: the folder is in use, or runs of this recipe have no project.
        RunError: the run is not complete.
        DataError: its data is not there any more, or not what it was.
    """
    if run.recipe not in _MODULES:
        raise UsageError(
            f"{run.name} is a run of {run.recipe}, and projects can be started from runs of "
            f"{', '.join(_MODULES)}. Take its model with: openbook export {run.name}"
        )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder}: is there already and not empty. Give another name")
    if not run.is_complete:
        raise RunError(f"{run.name} is not complete. Go on training it: openbook train --resume {run.name}")
    run.verify()
    recipe_part = importlib.import_module(f"openbook.projects.{_MODULES[run.recipe]}")
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Beside the place it will have, so that a project is there whole or not at all.
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as temporary:
        written = Path(temporary) / folder.name
        written.mkdir()
        files: dict[str, str] = {}
        data = failure = ""
        for pieces in recipe_part.pieces_of(run, written):
            files, data = project_files(run, pieces, title=folder.name), pieces.data
            for name, text in files.items():
                (written / name).write_text(text, encoding="utf-8")
            failure = _reading_failure(written)
            if not failure:
                break
        else:
            raise DataError(
                f"{data}: the project would not read what {run.name} was trained on ({failure}). "
                f"Put the earlier data back, or train anew"
            )
        save_run_model(run, written)
        shutil.rmtree(written / "__pycache__", ignore_errors=True)
        if folder.exists():
            folder.rmdir()
        os.replace(written, folder)
    return Project(folder=folder, files=(*files, "run.keras"), data=data)


def _reading_failure(folder: Path) -> str:
    """Why the project's own reading does not give the run's data; "" when it does."""
    try:
        with importable(folder):
            names: dict[str, Any] = runpy.run_path(str(folder / "data.py"))
        found = names["fingerprint"]()
    except Exception as error:  # noqa: BLE001 - whatever the data does to the script is an answer
        return f"{type(error).__name__}: {error}"
    return "" if found == names["FINGERPRINT"] else "other pictures or classes"
