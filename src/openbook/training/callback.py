"""What watches a training run: called after each step, after each held-out score, and at the end."""

from __future__ import annotations

import contextlib
import contextvars
import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from openbook.errors import UsageError
from openbook.training.task import EVALUATIONS

# With patience the held-out data is scored this often, so that there is something to be patient about.
_NUM_EVALUATIONS_WITH_PATIENCE = 20

# (outputs (N, …), targets (N, …)) -> number; higher or lower, as it likes: weights are not chosen by it.
Metric = Callable[[Any, Any], float]


class Callback:
    """Does nothing; write a class of your own with those of these methods that you need.

    Attributes:
        uses_model: whether it reads weights. Then `self.model` has the run's weights at each held-out score and at
            the end, and at each step where the class has an `on_step`. Else copying them would only take time.
        model: the Keras model, set before the first step.
    """

    uses_model: bool = False
    model: Any = None

    def on_begin(self, step: int) -> None:
        """Training begins, after `step` steps that were taken earlier; 0 for a new run."""

    def on_step(self, step: int, loss: float, learning_rate: float) -> None:
        """A step is done; steps count from 1."""

    def on_evaluation(self, step: int, score: Mapping[str, float]) -> str | None:
        """The held-out data was scored. Return "stop" to end the run here, as if it were over."""

    def on_end(self, score: Mapping[str, float]) -> None:
        """The run is over; the score is that of the weights that are kept."""

    @property
    def wants_weights_of_each_step(self) -> bool:
        return self.uses_model and type(self).on_step is not Callback.on_step


@dataclasses.dataclass(frozen=True, kw_only=True)
class Watch:
    """What is done beside training, whatever the recipe.

    Attributes:
        metrics: functions of held-out outputs and targets by name, for the score.
        patience: held-out scores without a better one after which the run ends; None for never.
        schedule: shape of the learning rate over the run; the recipe's own when None.
    """

    callbacks: Sequence[Callback] = ()
    metrics: Mapping[str, Metric] = dataclasses.field(default_factory=dict)
    patience: int | None = None
    schedule: str | None = None

    @property
    def evaluations(self) -> tuple[float, ...]:
        """Shares of the run after which the held-out data is scored, the end left out."""
        if self.patience is None:
            return EVALUATIONS
        return tuple(
            number / _NUM_EVALUATIONS_WITH_PATIENCE for number in range(1, _NUM_EVALUATIONS_WITH_PATIENCE)
        )


def num_evaluations(patience: int | None) -> int:
    """How often the held-out data is scored in a run that is not ended early, the end included."""
    return len(Watch(patience=patience).evaluations) + 1


_current: contextvars.ContextVar[Watch | None] = contextvars.ContextVar("watch", default=None)


@contextlib.contextmanager
def watching(watch: Watch) -> Iterator[None]:
    """Within this scope `fit` is watched; recipes need not know of it."""
    token = _current.set(watch)
    try:
        yield
    finally:
        _current.reset(token)


def current_watch() -> Watch:
    """That of the scope; one that does nothing outside."""
    return _current.get() or Watch()


def custom_scores(metrics: Mapping[str, Metric], outputs: Any, targets: Any) -> dict[str, float]:
    """The values of a person's own metrics.

    Raises:
        UsageError: one fails, or gives no number.
    """
    scores = {}
    for name, metric in metrics.items():
        try:
            scores[name] = float(metric(outputs, targets))
        except Exception as error:
            raise UsageError(
                f"the metric {name!r} failed ({type(error).__name__}: {error}). It is called with the outputs "
                f"{getattr(outputs, 'shape', '')} and the targets {getattr(targets, 'shape', '')} of held-out "
                f"examples and returns one number"
            ) from error
    return scores
