"""model-size: too small cannot learn it, too large learns the training examples by heart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from openbook.experiments.experiment import Examples, Experiment, Net, Outcome

_SIZES = {"too small": (3,), "right": (64,), "too large": (512, 512)}


def _nets(examples: Examples, rng: np.random.Generator) -> list[Net]:
    return [
        Net(
            label=f"{' + '.join(map(str, units))} units ({word})",
            examples=examples,
            hidden_units=units,
        )
        for word, units in _SIZES.items()
    ]


def _see(outcomes: Sequence[Outcome]) -> str:
    lowest = min(outcomes, key=lambda outcome: outcome.best.held_out_loss)
    largest = outcomes[-1]
    rise = largest.last.held_out_loss / largest.best.held_out_loss
    told = (
        f"The lowest held-out loss is that of {lowest.label}, {lowest.best.held_out_loss:.3f} after epoch "
        f"{lowest.best.epoch}"
    )
    if rise < 1.05:
        return f"{told}; the largest net has not begun to overfit after {largest.last.epoch} epochs."
    return (
        f"{told}; the largest net is at its best after epoch {largest.best.epoch}, and then its held-out loss "
        f"grows to {rise:.1f} times as much while its training loss falls to "
        f"{largest.last.train_loss:.4f}: it overfits."
    )


EXPERIMENT = Experiment(
    title="Too small, right, too large",
    question="How large should a net be?",
    curve="loss",
    num_epochs=40,
    num_examples=1000,
    nets=_nets,
    see=_see,
)
