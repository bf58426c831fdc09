"""Learns an experiment's net: the net as a Keras model, and its training, compiled."""

# N = examples, D = numbers in an example, B = batch, S = steps

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from openbook.experiments.experiment import Net
from openbook.training.losses import next_token_loss
from openbook.training.state import TrainingState
from openbook.training.step import train_step_function


class Learner(Protocol):
    """A net that is being trained."""

    def run_epoch(self, order_SB: np.ndarray) -> None:
        """A step for each row of positions among the examples to learn from."""

    def score(self, inputs_ND: np.ndarray, labels_N: np.ndarray) -> tuple[float, float]:
        """Loss and accuracy."""

    def weights(self) -> list[np.ndarray]:
        """Copies of all trained weights."""


class KerasLearner:
    """Trains by Keras on JAX, an epoch in one call of a compiled program."""

    def __init__(self, net: Net, model: Any) -> None:
        import jax
        import keras

        optimizer = keras.optimizers.get(
            {"class_name": net.optimizer, "config": {"learning_rate": net.learning_rate}}
        )
        optimizer.build(model.trainable_variables)
        step = train_step_function(model, optimizer, next_token_loss)
        groups = TrainingState.of(model, optimizer).groups()
        self._arrays: Any = tuple(groups[name] for name in ("trainable", "non_trainable", "optimizer"))
        shape = model.input_shape[1:]
        inputs, labels_N = jax.device_put(
            (net.examples.train_ND.reshape(-1, *shape), net.examples.train_labels_N)
        )

        @jax.jit
        def run_epoch(arrays: Any, order_SB: Any) -> Any:
            def one(arrays: Any, chosen_B: Any) -> Any:
                return step(arrays, inputs[chosen_B], labels_N[chosen_B], net.learning_rate)

            return jax.lax.scan(one, arrays, order_SB)[0]

        @jax.jit
        def loss_and_accuracy(arrays: Any, inputs_ND: Any, labels_N: Any) -> Any:
            pictures = inputs_ND.reshape(-1, *shape)
            logits, _ = model.stateless_call(arrays[0], arrays[1], pictures, training=False)
            is_right_N = jax.numpy.argmax(logits, axis=-1) == labels_N
            return next_token_loss(logits, labels_N), is_right_N.mean()

        self._run_epoch, self._loss_and_accuracy = run_epoch, loss_and_accuracy

    def run_epoch(self, order_SB: np.ndarray) -> None:
        import jax

        self._arrays = jax.block_until_ready(self._run_epoch(self._arrays, order_SB))

    def score(self, inputs_ND: np.ndarray, labels_N: np.ndarray) -> tuple[float, float]:
        loss, accuracy = self._loss_and_accuracy(self._arrays, inputs_ND, labels_N)
        return float(loss), float(accuracy)

    def weights(self) -> list[np.ndarray]:
        return [np.asarray(weight) for weight in self._arrays[0]]


def model_of(net: Net) -> Any:
    """The net as a Keras model from numbers (B, D), or pictures (B, height, width, channels), to logits."""
    import keras

    regularizer = keras.regularizers.L2(net.l2) if net.l2 else None
    shape = net.examples.shape if net.num_filters else net.examples.train_ND.shape[1:]
    inputs = keras.Input(shape, name="numbers")
    hidden = _convolutions(inputs, net) if net.num_filters else inputs
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


def _convolutions(inputs: Any, net: Net) -> Any:
    import keras

    hidden = inputs
    for number, filters in enumerate(net.num_filters, 1):
        if number > 1 and min(hidden.shape[1:3]) >= 4:
            hidden = keras.layers.MaxPooling2D(2, name=f"pooling_{number - 1}")(hidden)
        padding = "valid" if min(hidden.shape[1:3]) >= 3 else "same"
        hidden = keras.layers.Conv2D(
            filters, 3, activation="relu", padding=padding, name=f"convolution_{number}"
        )(hidden)
    return keras.layers.Flatten(name="features")(hidden)
