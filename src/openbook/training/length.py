"""How long to train: a number of steps, of epochs, or a budget of time that becomes a number of steps."""

from __future__ import annotations

import collections
import dataclasses
import math
import re
import statistics

from openbook.errors import UsageError

_UNITS_S = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_NUM_RECENT_STEPS = 25
# Scores on the way are left out where they would take more of a budget than this. Their programs are compiled as
# well, which takes about as long as the step did.
_COMPILING_SHARE = 0.25
_SCORING_SHARE = 0.15


def parse_duration(text: str | float) -> float:
    """Seconds in a duration such as `90s`, `10m`, `1h30m` or a plain number of seconds.

    Raises:
        UsageError: not a duration, or not positive.
    """
    written = str(text).strip().lower().replace(" ", "")
    matched = re.fullmatch(r"(?:\d+(?:\.\d+)?[smhd])+", written)
    if matched:
        parts = re.findall(r"(\d+(?:\.\d+)?)([smhd])", written)
        seconds = sum(float(number) * _UNITS_S[unit] for number, unit in parts)
    else:
        try:
            seconds = float(written)
        except ValueError:
            seconds = math.nan
    if not (math.isfinite(seconds) and seconds > 0):
        raise UsageError(
            f"a budget is a time above zero such as 90s, 10m, 2h or 1h30m, not {str(text)!r}. "
            f"Give for example --budget 90s"
        )
    return seconds


def has_time_for_scores(left_s: float, *, compile_s: float, scores_s: float) -> bool:
    """Whether a budget has room for held-out scores on the way.

    Args:
        left_s: of the budget, after the step was compiled.
        compile_s: what that took.
        scores_s: what all scores are expected to take.
    """
    return compile_s <= _COMPILING_SHARE * left_s and scores_s <= _SCORING_SHARE * left_s


@dataclasses.dataclass(frozen=True, kw_only=True)
class Length:
    """Exactly one of three ways to say how long to train."""

    steps: int | None = None
    epochs: float | None = None
    budget_s: float | None = None

    def __post_init__(self) -> None:
        given = [name for name in ("steps", "epochs", "budget_s") if getattr(self, name) is not None]
        if len(given) != 1:
            raise UsageError(
                f"give exactly one of --budget, --steps and --epochs, not {' and '.join(given) or 'none'}"
            )
        value = getattr(self, given[0])
        if not (math.isfinite(value) and value > 0):
            raise UsageError(f"--{given[0].removesuffix('_s')} must be above zero, not {value}")


class StepPlan:
    """The number of steps of a run; for a budget, planned anew after every step from the measured pace.

    With steps or epochs the number is fixed, so a run depends on its seed alone. With a budget the number
    is what fits into the time that is left, so the schedule ends at zero when the time is over.
    """

    def __init__(self, length: Length, *, steps_per_epoch: int, elapsed_s: float = 0.0) -> None:
        self._budget_s = length.budget_s
        self.elapsed_s = elapsed_s
        self.reserved_s = 0.0
        self._recent_s: collections.deque[float] = collections.deque(maxlen=_NUM_RECENT_STEPS)
        self.num_steps: int | None = None
        if length.steps is not None:
            self.num_steps = length.steps
        elif length.epochs is not None:
            self.num_steps = max(1, round(length.epochs * steps_per_epoch))

    @property
    def has_deadline(self) -> bool:
        return self._budget_s is not None

    @property
    def left_s(self) -> float | None:
        """What is left of the budget, in seconds; negative when it is overrun, None without one."""
        return None if self._budget_s is None else self._budget_s - self.elapsed_s

    @property
    def step_s(self) -> float | None:
        """Median duration of the last steps; None before any was measured."""
        return statistics.median(self._recent_s) if self._recent_s else None

    def progress(self, step: int) -> float:
        """Share of the run that is done before `step`, 0…1."""
        return min(1.0, step / self.num_steps) if self.num_steps else 0.0

    def is_done(self, step: int) -> bool:
        return self.num_steps is not None and step >= self.num_steps

    def steps_left_s(self, step: int) -> float | None:
        """Expected time of the steps to come, in seconds; None while the pace is unknown."""
        if self.num_steps is None or self.step_s is None:
            return None
        return max(0, self.num_steps - step) * self.step_s

    def step_taken(self, step: int, *, duration_s: float, is_warm: bool) -> None:
        """Count a finished step; the first one of a process compiles, so its duration says nothing."""
        self.elapsed_s += duration_s
        if is_warm:
            self._recent_s.append(duration_s)
        self._plan(step)

    def time_passed(self, step: int, *, duration_s: float) -> None:
        """Count time between steps: evaluation, checkpoints, samples."""
        self.elapsed_s += duration_s
        self._plan(step)

    def _plan(self, step: int) -> None:
        if self._budget_s is None:
            return
        left_s = self._budget_s - self.elapsed_s - self.reserved_s
        if self.step_s:  # a coarse clock can measure no time at all for a step
            self.num_steps = step + max(0, round(left_s / self.step_s))
        elif left_s <= 0:
            self.num_steps = step
