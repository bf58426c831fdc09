"""The time that is left of a run: the forecast, corrected by what training has shown so far."""

from __future__ import annotations

from collections.abc import Mapping

from openbook.training.task import NUM_EVALUATIONS


class TimeLeft:
    """Expected seconds to the end of a run, its final score and samples included.

    Args:
        phases: seconds by phase as forecast; empty where no forecast was made, and then only steps and the scores
            that were seen count.
    """

    def __init__(self, phases: Mapping[str, float]) -> None:
        self._evaluation_s = phases.get("held_out", 0.0) / NUM_EVALUATIONS
        self._finish_s = phases.get("finish", 0.0)
        self._is_first = True

    def evaluation_taken(self, duration_s: float) -> None:
        """A held-out score took so long: those to come will, and the final score is longer in the same measure.

        The first one compiles as well, so it says nothing of the final one.
        """
        if self._evaluation_s > 0.0 and not self._is_first:
            self._finish_s *= duration_s / self._evaluation_s
        self._is_first = False
        self._evaluation_s = duration_s

    def after(self, steps_s: float | None, *, num_evaluations: int) -> float | None:
        """Seconds left.

        Args:
            steps_s: of the steps to come; None while the pace is not known.
            num_evaluations: scores on the way that are still to come; the last one is counted besides.
        """
        if steps_s is None:
            return None
        return steps_s + (num_evaluations + 1) * self._evaluation_s + self._finish_s
