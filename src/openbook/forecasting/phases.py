"""Seconds of each phase of a run, and its memory, from a step that was read and the speeds of a machine."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping

from openbook.forecasting.abstract_model import StepProgram
from openbook.forecasting.compiling import compile_bytes, compile_seconds, forward_share, was_read
from openbook.forecasting.machine_profile import MachineProfile
from openbook.forecasting.step_time import time_of
from openbook.forecasting.workload import ForwardWork, Workload
from openbook.program.program import FORWARD

# A program that is read from the cache on disk instead of compiled, as a share of compiling it.
READ_SHARE = 0.08
# Drawing first weights: operations compiled for each shape, and numbers a second.
_DRAWING_OPERATIONS = 200
_DRAWN_PER_S = 20e6
# What a program brings besides the layers', in operations: a loss, a loop, what is drawn.
_OWN_OPERATIONS = 20
# Arrays of a run's folder as large as the weights: the model, the best, four snapshots.
_NUM_WEIGHT_FILES = 6


@dataclasses.dataclass(frozen=True, kw_only=True)
class Measured:
    """What this process has taken until now, for the same to come in training; seconds and bytes.

    Attributes:
        start_s: Python and the libraries.
        data_s: loading the whole data.
        forecast_s: making this forecast.
        process_bytes: memory of this process with the step compiled: resident, or its peak where steps were taken.
        has_arrays: steps were taken, so that their arrays are in it.
        compiles_first: the run's own forecast, which is in `forecast_s`, will have compiled the step.
    """

    start_s: float
    data_s: float
    forecast_s: float
    process_bytes: int
    has_arrays: bool = False
    compiles_first: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True)
class Parts:
    """A run's parts on a machine, one number each.

    Attributes:
        step_s: one step.
        phases: seconds by phase but "steps", whose number depends on the length of training.
    """

    step_s: float
    phases: Mapping[str, float]


def parts_of(
    workload: Workload,
    step: StepProgram,
    profile: MachineProfile,
    measured: Measured,
    *,
    step_s: float | None = None,
    num_steps: float | None = None,
    is_known: bool = False,
) -> Parts:
    """All phases.

    Args:
        step_s: of a step that was really run; from the profile when None.
        num_steps: for the number of checkpoints; from the length of training when None.
        is_known: the programs were compiled before on this machine and lie in the cache.
    """
    whole_s = time_of(step.program, step.cost, profile, fused_bytes=step.fused_bytes).total
    step_s = whole_s if step_s is None else step_s
    compile_s = compile_seconds(step, profile)
    trace_s = step.trace_s
    forward_operations = len(step.forward.steps)
    # Programs of the forward part are read and compiled in a share of the time that goes with their length.
    share = forward_share(step)
    # What the compiler fuses is known of the whole step only: the share is of both without that.
    plain_s = time_of(step.program, step.cost, profile).total
    batch_s = step_s * min(1.0, time_of(step.program, step.forward, profile).total / plain_s)
    pass_s = 1e-9 * step.weight_bytes / profile.cache_gb_per_s + forward_operations * profile.loop_overhead_s
    disk = 1e9 * profile.disk_gb_per_s

    def seconds(work: ForwardWork, *, times: float) -> float:
        read_s = share * (trace_s + READ_SHARE * compile_s)
        new_s = 0.0 if is_known else share * (1 - READ_SHARE) * compile_s
        each_s = work.batches * batch_s + work.passes * pass_s + work.num_traced * read_s
        return times * each_s + work.num_kept * read_s + work.num_compiled * new_s

    is_read = step.compiled is not None or is_known or measured.compiles_first
    num_shapes = len({(tuple(each.shape), str(each.dtype)) for each in (*step.state[0], *step.state[1])})
    saved_bytes = (
        _num_saves(workload, step_s, num_steps) * step.state_bytes
        + 2 * workload.num_evaluations * step.weight_bytes
    )
    phases = {
        "start": measured.start_s,
        "data": measured.data_s,
        "forecast": measured.forecast_s,
        "prepare": workload.prepare_s,
        "build": _DRAWING_OPERATIONS * num_shapes * profile.compile_s + step.num_parameters / _DRAWN_PER_S,
        "compile": trace_s + (READ_SHARE if is_read else 1.0) * compile_s + step_s,
        "held_out": seconds(workload.evaluation, times=workload.num_evaluations),
        "checkpoints": saved_bytes / disk,
        "finish": seconds(workload.final, times=1.0) + 2 * step.weight_bytes / disk,
    }
    return Parts(step_s=step_s, phases=phases)


def memory_of(
    workload: Workload,
    step: StepProgram,
    profile: MachineProfile,
    measured: Measured,
    *,
    temporary_bytes: int | None = None,
) -> float:
    """Peak memory in bytes, of the process where it computes itself, of the device where there is one.

    Args:
        temporary_bytes: of the arrays inside a step; by the compiler, or guessed from the step, when None.
    """
    temporary = step.temporary_bytes if temporary_bytes is None else temporary_bytes
    if temporary is None:
        temporary = unfused_temporary(step)
    # The model keeps weights of its own beside those of the step.
    arrays = step.state_bytes + step.weight_bytes + step.statistics_bytes + temporary
    if not profile.process_bytes:
        return float(arrays)
    operations, forward = len(step.cost.steps), len(step.forward.steps)
    num_programs = workload.evaluation.num_compiled + workload.final.num_compiled
    num_compiled = num_programs * (forward + _OWN_OPERATIONS)
    step_bytes = compile_bytes(step, profile)
    programs_bytes = num_compiled * step_bytes / max(1, operations)
    if step.compile_bytes is None or was_read(step, profile):
        # Of what the run compiles for the first time nothing is in this process yet.
        programs_bytes += max(0.0, step_bytes - (step.compile_bytes or 0))
    # The arrays of steps that were taken are in the peak already.
    held = measured.process_bytes + (0 if measured.has_arrays else arrays)
    # The model's own weights, and a checkpoint while it is written.
    own = 2 * step.weight_bytes + step.statistics_bytes + step.state_bytes
    return held + own + workload.data_bytes + programs_bytes


def _num_saves(workload: Workload, step_s: float, num_steps: float | None) -> float:
    """Checkpoints in training: with each held-out score, and one every so many seconds, at most one a step."""
    if num_steps is None:
        num_steps = (workload.length.budget_s or 0.0) / step_s
    interval_s = max(workload.checkpoint_interval_s, step_s)
    return workload.num_evaluations + num_steps * step_s / interval_s


def unfused_temporary(step: StepProgram) -> int:
    """Bytes of the values that the backward pass needs of the forward pass, where the compiler was not asked."""
    program = step.program
    inputs = set(program.inputs)
    made_forward = {
        output
        for each in program.steps
        if each.scope.phase == FORWARD
        for output in each.outputs
        if output not in inputs
    }
    kept = {
        value
        for each in program.steps
        if each.scope.phase != FORWARD
        for value in each.inputs
        if value in made_forward
    }
    values = program.values
    return sum(
        math.prod(values[value].shape) * int(getattr(values[value].dtype, "itemsize", 4)) for value in kept
    )


def disk_bytes_of(workload: Workload, step: StepProgram) -> int:
    """Size of the finished run's folder."""
    return step.state_bytes + _NUM_WEIGHT_FILES * step.weight_bytes + workload.preprocessing_bytes
