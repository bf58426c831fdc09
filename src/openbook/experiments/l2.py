"""l2: a price on large weights keeps them small, and a net from overfitting."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from openbook.experiments.experiment import Examples, Experiment, Net, Outcome

_STRENGTHS = (0.0, 3e-4, 3e-3, 3e-2)


def _nets(examples: Examples, rng: np.random.Generator) -> list[Net]:
    return [
        Net(
            label=f"L2 {strength:g}" if strength else "no L2",
            examples=examples,
            hidden_units=(256,),
            l2=strength,
        )
        for strength in _STRENGTHS
    ]


def _see(outcomes: Sequence[Outcome]) -> str:
    without = outcomes[0]
    best = min(outcomes, key=lambda outcome: outcome.last.held_out_loss)
    if best is without:
        return f"L2 did not help here: the held-out loss is lowest without, {without.last.held_out_loss:.3f}."
    share = best.mean_weight / without.mean_weight
    return (
        f"{best.label} ends with a held-out loss of {best.last.held_out_loss:.3f} instead of "
        f"{without.last.held_out_loss:.3f} without; its weights are {share:.2f} times as large on average."
    )


EXPERIMENT = Experiment(
    title="A price on large weights",
    question="What does L2 do against overfitting?",
    curve="loss",
    num_epochs=40,
    num_examples=1000,
    nets=_nets,
    see=_see,
)
