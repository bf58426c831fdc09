"""Inner outputs are those of a trace, and the model is as it was afterwards."""

import numpy as np
import pytest

import openbook
from openbook.lenses.activations import activations_of
from openbook.lenses.layer_taps import (
    leaf_layers,
    output_shapes,
    run_tapped,
    squashing_layer,
    weights_of,
)


@pytest.mark.parametrize(
    ("name", "layer", "value"),
    [
        ("convnet", "convolution_2", "convolution_2/output"),
        ("nested", "backbone/convolution", "backbone/convolution/output"),
    ],
)
def test_activations_are_the_values_of_a_trace(lens_models, name, layer, value):
    model, inputs = lens_models[name]
    traced = openbook.trace(model, inputs[:1])
    found = activations_of(model, inputs, layers=[layer]).layers[layer]
    # Two compilations of the same float32 sums.
    np.testing.assert_allclose(found, np.asarray(traced[value])[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["convnet", "nested", "sequential", "table", "text"])
def test_outputs_are_the_models_own(lens_models, name):
    model, inputs = lens_models[name]
    before = np.asarray(model(inputs, training=False))
    outputs, kept = run_tapped(model, weights_of(model), inputs, keep=None)
    np.testing.assert_allclose(np.asarray(outputs), before, rtol=1e-5, atol=1e-6)
    assert list(kept) == list(output_shapes(model))
    assert not any("call" in vars(layer) for layer in leaf_layers(model).values())


def test_softmax_at_the_end_is_left_out(lens_models):
    for name, kind in (("nested", "Dense"), ("sequential", "Softmax")):
        model, inputs = lens_models[name]
        linear = squashing_layer(model)
        assert type(linear).__name__ == kind
        scores, _ = run_tapped(model, weights_of(model), inputs, linear=linear)
        exponentials = np.exp(np.asarray(scores))
        shares = exponentials / exponentials.sum(axis=-1, keepdims=True)
        np.testing.assert_allclose(shares, np.asarray(model(inputs)), rtol=1e-5, atol=1e-6)
    assert squashing_layer(lens_models["convnet"][0]) is None


def test_calls_of_a_shared_layer_have_names_of_their_own():
    import keras

    pictures = keras.Input((8, 8, 1))
    shared = keras.layers.Conv2D(1, 3, padding="same", name="shared")
    model = keras.Model(pictures, keras.layers.Flatten()(shared(shared(pictures))))
    assert list(output_shapes(model))[:2] == ["shared", "shared (2)"]


def test_wrapping_ends_with_an_error(lens_models):
    model, _ = lens_models["convnet"]
    with pytest.raises(ValueError, match="shape"):
        run_tapped(model, weights_of(model), np.zeros((1, 3, 3, 7), np.float32))
    assert not any("call" in vars(layer) for layer in leaf_layers(model).values())
