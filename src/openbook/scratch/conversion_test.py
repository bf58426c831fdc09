"""Keras models become scratch models with the same outputs, or are refused by the name of the layer."""

import keras
import numpy as np
import pytest

from openbook.errors import ModelError
from openbook.scratch.conversion import SCRATCH_LAYERS, from_keras

K = keras.layers
PICTURES, SERIES, TOKENS = (8, 7, 3), (6, 4), (6,)
MODELS = {
    "convolutional": (
        PICTURES,
        [
            K.Rescaling(1 / 4, offset=0.5),
            K.Conv2D(4, 3, activation="relu", padding="same"),
            K.MaxPooling2D(),
            K.Conv2D(5, (2, 3), strides=(1, 2), use_bias=False),
            K.ReLU(),
            K.AveragePooling2D(2, strides=1, padding="same"),
            K.Flatten(),
            K.Dropout(0.5),
            K.Dense(3),
            K.Softmax(),
        ],
    ),
    "global": (PICTURES, [K.Conv2D(4, 3), K.Activation("tanh"), K.GlobalAveragePooling2D()]),
    "recurrent": (
        SERIES,
        [K.LSTM(5, return_sequences=True), K.LayerNormalization(), K.SimpleRNN(3), K.Dense(1, "sigmoid")],
    ),
    "tokens": (
        TOKENS,
        [K.Embedding(9, 4), K.LSTM(4, use_bias=False, return_sequences=True), K.GlobalAveragePooling1D()],
    ),
    "norms": (SERIES, [K.LayerNormalization(scale=False, epsilon=0.01), K.Dense(4, use_bias=False)]),
}
REFUSED = {
    "BatchNormalization": (SERIES, K.BatchNormalization(name="odd")),
    "gelu": (SERIES, K.Dense(3, activation="gelu", name="odd")),
    "dilation_rate": (PICTURES, K.Conv2D(3, 2, dilation_rate=2, name="odd")),
    "groups": (PICTURES, K.Conv2D(3, 2, groups=3, name="odd")),
    "data_format": (PICTURES, K.Flatten(data_format="channels_first", name="odd")),
    "mask_zero": (TOKENS, K.Embedding(9, 4, mask_zero=True, name="odd")),
    "go_backwards": (SERIES, K.LSTM(3, go_backwards=True, name="odd")),
    "activation": (SERIES, K.SimpleRNN(3, activation="relu", name="odd")),
    "recurrent_activation": (SERIES, K.LSTM(3, recurrent_activation="hard_sigmoid", name="odd")),
    "axis": (SERIES, K.LayerNormalization(axis=1, name="odd")),
    "negative_slope": (SERIES, K.ReLU(negative_slope=0.1, name="odd")),
    "keepdims": (PICTURES, K.GlobalAveragePooling2D(keepdims=True, name="odd")),
}


def without_draws(layer):
    """A new layer with the same settings that starts from zeros: random initializers take time to compile."""
    config = layer.get_config()
    zeros = {setting: "zeros" for setting in config if setting.endswith("_initializer")}
    return type(layer).from_config(config | zeros)


@pytest.mark.parametrize("name", MODELS)
def test_outputs_are_those_of_keras(name, rng):
    shape, layers = MODELS[name]
    sequential = keras.Sequential([keras.Input(shape), *(without_draws(each) for each in layers)])
    sequential.set_weights([rng.normal(size=each.shape) * 0.5 for each in sequential.get_weights()])
    functional = keras.Model(sequential.inputs, sequential.outputs)
    x = rng.integers(9, size=(2, *shape)) if shape == TOKENS else rng.normal(size=(2, *shape))
    x = x.astype("float32")
    expected = sequential.predict(x, verbose=0)
    for model in (sequential, functional):
        found = from_keras(model).forward(x)
        assert found.shape == expected.shape
        # Both in float32, through up to ten layers.
        assert np.abs(found - expected).max() < 1e-5 * np.abs(expected).max()


def test_every_kind_of_layer_is_tried():
    tried = {type(layer).__name__ for _, layers in MODELS.values() for layer in layers}
    assert tried | {"InputLayer"} == set(SCRATCH_LAYERS)


def test_weights_are_copies():
    model = keras.Sequential([keras.Input((3,)), K.Dense(2)])
    before = model.get_weights()[0].copy()
    from_keras(model).layers[0].parameters["kernel"][:] = 0
    assert np.array_equal(model.get_weights()[0], before)


@pytest.mark.parametrize("said", REFUSED)
def test_what_scratch_does_not_have_is_refused_by_name(said):
    shape, layer = REFUSED[said]
    with pytest.raises(ModelError, match=rf"^odd: .*{said}"):
        from_keras(keras.Sequential([keras.Input(shape), without_draws(layer)]))


def test_what_is_no_chain_is_refused():
    x = keras.Input((3,))
    hidden = K.Dense(3, name="hidden")(x)
    with pytest.raises(ModelError, match=r"^sum: scratch has no Add"):
        from_keras(keras.Model(x, K.Add(name="sum")([x, hidden])))
    with pytest.raises(ModelError, match=r"^second: does not follow"):
        from_keras(keras.Model(x, [K.Dense(1, name="first")(hidden), K.Dense(1, name="second")(hidden)]))
    shared = K.Dense(3, name="shared")
    with pytest.raises(ModelError, match="one chain only"):
        from_keras(keras.Model(x, shared(K.ReLU()(shared(x)))))


@pytest.mark.parametrize("thing", [keras.Sequential([K.Dense(2)], name="unbuilt"), "unbuilt"])
def test_what_is_no_built_model_is_refused(thing):
    with pytest.raises(ModelError, match=r"^unbuilt: expected a built"):
        from_keras(thing)


def test_a_layer_of_ones_own_is_not_taken_for_that_of_keras():
    class Dense(keras.layers.Dense):
        """Of the same name, and who knows what it does."""

    with pytest.raises(ModelError, match=r"^mine: scratch has no Dense"):
        from_keras(keras.Sequential([keras.Input((3,)), Dense(2, name="mine")]))
