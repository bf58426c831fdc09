"""noise-channels: numbers that say nothing make a net worse, because it finds something in them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from openbook.experiments.experiment import Examples, Experiment, Net, Outcome, percent


def _nets(examples: Examples, rng: np.random.Generator) -> list[Net]:
    def widened(fill: str) -> Examples:
        def wide(inputs_ND: np.ndarray) -> np.ndarray:
            extra = rng.random(inputs_ND.shape, np.float32) if fill == "noise" else np.zeros_like(inputs_ND)
            return np.concatenate([inputs_ND, extra], axis=1)

        return dataclasses.replace(
            examples, train_ND=wide(examples.train_ND), held_out_ND=wide(examples.held_out_ND)
        )

    return [
        Net(label="zeros added", examples=widened("zeros"), hidden_units=(256,)),
        Net(label="noise added", examples=widened("noise"), hidden_units=(256,)),
    ]


def _see(outcomes: Sequence[Outcome]) -> str:
    zeros, noise = (outcome.last for outcome in outcomes)
    lost = zeros.held_out_accuracy - noise.held_out_accuracy
    told = (
        "With as many numbers of noise as there are pixels the net is right on "
        f"{percent(noise.held_out_accuracy)} of new examples, with zeros in their place on "
        f"{percent(zeros.held_out_accuracy)}"
    )
    if lost <= 0:
        return f"{told}: here the noise did no harm."
    return f"{told}: {100 * lost:.1f} points are lost to patterns that are none."


EXPERIMENT = Experiment(
    title="Noise beside the picture",
    question="What do numbers that say nothing do to a net?",
    curve="accuracy",
    num_epochs=30,
    num_examples=2000,
    nets=_nets,
    see=_see,
)
