"""What a recipe hands to the training loop."""

from __future__ import annotations

from typing import Any, Protocol

from openbook.training.state import TrainingState

# Shares of the run after which the held-out data is scored; the last weights are scored at the end.
EVALUATIONS = (0.25, 0.5, 0.75)
NUM_EVALUATIONS = len(EVALUATIONS) + 1


class Task(Protocol):
    """A model, its loss and its data; one implementation per kind of data.

    Attributes:
        model: a built Keras model, or what stands in for it with its variables and says so in `whole`.
        steps_per_epoch: steps in which every training example is seen once.
        score_key: entry of the score by which the best weights are chosen; the lowest is best.
        unit: what is counted for the speed, such as "tokens".
        units_per_step: how many of them one step takes.
    """

    model: Any
    steps_per_epoch: int
    score_key: str
    unit: str
    units_per_step: int

    def loss(self, outputs: Any, targets: Any) -> Any:
        """Scalar training loss; traced by JAX."""

    def batch_at(self, step: int) -> tuple[Any, Any]:
        """Inputs and targets of a step; depends on the step alone."""

    def evaluate(self, state: TrainingState) -> dict[str, float]:
        """Held-out score of the weights, with an entry `score_key`."""

    def sample(self, state: TrainingState, step: int) -> str | None:
        """Something to look at while training goes on, or None."""
