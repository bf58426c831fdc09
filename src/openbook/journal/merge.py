"""The journals of a group side by side: for each system, who ran it where, on what, and who was fastest."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from openbook.errors import DataError, UsageError
from openbook.journal.entry import Entry, entries_of
from openbook.journal.markdown import FACTS, table_lines
from openbook.journal.writing import read_text
from openbook.runs import list_runs
from openbook.runs.readable import readable_duration, score_text

__all__ = ["Line", "SystemOfGroup", "group_lines", "merge_journals", "seconds_text"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Line:
    """A run of somebody in the group.

    Attributes:
        seconds: what the speed is compared by; None where it is not known.
        is_fastest: nobody else was faster in the same.
    """

    who: str
    entry: Entry
    seconds: float | None
    is_fastest: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True)
class SystemOfGroup:
    """One system and the runs of it.

    Attributes:
        measure: what `seconds` are of, "epoch" or "step".
        remark: what the reader must know before comparing; empty if nothing.
    """

    recipe: str
    title: str
    chapter: int | None
    lines: tuple[Line, ...]
    measure: str
    remark: str

    def to_dict(self) -> dict[str, Any]:
        """As it stands in `--json`."""
        return {
            "recipe": self.recipe,
            "title": self.title,
            "chapter": self.chapter,
            "compared_by": f"seconds per {self.measure}",
            "remark": self.remark,
            "runs": [
                {
                    "who": line.who,
                    "seconds": line.seconds,
                    "is_fastest": line.is_fastest,
                    **line.entry.to_dict(),
                }
                for line in self.lines
            ],
        }


def merge_journals(paths: Sequence[Path], *, say: Callable[[str], None]) -> list[SystemOfGroup]:
    """Read the journals and sort their runs by system.

    Args:
        paths: journal.md files, folders that hold one, or folders of runs.
        say: told what is left out, and why.
    Raises:
        UsageError: there are fewer than two journals.
        DataError: a file is no journal.
    """
    if len(paths) < 2:
        raise UsageError(
            f"expected two or more journals to put side by side, got {len(paths)}. "
            f"openbook journal merge anna/journal.md ben/journal.md"
        )
    lines: list[Line] = []
    seen: dict[tuple[str, str, str], str] = {}
    for path, who in zip(paths, _names(paths), strict=True):
        entries = _entries(path, say)
        if not entries:
            say(f"{path}: has no runs yet.")
        for entry in entries:
            # The same run in two journals: somebody copied it, or gave the journal twice.
            key = (entry.created.isoformat(), entry.fingerprint, entry.machine)
            if key in seen:
                say(f"{entry.name} of {who} is a run of {seen[key]}; counted once.")
                continue
            seen[key] = who
            lines.append(Line(who=who, entry=entry, seconds=None))
    if not lines:
        raise DataError("these journals have no runs. Train one, and write the journal: openbook journal")
    by_system = sorted(lines, key=lambda line: (line.entry.chapter or math.inf, line.entry.recipe))
    return [
        _system(recipe, list(of_system))
        for recipe, of_system in itertools.groupby(by_system, key=lambda line: line.entry.recipe)
    ]


def seconds_text(seconds: float | None) -> str:
    """A time that may be far below a second, such as that of a step."""
    if seconds is None or seconds >= 0.1:
        return readable_duration(seconds)
    return f"{1000 * seconds:.3g} ms"


def group_lines(systems: Sequence[SystemOfGroup], picture: str) -> dict[str, list[str]]:
    """The parts of the group's file, by key."""
    parts: dict[str, list[str]] = {"picture": [f"![The seconds of the tables below, as bars]({picture})"]}
    for system in systems:
        chapter = f" (chapter {system.chapter})" if system.chapter is not None else ""
        headings = (
            "who",
            "machine",
            "data",
            f"seconds per {system.measure}",
            "training",
            "score",
            "date",
            "run",
        )
        rows = [
            (
                line.who,
                line.entry.machine,
                line.entry.data or "–",
                seconds_text(line.seconds) + (" fastest" if line.is_fastest else ""),
                readable_duration(line.entry.train_s),
                score_text(line.entry.score),
                f"{line.entry.created.astimezone():%Y-%m-%d}",
                line.entry.name,
            )
            for line in system.lines
        ]
        remark = ["", system.remark] if system.remark else []
        parts[f"system {system.recipe}"] = [
            f"## {system.title}{chapter}",
            "",
            *table_lines(headings, rows),
            *remark,
        ]
    return parts


