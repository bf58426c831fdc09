"""Losses of a training step in every form that Keras takes, against Keras' own training."""

import keras
import numpy as np
import pytest

import openbook
from openbook.errors import ModelError

L = keras.layers
X = np.random.default_rng(0).normal(size=(3, 4)).astype("float32")
TARGETS = {"a": np.ones((3, 2), "float32"), "b": np.zeros((3, 1), "float32")}


def two_outputs(*, is_dict):
    x = keras.Input((4,), name="x")
    a, b = L.Dense(2, name="a")(x), L.Dense(1, name="b")(x)
    return keras.Model(x, {"a": a, "b": b} if is_dict else [a, b])


def one_output(**options):
    return keras.Sequential([keras.Input((4,)), L.Dense(2, name="a", **options)])


class OwnLoss(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = L.Dense(2)

    def call(self, x):
        return self.dense(x)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return keras.ops.mean(keras.ops.abs(y - y_pred)) * 3.0 + keras.ops.mean(x)


class Added(L.Layer):
    def call(self, x):
        self.add_loss(keras.ops.mean(keras.ops.square(x)))
        return x


def assert_trains_as_keras(model, targets, **given):
    step = openbook.trace_step(model, X, targets, **given)
    if given:
        model.compile(**given)
    loss = np.ravel(model.train_on_batch(X, targets))[0]
    assert float(step["loss"]) == pytest.approx(float(loss), rel=1e-5)
    for variable in model.trainable_variables:
        updated = step[f"updates/{variable.path.removeprefix(f'{model.name}/')}"]
        np.testing.assert_allclose(updated, np.asarray(variable.value), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("is_dict", [True, False])
@pytest.mark.parametrize("loss", ["mse", {"a": "mse", "b": "mae"}, ["mse", "mae"]])
def test_several_outputs_train_as_in_keras(loss, is_dict):
    if is_dict and isinstance(loss, list):
        pytest.skip("Keras takes no list for outputs in a dictionary")
    targets = TARGETS if is_dict else list(TARGETS.values())
    assert_trains_as_keras(two_outputs(is_dict=is_dict), targets, loss=loss, optimizer="sgd")


def test_weights_of_losses_count():
    model = two_outputs(is_dict=True)
    model.compile("sgd", loss={"a": "mse", "b": "mae"}, loss_weights={"a": 0.3, "b": 2.0})
    assert_trains_as_keras(model, TARGETS)


def test_model_that_computes_its_loss_itself_is_read_so():
    model = OwnLoss()
    model(X)
    model.compile("sgd")
    assert_trains_as_keras(model, TARGETS["a"])


def test_losses_that_layers_add_are_enough():
    model = keras.Sequential([keras.Input((4,)), L.Dense(2, kernel_regularizer="l2"), Added()])
    model.compile("sgd")
    assert_trains_as_keras(model, None)


def test_scaled_loss_gives_gradients_and_updates_of_the_real_one():
    model = one_output()
    plain = openbook.trace_step(model, X, TARGETS["a"], loss="mse", optimizer="adam")
    scaling = keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(), initial_scale=1024.0)
    scaled = openbook.trace_step(model, X, TARGETS["a"], loss="mse", optimizer=scaling)
    for name in ("loss", "gradients/a/kernel", "updates/a/kernel"):
        np.testing.assert_allclose(scaled[name], plain[name], rtol=1e-5)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"loss": "nope", "optimizer": "sgd"}, "'nope' is no loss"),
        ({"loss": "mse", "optimizer": "nope"}, "'nope' is no optimizer"),
        ({"loss": {"c": "mse"}, "optimizer": "sgd"}, "c"),
        ({"optimizer": "sgd"}, "not compiled with a loss"),
    ],
)
def test_wrong_loss_or_optimizer_is_a_clear_error(given, words):
    with pytest.raises(ModelError, match=words):
        openbook.trace_step(two_outputs(is_dict=True), X, TARGETS, **given)


def test_missing_targets_are_named():
    with pytest.raises(ModelError, match="targets"):
        openbook.trace_step(one_output(), X, None, loss="mse", optimizer="sgd")
