"""The optimizers take the steps that those of Keras take."""

import keras
import numpy as np
import pytest

from openbook.scratch import optimizers
from openbook.scratch.layers import Linear

PAIRS = {
    "SGD": keras.optimizers.SGD,
    "Momentum": lambda rate: keras.optimizers.SGD(rate, momentum=0.9),
    "RMSprop": keras.optimizers.RMSprop,
    "Adam": keras.optimizers.Adam,
}


def test_every_optimizer_has_a_pair():
    assert set(PAIRS) == set(optimizers.__all__) - {"Optimizer"}


@pytest.mark.parametrize("name", PAIRS)
def test_steps_are_those_of_keras(name, rng):
    kernel, bias = rng.normal(size=(3, 4)).astype("float32"), rng.normal(size=4).astype("float32")
    layer = Linear(kernel=kernel, bias=bias)
    optimizer, keras_optimizer = getattr(optimizers, name)(0.01), PAIRS[name](0.01)
    variables = [keras.Variable(kernel), keras.Variable(bias)]
    for _ in range(6):
        layer.gradients = {
            key: rng.normal(size=array.shape).astype("float32") for key, array in layer.parameters.items()
        }
        optimizer.update([layer])
        keras_optimizer.apply([layer.gradients["kernel"], layer.gradients["bias"]], variables)
        for found, variable in zip(layer.parameters.values(), variables, strict=True):
            assert found.dtype == np.float32
            # Weights of about 1 in float32; Keras rounds 1 − β₂ᵗ, which is 0.001 at first, to float32 too.
            assert np.abs(found - np.asarray(variable.value)).max() < 1e-6


def test_a_step_goes_down_by_hand():
    layer = Linear(kernel=np.array([[1.0]]))
    layer.gradients = {"kernel": np.array([[2.0]])}
    optimizers.SGD(0.25).update([layer])
    assert layer.parameters["kernel"] == 0.5
