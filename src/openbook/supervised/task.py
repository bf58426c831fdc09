"""The task of a model that learns from examples, for the training loop; and its held-out score."""

# B = batch

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator
from typing import Any

import numpy as np

from openbook.supervised.examples import Batches, Examples
from openbook.supervised.goals import Goal
from openbook.supervised.quick_layers import quick
from openbook.training.state import TrainingState


@dataclasses.dataclass(frozen=True, kw_only=True)
class Splits:
    """Examples to learn from, to choose weights by, and for the final score.

    Attributes:
        facts: what the model's shape and the reading of a person's input follow from, kept with the run as JSON.
        source: the data that the examples were made from, for a recipe that needs it again after training.
    """

    train: Examples
    validation: Examples
    test: Examples
    goal: Goal
    facts: dict[str, Any]
    source: Any = None


class SupervisedTask:
    """A model, its examples and its goal."""

    unit = "examples"

    def __init__(self, model: Any, splits: Splits, *, batch_size: int, seed: int) -> None:
        self.model = quick(model)
        self._splits = splits
        self._batch_size = batch_size
        self._batches = Batches(examples=splits.train, batch_size=batch_size, seed=seed)
        self.steps_per_epoch = self._batches.steps_per_epoch
        self.units_per_step = batch_size
        self.score_key = splits.goal.score_key

    def loss(self, outputs: Any, targets: Any) -> Any:
        return self._splits.goal.loss(outputs, targets)

    def batch_at(self, step: int) -> tuple[Any, Any]:
        return self._batches.batch_at(step)

    def evaluate(self, state: TrainingState) -> dict[str, float]:
        return self._score(state.trainable, state.non_trainable, self._splits.validation)

    def held_out_outputs(self, state: TrainingState) -> tuple[np.ndarray, np.ndarray]:
        """Outputs (N, …) of the weights for the examples that choose them, and their targets (N, …)."""
        state.put_weights_into(self.model)
        examples = self._splits.validation
        _, targets = examples.batch(np.arange(len(examples)))
        return predict(self.model, examples, batch_size=self._batch_size), targets

    def sample(self, state: TrainingState, step: int) -> str | None:
        return None

    def test_score(self) -> dict[str, float]:
        """Score of the model's own weights on the test examples."""
        trainable = [variable.value for variable in self.model.trainable_variables]
        other = [variable.value for variable in self.model.non_trainable_variables]
        return self._score(trainable, other, self._splits.test)

    def test_outputs(self) -> tuple[np.ndarray, np.ndarray]:
        """Outputs (N, …) of the model's own weights for the test examples, and their targets (N, …)."""
        examples = self._splits.test
        _, targets = examples.batch(np.arange(len(examples)))
        return predict(self.model, examples, batch_size=self._batch_size), targets

    def _score(self, trainable: Any, non_trainable: Any, examples: Examples) -> dict[str, float]:
        sums: dict[str, np.ndarray] = {}
        for inputs, targets, weights_B in padded_batches(examples, self._batch_size):
            found = self._sums(trainable, non_trainable, inputs, targets, weights_B)
            for name, value in found.items():
                sums[name] = sums.get(name, np.float64(0.0)) + np.asarray(value, np.float64)
        return self._splits.goal.score(sums)

    @functools.cached_property
    def _sums(self) -> Any:
        import jax

        def sums(trainable: Any, non_trainable: Any, inputs: Any, targets: Any, weights_B: Any) -> Any:
            outputs, _ = self.model.stateless_call(trainable, non_trainable, inputs, training=False)
            return self._splits.goal.sums(outputs, targets, weights_B)

        return jax.jit(sums)


def padded_batches(examples: Examples, batch_size: int) -> Iterator[tuple[Any, Any, np.ndarray]]:
    """All examples in order; the last batch is filled up with its first example, at weight 0."""
    for start in range(0, len(examples), batch_size):
        indices_B = np.arange(start, start + batch_size)
        weights_B = (indices_B < len(examples)).astype(np.float32)
        inputs, targets = examples.batch(np.where(indices_B < len(examples), indices_B, start))
        yield inputs, targets, weights_B


def predict(model: Any, examples: Examples, *, batch_size: int) -> np.ndarray:
    """The model's outputs for all examples: (N, …)."""
    import jax

    trainable = [variable.value for variable in model.trainable_variables]
    other = [variable.value for variable in model.non_trainable_variables]
    network = quick(model)
    call = jax.jit(
        lambda weights, rest, inputs: network.stateless_call(weights, rest, inputs, training=False)[0]
    )
    outputs = [
        np.asarray(call(trainable, other, inputs))[: int(weights_B.sum())]
        for inputs, _, weights_B in padded_batches(examples, batch_size)
    ]
    return np.concatenate(outputs)
