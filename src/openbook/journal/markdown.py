"""The journal's parts in Markdown: an overview, and an entry for each run."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from openbook.journal.entry import Entry
from openbook.runs.names import shown_path
from openbook.runs.readable import plain_text, readable_duration, readable_value, score_text, scores_text

__all__ = ["FACTS", "TITLE", "entry_lines", "overview_lines", "table_lines"]

TITLE = (
    "# Study journal\n\n"
    "What stands between the comments `openbook …` is written anew by `openbook journal`. Everything else is "
    "yours: write\nbetween and below the entries whatever you found; it stays. Hours and words for one run: "
    "`openbook note`.\n"
)
# The facts of an entry once more, for `openbook journal merge`.
FACTS = "<!-- openbook facts "
_SAMPLE_LENGTH, _SAMPLE_LINES = 600, 24


def overview_lines(entries: Sequence[Entry]) -> list[str]:
    """A table of all runs, and what they took together."""
    rows = [
        (
            f"{entry.created.astimezone():%Y-%m-%d}",
            entry.name,
            entry.title,
            "–" if entry.chapter is None else str(entry.chapter),
            entry.data or "–",
            score_text(entry.score) if entry.score else entry.status,
            readable_duration(entry.total_s if entry.total_s is not None else entry.train_s),
            "–" if entry.hours is None else f"{entry.hours:g} h",
        )
        for entry in entries
    ]
    headings = ("date", "run", "system", "chapter", "data", "score", "machine's time", "yours")
    machine_s = math.fsum(entry.total_s or entry.train_s or 0.0 for entry in entries)
    hours = math.fsum(entry.hours or 0.0 for entry in entries)
    number = f"{len(entries)} {'run' if len(entries) == 1 else 'runs'}"
    total = f"{number}, {readable_duration(machine_s)} of the machine's time"
    total += f", {hours:g} h of yours" if hours else ""
    return ["## Overview", "", *table_lines(headings, rows), "", f"Together: {total}."]


def entry_lines(entry: Entry, folder: Path, journal: Path) -> list[str]:
    """One run.

    Args:
        folder: of the run, for its pictures.
        journal: the file the lines are for; pictures are named from there.
    """
    chapter = f" (chapter {entry.chapter})" if entry.chapter is not None else ""
    moment = f"{entry.created.astimezone():%Y-%m-%d %H:%M}"
    heading = f"## {moment} · {escaped(entry.title)}{chapter} · {escaped(entry.name)}"
    lines = [heading, "", *table_lines(("what", "this run"), _facts(entry, folder))]
    for name in entry.pictures[:1]:
        place = quote(Path(os.path.relpath(folder / name, journal.absolute().parent)).as_posix())
        lines += ["", f"![{escaped(Path(name).stem)} of {escaped(entry.name)}]({place})"]
    name, text = entry.sample
    if text:
        lines += ["", f"Sample {escaped(name)}:", "", *_indented(text)]
    for note in entry.notes:
        lines += ["", *_note_lines(note["time"], note["text"], note["hours"])]
    return [*lines, f"{FACTS}{_facts_json(entry)} -->"]


def table_lines(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A table, its cells made safe."""
    cells = [headings, ["---"] * len(headings), *([escaped(cell) for cell in row] for row in rows)]
    return [f"| {' | '.join(line)} |" for line in cells]


def escaped(text: str) -> str:
    """A text that came from elsewhere, so that it is nothing but text in Markdown, also in a table."""
    one_line = " ".join(plain_text(text).split())
    for sign in "\\`*_[]|#":
        one_line = one_line.replace(sign, f"\\{sign}")
    return one_line.replace("&", "&amp;").replace("<", "&lt;")


def _facts(entry: Entry, folder: Path) -> list[tuple[str, str]]:
    return [
        (label, text)
        for label, text in (
            ("data", entry.data),
            ("machine", entry.machine),
            ("settings", _settings_text(entry) or "all as they come"),
            ("training", _training_text(entry)),
            ("seconds per epoch", "" if entry.epoch_s is None else readable_duration(entry.epoch_s)),
            ("forecast and actual", _forecast_text(entry)),
            ("held-out score", scores_text(entry.score)),
            ("time spent", _time_text(entry)),
            ("status", "" if entry.status == "complete" else entry.status),
            ("folder", shown_path(folder)),
        )
        if text
    ]


def _settings_text(entry: Entry) -> str:
    parts = []
    for name, (value, default) in entry.settings.items():
        instead = f" (instead of {readable_value(default)})" if default is not None else ""
        parts.append(f"{name.replace('_', ' ')} {readable_value(value)}{instead}")
    return ", ".join(parts)


def _training_text(entry: Entry) -> str:
    if entry.steps is None:
        return ""
    epochs = "" if entry.epochs is None else f", {entry.epochs:.3g} epochs"
    return f"{entry.steps:,} steps{epochs} in {readable_duration(entry.train_s)}"


def _forecast_text(entry: Entry) -> str:
    if entry.forecast_s is None:
        return ""
    low, middle, high = map(readable_duration, entry.forecast_s)
    actual = f"; it took {readable_duration(entry.total_s)}" if entry.total_s is not None else ""
    return f"{middle} ({low} – {high}) expected{actual}"


def _time_text(entry: Entry) -> str:
    machine = entry.total_s if entry.total_s is not None else entry.train_s
    parts = [] if machine is None else [f"{readable_duration(machine)} of the machine's"]
    parts += [] if entry.hours is None else [f"{entry.hours:g} h of yours"]
    return ", ".join(parts)


def _note_lines(time: str, text: str, hours: float | None) -> list[str]:
    """A note as a quotation, so that it may have several lines."""
    from openbook.runs.record import parse_time

    said = f"{hours:g} h" if hours is not None else ""
    first = f"**{parse_time(time).astimezone():%Y-%m-%d %H:%M}**{', ' + said if said else ''}"
    lines = [f"> {first}"]
    for line in text.splitlines():
        lines += [">", f"> {escaped(line)}"] if line.strip() else []
    return lines


def _indented(text: str) -> list[str]:
    """A text as it is, cut where it is long; nothing in it has a meaning for Markdown or is a mark."""
    shown = plain_text(text.strip("\n"))
    is_cut = len(shown) > _SAMPLE_LENGTH or shown.count("\n") >= _SAMPLE_LINES
    lines = shown[:_SAMPLE_LENGTH].splitlines()[:_SAMPLE_LINES]
    return [f"    {line}".rstrip() for line in lines] + (["    …"] if is_cut else [])


def _facts_json(entry: Entry) -> str:
    facts = {key: value for key, value in entry.to_dict().items() if key != "notes"}
    text = json.dumps(facts, ensure_ascii=True, allow_nan=False)
    # Two hyphens would end the comment in some readers.
    return text.replace("--", "-\\u002d").replace(">", "\\u003e")
