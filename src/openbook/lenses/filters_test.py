"""The ascent raises each filter's activation, and finds the closed form of a single filter."""

import numpy as np

from openbook.lenses.filters import filters_of
from openbook.lenses.layer_taps import run_tapped, weights_of


def test_inputs_raise_the_activation_of_their_filters(lens_models):
    model, _ = lens_models["convnet"]
    found = filters_of(model, layer="convolution_1", num_steps=20)
    assert (found.after_F > found.before_F).all()
    _, kept = run_tapped(model, weights_of(model), found.inputs_FHWC, keep=("convolution_1",))
    means_FF = np.asarray(kept["convolution_1"]).mean(axis=(1, 2))
    # The same float32 sums in another batch.
    np.testing.assert_allclose(np.diag(means_FF), found.after_F, rtol=1e-4, atol=1e-6)


def test_seed_decides_the_start(lens_models):
    model, _ = lens_models["nested"]
    first, again, other = (filters_of(model, seed=seed, num_steps=2).before_F for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_filter_of_one_pixel_wants_it_as_bright_as_can_be():
    import keras

    pictures = keras.Input((4, 4, 1))
    layer = keras.layers.Conv2D(2, 1, use_bias=False)
    model = keras.Model(pictures, layer(pictures))
    layer.set_weights([np.array([1.0, -1.0], np.float32).reshape(1, 1, 1, 2)])
    found = filters_of(model)
    np.testing.assert_allclose(found.inputs_FHWC[0], 1.0)
    np.testing.assert_allclose(found.inputs_FHWC[1], 0.0)


def test_range_follows_a_layer_that_scales(lens_models):
    assert filters_of(lens_models["nested"][0], num_steps=1).value_range == (0.0, 255.0)
    assert filters_of(lens_models["convnet"][0], num_steps=1).value_range == (0.0, 1.0)
