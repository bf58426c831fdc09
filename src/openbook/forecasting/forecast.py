"""Makes the forecast of a run: chooses what to rest on, puts the phases together, corrects them by the past."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable

from openbook.errors import UsageError
from openbook.forecasting.abstract_model import StepProgram, read_step
from openbook.forecasting.compiling import compile_seconds, expected_seconds, was_read
from openbook.forecasting.course import IN_TRAINING, Course, course_of
from openbook.forecasting.estimate import Estimate, total
from openbook.forecasting.history import NO_HISTORY, Correction, History, names_of
from openbook.forecasting.load import MachineLoad
from openbook.forecasting.machine_profile import MachineProfile
from openbook.forecasting.phases import (
    READ_SHARE,
    Measured,
    Parts,
    disk_bytes_of,
    memory_of,
    parts_of,
    unfused_temporary,
)
from openbook.forecasting.prediction import LEVELS, Elsewhere, Forecast
from openbook.forecasting.probe import FEWEST_STEPS, NUM_STEPS, probe
from openbook.forecasting.step_time import time_of
from openbook.forecasting.workload import Workload
from openbook.program.program import Program
from openbook.runs.machine import peak_memory_bytes, resident_bytes
from openbook.training.length import Length

# What the forecast was off by, one standard deviation of the logarithm: see bench/results/forecast.json.
_STEP_SPREAD = {"profile": 0.30, "probe": 0.07, "history": 0.07}
_PUBLISHED_SPREAD = 0.6
_PHASE_SPREAD = 0.12
_MEMORY_SPREAD = {"profile": 0.07, "probe": 0.05, "history": 0.04}
# A first compilation longer than this is not begun for a forecast alone.
_LONGEST_COMPILE_S = 6.0
# Steps are probed for about so long, and not at all where the fewest that tell something would take longer.
_PROBE_S = 1.2
_LONGEST_PROBE_S = 3.5
# A budget is kept to about this share.
_BUDGET_SPREAD = 0.01
_MEASURED_PHASES = ("start", "data", "forecast")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Situation:
    """What a forecast is made in.

    Attributes:
        start_s, data_s: starting Python and the libraries, and loading the whole data, here.
        elapsed_s: what making the forecast has taken until now.
        is_training: the run follows in this process; else it will make a forecast of its own, like this one.
        free_bytes: memory that is free now.
        process_bytes: what this process holds without the arrays of any step; measured when None.
        history: earlier runs of the recipe here.
        budget_s: a limit of the training time that is not the length of training itself.
        scale: how many times slower than its profile this machine was found to be, in a forecast made before.
        temporary_scale: memory inside a step over what its values add up to, from a forecast made before.
        left_s: until the forecast should be there; what would take longer than this is not tried.
    """

    profile: MachineProfile
    identity: str
    start_s: float
    data_s: float
    elapsed_s: Callable[[], float]
    is_training: bool
    free_bytes: int
    load: MachineLoad
    available_bytes: int
    history: History = NO_HISTORY
    budget_s: float | None = None
    process_bytes: int | None = None
    scale: float | None = None
    temporary_scale: float | None = None
    left_s: Callable[[], float] = lambda: math.inf


@dataclasses.dataclass(frozen=True, kw_only=True)
class Made:
    """A forecast with what its making found out, for forecasts of other settings and other machines."""

    forecast: Forecast
    measured: Measured
    workload: Workload
    step: StepProgram
    scale: float
    temporary_scale: float

    @property
    def process_bytes(self) -> int:
        """What the process holds without the arrays of the steps that were taken."""
        return self.measured.process_bytes - (_probe_bytes(self.step) if self.measured.has_arrays else 0)


def make_forecast(workload: Workload, situation: Situation, *, level: str = "auto") -> Made:
    """Forecast a run.

    Args:
        level: one of `LEVELS`, or "auto": history where the very same steps were taken before; else a probe where
            a few steps take seconds; else the profile.
    Raises:
        UsageError: the level cannot be had.
    """
    check_level(level)
    if level == "history" and not situation.history.runs:
        raise UsageError(
            f"there is no finished run of {workload.recipe} on this machine to forecast from. "
            f"Train once, or take --level probe"
        )
    peak_bytes = peak_memory_bytes()
    read = functools.partial(
        read_step, workload.build, workload.optimizer, workload.loss, workload.batch_at(0)
    )
    step, probed_s, ran_out = None, None, False
    try:
        # The compiler needs no memory for the arrays themselves.
        step = read(is_compiled=lambda program: _is_compiled(program, situation, level))
        level, reason = _chosen_level(step, situation, level)
        if level == "probe":
            probed_s = probe(workload, step, limit_s=_PROBE_S)
    except Exception as error:
        # JAX tells that memory is short by a code in the text of an error of its own.
        if "RESOURCE_EXHAUSTED" not in str(error) and not isinstance(error, MemoryError):
            raise
        level, reason, ran_out = "profile", "a step did not fit in memory", True
        step = step or read()
    # A peak that was reached before, by another model in a notebook, says nothing of this one.
    has_arrays = (
        probed_s is not None and peak_memory_bytes() > peak_bytes and situation.profile.process_bytes > 0
    )
    measured = _measured(situation, step, level=level, has_arrays=has_arrays)
    made = _assembled(workload, step, situation, measured, level=level, probed_s=probed_s, reason=reason)
    if ran_out:
        made = dataclasses.replace(made, forecast=dataclasses.replace(made.forecast, ran_out_of_memory=True))
    return made


def check_level(level: str) -> None:
    """Raise UsageError unless it is one of `LEVELS` or "auto"."""
    if level not in ("auto", *LEVELS):
        raise UsageError(f"--level must be auto, {', '.join(LEVELS)}, not {level!r}")


def on_other_machine(made: Made, profile: MachineProfile) -> Elsewhere:
    """The same run on a machine known by its profile; what is no computation takes as long as here."""
    step = dataclasses.replace(made.step, compiled=None, compile_s=None)
    # The number of steps is what is trained here: the same work, on both.
    same_work = dataclasses.replace(made.workload, length=Length(steps=made.forecast.num_steps))
    parts = parts_of(same_work, step, profile, made.measured, num_steps=made.forecast.num_steps)
    course = course_of(same_work, parts)
    spread = _STEP_SPREAD["profile"] if profile.is_measured else _PUBLISHED_SPREAD
    return Elsewhere(
        machine=profile.name,
        is_measured=profile.is_measured,
        time_s=Estimate(middle=sum(course.phases.values()), spread=spread),
        train_s=Estimate(middle=course.train_s, spread=spread),
        step_s=parts.step_s,
        epoch_s=parts.step_s * made.workload.steps_per_epoch,
        fits_memory=memory_of(made.workload, step, profile, made.measured) <= profile.memory_bytes,
    )


def _is_compiled(program: Program, situation: Situation, wanted: str) -> bool:
    """Whether a step is compiled for the forecast alone."""
    if situation.scale is not None:
        return False
    # The programs of earlier runs lie in the cache: compiling reads them.
    if wanted in ("probe", "history") or (wanted == "auto" and situation.history.same):
        return True
    expected_s = expected_seconds(program, situation.profile)
    return expected_s < min(_LONGEST_COMPILE_S, situation.left_s())


def _chosen_level(step: StepProgram, situation: Situation, wanted: str) -> tuple[str, str]:
    """The level, and why a probe was not made."""
    if situation.scale is not None:
        return "profile", ""
    if wanted == "history" or (wanted == "auto" and situation.history.same):
        return "history", ""
    if step.compiled is None:
        return "profile", "the step takes long to compile"
    if wanted == "profile":
        return "profile", ""
    if _probe_bytes(step) > situation.free_bytes:
        if wanted == "probe":
            raise UsageError(
                "a probe needs more memory than there is. Take --level profile, or smaller settings"
            )
        return "profile", "it does not fit in memory"
    predicted_s = time_of(step.program, step.cost, situation.profile, fused_bytes=step.fused_bytes).total
    expected_s = (FEWEST_STEPS + 1) * predicted_s * situation.history.correction("step").factor
    if wanted == "auto" and expected_s > min(_LONGEST_PROBE_S, situation.left_s()):
        return "profile", "a single step takes long"
    return "probe", ""


def _probe_bytes(step: StepProgram) -> int:
    """What steps need beside what the process holds."""
    temporary = step.temporary_bytes
    return step.state_bytes + (unfused_temporary(step) if temporary is None else temporary)


def _assembled(
    workload: Workload,
    step: StepProgram,
    situation: Situation,
    measured: Measured,
    *,
    level: str,
    probed_s: float | None,
    reason: str,
) -> Made:
    """The forecast of a step that was read, and perhaps taken."""
    profile, history = situation.profile, situation.history
    predicted_s = time_of(step.program, step.cost, profile, fused_bytes=step.fused_bytes).total
    step_correction = history.correction("step")
    step_s = probed_s
    if step_s is None:
        step_s = predicted_s * (step_correction.factor if situation.scale is None else situation.scale)
    plain, parts = (
        parts_of(
            workload,
            step,
            profile,
            measured,
            step_s=duration_s,
            num_steps=_num_steps(workload),
            is_known=bool(history.same),
        )
        for duration_s in (predicted_s, step_s)
    )
    course = course_of(workload, Parts(step_s=step_s, phases=_corrected(parts, plain, history)))
    step_spread = step_correction.spread if level == "history" else _STEP_SPREAD[level]
    time_s, train_s = _time_ranges(course, workload, situation, step_spread=step_spread)
    plain_memory, temporary_scale = _memory(workload, step, situation, measured)
    memory_correction = history.correction("memory")
    forecast = Forecast(
        level=level,
        basis=_basis(level, situation, reason),
        machine=profile.name,
        machine_identity=situation.identity,
        time_s=time_s,
        memory_bytes=Estimate(
            middle=plain_memory * memory_correction.factor,
            spread=min(_MEMORY_SPREAD[level], memory_correction.spread),
        ),
        available_bytes=situation.available_bytes,
        train_s=train_s,
        budget_s=workload.length.budget_s if situation.budget_s is None else situation.budget_s,
        step_s=step_s,
        epoch_s=Estimate(middle=step_s * workload.steps_per_epoch, spread=step_spread).times(
            1.0, spread=situation.load.spread
        ),
        num_steps=course.num_steps,
        epochs=course.num_steps / workload.steps_per_epoch,
        unit=workload.unit,
        units_per_s=workload.units_per_step / step_s,
        disk_bytes=disk_bytes_of(workload, step),
        num_parameters=step.num_parameters,
        phases=course.phases,
        from_profile={**plain.phases, "step": predicted_s, "memory": plain_memory},
        program=workload.settings,
        notes=(situation.load.note,) if situation.load.note else (),
    )
    return Made(
        forecast=forecast,
        measured=measured,
        workload=workload,
        step=step,
        scale=step_s / predicted_s,
        temporary_scale=temporary_scale,
    )


def _corrected(parts: Parts, plain: Parts, history: History) -> dict[str, float]:
    """The phases as the past corrects them.

    What was off in the past was off from the profile alone, so a correction applies to what it says; what was
    measured in this process needs none.
    """
    if not history.runs:
        return dict(parts.phases)
    return {
        phase: duration_s
        if phase in _MEASURED_PHASES
        else plain.phases[phase] * history.correction(phase).factor
        for phase, duration_s in parts.phases.items()
    }


def _time_ranges(
    course: Course, workload: Workload, situation: Situation, *, step_spread: float
) -> tuple[Estimate, Estimate]:
    """The whole time and the training time, with their ranges."""
    widened = situation.load.spread

    def estimate(phase: str) -> Estimate:
        spread = step_spread
        if phase != "steps":
            known = Correction() if phase in _MEASURED_PHASES else situation.history.correction(phase)
            spread = min(_PHASE_SPREAD, known.spread)
        return Estimate(middle=course.phases[phase], spread=spread).times(1.0, spread=widened)

    if course.is_budgeted:
        train_s = Estimate(middle=course.train_s, spread=_BUDGET_SPREAD)
    else:
        inside = total(estimate(phase) for phase in IN_TRAINING)
        train_s = Estimate(middle=course.train_s, spread=inside.spread)
    last_s = estimate("held_out").times(1 / workload.num_evaluations)
    if course.has_only_the_last_score:
        last_s = estimate("held_out")
    outside = [estimate(phase) for phase in course.phases if phase not in IN_TRAINING]
    return total([train_s, last_s, *outside]), train_s


def _memory(
    workload: Workload, step: StepProgram, situation: Situation, measured: Measured
) -> tuple[float, float]:
    """Peak memory in bytes, and the memory inside a step over what its values add up to."""
    unfused = unfused_temporary(step)
    temporary_scale = situation.temporary_scale or 1.0
    if step.temporary_bytes is not None:
        temporary_scale = step.temporary_bytes / max(1, unfused)
    temporary_bytes = round(temporary_scale * unfused)
    return memory_of(
        workload, step, situation.profile, measured, temporary_bytes=temporary_bytes
    ), temporary_scale


def _measured(situation: Situation, step: StepProgram, *, level: str, has_arrays: bool) -> Measured:
    process_bytes = resident_bytes() if situation.process_bytes is None else situation.process_bytes
    forecast_s, compiles_first = situation.elapsed_s(), False
    if not situation.is_training and step.compile_s is not None and not was_read(step, situation.profile):
        forecast_s -= (1.0 - READ_SHARE) * step.compile_s
    if not situation.is_training and level == "profile":
        probing_s = _probing_s(step, situation)
        forecast_s, compiles_first = forecast_s + probing_s, probing_s > 0.0
    return Measured(
        start_s=situation.start_s,
        data_s=situation.data_s,
        forecast_s=max(0.0, forecast_s),
        compiles_first=compiles_first,
        process_bytes=peak_memory_bytes() if has_arrays else process_bytes,
        has_arrays=has_arrays,
    )


def _probing_s(step: StepProgram, situation: Situation) -> float:
    """What the run's own forecast will take besides this one's: it compiles a step, and takes a few."""
    compile_s = 0.0
    if step.compile_s is None:
        compile_s = compile_seconds(step, situation.profile)
    step_s = time_of(step.program, step.cost, situation.profile, fused_bytes=step.fused_bytes).total
    least_s = (FEWEST_STEPS + 1) * step_s
    if compile_s > _LONGEST_COMPILE_S or least_s > _LONGEST_PROBE_S:
        return 0.0
    return compile_s + max(least_s, min((NUM_STEPS + 1) * step_s, _PROBE_S))


def _num_steps(workload: Workload) -> int | None:
    length = workload.length
    if length.epochs is not None:
        return max(1, round(length.epochs * workload.steps_per_epoch))
    return length.steps


def _basis(level: str, situation: Situation, reason: str) -> str:
    profile = situation.profile
    if level == "history":
        runs = situation.history.same or situation.history.runs
        same = "the same steps" if situation.history.same else "the same recipe"
        return f"earlier runs of {same} on this machine: {names_of(runs)}"
    if level == "probe":
        return "a few real steps on your data, the first thrown away"
    origin = "measured here" if profile.is_measured else "published figures, not measured"
    return f"the program's operations and bytes, and the machine's speeds ({origin}); nothing was run" + (
        f", because {reason}" if reason else ""
    )
