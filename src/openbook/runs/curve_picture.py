"""Draws the curves of several runs as a picture file.

Left, the loss over the steps: training thin, held-out with markers. Right, the headline score over the
training time. Runs differ in colour, line and marker, so the picture also reads without colour.
"""

import dataclasses
import math
import os
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openbook.errors import UsageError
from openbook.runs.atomic import atomic_replace
from openbook.runs.compare import Comparison
from openbook.runs.curves import Curve, held_out_curve, held_out_names, training_curve
from openbook.runs.readable import SCORES, bin_means, headline_score, plain_text, score_label, score_text
from openbook.runs.run import Run

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_curves"]

# Okabe and Ito (2008): told apart with every common kind of colour blindness. Yellow is left out: too pale on
# white.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_LINES: tuple[Any, ...] = ("-", (0, (6, 2)), (0, (6, 2, 1, 2)), (0, (2, 1.5)))
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")
# More points than this only draw noise; each point then is the mean of its neighbours.
_MAX_POINTS = 200
_MAX_LABEL_LENGTH = 40


def draw_curves(comparison: Comparison, path: str | os.PathLike[str]) -> Path:
    """Draws the curves to `path`; its ending says the format, such as .png, .svg or .pdf.

    Raises:
        UsageError: the ending is no picture format.
        RunError: a run's metrics are damaged, or the file cannot be written.
    """
    target = Path(path)
    image_format = _image_format(target)
    with warnings.catch_warnings():
        # A run's name may hold signs that the font lacks; a box in their place is good enough.
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from", category=UserWarning)
        figure = _figure(comparison)
        with atomic_replace(target) as temporary:
            figure.savefig(temporary, format=image_format, dpi=150)
    return target


def _image_format(path: Path) -> str:
    from matplotlib.backend_bases import FigureCanvasBase

    formats = FigureCanvasBase.get_supported_filetypes()
    ending = path.suffix.lower().removeprefix(".")
    if path.is_dir():
        raise UsageError(
            f"{path}: expected a picture file, got a folder. Give a name such as {path / 'curves.png'}"
        )
    if ending not in formats:
        known = ", ".join(f".{name}" for name in sorted(formats))
        raise UsageError(
            f"{path}: expected a file that ends with one of {known}; got {ending or 'no ending'!r}"
        )
    return ending


def _figure(comparison: Comparison) -> "Figure":
    from matplotlib.figure import Figure

    rows = [run.metrics() for run in comparison.runs]
    names = list(dict.fromkeys(name for run_rows in rows for name in held_out_names(run_rows)))
    score_name = next((name for name in SCORES if name in names), names[0] if names else "loss")
    num_legend_rows = math.ceil(len(rows) / 2)
    figure = Figure(figsize=(11, 5 + 0.26 * num_legend_rows), layout="constrained")
    loss_axes, score_axes = figure.subplots(1, 2)

    training = [training_curve(run_rows) for run_rows in rows]
    held_out_loss = [held_out_curve(run_rows, "loss") for run_rows in rows]
    scores = [held_out_curve(run_rows, score_name) for run_rows in rows]
    for index, (thin, marked) in enumerate(zip(training, held_out_loss, strict=True)):
        _draw_thin(loss_axes, thin, index, alpha=0.75 if len(rows) <= 4 else 0.3)
        _draw_marked(loss_axes, marked, index)
    has_time = not any(math.isnan(second) for curve in scores for second in curve.seconds)
    unit, unit_s = _time_unit(scores) if has_time else ("", 1.0)
    for index, curve in enumerate(scores):
        elapsed = tuple(second / unit_s for second in curve.seconds)
        _draw_marked(score_axes, dataclasses.replace(curve, steps=elapsed) if has_time else curve, index)

    loss_unit = " (nats per token)" if "bits_per_byte" in names else ""
    _dress(
        loss_axes,
        title="Loss while training",
        x_label="step",
        y_label=f"loss{loss_unit}",
        is_measured=any(training) or any(held_out_loss),
    )
    label = score_label(score_name)
    x_label = f"training time ({unit})" if has_time else "step"
    _dress(
        score_axes,
        title="Score on held-out data",
        x_label=x_label,
        y_label=label,
        is_measured=any(scores),
    )
    if score_name in SCORES and SCORES[score_name].is_share:
        from matplotlib.ticker import PercentFormatter

        score_axes.yaxis.set_major_formatter(PercentFormatter(xmax=1))
    if any(training) and any(held_out_loss):
        _explain_lines(loss_axes, is_mean=any(len(curve) > _MAX_POINTS for curve in training))
    _add_legend(figure, comparison)
    return figure


