"""Many trainings of one model on arrays in memory, each a single compiled loop: for K-fold estimates."""

# N = examples, B = batch, S = steps

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from openbook.supervised.examples import Batches
from openbook.supervised.task import Splits
from openbook.training.schedule import Schedule
from openbook.training.state import TrainingState
from openbook.training.step import train_step_function

# Ctrl-C is heard between two calls, and the batches of one call lie in memory.
_STEPS_PER_CALL = 500


class LoopTraining:
    """Takes the steps of `training.fit`, the same arithmetic in the same order, without a host in between.

    What is compiled for one fold serves the next where the shapes agree.
    """

    def __init__(self, optimizer: Callable[[], Any], *, batch_size: int, schedule: Schedule) -> None:
        self._optimizer = optimizer
        self._batch_size = batch_size
        self._schedule = schedule
        self._compiled: dict[Any, Any] = {}

    def train(self, model: Any, splits: Splits, *, num_steps: int, seed: int) -> None:
        """Train on `splits.train`; the model then holds the last weights."""
        import jax.numpy as jnp

        optimizer = self._optimizer()
        optimizer.build(model.trainable_variables)
        state = TrainingState.of(model, optimizer)
        arrays = (state.trainable, state.non_trainable, state.optimizer)
        take = self._compiled_for(model, optimizer, splits, arrays)
        examples = splits.train
        batches = Batches(examples=examples, batch_size=self._batch_size, seed=seed)
        for first in range(0, num_steps, _STEPS_PER_CALL):
            steps = range(first, min(num_steps, first + _STEPS_PER_CALL))
            given = [batches.batch_at(step) for step in steps]
            rates_S = np.array([self._schedule.learning_rate(step / num_steps) for step in steps], np.float32)
            inputs_SB, targets_SB = (np.stack([batch[part] for batch in given]) for part in (0, 1))
            arrays = take(arrays, inputs_SB, targets_SB, jnp.asarray(rates_S))
        trainable, non_trainable, slots = arrays
        TrainingState(trainable=trainable, non_trainable=non_trainable, optimizer=slots).put_weights_into(
            model
        )

    def _compiled_for(self, model: Any, optimizer: Any, splits: Splits, arrays: Any) -> Any:
        import jax

        shapes = tuple((value.shape, str(value.dtype)) for value in jax.tree.leaves(arrays))
        if shapes not in self._compiled:
            step = train_step_function(model, optimizer, splits.goal.loss)

            def loop(arrays: Any, inputs_SB: Any, targets_SB: Any, rates_S: Any) -> Any:
                def body(carried: Any, given: Any) -> Any:
                    return step(carried, *given)

                return jax.lax.scan(body, arrays, (inputs_SB, targets_SB, rates_S))[0]

            self._compiled[shapes] = jax.jit(loop)
        return self._compiled[shapes]
