"""What a forecast says: of a run here, and of the same work on another machine."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from openbook.forecasting.estimate import Estimate

# What a forecast can rest on.
LEVELS = ("profile", "probe", "history")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Elsewhere:
    """The same run on another machine.

    Attributes:
        is_measured: by openbook there; False for a machine known by published figures alone.
    """

    machine: str
    is_measured: bool
    time_s: Estimate
    train_s: Estimate
    step_s: float
    epoch_s: float
    fits_memory: bool

    def to_dict(self) -> dict[str, Any]:
        """As it stands in `--json`."""
        return {
            "machine": self.machine,
            "is_measured": self.is_measured,
            "time_s": self.time_s.to_dict(),
            "train_s": self.train_s.to_dict(),
            "epoch_s": round(self.epoch_s, 3),
            "step_s": round(self.step_s, 6),
            "fits_memory": self.fits_memory,
        }


@dataclasses.dataclass(frozen=True, kw_only=True)
class Forecast:
    """What a run will take.

    Attributes:
        level: "profile" (nothing was run), "probe" (a few real steps were) or "history" (earlier runs tell).
        basis: what it rests on, in words.
        machine: name of the profile; `machine_identity` what it holds for, as text.
        time_s: from the command to the end.
        memory_bytes: peak, of the process, or of the accelerator where there is one.
        available_bytes: memory there is.
        train_s: time in training alone, as a budget counts it.
        budget_s: the time that may be spent in training; None without a limit.
        num_steps, epochs: how much is trained.
        unit, units_per_s: speed of training, such as tokens a second.
        disk_bytes: size of the finished run's folder.
        phases: expected seconds by phase.
        from_profile: seconds by phase, "step" and "memory", by the profile alone: what history corrects.
        program: the settings that decide what a step costs.
        notes: what widens the range.
        ran_out_of_memory: a step was tried, and did not fit.
    """

    level: str
    basis: str
    machine: str
    machine_identity: str
    time_s: Estimate
    memory_bytes: Estimate
    available_bytes: int
    train_s: Estimate
    budget_s: float | None
    step_s: float
    epoch_s: Estimate
    num_steps: int
    epochs: float
    unit: str
    units_per_s: float
    disk_bytes: int
    num_parameters: int
    phases: Mapping[str, float]
    from_profile: Mapping[str, float]
    program: Mapping[str, Any]
    notes: tuple[str, ...] = ()
    ran_out_of_memory: bool = False

    @property
    def fits_memory(self) -> bool:
        return not self.ran_out_of_memory and self.memory_bytes.middle <= self.available_bytes

    @property
    def fits_budget(self) -> bool:
        return self.budget_s is None or self.train_s.middle <= 1.02 * self.budget_s

    @property
    def dominant(self) -> str:
        """The phase that takes the most time."""
        return max(self.phases, key=lambda phase: self.phases[phase])

    def to_dict(self) -> dict[str, Any]:
        """As it stands in run.json and in `--json`."""
        return {
            "level": self.level,
            "basis": self.basis,
            "time_s": self.time_s.to_dict(),
            "memory_bytes": self.memory_bytes.to_dict(num_digits=0),
            "train_s": self.train_s.to_dict(),
            "epoch_s": self.epoch_s.to_dict(),
            "step_s": round(self.step_s, 6),
            "steps": self.num_steps,
            "epochs": round(self.epochs, 4),
            f"{self.unit}_per_s": round(self.units_per_s, 1),
            "disk_bytes": self.disk_bytes,
            "parameters": self.num_parameters,
            "available_bytes": self.available_bytes,
            "budget_s": self.budget_s,
            "fits_memory": self.fits_memory,
            "fits_budget": self.fits_budget,
            "dominates": self.dominant,
            "phases": {phase: round(duration_s, 3) for phase, duration_s in self.phases.items()},
            "from_profile": {name: round(value, 6) for name, value in self.from_profile.items()},
            "program": dict(self.program),
            "machine": self.machine,
            "machine_identity": self.machine_identity,
            "notes": list(self.notes),
        }
