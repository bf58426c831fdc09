"""The scratch lines beside a layer of Keras are the code that runs."""

import ast

import keras
import pytest

import openbook.layers
from openbook.program.composites import finding
from openbook.program.composites.named_calls import NAMED_CALLS
from openbook.program.primitives.table import primitives
from openbook.scratch import layers, optimizers, sequences, windows
from openbook.scratch.conversion import SCRATCH_LAYERS
from openbook.scratch.lines import SCRATCH_OF_LAYER, SCRATCH_OF_OPERATION, scratch_code, scratch_lines


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


@pytest.mark.parametrize("layer_kind", SCRATCH_OF_LAYER)
def test_every_layer_of_the_table_exists(layer_kind):
    assert hasattr(keras.layers, layer_kind) or hasattr(openbook.layers, layer_kind)


@pytest.mark.parametrize("name", SCRATCH_OF_OPERATION)
def test_every_operation_of_the_table_exists(name):
    rules = {rule.name for found in finding._rules().values() for rule, _ in found}
    assert name in rules | {called for called, _ in NAMED_CALLS.values()} | set(primitives())


def test_every_scratch_class_is_beside_some_layer_or_operation():
    no_code = {"Array", "Layer", "Loss", "Optimizer", "sigmoid"}
    written = {
        name
        for module in (layers, optimizers, sequences, windows)
        for name in module.__all__
        if name not in no_code
    }
    assert set(scratch_code()) == written


@pytest.mark.parametrize("name", scratch_code())
def test_code_is_what_stands_in_the_file(name):
    code = scratch_code()[name]
    [own, *shared] = code["parts"]
    [found] = ast.parse(own["text"]).body
    methods = [each.name for each in found.body if isinstance(each, ast.FunctionDef)]
    assert found.name == name
    assert code["says"]
    assert methods[-1] == "step" or methods[-2:] == ["forward", "backward"]
    assert [each["title"] for each in shared] in ([], ["_Recurrent"], ["_Windowed"])
