"""The training loop of all recipes: steps, held-out scores, checkpoints, resume, deadline."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from openbook.errors import Interrupted, RunError, TrainingError
from openbook.runs import Run
from openbook.runs.atomic import atomic_write
from openbook.runs.readable import readable_duration
from openbook.training import checkpoint
from openbook.training.callback import current_watch, custom_scores
from openbook.training.checkpoint import Best, Position
from openbook.training.interrupt import StopRequest, stop_on_signal
from openbook.training.length import Length, StepPlan, has_time_for_scores
from openbook.training.phases import Phases
from openbook.training.reporter import Progress, Reporter
from openbook.training.schedule import Schedule
from openbook.training.state import TrainingState
from openbook.training.step import TrainStep, compile_train_step
from openbook.training.task import EVALUATIONS, Task
from openbook.training.time_left import TimeLeft

_METRICS_INTERVAL_STEPS = 10


@dataclasses.dataclass(frozen=True, kw_only=True)
class FitResult:
    """What training came to.

    Attributes:
        kept: "best" or "last": whose weights the model holds now.
        score: held-out score of these weights, as used to choose them.
        train_s: training time over all sessions.
        step_s: duration of a step of this session after the first ones, in seconds; the median of the last few.
        phases: seconds of this session by phase; see `training.phases`.
        memory_elsewhere: bytes that another process used at most, where one took the steps.
    """

    steps: int
    train_s: float
    kept: str
    kept_step: int
    score: Mapping[str, float]
    step_s: float | None
    phases: Mapping[str, float]
    memory_elsewhere: int = 0


@dataclasses.dataclass(frozen=True, kw_only=True)
class FitSettings:
    """How to train, whatever the task.

    Attributes:
        optimizer: a Keras optimizer that was not used before.
        checkpoint_interval_s: seconds between checkpoints; 0 for one after every step.
        make_step: from model, optimizer and loss to what takes a step. It may have a method `close`, and
            `peak_bytes` for memory that it uses in another process.
    """

    optimizer: Any
    schedule: Schedule
    length: Length
    checkpoint_interval_s: float = 30.0
    make_step: Callable[[Any, Any, Any], TrainStep] = compile_train_step


def fit(task: Task, settings: FitSettings, *, run: Run, reporter: Reporter) -> FitResult:
    """Train a task to its end, from the run's latest checkpoint when there is one.

    Raises:
        Interrupted: stopped by Ctrl-C; the state is saved, the model holds the last weights.
        TrainingError: the loss is not finite, or PyTorch, where it takes the steps, could not.
        RunError: the latest checkpoint is damaged or of another model, or a new one cannot be written.
    """
    settings.optimizer.build(task.model.trainable_variables)
    begin_s = time.monotonic()
    step = settings.make_step(task.model, settings.optimizer, task.loss)
    build_s = time.monotonic() - begin_s
    try:
        session = _Session(task, settings, step, run, reporter)
        session.phases.add("build", build_s)
        with stop_on_signal() as stop:
            result = session.train(stop)
        return dataclasses.replace(result, memory_elsewhere=getattr(step, "peak_bytes", int)())
    finally:
        getattr(step, "close", lambda: None)()


class _Session:
    """One process' part of a run."""

    def __init__(
        self, task: Task, settings: FitSettings, step: TrainStep, run: Run, reporter: Reporter
    ) -> None:
        self.task = task
        self.watch = current_watch()
        shape = self.watch.schedule or settings.schedule.shape
        self.schedule = dataclasses.replace(settings.schedule, shape=shape)
        self.checkpoint_interval_s = settings.checkpoint_interval_s
        self.run = run
        self.reporter = reporter
        self.state = TrainingState.of(task.model, settings.optimizer)
        self.train_step = step
        self.step = 0
        self.best: Best | None = None
        self.plan = StepPlan(settings.length, steps_per_epoch=task.steps_per_epoch)
        self.evaluations: list[float] = list(self.watch.evaluations)
        self.evaluated_step = 0
        self.phases = Phases()
        self.time_left = TimeLeft(run.section("forecast").get("phases") or {})
        self.is_stopped = False
        self._resume()
        self.first_step = self.step
        for callback in self.watch.callbacks:
            # The loop may see a stand-in for the Keras model, with its variables.
            callback.model = getattr(task.model, "whole", task.model)
            callback.on_begin(self.step)
        self.holds_each_step = any(each.wants_weights_of_each_step for each in self.watch.callbacks)
        self.clock_s = time.monotonic()
        self.saved_at_s = self.clock_s

    def train(self, stop: StopRequest) -> FitResult:
        first_step = self.first_step
        pending: tuple[Any, float] | None = None  # loss and learning rate of the step in flight
        while not self._is_done():
            learning_rate = self.schedule.learning_rate(self.plan.progress(self.step))
            inputs, targets = self.task.batch_at(self.step)
            self.state, loss = self.train_step(self.state, inputs, targets, learning_rate)
            self.step += 1
            if pending is not None:
                # Reading the loss of the step before keeps one step in flight and the clock honest.
                self._finish_step(self.step - 1, *pending, is_warm=self.step - 1 > first_step + 1)
            pending = (loss, learning_rate)
            is_due = self._is_evaluation_due() or self._is_checkpoint_due() or stop.is_made
            is_due = is_due or self.holds_each_step
            if is_due or self.plan.is_done(self.step):
                self._finish_step(self.step, *pending, is_warm=self.step > first_step + 1)
                pending = None
                self._between_steps(stop)
        return self._finish()

    def _finish_step(self, step: int, loss: Any, learning_rate: float, *, is_warm: bool) -> None:
        value = float(loss)
        duration_s = self._lap()
        self.plan.step_taken(step, duration_s=duration_s, is_warm=is_warm)
        self.phases.add("compile" if step == self.first_step + 1 else "steps", duration_s)
        if step == self.first_step + 1:
            self._mind_the_deadline(compiling_s=duration_s)
        if not math.isfinite(value):
            self._stop_at_bad_loss(step)
        speed = self.task.units_per_step / self.plan.step_s if self.plan.step_s else None
        if step % _METRICS_INTERVAL_STEPS == 0 or step == 1 or self.plan.is_done(step):
            row = {"step": step, "loss": value, "learning_rate": learning_rate}
            self.run.append_metrics(
                {**row, "train_s": round(self.plan.elapsed_s, 3), f"{self.task.unit}_per_s": speed}
            )
        self.reporter.step(
            Progress(
                step=step,
                num_steps=self.plan.num_steps,
                fraction=self.plan.progress(step),
                loss=value,
                elapsed_s=self.plan.elapsed_s,
                remaining_s=self.time_left.after(
                    self.plan.steps_left_s(step), num_evaluations=len(self.evaluations)
                ),
                speed=speed,
                unit=self.task.unit,
            )
        )
        if self.holds_each_step:
            self.state.put_weights_into(self.task.model)
        for callback in self.watch.callbacks:
            callback.on_step(step, value, learning_rate)

    def _mind_the_deadline(self, *, compiling_s: float) -> None:
        """Leave out the evaluations on the way where they would take much of a short budget."""
        left_s = self.plan.left_s
        if left_s is None:
            return
        if left_s <= 0.0:
            self.reporter.message(
                f"The budget is spent: making the model ready took {readable_duration(compiling_s)}. "
                f"Give more with --budget"
            )
        if self.watch.patience is not None:
            return
        scores_s = (self.run.section("forecast").get("from_profile") or {}).get("held_out", 0.0)
        if not has_time_for_scores(left_s, compile_s=compiling_s, scores_s=scores_s):
            self.evaluations = []

    def _between_steps(self, stop: StopRequest) -> None:
        if self._is_evaluation_due():
            progress = self.plan.progress(self.step)
            # However often it is scored, the weights are kept and a sample is made at these shares alone.
            is_milestone = any(self.evaluations[0] <= share <= progress for share in EVALUATIONS)
            self.evaluations = [share for share in self.evaluations if share > progress]
            with self.phases.measure("held_out"):
                self._evaluate(keep_snapshot=is_milestone)
                text = self.task.sample(self.state, self.step) if is_milestone else None
            if text is not None:
                self.reporter.sample(text)
                atomic_write(self.run.samples_folder / f"step-{self.step}.txt", text)
            # The evaluations to come take as long as this one.
            duration_s = self._count_lap()
            self.plan.reserved_s = len(self.evaluations) * duration_s
            self.time_left.evaluation_taken(duration_s)
            self._save()
        elif self._is_checkpoint_due() or stop.is_made:
            self._save()
        self._count_lap()
        if stop.is_made and not self._is_done():
            self.state.put_weights_into(self.task.model)
            raise Interrupted(
                f"stopped after step {self.step}; everything is saved. "
                f"Go on with: openbook train --resume {self.run.name}"
            )

    def _evaluate(self, *, keep_snapshot: bool = True) -> None:
        score = self.task.evaluate(self.state)
        if self.watch.metrics:
            # Only tasks that can give their outputs come with metrics; see `session.train`.
            outputs, targets = self.task.held_out_outputs(self.state)  # type: ignore[attr-defined]
            score |= custom_scores(self.watch.metrics, outputs, targets)
        key = self.task.score_key
        weights = {"trainable": self.state.trainable, "non_trainable": self.state.non_trainable}
        if keep_snapshot:
            checkpoint.save_snapshot(self.run.checkpoints, weights, step=self.step)
        if self.best is None or score[key] < self.best.score[key]:
            file = checkpoint.save_best(self.run.checkpoints, weights, step=self.step)
            self.best = Best(step=self.step, score=score, file=file)
        self.run.append_metrics(
            {"step": self.step, "train_s": round(self.plan.elapsed_s, 3), "held_out": score}
        )
        self.evaluated_step = self.step
        self.reporter.evaluated(self.step, score)
        if any(callback.uses_model for callback in self.watch.callbacks):
            self.state.put_weights_into(self.task.model)
        answers = [callback.on_evaluation(self.step, score) for callback in self.watch.callbacks]
        if "stop" in answers and not self._is_done():
            self.is_stopped = True
            self.reporter.message(f"A callback ends the run after step {self.step}")
        self._mind_the_patience()

    def _mind_the_patience(self) -> None:
        """End the run after so many scores without a better one; counted in the metrics, so it outlasts a kill."""
        if self.watch.patience is None or self.best is None or self._is_done():
            return
        steps = {row["step"] for row in self.run.metrics() if "held_out" in row}
        num_worse = sum(step > self.best.step for step in steps)
        if num_worse >= self.watch.patience:
            self.is_stopped = True
            self.reporter.message(
                f"Ended after step {self.step}: {num_worse} scores in a row were no better than that of step "
                f"{self.best.step}"
            )

    def _finish(self) -> FitResult:
        """Score the last weights and put the better of best and last into the model."""
        self._count_lap()
        train_s = self.plan.elapsed_s
        if self.best is None or self.evaluated_step != self.step:
            with self.phases.measure("held_out"):
                self._evaluate()
        assert self.best is not None
        self._save()
        kept_last = self.best.step == self.step
        if not kept_last:
            arrays, _ = checkpoint.read_arrays(self.run.checkpoints / self.best.file)
            self.state = TrainingState(
                trainable=arrays["trainable"],
                non_trainable=arrays.get("non_trainable", []),
                optimizer=self.state.optimizer,
            )
        self.state.put_weights_into(self.task.model)
        for callback in self.watch.callbacks:
            callback.on_end(self.best.score)
        return FitResult(
            steps=self.step,
            train_s=train_s,
            kept="last" if kept_last else "best",
            kept_step=self.best.step,
            score=self.best.score,
            step_s=self.plan.step_s,
            phases=self.phases.seconds,
        )

    def _save(self) -> None:
        position = Position(
            step=self.step, elapsed_s=self.plan.elapsed_s, num_steps=self.plan.num_steps, best=self.best
        )
        with self.phases.measure("checkpoints"):
            checkpoint.save_latest(self.run.checkpoints, self.state.groups(), position)
            if self.best is not None:
                checkpoint.drop_other_best(self.run.checkpoints, keep=self.best.file)
        self.saved_at_s = time.monotonic()

    def _resume(self) -> None:
        loaded = checkpoint.load_latest(self.run.checkpoints)
        checkpoint.drop_snapshots(self.run.checkpoints, after_step=loaded[1].step if loaded else 0)
        if loaded is None:
            self.run.truncate_metrics(after_step=0)
            return
        arrays, position = loaded
        self.state = _as_state(arrays, like=self.state)
        self.step, self.best = position.step, position.best
        self.plan.elapsed_s = position.elapsed_s
        if self.plan.has_deadline:
            self.plan.num_steps = position.num_steps
        progress = self.plan.progress(self.step)
        self.evaluations = [share for share in self.evaluations if share > progress]
        self.run.truncate_metrics(after_step=self.step)
        self.evaluated_step = max((row["step"] for row in self.run.metrics() if "held_out" in row), default=0)
        self.reporter.message(f"Going on after step {self.step}")
        self._mind_the_patience()

    def _stop_at_bad_loss(self, step: int) -> None:
        # The step itself changed nothing, so what is saved here are the last good weights.
        if self.best is None:
            self.state.put_weights_into(self.task.model)
        self._save()
        raise TrainingError(
            f"the loss became NaN or infinite at step {step}. "
            f"The last good weights are kept in {self.run.path}. "
            f"Train anew with a lower --learning-rate, or look for extreme values in the data"
        )

    def _is_done(self) -> bool:
        return self.is_stopped or self.plan.is_done(self.step)

    def _is_evaluation_due(self) -> bool:
        if self._is_done():
            return False
        return bool(self.evaluations) and self.plan.progress(self.step) >= self.evaluations[0]

    def _is_checkpoint_due(self) -> bool:
        return time.monotonic() - self.saved_at_s >= self.checkpoint_interval_s

    def _lap(self) -> float:
        """Seconds since the last lap; monotonic, so a clock that is set does no harm."""
        now_s = time.monotonic()
        duration_s, self.clock_s = now_s - self.clock_s, now_s
        return duration_s

    def _count_lap(self) -> float:
        duration_s = self._lap()
        self.plan.time_passed(self.step, duration_s=duration_s)
        return duration_s


def _as_state(arrays: dict[str, list[np.ndarray]], *, like: TrainingState) -> TrainingState:
    """Arrays of a checkpoint as a state of the same shapes.

    Raises:
        RunError: they belong to another model or optimizer.
    """
    import jax.numpy as jnp

    groups: dict[str, list[Any]] = {}
    for field in dataclasses.fields(TrainingState):
        expected, received = getattr(like, field.name), arrays.get(field.name, [])
        shapes = [tuple(value.shape) for value in expected], [tuple(value.shape) for value in received]
        if shapes[0] != shapes[1]:
            raise RunError(
                f"the checkpoint holds {len(shapes[1])} {field.name} arrays of other shapes than the model's "
                f"{len(shapes[0])}: it was made by another version or other settings. Train anew"
            )
        groups[field.name] = [
            jnp.asarray(value, dtype=old.dtype) for value, old in zip(received, expected, strict=True)
        ]
    return TrainingState(**groups)
