"""Training steps in plain NumPy, as the textbook writes them, for the same loop as JAX's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from openbook.scratch.conversion import from_keras
from openbook.scratch.layers import CrossEntropy, Softmax
from openbook.scratch.optimizers import Adam
from openbook.training.state import TrainingState


class ScratchStep:
    """Takes steps as `compile_train_step`'s function does: a chain of scratch layers, cross-entropy, and Adam.

    Args:
        model: a built Keras model from inputs to logits, whose layers scratch has.
        optimizer: Keras' Adam, built for the model's trainable variables; its slots hold what Adam remembers.
        loss: of the task; here it is the cross-entropy.
    Raises:
        ModelError: a layer that scratch does not have.
    """

    def __init__(self, model: Any, optimizer: Any, loss: Callable[[Any, Any], Any]) -> None:
        self._net = from_keras(getattr(model, "whole", model))
        self._net.layers.append(Softmax())
        self._loss = CrossEntropy()
        self._adam = Adam()
        self._parameters = [
            (number, name) for number, layer in enumerate(self._net.layers) for name in layer.parameters
        ]
        paths = [variable.path for variable in optimizer.variables]
        self._time, *_ = _places(paths, "iteration")
        self._slots = {"mean": _places(paths, "momentum"), "mean_square": _places(paths, "velocity")}

    def __call__(
        self, state: TrainingState, inputs: Any, targets: Any, learning_rate: float
    ) -> tuple[TrainingState, float]:
        self._take(state)
        self._adam.learning_rate = learning_rate
        value = float(self._loss.forward(self._net.forward(np.asarray(inputs)), np.asarray(targets)))
        self._net.backward(self._loss.backward())
        gradients = [self._net.layers[number].gradients[name] for number, name in self._parameters]
        if not np.isfinite(value) or not all(np.isfinite(gradient).all() for gradient in gradients):
            return state, float("nan")
        self._adam.update(self._net.layers)
        return self._given(state), value

    def _take(self, state: TrainingState) -> None:
        """Put the weights, and what Adam remembers of them, into the layers and the optimizer."""
        t = int(state.optimizer[self._time])
        for index, ((number, name), value) in enumerate(zip(self._parameters, state.trainable, strict=True)):
            self._net.layers[number].parameters[name] = np.asarray(value)
            slots = {slot: np.asarray(state.optimizer[places[index]]) for slot, places in self._slots.items()}
            self._adam.memories[number, name] = {"t": t, **slots}

    def _given(self, state: TrainingState) -> TrainingState:
        """The state after the step, in the order of Keras' variables."""
        slots = list(state.optimizer)
        for index, key in enumerate(self._parameters):
            memory = self._adam.memories[key]
            slots[self._time] = np.asarray(memory["t"], np.int32)
            for slot, places in self._slots.items():
                slots[places[index]] = memory[slot].astype(np.float32)
        weights = [
            self._net.layers[number].parameters[name].astype(np.float32) for number, name in self._parameters
        ]
        return TrainingState(trainable=weights, non_trainable=state.non_trainable, optimizer=slots)


def _places(paths: list[str], ending: str) -> list[int]:
    return [index for index, path in enumerate(paths) if path.endswith(ending)]
