"""A reading is used again while the model is the same, and never after it changed."""

import keras
import numpy as np
import pytest

import openbook

L = keras.layers
X = np.random.default_rng(0).normal(size=(2, 4)).astype("float32")


def model():
    return keras.Sequential(
        [
            keras.Input((4,)),
            L.Dense(3, activation="relu", name="dense"),
            L.BatchNormalization(center=False, scale=False, name="norm"),
            L.Dropout(0.5, name="dropout"),
        ]
    )


CHANGES = {
    "activation": lambda each: setattr(each.layers[0], "activation", keras.activations.tanh),
    "another layer": lambda each: each.add(L.Rescaling(3.0)),
    "frozen": lambda each: setattr(each, "trainable", False),
    "epsilon": lambda each: setattr(each.layers[1], "epsilon", 0.5),
    "rate": lambda each: setattr(each.layers[2], "rate", 0.9),
}


@pytest.mark.parametrize("change", CHANGES)
def test_changed_model_is_read_anew(change):
    subject = model()
    before = openbook.trace(subject, X, training=True)
    CHANGES[change](subject)
    after = openbook.trace(subject, X, training=True)
    assert after.program is not before.program
    assert after.check().largest < 1e-5


def test_using_a_model_changes_nothing():
    subject = model()
    subject.compile("adam", "mse")
    y = np.zeros((2, 3), "float32")
    forward, step = openbook.trace(subject, X), openbook.trace_step(subject, X, y)
    subject.train_on_batch(X, y)
    subject.predict(X, verbose=0)
    assert openbook.trace(subject, 2 * X).program is forward.program
    again = openbook.trace_step(subject, 2 * X, y)
    assert again.program is step.program
    np.testing.assert_array_equal(again["input"], 2 * X)
    np.testing.assert_array_equal(again["dense/kernel"], np.asarray(subject.layers[0].kernel))


def test_step_with_another_loss_or_optimizer_is_another():
    subject, y = model(), np.zeros((2, 3), "float32")
    first = openbook.trace_step(subject, X, y, loss="mse", optimizer="sgd")
    assert openbook.trace_step(subject, X, y, loss="mse", optimizer="sgd").program is first.program
    assert openbook.trace_step(subject, X, y, loss="mae", optimizer="sgd").program is not first.program
    assert openbook.trace_step(subject, X, y, loss="mse", optimizer="adam").program is not first.program
    optimizer = keras.optimizers.SGD(0.1, weight_decay=0.1)
    step = openbook.trace_step(subject, X, y, loss="mse", optimizer=optimizer)
    optimizer.weight_decay = 0.5
    assert openbook.trace_step(subject, X, y, loss="mse", optimizer=optimizer).program is not step.program
