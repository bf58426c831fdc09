"""The learning rate over a run: warm up, hold, fall to zero at the end."""

import dataclasses


@dataclasses.dataclass(frozen=True, kw_only=True)
class Schedule:
    """Trapezoid over the share of the run that is done.

    Attributes:
        peak: highest learning rate.
        warm_up_share: share of the run in which it rises linearly.
        decay_share: share of the run, at its end, in which it falls linearly to zero.
    Source: Hägele et al. (2024), "Scaling laws and compute-optimal training beyond fixed training durations".
    """

    peak: float
    warm_up_share: float = 0.03
    decay_share: float = 0.7

    def learning_rate(self, progress: float) -> float:
        """Rate of the step before which the share `progress` of the run is done."""
        rising = (progress + 1e-3) / (self.warm_up_share + 1e-3)
        falling = (1.0 - progress) / self.decay_share
        return self.peak * max(0.0, min(1.0, rising, falling))
