"""The compiled loop of a fold takes the steps that the training loop takes."""

import numpy as np
import pytest

from openbook.supervised.examples import ArrayExamples, Batches
from openbook.supervised.folds import LoopTraining
from openbook.supervised.goals import Regression
from openbook.supervised.task import Splits
from openbook.training.schedule import Schedule
from openbook.training.seeding import seeded
from openbook.training.state import TrainingState
from openbook.training.step import compile_train_step

pytestmark = pytest.mark.long


def test_loop_ends_where_single_steps_end(rng):
    import keras

    inputs = rng.normal(size=(50, 3)).astype(np.float32)
    examples = ArrayExamples(inputs=inputs, targets=inputs @ np.float32([1, 2, 3]))
    splits = Splits(train=examples, validation=examples, test=examples, goal=Regression(scale=1.0), facts={})
    schedule, num_steps, batch_size = Schedule(peak=1e-2), 17, 8

    def optimizer():
        return keras.optimizers.AdamW(learning_rate=1e-2, weight_decay=0.1, global_clipnorm=1.0)

    def model():
        with seeded(3):
            row = keras.Input((3,))
            hidden = keras.layers.Dropout(0.5)(keras.layers.Dense(8, activation="relu")(row))
            return keras.Model(row, keras.layers.Dense(1)(hidden))

    by_steps = model()
    used = optimizer()
    used.build(by_steps.trainable_variables)
    state = TrainingState.of(by_steps, used)
    take = compile_train_step(by_steps, used, splits.goal.loss)
    batches = Batches(examples=examples, batch_size=batch_size, seed=5)
    for step in range(num_steps):
        state, _ = take(state, *batches.batch_at(step), schedule.learning_rate(step / num_steps))
    state.put_weights_into(by_steps)

    training = LoopTraining(optimizer, batch_size=batch_size, schedule=schedule)
    for _ in range(2):  # the second fold uses what was compiled for the first
        by_loop = model()
        training.train(by_loop, splits, num_steps=num_steps, seed=5)
        for one, other in zip(by_steps.get_weights(), by_loop.get_weights(), strict=True):
            # The compiler orders sums as it likes: float32 rounding over 17 steps.
            np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)
    assert len(training._compiled) == 1
