"""A model and its quick stand-in say and learn the same."""

import jax
import keras
import numpy as np
import pytest

from openbook.supervised.quick_layers import QuickModel, largest, quick
from openbook.training.state import TrainingState
from openbook.training.step import compile_train_step

layers, ops = keras.layers, keras.ops


def network(*hidden, side=11, channels=3):
    inputs = keras.Input((side, side, channels))
    outputs = inputs
    for layer in hidden:
        outputs = layer(outputs)
    return keras.Model(inputs, layers.Dense(2)(layers.GlobalAveragePooling2D()(outputs)))


def nested():
    inner = network(layers.DepthwiseConv2D(3, padding="same"))
    inputs = keras.Input((11, 11, 3))
    hidden = layers.RandomFlip(seed=1)(inputs)
    return keras.Model(inputs, layers.Dense(2)(layers.Dropout(0.5, seed=2)(inner(hidden))))


MODELS = {
    "same": lambda: network(layers.DepthwiseConv2D(3, padding="same", bias_initializer="ones")),
    "valid": lambda: network(layers.DepthwiseConv2D((5, 2), use_bias=False, activation="relu")),
    "strides": lambda: network(layers.DepthwiseConv2D(3, strides=2, padding="same")),
    "strides of an even side": lambda: network(layers.DepthwiseConv2D(4, strides=3, padding="same"), side=12),
    "valid strides": lambda: network(layers.DepthwiseConv2D(3, strides=2), side=12),
    "dilation": lambda: network(layers.DepthwiseConv2D(3, dilation_rate=2, padding="same")),
    "multiplier": lambda: network(layers.DepthwiseConv2D(3, depth_multiplier=4, padding="same")),
    "separable": lambda: network(
        layers.BatchNormalization(), layers.SeparableConv2D(7, 3, padding="same", activation="relu")
    ),
    "separable with multiplier": lambda: network(layers.SeparableConv2D(4, 3, depth_multiplier=2, strides=2)),
    "transposed": lambda: network(layers.Conv2DTranspose(5, 4, strides=2, padding="same", activation="relu")),
    "transposed with an odd kernel": lambda: network(layers.Conv2DTranspose(5, 3, strides=2, padding="same")),
    "transposed without stride": lambda: network(layers.Conv2DTranspose(5, (3, 2), padding="same")),
    "transposed, valid": lambda: network(layers.Conv2DTranspose(5, (5, 3), strides=(2, 3), use_bias=False)),
    "transposed with gaps": lambda: network(layers.Conv2DTranspose(5, 2, strides=3, padding="same")),
    "transposed with gaps, valid": lambda: network(layers.Conv2DTranspose(5, 1, strides=2)),
    "transposed and dilated": lambda: network(layers.Conv2DTranspose(5, 3, dilation_rate=2, padding="same")),
    "pooling": lambda: network(layers.Conv2D(4, 3), layers.MaxPooling2D(2)),
    "pooling of windows that overlap": lambda: network(
        layers.Conv2D(4, 3), layers.MaxPooling2D(3, strides=2, padding="same")
    ),
    "pooling of wide windows": lambda: network(
        layers.Conv2D(4, 3), layers.MaxPooling2D((1, 3), strides=(2, 1))
    ),
    "pooling of series": lambda: network(
        layers.Conv2D(4, 3),
        layers.Reshape((81, 4)),
        layers.MaxPooling1D(4, strides=3),
        layers.Reshape((26, 1, 4)),
    ),
    "nested, with random layers": nested,
}


def values(variables):
    return [variable.value for variable in variables]


@pytest.mark.parametrize("name", MODELS)
def test_stand_in_says_and_learns_the_same(name, rng):
    keras.utils.set_random_seed(0)
    model = MODELS[name]()
    stand_in = quick(model)
    assert isinstance(stand_in, QuickModel)
    assert stand_in.whole is model
    inputs = rng.normal(size=(4, *model.input.shape[1:])).astype(np.float32)
    targets = rng.normal(size=(4, 2)).astype(np.float32)
    states = []
    for network in (model, stand_in):
        outputs, _ = network.stateless_call(
            values(model.trainable_variables), values(model.non_trainable_variables), inputs, training=False
        )
        np.testing.assert_allclose(outputs, model(inputs, training=False), atol=1e-5)
        optimizer = keras.optimizers.SGD(0.1)
        optimizer.build(network.trainable_variables)
        step = compile_train_step(
            network, optimizer, lambda outputs, targets: ((outputs - targets) ** 2).mean()
        )
        state = TrainingState.of(network, optimizer)
        for _ in range(3):
            state, loss = step(state, inputs, targets, 0.1)
        assert np.isfinite(loss)
        states.append(state)
    for one, other in zip(*(state.trainable + state.non_trainable for state in states), strict=True):
        np.testing.assert_allclose(one, other, atol=2e-5)


def test_model_without_such_layers_is_called_itself():
    model = network(layers.Conv2D(4, 3))
    assert quick(model) is model


@pytest.mark.parametrize(("size", "strides", "padding"), [(2, 2, "valid"), (3, 2, "same"), (3, 1, "valid")])
def test_gradient_goes_to_the_first_of_equal_values_as_with_keras(size, strides, padding, rng):
    # Few whole numbers: nearly every window has its largest value more than once.
    values = rng.integers(3, size=(2, 7, 8, 3)).astype(np.float32)
    probe = rng.normal(size=ops.max_pool(values, size, strides, padding).shape).astype(np.float32)

    def gradient(pool):
        return jax.grad(lambda values: (probe * pool(values)).sum())(values)

    expected = gradient(lambda values: ops.max_pool(values, size, strides, padding))
    own = gradient(lambda values: largest(values, size=(size,) * 2, strides=(strides,) * 2, padding=padding))
    np.testing.assert_allclose(own, expected, atol=1e-6)


@pytest.mark.parametrize("place", [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_what_is_no_number_is_not_lost_in_pooling(place):
    values = np.ones((1, 2, 2, 1), np.float32)
    values[0, *place, 0] = np.nan
    assert np.isnan(largest(values, size=(2, 2), strides=(2, 2), padding="same")).all()


def test_channels_first_layer_is_left_to_keras(rng):
    model = network(layers.Permute((3, 1, 2)), layers.DepthwiseConv2D(3, data_format="channels_first"))
    weights = [values(group) for group in (model.trainable_variables, model.non_trainable_variables)]
    inputs = rng.normal(size=(2, 11, 11, 3)).astype(np.float32)
    outputs, _ = quick(model).stateless_call(*weights, inputs, training=False)
    np.testing.assert_allclose(outputs, model.stateless_call(*weights, inputs, training=False)[0], atol=1e-5)


def test_stand_in_has_no_weights_of_its_own():
    model = network(layers.DepthwiseConv2D(3))
    before = len(jax.live_arrays())
    stand_in = quick(model)
    assert len(jax.live_arrays()) <= before
    assert stand_in.trainable_variables is not None
