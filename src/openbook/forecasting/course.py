"""The course of a run: how many steps it takes, and what becomes of its time."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from openbook.forecasting.phases import Parts
from openbook.forecasting.workload import Workload
from openbook.training.length import has_time_for_scores

IN_TRAINING = ("compile", "steps", "held_out", "checkpoints")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Course:
    """A run as it is expected to go.

    Attributes:
        num_steps: steps in training.
        train_s: training time as a budget counts it: without the last held-out score.
        is_budgeted: its length is a time, so what is not known is the number of steps.
        has_only_the_last_score: the budget is too short for held-out scores on the way.
        phases: seconds by phase, "steps" among them: all but the first, which is part of "compile". Their sum is
            the whole time.
    """

    num_steps: int
    train_s: float
    is_budgeted: bool
    has_only_the_last_score: bool
    phases: Mapping[str, float]


def course_of(workload: Workload, parts: Parts) -> Course:
    """The course that follows from the parts and the length of training."""
    phases = dict(parts.phases)
    last_s = phases["held_out"] / workload.num_evaluations
    length = workload.length
    if length.budget_s is None:
        num_steps = length.steps or max(1, round((length.epochs or 0.0) * workload.steps_per_epoch))
        phases["steps"] = (num_steps - 1) * parts.step_s
        train_s = sum(phases[phase] for phase in IN_TRAINING) - last_s
        return Course(
            num_steps=num_steps,
            train_s=train_s,
            is_budgeted=False,
            has_only_the_last_score=False,
            phases=phases,
        )
    is_short = not has_time_for_scores(
        max(0.0, length.budget_s - phases["compile"]),
        compile_s=phases["compile"],
        scores_s=phases["held_out"],
    )
    if is_short:
        phases["held_out"] = last_s
    left_s = length.budget_s - phases["compile"] - (phases["held_out"] - last_s) - phases["checkpoints"]
    num_steps = 1 + max(0, int(left_s / parts.step_s))
    phases["steps"] = (num_steps - 1) * parts.step_s
    train_s = max(length.budget_s, phases["compile"])
    return Course(
        num_steps=num_steps,
        train_s=train_s,
        is_budgeted=True,
        has_only_the_last_score=is_short,
        phases=phases,
    )
