"""What `trace`, `explain` and `export --to numpy` work on: a run or a `.keras` file, and an input for it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from openbook.errors import RunError, UsageError


def model_and_inputs(thing: str, given: str | None) -> tuple[Any, Any]:
    """The model of a run or file, and arrays to run it on.

    Args:
        thing: a `.keras` file, or a run by name or path.
        given: a file of arrays (.npy, .npz, .json), numbers as JSON, or, for a run, whatever its recipe takes,
            such as a text; the recipe's own example, or zeros for a file, when left out.
    Raises:
        UsageError, ModelError, RunError: what was given does not fit.
    """
    from openbook.saved_models import load_model

    if thing.endswith(".keras"):
        model = load_model(thing)
        return model, read_arrays(given) if given is not None else _zeros(model)
    from openbook.recipes import recipe_class
    from openbook.runs import find_run

    run = find_run(thing)
    if not run.model_path.exists():
        raise RunError(
            f"{run.name} has no model yet. Go on training it with: openbook train --resume {run.name}"
        )
    run.verify()
    recipe = recipe_class(run.recipe)
    model = load_model(run.model_path)
    if given is not None and Path(given).suffix in (".npy", ".npz"):
        return model, read_arrays(given)
    return model, recipe.model_inputs(run, given)


def parse_index(text: str) -> tuple[int, ...]:
    """`0,1,3` or `[0, 1, 3]` as an index.

    Raises:
        UsageError: not whole numbers.
    """
    parts = [part for part in text.strip().strip("[]()").replace(" ", ",").split(",") if part]
    try:
        return tuple(int(part) for part in parts)
    except ValueError:
        raise UsageError(f"an index is whole numbers with commas, such as 0,1,3, not {text!r}") from None


def read_arrays(given: str) -> Any:
    """The arrays of a .npy, .npz or .json file, or numbers as JSON.

    Raises:
        UsageError: they cannot be read.
    """
    import numpy as np

    path = Path(given)
    try:
        if path.suffix == ".npy":
            return np.load(path, allow_pickle=False)
        if path.suffix == ".npz":
            with np.load(path, allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
            return next(iter(arrays.values())) if len(arrays) == 1 else arrays
        text = path.read_text(encoding="utf-8") if path.suffix == ".json" else given
        return np.array(json.loads(text))
    except (OSError, ValueError) as error:
        raise UsageError(
            f"--input {given!r} cannot be read ({error}). Give a .npy, .npz or .json file, or numbers such as "
            f"'[[1, 2, 3]]'"
        ) from error


def _zeros(model: Any) -> Any:
    from openbook.program.calls import example_inputs

    return example_inputs(model)
