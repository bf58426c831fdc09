"""Keras' own callbacks as callbacks of the training loop: an epoch ends where the held-out data is scored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from openbook.errors import UsageError
from openbook.training.callback import Callback

# Those that do what the loop does already, or need what it does not have.
_INSTEAD: Mapping[str, str] = {
    "BackupAndRestore": "a run is saved every 30 seconds; go on with: openbook train --resume RUN",
    "LearningRateScheduler": "use the setting schedule",
    "ReduceLROnPlateau": "use the setting schedule",
    "TensorBoard": "it needs TensorFlow; use the setting tensorboard",
}


def as_callbacks(given: Iterable[Any]) -> tuple[Callback, ...]:
    """Callbacks of openbook as they are, and Keras' own as such.

    Raises:
        UsageError: neither, or one of Keras' that makes no sense here; the message says what does.
    """
    found: list[Callback] = []
    for each in given:
        if isinstance(each, Callback):
            found.append(each)
        elif hasattr(each, "on_train_batch_end") and hasattr(each, "set_model"):
            name = type(each).__name__
            if name in _INSTEAD:
                raise UsageError(f"the Keras callback {name} cannot be used here: {_INSTEAD[name]}")
            found.append(KerasCallback(each))
        else:
            raise UsageError(
                f"expected a callback, a subclass of openbook.training.callback.Callback or of "
                f"keras.callbacks.Callback, got {type(each).__name__}"
            )
    return tuple(found)


class KerasCallback(Callback):
    """Calls a Keras callback: batches count from 0, epochs are the held-out scores, scores are `val_…`.

    The model has the run's weights at each epoch's end; a Keras callback with an attribute `uses_model = False`
    goes without, and is quicker with large models.
    """

    def __init__(self, callback: Any) -> None:
        self._callback = callback
        self.uses_model = bool(getattr(callback, "uses_model", True))
        self._epoch = 0
        self._loss = float("nan")

    @property
    def wants_weights_of_each_step(self) -> bool:
        return bool(getattr(self._callback, "uses_model", False))

    def on_begin(self, step: int) -> None:
        self.model.stop_training = False
        self._callback.set_model(self.model)
        self._callback.set_params({"verbose": 0})
        self._callback.on_train_begin()
        self._callback.on_epoch_begin(self._epoch)

    def on_step(self, step: int, loss: float, learning_rate: float) -> None:
        self._loss = loss
        self._callback.on_train_batch_end(step - 1, {"loss": loss})

    def on_evaluation(self, step: int, score: Mapping[str, float]) -> str | None:
        logs = {"loss": self._loss, **{f"val_{name}": value for name, value in score.items()}}
        self._callback.on_epoch_end(self._epoch, logs)
        self._epoch += 1
        if self.model.stop_training:
            return "stop"
        self._callback.on_epoch_begin(self._epoch)
        return None

    def on_end(self, score: Mapping[str, float]) -> None:
        self._callback.on_train_end({f"val_{name}": value for name, value in score.items()})
