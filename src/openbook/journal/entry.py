"""What the journal says of one run, as plain facts; from a run, or from the journal of somebody else."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from openbook.errors import RunError
from openbook.recipes import all_recipes
from openbook.runs import Run
from openbook.runs.details import RunDetails
from openbook.runs.notes import read_notes
from openbook.runs.record import parse_time
from openbook.runs.summary import summarize

__all__ = ["Entry", "entry_of"]

# What says how long to train: shown whether it is the default or not.
_LENGTHS = ("budget", "steps", "epochs")
_PICTURES = (".png", ".jpg", ".jpeg", ".svg", ".webp")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Entry:
    """One run in the journal.

    Attributes:
        title, chapter: of the system; the recipe's name and None where this openbook does not know it.
        settings: those that differ from the default, as (value, default); the length of the training besides.
        epoch_s: seconds for once through the training data, without compiling; None where it is not known.
        forecast_s: low, middle and high, of the whole time; None where none was made.
        notes: each with its time, text and hours.
        sample: name and text of what the model made; empty where it made none.
        pictures: names of picture files in the run's folder.
    """

    name: str
    created: datetime
    recipe: str
    title: str
    chapter: int | None
    status: str
    data: str
    fingerprint: str
    machine: str
    settings: Mapping[str, tuple[Any, Any]]
    steps: int | None
    epochs: float | None
    step_s: float | None
    epoch_s: float | None
    train_s: float | None
    total_s: float | None
    forecast_s: tuple[float, float, float] | None
    score: Mapping[str, Any]
    notes: tuple[Mapping[str, Any], ...] = ()
    sample: tuple[str, str] = ("", "")
    pictures: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, str]:
        """What tells it from every other run."""
        return self.name, self.created.isoformat()

    @property
    def hours(self) -> float | None:
        """The reader's time, as far as it was noted."""
        noted = [note["hours"] for note in self.notes if note.get("hours") is not None]
        return math.fsum(noted) if noted else None

    def to_dict(self) -> dict[str, Any]:
        """As it stands in `--json` and in the journal."""
        return {
            "name": self.name,
            "created": self.created.isoformat(),
            "recipe": self.recipe,
            "title": self.title,
            "chapter": self.chapter,
            "status": self.status,
            "data": self.data,
            "fingerprint": self.fingerprint,
            "machine": self.machine,
            "settings": {name: value for name, (value, _) in self.settings.items()},
            "steps": self.steps,
            "epochs": _rounded(self.epochs),
            "step_s": _rounded(self.step_s),
            "epoch_s": _rounded(self.epoch_s),
            "train_s": _rounded(self.train_s),
            "total_s": _rounded(self.total_s),
            "forecast_s": list(self.forecast_s) if self.forecast_s else None,
            "score": dict(self.score),
            "hours": self.hours,
            "notes": [dict(note) for note in self.notes],
        }

    @classmethod
    def from_json(cls, text: str) -> Entry:
        """From what stands in somebody's journal.

        Raises:
            ValueError: it is not what openbook wrote there.
        """
        facts = json.loads(text)
        if not isinstance(facts, dict):
            raise ValueError("no object")
        name, recipe, machine = (facts.get(key) for key in ("name", "recipe", "machine"))
        if not (isinstance(name, str) and isinstance(recipe, str) and isinstance(machine, str)):
            raise ValueError("no run, recipe or machine")
        settings, score = (facts.get(key) for key in ("settings", "score"))
        return cls(
            name=name,
            created=parse_time(facts.get("created")),
            recipe=recipe,
            title=str(facts.get("title") or recipe),
            chapter=facts["chapter"] if isinstance(facts.get("chapter"), int) else None,
            status=str(facts.get("status") or ""),
            data=str(facts.get("data") or ""),
            fingerprint=str(facts.get("fingerprint") or ""),
            machine=machine,
            settings={key: (value, None) for key, value in settings.items()}
            if isinstance(settings, dict)
            else {},
            steps=facts["steps"] if isinstance(facts.get("steps"), int) else None,
            epochs=_number(facts.get("epochs")),
            step_s=_number(facts.get("step_s")),
            epoch_s=_number(facts.get("epoch_s")),
            train_s=_number(facts.get("train_s")),
            total_s=_number(facts.get("total_s")),
            forecast_s=None,
            score=score if isinstance(score, dict) else {},
        )


def entry_of(run: Run) -> Entry:
    """The facts of a run.

    Raises:
        RunError: a file of the run is damaged.
    """
    details = RunDetails.of(run)
    summary = summarize(run)
    recipe = all_recipes().get(run.recipe)
    actual, forecast = run.section("actual"), run.section("forecast")
    steps_per_epoch = _steps_per_epoch(forecast)
    step_s = _number(actual.get("step_s"))
    texts = [(name, text) for name, text in details.samples.items() if text]
    return Entry(
        name=run.name,
        created=run.created,
        recipe=run.recipe,
        title=recipe.title if recipe else run.recipe,
        chapter=recipe.chapter if recipe else None,
        status=summary.status,
        data=summary.data,
        fingerprint=str(run.section("data").get("fingerprint") or ""),
        machine=summary.machine,
        settings=_settings(run, details),
        steps=summary.steps,
        epochs=summary.steps / steps_per_epoch if summary.steps and steps_per_epoch else None,
        step_s=step_s,
        epoch_s=step_s * steps_per_epoch if step_s and steps_per_epoch else None,
        train_s=_number(summary.train_s),
        total_s=_number(summary.total_s),
        forecast_s=_range(forecast.get("time_s")),
        score=summary.score,
        notes=tuple(note.to_dict() for note in read_notes(run)),
        sample=texts[0] if texts else ("", ""),
        pictures=tuple(f"samples/{name}" for name in details.samples if name.lower().endswith(_PICTURES)),
    )


def _settings(run: Run, details: RunDetails) -> dict[str, tuple[Any, Any]]:
    """What the reader chose: a setting without a default of its own was chosen by the recipe."""
    # Where the data came from stands in a line of its own.
    chosen = {name: pair for name, pair in details.changed.items() if pair[1] is not None and name != "data"}
    settings = run.section("settings")
    return chosen | {name: (settings[name], None) for name in _LENGTHS if settings.get(name) is not None}


def _steps_per_epoch(forecast: Mapping[str, Any]) -> float | None:
    """From the forecast, which knows both; what it expected of either does not matter."""
    steps, epochs = _number(forecast.get("steps")), _number(forecast.get("epochs"))
    return steps / epochs if steps and epochs else None


def _range(estimate: object) -> tuple[float, float, float] | None:
    if not isinstance(estimate, Mapping):
        return None
    low, middle, high = (_number(estimate.get(name)) for name in ("low", "middle", "high"))
    return (low, middle, high) if low is not None and middle is not None and high is not None else None


def _number(value: object) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if is_number and isinstance(value, int | float) else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.6g}")


def entries_of(runs: tuple[Run, ...]) -> tuple[list[Entry], dict[str, str]]:
    """The entries of runs, the oldest first, and what is wrong with those that have none."""
    entries, problems = [], {}
    for run in runs:
        try:
            entries.append(entry_of(run))
        except RunError as error:
            problems[run.name] = str(error)
    return sorted(entries, key=lambda entry: (entry.created, entry.name)), problems
