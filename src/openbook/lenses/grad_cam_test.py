"""Grad-CAM against closed forms."""

import numpy as np
import pytest

from openbook.errors import UsageError
from openbook.lenses.grad_cam import grad_cam


def class_activation_model(*, is_nested, activation=None):
    """Convolution, global average pooling, dense: where Grad-CAM has a closed form."""
    import keras

    pictures = keras.Input((10, 8, 1))
    convolution = keras.layers.Conv2D(5, 3, activation="relu", name="convolution")
    hidden = convolution(pictures)
    if is_nested:
        inner = keras.Input((10, 8, 1))
        hidden = keras.Model(inner, convolution(inner), name="backbone")(pictures)
    hidden = keras.layers.GlobalAveragePooling2D()(hidden)
    dense = keras.layers.Dense(3, activation=activation, name="dense")
    return keras.Model(pictures, dense(hidden)), convolution, dense


@pytest.mark.parametrize("activation", [None, "softmax"])
@pytest.mark.parametrize("is_nested", [False, True])
def test_is_the_class_activation_map_before_global_average_pooling(rng, is_nested, activation):
    """There the gradient by a place is a weight / places, and the heat the map of Zhou et al. (2016) / places."""
    model, convolution, dense = class_activation_model(is_nested=is_nested, activation=activation)
    pictures = rng.normal(size=(1, 10, 8, 1)).astype(np.float32)
    values_hwK = np.asarray(convolution(pictures))[0]
    kernel_KC = np.asarray(dense.kernel)
    for class_index in range(3):
        found = grad_cam(model, pictures, class_name=str(class_index))
        expected_hw = np.maximum(0.0, values_hwK @ kernel_KC[:, class_index]) / (8 * 6)
        # float32 sums in another order
        np.testing.assert_allclose(found.heat_hw, expected_hw, rtol=1e-4, atol=1e-7)
    assert found.layer == ("backbone/convolution" if is_nested else "convolution")
    assert found.upsampled.shape == (10, 8)


def test_channel_weights_are_mean_differences_of_the_score(rng, lens_models):
    """By central differences: a shift of a whole channel changes the score by h w times its weight."""
    from openbook.lenses.layer_taps import run_tapped, weights_of

    model, inputs = lens_models["convnet"]
    found = grad_cam(model, inputs, layer="convolution_2", class_name="1")
    shape = (1, *found.heat_hw.shape, 6)
    for channel in range(6):
        shift = np.zeros(shape, np.float32)
        shift[..., channel] = 0.5
        scores = [
            np.asarray(
                run_tapped(model, weights_of(model), inputs[:1], shifts={"convolution_2": sign * shift})[0]
            )
            for sign in (1, -1)
        ]
        # The model is linear from here on, so a large shift is as exact as float32 is.
        expected = float((scores[0] - scores[1])[0, 1]) / found.heat_hw.size
        assert found.channel_weights_K[channel] == pytest.approx(expected, rel=1e-3, abs=1e-5)


def test_class_by_name_and_the_models_answer(lens_models):
    model, inputs = lens_models["convnet"]
    answer = int(np.argmax(np.asarray(model(inputs))[0]))
    assert grad_cam(model, inputs).class_index == answer
    assert grad_cam(model, inputs, class_name="cat", classes=("dog", "cat", "hen")).class_index == 1
    with pytest.raises(UsageError, match="there are dog, cat, hen"):
        grad_cam(model, inputs, class_name="cow", classes=("dog", "cat", "hen"))
