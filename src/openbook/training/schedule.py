"""The learning rate over a run: four shapes over the share of it that is done."""

import dataclasses
import math

from openbook.errors import UsageError

SHAPES = ("trapezoid", "cosine", "constant", "step")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Schedule:
    """A shape over the share of the run that is done.

    Attributes:
        peak: highest learning rate.
        shape: "trapezoid" rises, holds, and falls to zero; "cosine" rises, then falls as half a cosine; "step"
            rises, then falls to a tenth after half of the run and to a hundredth after three quarters;
            "constant" stays.
        warm_up_share: share of the run in which it rises linearly.
        decay_share: share of the run, at its end, in which a trapezoid falls linearly to zero.
    Source: Hägele et al. (2024), "Scaling laws and compute-optimal training beyond fixed training durations";
        Loshchilov and Hutter (2017), eq. 5, for the cosine.
    """

    peak: float
    warm_up_share: float = 0.03
    decay_share: float = 0.7
    shape: str = "trapezoid"

    def __post_init__(self) -> None:
        check_shape(self.shape)

    def learning_rate(self, progress: float) -> float:
        """Rate of the step before which the share `progress` of the run is done."""
        rising = (progress + 1e-3) / (self.warm_up_share + 1e-3)
        match self.shape:
            case "constant":
                return self.peak
            case "cosine":
                falling = 0.5 * (1.0 + math.cos(math.pi * progress))
            case "step":
                falling = 1.0 if progress < 0.5 else 0.1 if progress < 0.75 else 0.01
            case _:
                falling = (1.0 - progress) / self.decay_share
        return self.peak * max(0.0, min(1.0, rising, falling))


def check_shape(shape: str) -> None:
    """Raise UsageError unless it is one of `SHAPES`."""
    if shape not in SHAPES:
        raise UsageError(f"--schedule must be {', '.join(SHAPES[:-1])} or {SHAPES[-1]}, not {shape!r}")
