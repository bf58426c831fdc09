"""One training of openbook's in a folder of its own, for the benchmarks beside the book's recipes."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import tempfile
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import numpy as np


def prepare() -> None:
    """The backend without its cache on disk, and awake: both arms compile anew, and neither pays for its start."""
    import jax

    from openbook.recipes.backend import prepare_backend

    prepare_backend()
    # A forecast, or an earlier seed, would have left compiled programs for one arm and not for the other.
    jax.config.update("jax_enable_compilation_cache", False)
    jax.jit(lambda number: number + 1)(1.0).block_until_ready()


def train_once(recipe: str, **settings: Any) -> dict[str, Any]:
    """Train with these settings, all of it as `openbook train` does.

    Returns:
        the held-out score, and `train_s`: compiling and steps. The held-out scores on the way are openbook's own
        affair and are not counted; the book's are not counted either.
    """
    from openbook.recipes import make_recipe, session
    from openbook.training.reporter import Reporter

    prepare()
    with _own_folder():
        result = session.train(make_recipe(recipe, settings), reporter=Reporter())
        return {**result.score, "train_s": _train_s(result.run.section("actual")["phases"])}


def train_prepared(recipe: Any, splits: Any, *, epochs: float, score: str) -> dict[str, Any]:
    """The same with examples that are prepared already, and without a forecast.

    Args:
        recipe: resolved.
        score: entry of the held-out score.
    Returns:
        `score` and `train_s`, as above.
    """
    from openbook.runs import Run
    from openbook.training.reporter import Reporter
    from openbook.training.seeding import first_weights

    prepare()
    recipe = dataclasses.replace(recipe, epochs=epochs)
    with _own_folder():
        run = Run.create(recipe=recipe.name, record={"seed": recipe.seed})
        with first_weights(recipe.seed):
            model = recipe.build_model(splits.facts)
        fitted = recipe.fit(model, splits, run, Reporter())
        found = recipe._task(model, splits).test_score()
    return {"score": found[score], "train_s": _train_s(fitted.phases)}


def prepared(
    recipe: str, *, part: Callable[[Any], Any] = lambda data: data, **settings: Any
) -> tuple[Any, Any]:
    """A resolved recipe and its examples.

    Args:
        part: takes fewer of the data, before anything is fitted to them.
    """
    from openbook.recipes import make_recipe
    from openbook.training.reporter import Reporter

    prepare()
    made: Any = make_recipe(recipe, {"epochs": 1.0, **settings})
    data = part(made.load_data(Reporter()))
    made = made.resolve(data)
    return made, made.split(data)


def arrays_of(examples: Any) -> tuple[Any, Any]:
    """All inputs and targets at once, as the book's recipes take them."""
    found: tuple[Any, Any] = examples.batch(np.arange(len(examples)))
    return found


@contextlib.contextmanager
def _own_folder() -> Iterator[None]:
    with tempfile.TemporaryDirectory() as folder, mock.patch.dict(os.environ, {"OPENBOOK_RUNS": folder}):
        yield


def _train_s(phases: Any) -> float:
    return round(phases["compile"] + phases.get("steps", 0.0), 3)
