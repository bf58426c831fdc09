"""What compiling a training step takes, in seconds and bytes, where it cannot be seen."""

from __future__ import annotations

from collections.abc import Iterable

from openbook.forecasting.abstract_model import StepProgram
from openbook.forecasting.machine_profile import MachineProfile
from openbook.program.program import Program, Step

# An operation unlike any before takes so many times as long to compile as one that repeats another, and so many
# times the memory. Chosen for eleven training steps of all recipes: see docs/forecast.md.
_NEW_TIMES_AS_LONG = 11
_NEW_TIMES_THE_BYTES = 17
# A step that was compiled in less than this share of what is expected was read from the cache on disk.
_READ_SHARE_AT_MOST = 0.4


def compile_seconds(step: StepProgram, profile: MachineProfile) -> float:
    """As it took here; by the profile where it was not compiled, or only read."""
    if step.compile_s is None or was_read(step, profile):
        return expected_seconds(step.program, profile)
    return step.compile_s


def compile_bytes(step: StepProgram, profile: MachineProfile) -> float:
    """By how much the process grows with it: as it did here, or by the profile, as above."""
    if step.compile_bytes is None or was_read(step, profile):
        return profile.program_bytes * _size(step.program, step.program.all_steps(), new=_NEW_TIMES_THE_BYTES)
    return max(float(step.compile_bytes), profile.program_bytes * len(step.cost.steps))


def was_read(step: StepProgram, profile: MachineProfile) -> bool:
    """Whether the compiled step came from the cache on disk."""
    return step.compile_s is not None and step.compile_s < _READ_SHARE_AT_MOST * expected_seconds(
        step.program, profile
    )


def forward_share(step: StepProgram) -> float:
    """What compiling the forward part takes, of the whole step."""
    forward = [each.step for each in step.forward.steps]
    whole = step.program.all_steps()
    forward_size, size = (_size(step.program, each, new=_NEW_TIMES_AS_LONG) for each in (forward, whole))
    return min(1.0, forward_size / max(1, size))


def expected_seconds(program: Program, profile: MachineProfile) -> float:
    """What compiling a program takes by the profile."""
    return profile.compile_s * _size(program, program.all_steps(), new=_NEW_TIMES_AS_LONG)


def _size(program: Program, steps: Iterable[Step], *, new: int) -> int:
    """Operations of a program, those unlike any before counted `new` times."""
    values = program.values

    def shapes(ids: tuple[int, ...]) -> tuple[object, ...]:
        return tuple((tuple(values[each].shape), str(values[each].dtype)) for each in ids if each in values)

    operations = [(step.primitive, shapes(step.inputs), shapes(step.outputs)) for step in steps]
    return len(operations) + (new - 1) * len(set(operations))
