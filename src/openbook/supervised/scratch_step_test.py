"""Steps in plain NumPy give the numbers of Keras' Adam on JAX."""

import keras
import numpy as np
import pytest

from openbook.errors import ModelError
from openbook.supervised.scratch_step import ScratchStep
from openbook.training.losses import next_token_loss
from openbook.training.seeding import seeded
from openbook.training.state import TrainingState
from openbook.training.step import compile_train_step

layers = keras.layers
NUM_CLASSES = 4


def network(*hidden):
    with seeded(3):
        inputs = keras.Input((9, 9, 2))
        outputs = inputs
        for layer in (*hidden, layers.Flatten(), layers.Dense(NUM_CLASSES)):
            outputs = layer(outputs)
        return keras.Model(inputs, outputs)


def convnet():
    return network(
        layers.Conv2D(3, 3), layers.ReLU(), layers.MaxPooling2D(2), layers.Dense(5, activation="relu")
    )


def begun(model):
    optimizer = keras.optimizers.Adam(0.5)
    optimizer.build(model.trainable_variables)
    return optimizer, TrainingState.of(model, optimizer)


def batch(rng):
    return rng.normal(size=(6, 9, 9, 2)).astype(np.float32), rng.integers(NUM_CLASSES, size=6)


def test_steps_give_the_numbers_of_jax(rng):
    model = convnet()
    optimizer, expected = begun(model)
    state = TrainingState.of(model, optimizer)
    on_jax = compile_train_step(model, optimizer, next_token_loss)
    from_scratch = ScratchStep(model, optimizer, next_token_loss)
    for learning_rate in (0.01, 0.02, 0.005):
        inputs, targets = batch(rng)
        expected, expected_loss = on_jax(expected, inputs, targets, learning_rate)
        state, loss = from_scratch(state, inputs, targets, learning_rate)
        # Scratch adds up in another order, and its shares are no logits.
        assert float(loss) == pytest.approx(float(expected_loss), rel=1e-4)
    assert [value.dtype for value in state.trainable] == [value.dtype for value in expected.trainable]
    for variable, value, other in zip(optimizer.variables, expected.optimizer, state.optimizer, strict=True):
        if not variable.path.endswith("learning_rate"):  # which the loop gives to each step
            np.testing.assert_allclose(other, value, atol=1e-4, err_msg=variable.path)
    for value, other in zip(expected.trainable, state.trainable, strict=True):
        np.testing.assert_allclose(other, value, atol=2e-4)


def test_step_with_a_loss_that_is_not_finite_changes_nothing(rng):
    model = convnet()
    optimizer, state = begun(model)
    inputs, targets = batch(rng)
    inputs[0, 0, 0, 0] = np.nan
    after, loss = ScratchStep(model, optimizer, next_token_loss)(state, inputs, targets, 0.1)
    assert np.isnan(loss)
    assert after is state


def test_layer_that_scratch_does_not_have_is_named():
    model = network(layers.Conv2D(3, 3), layers.BatchNormalization(name="normalization"))
    optimizer, _ = begun(model)
    with pytest.raises(ModelError, match="normalization: scratch has no BatchNormalization"):
        ScratchStep(model, optimizer, next_token_loss)
