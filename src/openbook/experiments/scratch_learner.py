"""The twin of a net: the same layers with the same start, trained by `openbook.scratch` in plain NumPy."""

# N = examples, D = numbers in an example, B = batch, S = steps

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from openbook.errors import UsageError
from openbook.experiments.experiment import Net
from openbook.scratch import optimizers
from openbook.scratch.conversion import from_keras
from openbook.scratch.layers import CrossEntropy, Softmax

_OPTIMIZERS: dict[str, Callable[[float], optimizers.Optimizer]] = {
    "adam": optimizers.Adam,
    "rmsprop": optimizers.RMSprop,
    "sgd": optimizers.SGD,
}
# What a convolution cuts out of so many pictures is in memory at a time.
_SCORED_AT_ONCE = 256


class ScratchLearner:
    """Trains step by step in NumPy.

    Args:
        model: the net as a Keras model, whose weights are copied.
    Raises:
        UsageError: L2, dropout or an optimizer that the scratch loop does not have.
    """

    def __init__(self, net: Net, model: Any) -> None:
        if net.l2 or net.dropout or net.optimizer not in _OPTIMIZERS:
            raise UsageError(
                f"{net.label}: from scratch there is no L2 and no dropout, and the optimizer is one of "
                f"{', '.join(_OPTIMIZERS)}"
            )
        self._shape = model.input_shape[1:]
        self._labels_N = net.examples.train_labels_N
        self._inputs = net.examples.train_ND.reshape(-1, *self._shape)
        self._model = from_keras(model)
        self._model.layers.append(Softmax())
        self._loss = CrossEntropy()
        self._optimizer = _OPTIMIZERS[net.optimizer](net.learning_rate)

    def run_epoch(self, order_SB: np.ndarray) -> None:
        for chosen_B in order_SB:
            self._loss.forward(self._model.forward(self._inputs[chosen_B]), self._labels_N[chosen_B])
            self._model.backward(self._loss.backward())
            self._optimizer.update(self._model.layers)

    def score(self, inputs_ND: np.ndarray, labels_N: np.ndarray) -> tuple[float, float]:
        inputs = inputs_ND.reshape(-1, *self._shape)
        shares_NC = np.concatenate(
            [
                self._model.forward(inputs[start : start + _SCORED_AT_ONCE])
                for start in range(0, len(inputs), _SCORED_AT_ONCE)
            ]
        )
        accuracy = float((shares_NC.argmax(axis=-1) == labels_N).mean())
        return CrossEntropy().forward(shares_NC, labels_N), accuracy

    def weights(self) -> list[np.ndarray]:
        return [array.copy() for layer in self._model.layers for array in layer.parameters.values()]
