"""Integrated gradients are complete, and exact where the score is linear."""

import numpy as np
import pytest

from openbook.lenses.pixel_gradients import pixel_gradients


@pytest.mark.parametrize("name", ["convnet", "nested", "sequential"])
def test_shares_sum_to_the_difference_of_the_scores(lens_models, name):
    model, inputs = lens_models[name]
    found = pixel_gradients(model, inputs, class_name="1")
    difference = found.score - found.baseline_score
    # What the lens promises: within a hundredth, or 1e-4 where the two scores hardly differ.
    assert abs(found.gap) <= 0.01 * max(abs(difference), 1e-2)
    assert found.attributions_HWC.sum() - difference == pytest.approx(found.gap, abs=1e-6)


def test_scores_are_the_models_for_picture_and_baseline(lens_models):
    model, inputs = lens_models["convnet"]
    found = pixel_gradients(model, inputs, class_name="2", baseline=0.5)
    plain = np.full_like(inputs[:1], 0.5)
    assert found.score == pytest.approx(float(np.asarray(model(inputs))[0, 2]), rel=1e-5)
    assert found.baseline_score == pytest.approx(float(np.asarray(model(plain))[0, 2]), rel=1e-5)


def test_linear_score_has_weights_times_pixels(rng):
    import keras

    pictures = keras.Input((3, 4, 1))
    dense = keras.layers.Dense(2)
    model = keras.Model(pictures, dense(keras.layers.Flatten()(pictures)))
    picture = rng.normal(size=(1, 3, 4, 1)).astype(np.float32)
    found = pixel_gradients(model, picture, class_name="1")
    expected = np.asarray(dense.kernel)[:, 1].reshape(3, 4, 1) * picture[0]
    # The mean of 32 equal float32 gradients.
    np.testing.assert_allclose(found.attributions_HWC, expected, rtol=1e-5, atol=1e-7)
    assert found.num_points == 32
