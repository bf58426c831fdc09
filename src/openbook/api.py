"""The calls that a notebook or a script makes."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openbook.errors import UsageError
from openbook.training_backend import settle_backend

if TYPE_CHECKING:
    from openbook.page.notebook import OpenPage
    from openbook.program.trace import Trace
    from openbook.recipes.recipe_forecast import RecipeForecast
    from openbook.runs import Run


def train(
    recipe: str,
    *,
    name: str | None = None,
    quiet: bool = False,
    callbacks: Sequence[Any] = (),
    metrics: Mapping[str, Callable[[Any, Any], float]] | None = None,
    **settings: Any,
) -> Run:
    """Train a recipe; the same as `openbook train RECIPE`.

    Args:
        recipe: its name, such as "text-generator".
        name: name of the run's folder; counted up when left out.
        quiet: show no progress.
        callbacks: told of each step and held-out score: `openbook.training.callback.Callback`, or Keras' own.
        metrics: further held-out scores by name, each a function of outputs and targets as NumPy arrays.
        settings: the recipe's fields, such as data="my-texts/" and budget="10m".
    Returns:
        the finished run; `run.section("score")` is its held-out score.
    Raises:
        UsageError: unknown recipe or setting, or a callback or metric that cannot be used.
        DataError: the data cannot be used.
        Interrupted, TrainingError, RunError: what was done is saved.
    """
    settle_backend()  # before anything loads Keras
    from openbook.recipes import make_recipe, session
    from openbook.training.keras_callbacks import as_callbacks
    from openbook.training.reporter import choose_reporter

    chosen = make_recipe(recipe, settings)
    watchers = as_callbacks(callbacks)
    reporter = choose_reporter(quiet=quiet)
    try:
        return session.train(chosen, reporter=reporter, name=name, callbacks=watchers, metrics=metrics).run
    finally:
        reporter.close()


def forecast(
    recipe: str,
    *,
    level: str = "auto",
    on: str | Sequence[str] = (),
    quiet: bool = False,
    **settings: Any,
) -> RecipeForecast:
    """Say what a run would take, before it is begun; the same as `openbook forecast RECIPE`.

    Args:
        recipe: its name, such as "text-generator".
        level: "profile" (nothing is run), "probe" (a few real steps), "history" (earlier runs), or "auto".
        on: other machines to compare with, by name or by the path of a profile.
        quiet: show no progress.
        settings: the recipe's fields; a `budget` beside `steps` or `epochs` is a limit to fit into.
    Returns:
        an object whose `forecast` has `time_s` and `memory_bytes`, each with `low`, `middle` and `high`, and whose
        `offers` fit where the settings do not; `print` shows it in words.
    Raises:
        UsageError: unknown recipe, setting, level or machine.
        DataError: the data cannot be used.
    Example:
        >>> print(openbook.forecast("text-generator", data="my-texts/", epochs=3, on=["t4"]))
    """
    from openbook.recipes.recipe_forecast import forecast_settings
    from openbook.training.reporter import choose_reporter

    reporter = choose_reporter(quiet=quiet)
    try:
        return forecast_settings(
            recipe,
            settings,
            reporter=reporter,
            level=level,
            machines=(on,) if isinstance(on, str) else tuple(on),
        )
    finally:
        reporter.close()


def load_run(run: str | os.PathLike[str]) -> Run:
    """Open a run by its name, its path, or "last".

    Raises:
        RunError: there is none, or it is damaged.
    """
    from openbook.runs import find_run

    return find_run(os.fspath(run))


def trace(model: Any, *inputs: Any, training: bool = False, limit_bytes: int | None = None) -> Trace:
    """Run a Keras model, or any function that JAX can trace, and keep every value.

    Args:
        model: a Keras model or layer, the path of a `.keras` file, or a function of arrays.
        inputs: of a model one array, list or dictionary of arrays; of a function its arguments.
        training: as in training, with dropout and batch statistics.
        limit_bytes: above so many bytes of values (2 GiB when left out), only what leaves a layer is kept, and
            the inside is computed again when asked for.
    Returns:
        a `Trace`: `trace.names()`, `trace["block_1/attention/weights"]`, `trace.explain(name, index)`.
    Raises:
        ModelError: not a model, not built, inputs that do not fit, or not traceable.
    Example:
        >>> trace = openbook.trace(model, tokens)
        >>> print(trace.explain("block_1/attention/weights", (0, 1, 3, 2)))
    """
    from openbook.program import calls

    return calls.trace(_loaded(model), inputs, training=training, limit_bytes=limit_bytes)


def trace_step(model: Any, inputs: Any, targets: Any, *, loss: Any = None, optimizer: Any = None) -> Trace:
    """Run one training step and keep every value: forward, loss, backward and update.

    The model and its optimizer stay as they are.

    Args:
        inputs, targets: as for `model.fit`, one batch.
        loss, optimizer: Keras objects or names; the compiled ones when left out.
    Returns:
        a `Trace` with "loss", "gradients/<weight>", "updates/<weight>" (the weight after the step) and
        "updates/optimizer/<slot>" beside the values of the forward pass.
    Raises:
        ModelError: as `trace`, or neither compiled nor given a loss and an optimizer.
    """
    from openbook.program import calls

    return calls.trace_step(_loaded(model), inputs, targets, loss=loss, optimizer=optimizer)


def to_numpy(
    model: Any,
    inputs: Any = None,
    *,
    targets: Any = None,
    step: bool = False,
    loss: Any = None,
    optimizer: Any = None,
    path: str | os.PathLike[str] | None = None,
) -> str:
    """Write a model, or a whole training step of it, as a plain NumPy program.

    Args:
        model: a Keras model or the path of a `.keras` file.
        inputs: an example, which fixes the shapes; one of zeros when left out.
        targets: of the example, for a step.
        step: write the training step instead of the forward pass.
        path: where to write the program; its weights go into an `.npz` file of the same name beside it.
    Returns:
        the source text; it imports NumPy only.
    Raises:
        ModelError: as `trace`, or a primitive that the table cannot write; the message names it.
    """
    from openbook.program import calls

    if step and targets is None:
        raise UsageError("a training step needs targets: to_numpy(model, inputs, targets=…, step=True)")
    program = calls.numpy_program(
        _loaded(model), inputs, targets=targets if step else None, loss=loss, optimizer=optimizer
    )
    if path is not None:
        program.save(Path(path))
    return program.text


def look(thing: Any, inputs: Any = None) -> OpenPage:
    """Open a model like a book: every value of it, and where each number comes from.

    In a notebook the page is in the output cell, elsewhere in the browser. Its server listens on this machine only
    and ends with the process.

    Args:
        thing: a run (by name, path or `Run`), the path of a `.keras` file, or a Keras model; or a list of them.
        inputs: what to look at first: for a run a text, else arrays as for `openbook.trace`.
    Returns:
        an object with `url` and `close()`.
    Raises:
        RunError, ModelError, UsageError: it cannot be looked at; the message says why.
    Example:
        >>> page = openbook.look(model, digits[:20])
    """
    from openbook.looking import prepare, subject_of
    from openbook.page.notebook import show

    prepare()
    things = thing if isinstance(thing, list | tuple) else [thing]
    return show([subject_of(each, inputs) for each in things])


def _loaded(model: Any) -> Any:
    """The model in a `.keras` file, or what was given."""
    if not isinstance(model, str | os.PathLike):
        return model
    from openbook.saved_models import load_model

    return load_model(model)
