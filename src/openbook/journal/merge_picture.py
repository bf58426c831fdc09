"""The runs of a group as bars: a panel for each system, the fastest named."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from openbook.errors import UsageError
from openbook.journal.merge import SystemOfGroup, seconds_text
from openbook.runs.atomic import atomic_replace
from openbook.runs.readable import plain_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["check_picture_path", "draw_group"]

# Blue of Okabe and Ito (2008), and vermilion for the fastest, which is also named.
_COLOUR, _FASTEST = "#0072B2", "#D55E00"
_FORMATS = (".png", ".svg", ".pdf")
# Further apart than this, the shorter bars could not be seen.
_LARGEST_RATIO = 20.0
_LABEL_LENGTH = 48


def check_picture_path(path: Path) -> None:
    """Raise UsageError unless the name ends as a picture does."""
    if path.suffix.lower() not in _FORMATS or path.is_dir():
        raise UsageError(f"{path}: expected a file that ends with {', '.join(_FORMATS)}")


def draw_group(systems: Sequence[SystemOfGroup], path: Path) -> None:
    """Draw the seconds of each run.

    Raises:
        RunError: the file cannot be written.
    """
    from matplotlib.figure import Figure

    check_picture_path(path)
    heights = [1.2 + 0.42 * len(system.lines) for system in systems]
    with warnings.catch_warnings():
        # A name may hold signs that the font lacks; a box in their place is good enough.
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from", category=UserWarning)
        figure = Figure(figsize=(9.0, sum(heights)), layout="constrained")
        panels = figure.subplots(len(systems), 1, squeeze=False, height_ratios=heights)[:, 0]
        for axes, system in zip(panels, systems, strict=True):
            _draw_system(axes, system)
        with atomic_replace(path) as temporary:
            figure.savefig(temporary, format=path.suffix.lower().removeprefix("."), dpi=150)


def _draw_system(axes: Axes, system: SystemOfGroup) -> None:
    known = [line.seconds for line in system.lines if line.seconds]
    has_other_data = system.measure == "epoch" and len({line.entry.fingerprint for line in system.lines}) > 1
    for place, line in enumerate(system.lines):
        if line.seconds:
            axes.barh(place, line.seconds, height=0.65, color=_FASTEST if line.is_fastest else _COLOUR)
        said = seconds_text(line.seconds) + (", fastest" if line.is_fastest else "")
        said += f" on {line.entry.data}" if line.is_fastest and has_other_data and line.entry.data else ""
        weight = "bold" if line.is_fastest else "normal"
        start = line.seconds or min(known, default=0.0)
        note = axes.annotate(
            plain_text(said),
            (start, place),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            fontweight=weight,
            fontsize=9,
        )
        note.set_parse_math(False)
    labels = [
        f"{line.who}: {line.entry.machine}\n{line.entry.data or 'data not told'}" for line in system.lines
    ]
    axes.set_yticks(range(len(labels)))
    for text in axes.set_yticklabels([_short(label) for label in labels], fontsize=8.5):
        text.set_parse_math(False)
    axes.set_ylim(len(labels) - 0.4, -0.6)
    if known and max(known) > _LARGEST_RATIO * min(known):
        axes.set_xscale("log")
        axes.set_xlim(min(known) / 3, max(known) * 4)
    else:
        axes.set_xlim(0, 1.25 * max(known, default=1.0))
    scale = ", on a scale of powers" if axes.get_xscale() == "log" else ""
    axes.set_xlabel(f"seconds per {system.measure}{scale}", fontsize=9)
    axes.set_title(system.title, loc="left", fontsize=11).set_parse_math(False)
    axes.grid(axis="x", alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)


def _short(label: str) -> str:
    lines = plain_text(label).split("\n")
    return "\n".join(
        line if len(line) <= _LABEL_LENGTH else f"{line[: _LABEL_LENGTH - 1]}…" for line in lines
    )
