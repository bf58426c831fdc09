"""The losses: by hand, by central differences, and beside Keras."""

import keras
import numpy as np
import pytest

from openbook.scratch.layers import CrossEntropy, MeanSquaredError, Softmax


def test_losses_by_hand():
    assert MeanSquaredError().forward(np.array([[1.0], [3.0]]), np.array([0.0, 1.0])) == 2.5
    shares = np.array([[0.5, 0.5], [0.25, 0.75]])
    assert CrossEntropy().forward(shares, np.array([0, 0])) == pytest.approx(np.log(8) / 2)


@pytest.mark.parametrize("loss", [MeanSquaredError(), CrossEntropy()])
def test_gradient_is_that_of_central_differences(loss, rng):
    predicted = rng.uniform(0.2, 1, size=(3, 4))
    targets = rng.integers(4, size=3) if isinstance(loss, CrossEntropy) else rng.normal(size=(3, 4))
    loss.forward(predicted, targets)
    found, step = loss.backward(), 1e-6
    for index in np.ndindex(predicted.shape):
        moved = np.zeros_like(predicted)
        moved[index] = step
        above, below = loss.forward(predicted + moved, targets), loss.forward(predicted - moved, targets)
        # Rounding of the losses, 1e-16 / step, and no more than that: relative to gradients of about 0.3.
        assert abs((above - below) / (2 * step) - found[index]) < 1e-7 * np.abs(found).max()


def test_softmax_and_cross_entropy_together_pass_back_share_minus_target(rng):
    softmax, loss = Softmax(), CrossEntropy()
    logits, classes = rng.normal(size=(3, 4)), np.array([2, 0, 3])
    shares = softmax.forward(logits)
    loss.forward(shares, classes)
    assert np.allclose(softmax.backward(loss.backward()), (shares - np.eye(4)[classes]) / 3, atol=1e-15)


def test_losses_are_those_of_keras(rng):
    shares, classes = Softmax().forward(rng.normal(size=(5, 4)).astype("float32")), rng.integers(4, size=5)
    expected = keras.losses.SparseCategoricalCrossentropy()(classes, shares)
    assert CrossEntropy().forward(shares, classes) == pytest.approx(float(expected), rel=1e-5)
    expected = keras.losses.MeanSquaredError()(shares[::-1], shares)
    assert MeanSquaredError().forward(shares, shares[::-1]) == pytest.approx(float(expected), rel=1e-5)


def test_a_share_of_zero_for_the_right_class_is_a_finite_loss():
    softmax, loss = Softmax(), CrossEntropy()
    shares = softmax.forward(np.array([[0.0, 200.0]], "float32"))
    assert np.isfinite(loss.forward(shares, np.array([0])))
    assert np.isfinite(softmax.backward(loss.backward())).all()