def _draw_thin(axes: "Axes", curve: Curve, index: int, *, alpha: float) -> None:
    steps, values = bin_means(curve.steps, _MAX_POINTS), bin_means(curve.values, _MAX_POINTS)
    axes.plot(steps, values, linewidth=0.9, alpha=alpha, **_colour_and_line(index))


def _draw_marked(axes: "Axes", curve: Curve, index: int) -> None:
    # Markers on at most about 15 points, so that they stay apart.
    every = max(1, math.ceil(len(curve) / 15))
    axes.plot(
        curve.steps,
        curve.values,
        linewidth=1.5,
        markevery=every,
        **_colour_and_line(index),
        **_marker(index),
    )


def _colour_and_line(index: int) -> dict[str, Any]:
    return {"color": _COLOURS[index % len(_COLOURS)], "linestyle": _LINES[index % len(_LINES)]}


def _marker(index: int) -> dict[str, Any]:
    return {
        "marker": _MARKERS[index % len(_MARKERS)],
        "markersize": 7,
        "markeredgecolor": "white",
        "markeredgewidth": 0.6,
    }


def _time_unit(curves: Sequence[Curve]) -> tuple[str, float]:
    longest_s = max((second for curve in curves for second in curve.seconds), default=0.0)
    if longest_s < 180:
        return "s", 1.0
    return ("min", 60.0) if longest_s < 10800 else ("h", 3600.0)


def _dress(axes: "Axes", *, title: str, x_label: str, y_label: str, is_measured: bool) -> None:
    axes.set_title(title, loc="left", fontsize=12)
    axes.set_xlabel(x_label)
    axes.set_ylabel(y_label)
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    if is_measured:
        axes.set_xlim(left=0)
    else:
        axes.text(0.5, 0.5, "nothing measured yet", transform=axes.transAxes, ha="center", color="#555555")
        axes.set_xticks([])
        axes.set_yticks([])


def _explain_lines(axes: "Axes", *, is_mean: bool) -> None:
    from matplotlib.lines import Line2D

    thin = Line2D([], [], color="#555555", linewidth=0.9)
    marked = Line2D([], [], color="#555555", linewidth=1.8, marker="o", markeredgecolor="white")
    training = "training (mean of neighbouring steps)" if is_mean else "training"
    axes.legend([thin, marked], [training, "held-out"], frameon=False)


def _add_legend(figure: "Figure", comparison: Comparison) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], linewidth=1.8, **_colour_and_line(index), **_marker(index))
        for index in range(len(comparison.runs))
    ]
    # Set afterwards and without mathematics: a name may begin with "_" or hold "$".
    placeholders = [f"run {index}" for index in range(len(handles))]
    legend = figure.legend(
        handles, placeholders, loc="outside lower center", ncols=2, frameon=False, handlelength=4
    )
    for text, label, run in zip(legend.get_texts(), comparison.labels, comparison.runs, strict=True):
        text.set_parse_math(False)
        text.set_text(_legend_label(label, run))


def _legend_label(label: str, run: Run) -> str:
    # The end of a path tells more than its beginning.
    shown = plain_text(label)
    shown = shown if len(shown) <= _MAX_LABEL_LENGTH else "…" + shown[-_MAX_LABEL_LENGTH:]
    score = run.section("score")
    return f"{shown}: {score_text(score) if headline_score(score) else 'no score yet'}"
