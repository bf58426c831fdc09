"""The chapters of the book: what was run, what is open, how long it takes here; and laid out over meetings."""

from __future__ import annotations

import dataclasses
import importlib.resources
import tomllib
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from openbook.errors import UsageError
from openbook.journal.times import TimeHere
from openbook.recipes import all_recipes
from openbook.runs import Run
from openbook.runs.readable import score_text

__all__ = ["Chapter", "Meeting", "System", "lay_out", "parse_meetings", "plan_of"]

# A chapter to read counts as much as a system to train: both fill an evening's talk.
_READING_WEIGHT, _SYSTEM_WEIGHT = 1.0, 1.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class System:
    """One recipe in the plan.

    Attributes:
        runs: names of the runs there are, the newest first; finished ones before others.
        is_done: one of them is complete.
        score: of the newest complete run, in words; empty if there is none.
        time: roughly, on this machine.
    """

    recipe: str
    title: str
    runs: tuple[str, ...]
    is_done: bool
    score: str
    time: TimeHere

    @property
    def status(self) -> str:
        """In a word or two."""
        return "done" if self.is_done else "begun" if self.runs else "open"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Chapter:
    """One chapter of the book.

    Attributes:
        systems: the recipes there are for it.
        commands: what else to try; it leaves no run.
        missing: titles of systems that openbook does not have yet.
    """

    number: int
    title: str
    systems: tuple[System, ...]
    commands: tuple[str, ...]
    missing: tuple[str, ...]

    @property
    def is_done(self) -> bool:
        """Whether everything that can be trained for it was; False where nothing can."""
        return bool(self.systems) and all(system.is_done for system in self.systems)

    @property
    def weight(self) -> float:
        """How much of a meeting it fills."""
        return _READING_WEIGHT + _SYSTEM_WEIGHT * (len(self.systems) + bool(self.commands))

    def to_dict(self) -> dict[str, Any]:
        """As it stands in `--json`."""
        return {
            "chapter": self.number,
            "title": self.title,
            "systems": [
                {
                    "recipe": system.recipe,
                    "title": system.title,
                    "status": system.status,
                    "runs": list(system.runs),
                    "score": system.score,
                    **system.time.to_dict(),
                }
                for system in self.systems
            ],
            "commands": list(self.commands),
            "not_in_openbook_yet": list(self.missing),
        }


@dataclasses.dataclass(frozen=True, kw_only=True)
class Meeting:
    """A day and the chapters for it; none on a day that is left over."""

    day: date
    chapters: tuple[Chapter, ...]


def plan_of(runs: Sequence[Run], *, time_of: Callable[[str], TimeHere]) -> list[Chapter]:
    """The chapters in their order.

    Args:
        time_of: how long a recipe takes here.
    """
    recipes = all_recipes()
    text = importlib.resources.files("openbook.journal").joinpath("chapters.toml").read_text("utf-8")
    chapters = []
    for entry in tomllib.loads(text)["chapter"]:
        names = [name for name, recipe in recipes.items() if recipe.chapter == entry["number"]]
        chapters.append(
            Chapter(
                number=entry["number"],
                title=entry["title"],
                systems=tuple(_system(name, recipes[name].title, runs, time_of(name)) for name in names),
                commands=tuple(entry.get("commands", ())),
                missing=tuple(
                    title for name, title in entry.get("missing", {}).items() if name not in recipes
                ),
            )
        )
    return chapters


def parse_meetings(text: str) -> list[date]:
    """The days of meetings, in their order.

    Args:
        text: days as 2026-12-07, between commas.
    Raises:
        UsageError: one is no day, or there twice.
    """
    days: list[date] = []
    for part in text.split(","):
        try:
            day = date.fromisoformat(part.strip())
        except ValueError as error:
            raise UsageError(
                f"--meetings: {part.strip()!r} is no day ({error}). Write days as 2026-12-07, with commas "
                f"between them"
            ) from error
        if day in days:
            raise UsageError(f"--meetings: {day} is there twice. Leave one out")
        days.append(day)
    return sorted(days)


def lay_out(chapters: Sequence[Chapter], days: Sequence[date]) -> list[Meeting]:
    """The chapters over the days, in their order, so that the fullest day is as empty as possible."""
    number = min(len(days), len(chapters))
    # fullest[k][n]: weight of the fullest of k days for the first n chapters; cut[k][n]: where the last begins.
    sums = [0.0]
    for chapter in chapters:
        sums.append(sums[-1] + chapter.weight)
    infinite = float("inf")
    fullest = [[infinite] * (len(chapters) + 1) for _ in range(number + 1)]
    cut = [[0] * (len(chapters) + 1) for _ in range(number + 1)]
    fullest[0][0] = 0.0
    for used in range(1, number + 1):
        for end in range(used, len(chapters) + 1):
            for begin in range(used - 1, end):
                fill = max(fullest[used - 1][begin], sums[end] - sums[begin])
                if fill < fullest[used][end]:
                    fullest[used][end], cut[used][end] = fill, begin
    ends = [len(chapters)]
    for used in range(number, 0, -1):
        ends.append(cut[used][ends[-1]])
    ends.reverse()
    meetings = [
        Meeting(day=day, chapters=tuple(chapters[ends[index] : ends[index + 1]]))
        for index, day in enumerate(days[:number])
    ]
    return meetings + [Meeting(day=day, chapters=()) for day in days[number:]]


def _system(name: str, title: str, runs: Sequence[Run], time: TimeHere) -> System:
    own = [run for run in runs if run.recipe == name]
    complete = [run for run in own if run.is_complete]
    return System(
        recipe=name,
        title=title,
        runs=tuple(run.name for run in [*complete, *(run for run in own if not run.is_complete)]),
        is_done=bool(complete),
        score=score_text(complete[0].section("score")) if complete else "",
        time=time,
    )
