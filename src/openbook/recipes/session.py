"""One training session: from a recipe to a finished run, or from an unfinished run to its end."""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from openbook.errors import Interrupted, RunError, TrainingError, UsageError
from openbook.forecasting.outcome import with_actual
from openbook.forecasting.words import forecast_lines, recorded_lines
from openbook.recipes import make_recipe
from openbook.recipes.backend import prepare_backend
from openbook.recipes.recipe import Recipe, default_settings, recipe_settings
from openbook.recipes.recipe_forecast import forecast_recipe
from openbook.runs import Run
from openbook.runs.machine import peak_memory_bytes
from openbook.runs.names import run_argument
from openbook.runs.record import RECORD_NAME
from openbook.saved_models import save_model
from openbook.training.callback import Callback, Metric, Watch, watching
from openbook.training.devices import has_accelerator, peak_memory
from openbook.training.phases import Phases
from openbook.training.reporter import Reporter
from openbook.training.seeding import first_weights
from openbook.training.tensorboard import TensorBoardCallback
from openbook.training_backend import wanted_backend


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainingResult:
    """What a session leaves, for printing.

    Attributes:
        total_s: everything from the command to the end, of this session.
    """

    run: Run
    score: Mapping[str, float]
    train_s: float
    total_s: float
    steps: int
    samples: list[str]


class _Account:
    """What a session has taken so far.

    Args:
        start_s: what the command took before.
    """

    def __init__(self, start_s: float) -> None:
        self._begin_s = time.monotonic() - start_s
        self._peak_bytes = peak_memory_bytes()
        self.phases = Phases()
        self.phases.add("start", start_s)

    @property
    def memory_bytes(self) -> int | None:
        """Peak memory of this session; None where the process, a notebook's perhaps, held more before."""
        peak_bytes = peak_memory()
        return peak_bytes if peak_bytes > self._peak_bytes or has_accelerator() else None

    @property
    def total_s(self) -> float:
        """From the command until now."""
        return time.monotonic() - self._begin_s


def train(
    recipe: Recipe,
    *,
    reporter: Reporter,
    name: str | None = None,
    start_s: float = 0.0,
    callbacks: Sequence[Callback] = (),
    metrics: Mapping[str, Metric] | None = None,
) -> TrainingResult:
    """Load the data, make a run and train it to its end.

    Args:
        start_s: what the command took before this call, to be counted.
        callbacks: told of each step and each held-out score.
        metrics: further held-out scores by name.

    Raises:
        UsageError: metrics for a recipe that has no outputs to give them, or a package is missing.
        DataError: the data cannot be used; no run was made.
        Interrupted, TrainingError, RunError: see `training.fit`.
    """
    account = _Account(start_s)
    watch = _watch(recipe, callbacks, metrics or {})
    with account.phases.measure("data"):
        data = recipe.load_data(reporter)
    reporter.data(data.report)
    with account.phases.measure("start"):
        prepare_backend()
    with account.phases.measure("prepare"):
        resolved = recipe.resolve(data)
    is_open = getattr(recipe, "backend", "auto") == "auto"
    if is_open and wanted_backend() != getattr(resolved, "backend", "jax"):
        reporter.message("KERAS_BACKEND=torch is for text-generator from scratch; this trains on JAX")
    with account.phases.measure("forecast"):
        forecast = _forecast(resolved, data, reporter, account)
    record = {
        "settings": recipe_settings(resolved),
        "settings_default": default_settings(type(recipe)),
        "data": {
            "source": recipe.data,
            "origin": dict(data.origin),
            "fingerprint": data.fingerprint,
            "report": data.report.to_dict(),
        },
        "seed": recipe.seed,
        "forecast": forecast,
    }
    run = Run.create(recipe=recipe.name, record=record, name=name)
    return _train_in(run, resolved, data, reporter, account, watch)


def _forecast(recipe: Recipe, data: Any, reporter: Reporter, account: _Account) -> dict[str, Any] | None:
    """Say what the run will take; the forecast as the run records it, None where none could be made."""
    seconds = account.phases.seconds
    try:
        found = forecast_recipe(
            recipe,
            data,
            say=reporter.message,
            start_s=seconds["start"],
            data_s=seconds["data"],
            is_training=True,
        )
    except Exception as error:  # noqa: BLE001 - see below
        # Training needs no forecast: whatever prevents one must not prevent the other.
        reporter.message(
            f"No forecast could be made ({type(error).__name__}: {error}); training goes on without."
        )
        return None
    reporter.forecast(forecast_lines(found))
    return found.forecast.to_dict()


