"""How busy the machine is with other things while a forecast is made."""

from __future__ import annotations

import dataclasses
import os

_WATCH_S = 0.2
# Below this share of all processors, others do not count.
_QUIET_SHARE = 0.15


@dataclasses.dataclass(frozen=True, kw_only=True)
class MachineLoad:
    """What others use.

    Attributes:
        share: of all processors, 0…1, used by other processes.
    """

    share: float = 0.0

    @property
    def spread(self) -> float:
        """How much wider a range becomes, as in `Estimate`: others may stop, or take still more."""
        return 0.0 if self.share < _QUIET_SHARE else self.share

    @property
    def note(self) -> str:
        """Why the range is wider; empty where it is not."""
        if not self.spread:
            return ""
        return (
            f"other programs use {self.share:.0%} of the processors now, so the range is wider. "
            f"Close them for a closer forecast"
        )


def machine_load() -> MachineLoad:
    """Watch the processors for a moment; this process sleeps meanwhile."""
    import psutil  # type: ignore[import-untyped]

    shares = psutil.cpu_percent(interval=_WATCH_S, percpu=True)
    # Of a machine shared with others, only the processors that this process may use count.
    own = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(len(shares))
    used = [share for number, share in enumerate(shares) if number in own] or shares
    return MachineLoad(share=sum(used) / len(used) / 100.0 if used else 0.0)
