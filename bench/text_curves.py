"""The curves of the text generator's benchmark: held-out score against seconds, both arms, as a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

# Of Okabe and Ito (2008); the lines differ in marker and dash as well.
_STYLES = {
    "published": ("#D55E00", "s", "--", "the book's, as published"),
    "strongest": ("#E69F00", "^", ":", "the book's, best batch size and rate"),
    "openbook": ("#0072B2", "o", "-", "openbook (each point a run)"),
}


def draw(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Two panels: against seconds of training, and against all seconds from the start of the process."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    figure = Figure(figsize=(10.5, 4.2), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    titles = ("seconds of training", "seconds in total")
    for axes, name, title in zip(panels, ("train_s", "total_s"), titles, strict=True):
        for arm, (colour, marker, dash, label) in _STYLES.items():
            for number, points in enumerate(_points(rows, arm, name)):
                axes.plot(
                    *zip(*points, strict=True),
                    color=colour,
                    marker=marker,
                    linestyle=dash,
                    markersize=4,
                    linewidth=1.4,
                    label=label if number == 0 else None,
                )
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda seconds, _: f"{seconds:g}"))
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set_xlabel(title)
        axes.grid(alpha=0.25, which="both")
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("held-out bits per byte (less is better)")
    panels[0].legend(frameon=False)
    figure.savefig(path, dpi=150)


def _points(rows: Sequence[Mapping[str, Any]], arm: str, name: str) -> list[list[tuple[float, float]]]:
    """A list of points for each seed."""
    if arm != "openbook":
        return [
            [(epoch[name], epoch["bits_per_byte"]) for epoch in row["epochs"]]
            for row in rows
            if row["key"]["arm"] == arm and row["epochs"]
        ]
    seeds: dict[int, list[tuple[float, float]]] = {}
    for row in rows:
        if row["key"]["arm"] == arm:
            seeds.setdefault(row["key"]["seed"], []).append((row[name], row["bits_per_byte"]))
    return [sorted(points) for points in seeds.values()]
