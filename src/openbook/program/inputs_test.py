"""Inputs in every structure that Keras takes, and what does not fit."""

import keras
import numpy as np
import pytest

import openbook
from openbook.errors import ModelError

L = keras.layers
A, B = np.arange(6, dtype="float32").reshape(2, 3), np.ones((2, 3), "float32")


def two_inputs(*, keys=None):
    b, a = keras.Input((3,), name="b"), keras.Input((3,), name="a")
    return keras.Model(dict(zip(keys, (b, a), strict=True)) if keys else [b, a], L.Subtract()([b, a]))


class Nested(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = L.Dense(3, name="dense")

    def call(self, inputs):
        (first, second), extra = inputs
        assert isinstance(inputs, tuple)
        return {"sum": self.dense(first) + extra["x"], "swapped": (second, first)}


class TwoArguments(keras.Model):
    def call(self, first, second=None, training=False):
        return first if second is None else first - second


@pytest.mark.parametrize("inputs", [[A, B], (A, B), {"b": A, "a": B}, [A.tolist(), B.tolist()]])
def test_several_inputs_come_as_list_tuple_or_by_name(inputs):
    trace = openbook.trace(two_inputs(), inputs)
    np.testing.assert_array_equal(trace["output"], A - B)
    np.testing.assert_array_equal(trace["input/b"], A)


@pytest.mark.filterwarnings("ignore:When providing `inputs` as a dict:UserWarning")
@pytest.mark.parametrize("inputs", [[A, B], {"key": A, "query": B}])
def test_model_made_with_a_dictionary_is_called_by_its_keys(inputs):
    trace = openbook.trace(two_inputs(keys=("key", "query")), inputs)
    np.testing.assert_array_equal(trace["output"], A - B)
    np.testing.assert_array_equal(trace["input/key"], A)


@pytest.mark.filterwarnings("ignore:When providing `inputs` as a dict:UserWarning")
def test_source_needs_no_example_for_a_model_made_with_a_dictionary():
    assert "def forward" in openbook.to_numpy(two_inputs(keys=("key", "query")))


def test_subclassed_model_gets_its_own_structure():
    trace = openbook.trace(Nested(), ((A, B), {"x": B}))
    assert {"input/1/1", "input/1/2", "input/2/x", "output/sum"} <= set(trace.names())
    np.testing.assert_array_equal(trace["output/swapped/1"], B)


def test_several_arguments_of_a_call_are_given_one_by_one():
    np.testing.assert_array_equal(openbook.trace(TwoArguments(), A, B)["output"], A - B)
    attention = L.MultiHeadAttention(2, 4)
    query, value = np.ones((1, 3, 5), "float32"), np.ones((1, 4, 5), "float32")
    trace = openbook.trace(attention, query, value)
    np.testing.assert_allclose(trace["output"], np.asarray(attention(query, value)), rtol=1e-5, atol=1e-6)


def test_last_axis_of_size_one_is_added_as_keras_does():
    model = keras.Sequential([keras.Input((1,)), L.Rescaling(2.0)])
    np.testing.assert_array_equal(openbook.trace(model, np.ones(4))["output"], np.full((4, 1), 2.0))


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ((), "none were given"),
        ((None,), "are None"),
        (([A],), "takes 2 inputs, but 1 were given"),
        (({"a": A, "c": B},), r"takes inputs \['a', 'b'\], but \['a', 'c'\] were given"),
        (([A, B * 1j],), "takes real numbers"),
        (([A, np.ones((2, 4))],), r"input 'a' .* has shape \(any, 3\), but the array given has \(2, 4\)"),
    ],
)
def test_what_does_not_fit_is_named(inputs, words):
    with pytest.raises(ModelError, match=words):
        openbook.trace(two_inputs(), *inputs)


def test_message_of_a_failing_layer_is_its_cause():
    class Failing(L.Layer):
        def call(self, x):
            return keras.ops.reshape(x, (7, 7))

    with pytest.raises(ModelError) as raised:
        openbook.trace(Failing(), A)
    assert "Exception encountered" not in str(raised.value)
    assert "(7, 7)" in str(raised.value)
