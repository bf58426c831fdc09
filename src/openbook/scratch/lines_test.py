"""The scratch lines beside a layer of Keras are the code that runs."""

import ast

import keras
import pytest

from openbook.scratch.conversion import SCRATCH_LAYERS
from openbook.scratch.lines import scratch_lines


@pytest.mark.parametrize("layer_kind", [kind for kind, layer in SCRATCH_LAYERS.items() if layer])
def test_every_scratch_layer_has_its_lines(layer_kind):
    lines = scratch_lines(layer_kind)
    assert hasattr(keras.layers, layer_kind)
    assert ast.parse(lines).body[0].name == "forward"


def test_lines_are_those_that_explain_the_layer():
    assert 'x @ self.parameters["kernel"]' in scratch_lines("Dense")
    assert "forget_gate * self.cell[t]" in scratch_lines("LSTM")
    assert "bklc,klcf->bf" in scratch_lines("Conv2D")
    assert "key_SD.swapaxes" in scratch_lines("MultiHeadAttention")


@pytest.mark.parametrize("layer_kind", ["Dropout", "BatchNormalization", "", "no layer"])
def test_what_scratch_does_not_have_has_no_lines(layer_kind):
    assert scratch_lines(layer_kind) is None
