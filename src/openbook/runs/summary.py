"""What a list of runs shows of each: one line of facts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from openbook.errors import RunError
from openbook.runs.readable import plain_text
from openbook.runs.run import Run

__all__ = ["RunSummary", "data_label", "machine_label", "summarize"]


@dataclass(frozen=True, kw_only=True)
class RunSummary:
    """The facts of one run; None for what is not known yet."""

    path: str
    name: str
    recipe: str
    status: str
    created: datetime
    data: str
    machine: str
    seed: int | None
    steps: int | None
    train_s: float | None
    total_s: float | None
    score: Mapping[str, Any]

    def to_dict(self) -> dict[str, object]:
        """The facts as they stand in `openbook runs --json`; `run` is the path, as everywhere."""
        return {
            "run": self.path,
            "name": self.name,
            "recipe": self.recipe,
            "status": self.status,
            "created": self.created.isoformat(),
            "data": self.data,
            "machine": self.machine,
            "seed": self.seed,
            "steps": self.steps,
            "train_s": self.train_s,
            "total_s": self.total_s,
            "score": dict(self.score),
        }


def summarize(run: Run) -> RunSummary:
    """The facts of a run; of one that is not complete, steps and time are those measured so far."""
    actual = run.section("actual") or _so_far(run)
    return RunSummary(
        path=str(run.path),
        name=run.name,
        recipe=run.recipe,
        status=run.status,
        created=run.created,
        data=data_label(run.section("data")),
        machine=machine_label(run.section("machine")),
        seed=run.record.get("seed"),
        steps=actual.get("steps"),
        train_s=actual.get("train_s"),
        total_s=actual.get("total_s"),
        score=run.section("score"),
    )


def _so_far(run: Run) -> Mapping[str, Any]:
    try:
        rows = run.metrics()
    except RunError:  # a list of runs tells what it can; `verify` tells the damage
        return {}
    last = rows[-1] if rows else {}
    return {"steps": last.get("step"), "train_s": last.get("train_s")}


def data_label(data: Mapping[str, Any]) -> str:
    """Where the data came from, in a few words."""
    source = data.get("source")
    if isinstance(source, Mapping):
        source = next((source[key] for key in ("name", "path", "address") if source.get(key)), None)
    origin = data.get("origin")
    if source is None and isinstance(origin, Mapping):
        source = next((origin[key] for key in ("name", "path", "address") if origin.get(key)), None)
    return plain_text(str(source)) if source is not None else ""


def machine_label(machine: Mapping[str, Any]) -> str:
    """The machine in a few words."""
    label = machine.get("label") or ", ".join(
        str(machine[key]) for key in ("processor", "architecture", "system") if machine.get(key)
    )
    return plain_text(str(label))
