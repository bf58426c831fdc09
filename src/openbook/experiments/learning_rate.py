"""learning-rate: too high never settles, too low never arrives."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from openbook.experiments.experiment import Examples, Experiment, Net, Outcome, percent

_RATES = (1.0, 1e-3, 1e-6)


def _nets(examples: Examples, rng: np.random.Generator) -> list[Net]:
    return [
        Net(label=f"learning rate {rate:g}", examples=examples, learning_rate=rate, optimizer="rmsprop")
        for rate in _RATES
    ]


def _see(outcomes: Sequence[Outcome]) -> str:
    best = max(outcomes, key=lambda outcome: outcome.last.held_out_accuracy)
    others = [
        f"{percent(outcome.last.held_out_accuracy)} with {outcome.net.learning_rate:g}"
        for outcome in outcomes
        if outcome is not best
    ]
    return (
        f"After the same {best.last.epoch} epochs the net is right on {percent(best.last.held_out_accuracy)} of "
        f"new examples with a learning rate of {best.net.learning_rate:g}, and on {' and '.join(others)}."
    )


EXPERIMENT = Experiment(
    title="Too fast, right, too slow",
    question="What does the learning rate do?",
    curve="accuracy",
    num_epochs=20,
    num_examples=2000,
    nets=_nets,
    see=_see,
)
