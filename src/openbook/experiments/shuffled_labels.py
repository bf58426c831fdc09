"""shuffled-labels: a net learns even what has no meaning, and only held-out examples show it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from openbook.experiments.experiment import Examples, Experiment, Net, Outcome, percent


def _nets(examples: Examples, rng: np.random.Generator) -> list[Net]:
    shuffled = dataclasses.replace(examples, train_labels_N=rng.permutation(examples.train_labels_N))
    return [
        Net(label="true labels", examples=examples, hidden_units=(512,)),
        Net(label="shuffled labels", examples=shuffled, hidden_units=(512,)),
    ]


def _see(outcomes: Sequence[Outcome]) -> str:
    true, shuffled = (outcome.last for outcome in outcomes)
    guessing = outcomes[0].net.examples.guessing
    if shuffled.train_accuracy < 2 * guessing:
        return (
            f"The net has not learned the shuffled labels yet ({percent(shuffled.train_accuracy)} of them): it "
            f"needs more epochs or more units to learn them by heart."
        )
    return (
        f"With shuffled labels the net knows {percent(shuffled.train_accuracy)} of its training examples by heart "
        f"and is right on {percent(shuffled.held_out_accuracy)} of new ones, where always saying one class gives "
        f"{percent(guessing)}; with true labels it is {percent(true.held_out_accuracy)}."
    )


EXPERIMENT = Experiment(
    title="Labels without meaning",
    question="Can a net learn labels that were dealt out at random?",
    curve="accuracy",
    num_epochs=60,
    num_examples=1000,
    nets=_nets,
    see=_see,
)
