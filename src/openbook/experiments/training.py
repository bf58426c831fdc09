"""Trains the nets of an experiment: one after another, everything equal but what the experiment changes."""

# E = epochs, N = examples, B = batch, S = steps

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence

import numpy as np

from openbook.errors import DataError
from openbook.experiments.experiment import Examples, Experiment, Net, Outcome, Scores
from openbook.experiments.learners import KerasLearner, Learner, model_of
from openbook.experiments.scratch_learner import ScratchLearner
from openbook.supervised.task import Splits
from openbook.training.seeding import first_weights

_BATCH_SIZE = 64
_NUM_SCORES = 25


def examples_of(splits: Splits, *, num_examples: int, rng: np.random.Generator) -> Examples:
    """The pictures of a split as rows of numbers; some of them, drawn by chance, to learn from.

    Raises:
        DataError: too few to learn from.
    """
    chosen = rng.permutation(len(splits.train))[:num_examples]
    if len(chosen) < 2 * splits.goal.num_outputs:
        raise DataError(
            f"there are {len(chosen)} examples to learn from, expected two a class at least. Give more data"
        )
    inputs, labels = splits.train.batch(chosen)
    held_out, held_out_labels = splits.test.batch(np.arange(len(splits.test)))
    return Examples(
        train_ND=inputs.reshape(len(inputs), -1),
        train_labels_N=labels,
        held_out_ND=held_out.reshape(len(held_out), -1),
        held_out_labels_N=held_out_labels,
        num_classes=splits.goal.num_outputs,
        shape=tuple(inputs.shape[1:]),
    )


def run_experiment(
    experiment: Experiment,
    splits: Splits,
    *,
    seed: int,
    num_epochs: int | None = None,
    say: Callable[[str], None],
) -> list[Outcome]:
    """Train all nets of an experiment and score them as they learn.

    Args:
        num_epochs: the experiment's own when None.
        say: told beforehand how long it will take, as measured on the first epoch.
    """
    rng = np.random.default_rng(seed)
    examples = examples_of(splits, num_examples=experiment.num_examples, rng=rng)
    nets = list(experiment.nets(examples, rng))
    num_epochs = num_epochs or experiment.num_epochs
    say(
        f"{len(nets)} nets, each {num_epochs} times through {len(examples.train_ND):,} examples of "
        f"{examples.num_classes} classes; {len(examples.held_out_ND):,} are held out"
    )
    outcomes: list[Outcome] = []

    def expect(compile_s: float, epoch_s: float) -> None:
        if not outcomes:
            total_s = len(nets) * (compile_s + num_epochs * epoch_s)
            say(f"This takes about {max(1, round(total_s))} s altogether")

    for net in nets:
        outcomes.append(_train(net, num_epochs=num_epochs, seed=seed, expect=expect))
        last = outcomes[-1].last
        say(f"{net.label}: {last.held_out_accuracy:.1%} of the held-out examples are right")
    return outcomes


def _train(net: Net, *, num_epochs: int, seed: int, expect: Callable[[float, float], None]) -> Outcome:
    begin_s = time.perf_counter()
    with first_weights(seed):
        model = model_of(net)
    learner = ScratchLearner(net, model) if net.is_from_scratch else KerasLearner(net, model)
    scored = {round(epoch) for epoch in np.linspace(0, num_epochs, min(_NUM_SCORES, num_epochs) + 1)}
    curve = [_scores(learner, net.examples, epoch=0)]
    for epoch in range(1, num_epochs + 1):
        epoch_begin_s = time.perf_counter()
        learner.run_epoch(_order(len(net.examples.train_labels_N), epoch, seed))
        if epoch in scored:
            curve.append(_scores(learner, net.examples, epoch=epoch))
        if epoch == 2:
            expect(epoch_begin_s - begin_s, time.perf_counter() - epoch_begin_s)
    magnitudes = [np.abs(weight).ravel() for weight in learner.weights() if weight.ndim > 1]
    return Outcome(
        net=net,
        curve=tuple(curve),
        num_parameters=model.count_params(),
        mean_weight=float(np.concatenate(magnitudes).mean()),
        duration_s=time.perf_counter() - begin_s,
    )


def _scores(learner: Learner, examples: Examples, *, epoch: int) -> Scores:
    train_loss, train_accuracy = learner.score(examples.train_ND, examples.train_labels_N)
    loss, accuracy = learner.score(examples.held_out_ND, examples.held_out_labels_N)
    return Scores(
        epoch=epoch,
        train_loss=train_loss,
        train_accuracy=train_accuracy,
        held_out_loss=loss,
        held_out_accuracy=accuracy,
    )


def _order(num_examples: int, epoch: int, seed: int) -> np.ndarray:
    """Positions of an epoch's batches (S, B); the rest that fills no batch is left to other epochs."""
    batch_size = min(_BATCH_SIZE, num_examples)
    num_steps = num_examples // batch_size
    order = np.random.default_rng([seed, epoch]).permutation(num_examples)
    return order[: num_steps * batch_size].reshape(num_steps, batch_size)


def outcome_rows(outcomes: Sequence[Outcome]) -> list[dict[str, object]]:
    """Outcomes as numbers, for JSON."""
    return [_row(outcome) for outcome in outcomes]


def _row(outcome: Outcome) -> dict[str, object]:
    net = outcome.net
    return {
        "label": outcome.label,
        "hidden_units": list(net.hidden_units),
        "num_filters": list(net.num_filters),
        "is_from_scratch": net.is_from_scratch,
        "optimizer": net.optimizer,
        "learning_rate": net.learning_rate,
        "l2": net.l2,
        "dropout": net.dropout,
        "num_parameters": outcome.num_parameters,
        "mean_weight": outcome.mean_weight,
        "best_epoch": outcome.best.epoch,
        "duration_s": round(outcome.duration_s, 3),
        "curve": [dataclasses.asdict(scores) for scores in outcome.curve],
    }