def resume(run: Run, *, reporter: Reporter, start_s: float = 0.0) -> TrainingResult:
    """Train an unfinished run to its end, with the settings it was begun with.

    Raises:
        RunError: the run is complete, damaged, in use, or its data is not what it was.
    """
    account = _Account(start_s)
    if run.is_complete:
        raise RunError(
            f"{run.name} is complete; there is nothing left to train. Try it with: openbook try {run.name}"
        )
    try:
        recipe = make_recipe(run.recipe, {**run.section("settings"), **data_as_it_lay(run)})
    except UsageError as error:
        raise RunError(
            f"{run.path / RECORD_NAME}: holds what this openbook cannot train with ({error}). It was changed, or "
            f"made by another version. Copy the run again, or train anew"
        ) from error
    with account.phases.measure("data"):
        data = recipe.load_data(reporter)
    if data.fingerprint != run.section("data").get("fingerprint"):
        raise RunError(
            f"the data at {recipe.data!r} is not what {run.name} was begun with. "
            f"Put the earlier data back, or train anew: openbook train {recipe.name} --data {recipe.data}"
        )
    with account.phases.measure("start"):
        prepare_backend()
    reporter.forecast(recorded_lines(run.section("forecast")))
    return _train_in(run, recipe, data, reporter, account, _watch(recipe, (), {}))


def _watch(recipe: Recipe, callbacks: Sequence[Callback], metrics: Mapping[str, Metric]) -> Watch:
    """What is done beside training, from the recipe's settings and a person's own.

    Raises:
        UsageError: what it needs is not there.
    """
    if metrics and not hasattr(recipe, "answer_of"):
        raise UsageError(f"metrics are for recipes that learn from examples, and {recipe.name} does not")
    return Watch(
        callbacks=tuple(callbacks), metrics=metrics, patience=recipe.patience, schedule=recipe.schedule
    )


def _train_in(
    run: Run, recipe: Recipe, data: Any, reporter: Reporter, account: _Account, watch: Watch
) -> TrainingResult:
    if recipe.tensorboard:
        written = TensorBoardCallback(run.path / "tensorboard")
        watch = dataclasses.replace(watch, callbacks=(*watch.callbacks, written))
    with run.lock():
        session: dict[str, Any] = {"started": datetime.now(UTC).isoformat(), "ended": None}
        sessions = [*run.record.get("sessions", []), session]
        run.update(status="training", sessions=sessions)
        try:
            with watching(watch):
                result = _train_to_end(run, recipe, data, reporter, account)
        except BaseException as error:
            reporter.close()
            known = _explained(error, run)
            status = "interrupted" if isinstance(known, Interrupted) else "failed"
            session["ended"] = datetime.now(UTC).isoformat()
            run.update(status=status, sessions=sessions)
            if known is error:
                raise
            raise known from error
        session["ended"] = datetime.now(UTC).isoformat()
        run.update(sessions=sessions)
        run.complete()
        return result


def _train_to_end(
    run: Run, recipe: Recipe, data: Any, reporter: Reporter, account: _Account
) -> TrainingResult:
    phases = account.phases
    with phases.measure("prepare"):
        splits = recipe.prepare(data, run, reporter)
    with phases.measure("build"), first_weights(recipe.seed):
        model = recipe.build(splits)
    reporter.message(f"Training a model of {model.count_params():,} parameters …")
    try:
        fitted = recipe.fit(model, splits, run, reporter)
    except Interrupted:
        # The weights so far can be tried at once, and training can go on from the checkpoint.
        save_model(model, run.model_path)
        raise
    for phase, duration_s in fitted.phases.items():
        phases.add(phase, duration_s)
    with phases.measure("finish"):
        save_model(model, run.model_path)
        reporter.close()
        finished = recipe.finish(model, splits, run, reporter)
    total_s = account.total_s
    memory_bytes = account.memory_bytes
    if memory_bytes is not None:
        memory_bytes += fitted.memory_elsewhere
    run.update(
        forecast=with_actual(run, total_s=total_s, memory_bytes=memory_bytes) or None,
        score=dict(finished.score),
        kept=fitted.kept,
        actual={
            "train_s": round(fitted.train_s, 3),
            "total_s": round(total_s, 3),
            "steps": fitted.steps,
            "kept_step": fitted.kept_step,
            "step_s": fitted.step_s,
            "memory_bytes": memory_bytes,
            "phases": phases.rounded(),
        },
    )
    return TrainingResult(
        run=run,
        score=finished.score,
        train_s=fitted.train_s,
        total_s=total_s,
        steps=fitted.steps,
        samples=finished.samples,
    )


def _explained(error: BaseException, run: Run) -> BaseException:
    """What a person should hear of an error in training; the error itself where it says that already."""
    if isinstance(error, KeyboardInterrupt):
        return Interrupted(
            f"stopped; what was saved before is intact. "
            f"Go on with: openbook train --resume {run_argument(run.path)}"
        )
    # JAX tells that memory is short by a code in the text of an error of its own.
    if isinstance(error, MemoryError) or "RESOURCE_EXHAUSTED" in str(error):
        return TrainingError(
            "this model and its batches need more memory than there is. Train anew with a smaller "
            "--batch-size, --context-length or --size"
        )
    return error


def data_as_it_lay(run: Run) -> dict[str, str]:
    """The setting `data` as a path that does not depend on the working folder, where it is still there."""
    if os.path.isabs(str(run.section("settings").get("data") or "")):
        return {}
    origin = run.section("data").get("origin") or {}
    path = str(origin.get("path", ""))
    is_local = origin.get("kind") in ("file", "folder")
    return {"data": path} if is_local and os.path.exists(path) else {}
