"""A number that is not known exactly: what is expected, and a range that holds in four cases of five."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable

# A normal variable lies within ± this many standard deviations in 80 % of all cases.
_TENTH_PERCENTILE = 1.2816


@dataclasses.dataclass(frozen=True, kw_only=True)
class Estimate:
    """An estimate with its 10–90 % range.

    Attributes:
        middle: what is expected.
        spread: standard deviation of the logarithm; 0.1 is about ± 10 %.
    """

    middle: float
    spread: float = 0.0

    @property
    def low(self) -> float:
        """One case in ten lies below."""
        return self.middle * math.exp(-_TENTH_PERCENTILE * self.spread)

    @property
    def high(self) -> float:
        """One case in ten lies above."""
        return self.middle * math.exp(_TENTH_PERCENTILE * self.spread)

    def times(self, factor: float, *, spread: float = 0.0) -> Estimate:
        """Multiplied by a factor that has a spread of its own, independent of this one."""
        return Estimate(middle=self.middle * factor, spread=math.hypot(self.spread, spread))

    def to_dict(self, *, num_digits: int = 3) -> dict[str, float]:
        """`low`, `middle` and `high`, rounded."""
        return {name: round(getattr(self, name), num_digits or None) for name in ("low", "middle", "high")}


def total(parts: Iterable[Estimate]) -> Estimate:
    """The sum of parts that err in the same direction.

    A machine that is slower than was thought is so in all parts, so spreads are added and not averaged out.
    """
    parts = list(parts)
    middle = sum(part.middle for part in parts)
    if not middle > 0.0:
        return Estimate(middle=middle)
    return Estimate(middle=middle, spread=sum(part.middle * part.spread for part in parts) / middle)
