"""Weights go into a model whole or not at all: what is missing, of another shape or left over is named."""

from pathlib import Path

import numpy as np
import pytest

from openbook.backbones.inverted_residuals import build_network
from openbook.backbones.inverted_residuals_test import identity_names, small_plan, torch_weights_for
from openbook.backbones.weight_transfer import transfer_weights
from openbook.errors import DataError


@pytest.fixture(scope="module")
def model():
    return build_network(small_plan("same"), with_top=True)


def test_each_weight_stands_where_its_layer_looks(model, rng):
    weights = torch_weights_for(model, rng)
    transfer_weights(model, weights, identity_names(model), path=Path("some.pth"))
    kernel_IJCO = np.asarray(model.get_layer("stem_convolution").kernel)
    assert kernel_IJCO[1, 2, 0, 5] == weights["stem_convolution.weight"][5, 0, 1, 2]
    kernel_IJC1 = np.asarray(model.get_layer("block_2_depthwise_convolution").kernel)
    assert kernel_IJC1[4, 3, 7, 0] == weights["block_2_depthwise_convolution.weight"][7, 0, 4, 3]
    normalization = model.get_layer("head_normalization")
    assert np.array_equal(normalization.moving_variance, weights["head_normalization.running_var"])
    assert np.array_equal(normalization.beta, weights["head_normalization.bias"])
    assert np.array_equal(model.get_layer("logits").kernel, weights["logits.weight"].T)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda weights: weights.pop("logits.bias"), r"logits has .*expected \[\(12, 5\), \(5,\)\]"),
        (lambda weights: weights.update({"other.weight": np.zeros(3)}), "of no layer, such as other.weight"),
        (
            lambda weights: weights.update({"logits.weight": np.zeros((6, 12), np.float32)}),
            r"logits has \[\(12, 6\)",
        ),
        (lambda weights: weights["logits.bias"].fill(np.nan), "logits has weights that are not finite"),
    ],
)
def test_weights_of_another_network_are_refused(model, rng, change, said):
    weights = torch_weights_for(model, rng)
    change(weights)
    with pytest.raises(DataError, match=said):
        transfer_weights(model, weights, identity_names(model), path=Path("some.pth"))