def _entries(path: Path, say: Callable[[str], None]) -> list[Entry]:
    if path.is_dir() and not (path / "journal.md").exists():
        entries, problems = entries_of(list_runs(path))
        for name, problem in problems.items():
            say(f"Left out: {name} ({problem})")
        if not entries:
            raise DataError(f"{path}: expected a journal.md or runs in this folder, found neither")
        return entries
    file = path / "journal.md" if path.is_dir() else path
    text = read_text(file)
    if text is None:
        raise DataError(f"{file}: there is no such file. Write it there with: openbook journal")
    if "<!-- openbook " not in text:
        raise DataError(f"{file}: is no journal that openbook wrote. Write it with: openbook journal")
    entries = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith(FACTS):
            try:
                entries.append(Entry.from_json(line.removeprefix(FACTS).rstrip().removesuffix("-->")))
            except (ValueError, RecursionError, OverflowError) as error:
                say(f"Left out: {file}, line {number} was changed by hand and cannot be read ({error}).")
    return entries


def _names(paths: Sequence[Path]) -> list[str]:
    """A short name for each journal: its folder, or the file where that says more; all different."""
    names = []
    for path in paths:
        absolute = path.absolute()
        says_nothing = absolute.stem.lower() in ("journal", "runs")
        names.append(absolute.parent.name if says_nothing else absolute.stem)
    if len(set(names)) == len(names):
        return names
    return [str(path) if names.count(name) > 1 else name for name, path in zip(names, paths, strict=True)]


def _system(recipe: str, lines: list[Line]) -> SystemOfGroup:
    """Compared by epochs where data is the same, else by steps, of which one is the same work for all."""
    first = lines[0].entry
    fingerprints = [line.entry.fingerprint for line in lines if line.entry.epoch_s is not None]
    has_shared = any(fingerprints.count(each) > 1 for each in fingerprints if each)
    has_several = len(set(fingerprints)) > 1
    if has_shared or not has_several:
        timed = [dataclasses.replace(line, seconds=line.entry.epoch_s) for line in lines]
        remark = (
            "An epoch of other data is other work: the fastest is told for each data set that several have."
            if has_several
            else ""
        )
        measure, same_work = "epoch", (lambda line: line.entry.fingerprint)
    else:
        timed = [dataclasses.replace(line, seconds=line.entry.step_s) for line in lines]
        remark = "No two were trained on the same data, so a single step is compared."
        measure, same_work = "step", (lambda line: "")
    settings = [line.entry.settings for line in lines]
    differing = sorted(
        {name for each in settings for name in each if any(o.get(name) != each[name] for o in settings)}
    )
    if len(lines) > 1 and differing:
        remark = f"{remark} Settings differ: {', '.join(differing)}.".strip()
    return SystemOfGroup(
        recipe=recipe,
        title=first.title,
        chapter=first.chapter,
        lines=tuple(
            sorted(_marked(timed, same_work), key=lambda line: (line.seconds is None, line.seconds or 0.0))
        ),
        measure=measure,
        remark=remark,
    )


def _marked(lines: Sequence[Line], same_work: Callable[[Line], str]) -> list[Line]:
    """The lines with the fastest of each kind of work marked, where there are two to compare."""
    fastest: dict[str, float] = {}
    for work in {same_work(line) for line in lines}:
        times = [line.seconds for line in lines if same_work(line) == work and line.seconds is not None]
        if len(times) > 1:
            fastest[work] = min(times)
    return [
        dataclasses.replace(
            line, is_fastest=line.seconds is not None and line.seconds == fastest.get(same_work(line))
        )
        for line in lines
    ]
