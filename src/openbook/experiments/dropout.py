"""dropout: leaving out values by chance keeps a net from learning by heart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from openbook.experiments.experiment import Examples, Experiment, Net, Outcome

_SHARES = (0.0, 0.25, 0.5, 0.9)


def _nets(examples: Examples, rng: np.random.Generator) -> list[Net]:
    return [
        Net(
            label=f"dropout {share:g}" if share else "no dropout",
            examples=examples,
            hidden_units=(256,),
            dropout=share,
        )
        for share in _SHARES
    ]


def _see(outcomes: Sequence[Outcome]) -> str:
    without = outcomes[0]
    best = min(outcomes, key=lambda outcome: outcome.last.held_out_loss)
    if best is without:
        return (
            f"No dropout helped here: the held-out loss is lowest without, {without.last.held_out_loss:.3f}."
        )
    return (
        f"{best.label.capitalize()} ends with a held-out loss of {best.last.held_out_loss:.3f} instead of "
        f"{without.last.held_out_loss:.3f} without, and is {100 * best.gap:.1f} points better on what it has seen "
        f"than on new examples instead of {100 * without.gap:.1f}."
    )


EXPERIMENT = Experiment(
    title="Leaving values out",
    question="What does dropout do against overfitting?",
    curve="loss",
    num_epochs=40,
    num_examples=1000,
    nets=_nets,
    see=_see,
)
