"""How long each part of a run took: loading, preparing, compiling, steps, scores, checkpoints, the end."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

# In the order of a run. "start" is from the command to the first line of ours: Python and the libraries.
PHASES = (
    "start",
    "data",
    "forecast",
    "prepare",
    "build",
    "compile",
    "steps",
    "held_out",
    "checkpoints",
    "finish",
)


class Phases:
    """Seconds by phase; what is not in a phase belongs to none. Monotonic, so a clock that is set does no harm."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextlib.contextmanager
    def measure(self, phase: str) -> Iterator[None]:
        """Count the time of a block to a phase, also when it ends in an error."""
        begin_s = time.monotonic()
        try:
            yield
        finally:
            self.add(phase, time.monotonic() - begin_s)

    def add(self, phase: str, duration_s: float) -> None:
        """Count some seconds to a phase."""
        assert phase in PHASES, phase
        self.seconds[phase] = self.seconds.get(phase, 0.0) + duration_s

    def rounded(self) -> dict[str, float]:
        """Seconds by phase, in the order of a run, to the millisecond."""
        return {phase: round(self.seconds[phase], 3) for phase in PHASES if phase in self.seconds}
