"""The curves of an experiment side by side as a picture file: a panel for each net, all on the same scale."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from openbook.errors import UsageError
from openbook.experiments.experiment import Experiment, Outcome
from openbook.runs.atomic import atomic_replace

# Blue and vermilion of Okabe and Ito (2008); the lines differ in dash and marker as well.
_TRAIN, _HELD_OUT = "#0072B2", "#D55E00"
_FORMATS = (".png", ".svg", ".pdf")


def check_picture_path(path: Path) -> None:
    """Raise UsageError unless the name ends as a picture does."""
    if path.suffix.lower() not in _FORMATS:
        raise UsageError(f"{path}: expected a file that ends with {', '.join(_FORMATS)}")


def draw_outcomes(experiment: Experiment, outcomes: Sequence[Outcome], sentence: str, path: Path) -> None:
    """Draw training and held-out curves of all nets.

    Raises:
        RunError: the file cannot be written.
    """
    from matplotlib.figure import Figure

    check_picture_path(path)
    is_loss = experiment.curve == "loss"
    width = 3.4 * len(outcomes)
    figure = Figure(figsize=(max(7.0, width), 4.3), layout="constrained")
    panels = np.atleast_1d(figure.subplots(1, len(outcomes), sharey=True))
    highest = 0.0
    for axes, outcome in zip(panels, outcomes, strict=True):
        epochs = [scores.epoch for scores in outcome.curve]
        train = [scores.train_loss if is_loss else scores.train_accuracy for scores in outcome.curve]
        held_out = [scores.held_out_loss if is_loss else scores.held_out_accuracy for scores in outcome.curve]
        axes.plot(epochs, train, color=_TRAIN, linestyle="--", linewidth=1.4, label="training")
        axes.plot(
            epochs, held_out, color=_HELD_OUT, linewidth=1.6, marker="o", markersize=3.5, label="held-out"
        )
        axes.set_title(outcome.label, loc="left", fontsize=10.5)
        axes.set_xlabel("epoch")
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
        axes.set_xlim(left=0)
        highest = max(highest, *train[:2], *held_out)
        if not is_loss:
            axes.axhline(outcome.net.examples.guessing, color="#555555", linewidth=0.8, linestyle=":")
    if is_loss:
        panels[0].set_ylim(0.0, 1.05 * highest)
        panels[0].set_ylabel("loss (nats)")
    else:
        from matplotlib.ticker import PercentFormatter

        panels[0].set_ylim(0.0, 1.03)
        panels[0].yaxis.set_major_formatter(PercentFormatter(xmax=1))
        panels[0].set_ylabel("right answers (dotted: guessing)")
    panels[0].legend(frameon=False, loc="upper right" if is_loss else "center right")
    figure.suptitle(
        "\n".join([experiment.title, *textwrap.wrap(sentence, width=round(12.5 * figure.get_figwidth()))]),
        x=0.01,
        ha="left",
        fontsize=10.5,
    )
    with atomic_replace(path) as temporary:
        figure.savefig(temporary, format=path.suffix.lower().removeprefix("."), dpi=150)
