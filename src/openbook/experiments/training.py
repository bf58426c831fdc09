"""Trains the nets of an experiment: one after another, everything equal but what the experiment changes."""

# E = epochs, N = examples, B = batch, S = steps

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from openbook.errors import DataError
from openbook.experiments.experiment import Examples, Experiment, Net, Outcome, Scores
from openbook.supervised.task import Splits
from openbook.training.losses import next_token_loss
from openbook.training.seeding import seeded
from openbook.training.state import TrainingState
from openbook.training.step import train_step_function

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
    import jax

    begin_s = time.perf_counter()
    with seeded(seed):
        model = _model(net)
    optimizer = _optimizer(net)
    optimizer.build(model.trainable_variables)
    step = train_step_function(model, optimizer, next_token_loss)
    score = _scoring(model, net.examples)
    inputs_ND, labels_N = jax.device_put((net.examples.train_ND, net.examples.train_labels_N))

    @jax.jit
    def run_epoch(arrays: Any, order_SB: Any) -> Any:
        def one(arrays: Any, chosen_B: Any) -> Any:
            arrays, loss = step(arrays, inputs_ND[chosen_B], labels_N[chosen_B], net.learning_rate)
            return arrays, loss

        return jax.lax.scan(one, arrays, order_SB)[0]

    groups = TrainingState.of(model, optimizer).groups()
    arrays: Any = tuple(groups[name] for name in ("trainable", "non_trainable", "optimizer"))
    scored = {round(epoch) for epoch in np.linspace(0, num_epochs, min(_NUM_SCORES, num_epochs) + 1)}
    curve = [score(arrays, 0)]
    for epoch in range(1, num_epochs + 1):
        epoch_begin_s = time.perf_counter()
        order_SB = _order(len(labels_N), epoch, seed)
        arrays = jax.block_until_ready(run_epoch(arrays, order_SB))
        if epoch in scored:
            curve.append(score(arrays, epoch))
        if epoch == 2:
            expect(epoch_begin_s - begin_s, time.perf_counter() - epoch_begin_s)
    matrices = [np.abs(np.asarray(weight)) for weight in arrays[0] if weight.ndim == 2]
    return Outcome(
        net=net,
        curve=tuple(curve),
        num_parameters=model.count_params(),
        mean_weight=float(np.concatenate([matrix.ravel() for matrix in matrices]).mean()),
        duration_s=time.perf_counter() - begin_s,
    )


def _model(net: Net) -> Any:
    import keras

    regularizer = keras.regularizers.L2(net.l2) if net.l2 else None
    inputs = keras.Input((net.examples.train_ND.shape[1],), name="numbers")
    hidden = inputs
    for number, units in enumerate(net.hidden_units, 1):
        hidden = keras.layers.Dense(
            units, activation="relu", kernel_regularizer=regularizer, name=f"hidden_{number}"
        )(hidden)
        if net.dropout:
            hidden = keras.layers.Dropout(net.dropout, name=f"dropout_{number}")(hidden)
    logits = keras.layers.Dense(net.examples.num_classes, kernel_regularizer=regularizer, name="logits")(
        hidden
    )
    return keras.Model(inputs, logits, name="net")


def _optimizer(net: Net) -> Any:
    import keras

    return keras.optimizers.get({"class_name": net.optimizer, "config": {"learning_rate": net.learning_rate}})


def _scoring(model: Any, examples: Examples) -> Callable[[Any, int], Scores]:
    import jax
    import jax.numpy as jnp

    @jax.jit
    def loss_and_accuracy(arrays: Any, inputs_ND: Any, labels_N: Any) -> Any:
        logits, _ = model.stateless_call(arrays[0], arrays[1], inputs_ND, training=False)
        return next_token_loss(logits, labels_N), jnp.mean(jnp.argmax(logits, axis=-1) == labels_N)

    def score(arrays: Any, epoch: int) -> Scores:
        train_loss, train_accuracy = loss_and_accuracy(arrays, examples.train_ND, examples.train_labels_N)
        loss, accuracy = loss_and_accuracy(arrays, examples.held_out_ND, examples.held_out_labels_N)
        return Scores(
            epoch=epoch,
            train_loss=float(train_loss),
            train_accuracy=float(train_accuracy),
            held_out_loss=float(loss),
            held_out_accuracy=float(accuracy),
        )

    return score


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
