"""Beside each value of a real trace stands the scratch code of its operation and its layer."""

import keras
import numpy as np
import pytest

import openbook
from openbook.page.scratch_code import scratch_by_value, scratch_sources
from page_types import check_type


@pytest.fixture(scope="module")
def found():
    layers = keras.layers
    keras.utils.set_random_seed(0)
    tokens = keras.Input((6,), dtype="int32", name="tokens")
    hidden = layers.Embedding(20, 8, name="embedding")(tokens)
    hidden = layers.LayerNormalization(name="norm")(hidden)
    hidden = layers.MultiHeadAttention(2, 4, name="attention")(hidden, hidden)
    hidden = layers.LSTM(4, return_sequences=True, name="memory")(hidden)
    hidden = layers.SimpleRNN(4, return_sequences=True, name="recurrent")(hidden)
    hidden = layers.GlobalAveragePooling1D(name="pooling")(hidden)
    hidden = layers.Dense(5, activation="relu", name="hidden")(hidden)
    model = keras.Model(tokens, layers.Dense(3, activation="softmax", name="classes")(hidden))
    model.compile("adam", "sparse_categorical_crossentropy")
    trace = openbook.trace_step(model, np.ones((1, 6), "int32"), np.array([1]))
    return scratch_by_value(model, trace.outline().to_dict(), trace.names())


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("embedding/output", ["Embedding"]),
        ("embedding/embeddings", ["Embedding"]),
        ("norm/output", ["LayerNorm"]),
        ("norm/variance", ["LayerNorm"]),
        ("attention/weights", ["Softmax", "Attention"]),
        ("attention/attended", ["Attention"]),
        ("attention/keys", ["Linear"]),
        ("memory/hidden_state", ["LSTM"]),
        ("memory/output", ["LSTM"]),
        ("recurrent/output", ["SimpleRNN"]),
        ("pooling/output", ["GlobalAveragePooling"]),
        ("hidden/output", ["ReLU", "Linear"]),
        ("hidden/kernel", ["Linear"]),
        ("output", ["Softmax", "Linear"]),
        ("gradients/hidden/kernel", ["Linear"]),
        ("updates/hidden/kernel", ["Adam", "Linear"]),
    ],
)
def test_value_has_the_code_of_its_operation_and_its_layer(found, name, expected):
    assert found[name] == expected


def test_loss_has_its_code(found):
    assert any("CrossEntropy" in names for name, names in found.items() if "loss" in name)


def test_pictures_have_both_convolutions_and_pooling():
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Rescaling(1 / 255, name="scaled"),
            keras.layers.Conv2D(2, 3, name="convolution"),
            keras.layers.MaxPooling2D(name="pooling"),
            keras.layers.Flatten(name="flat"),
        ]
    )
    trace = openbook.trace(model, np.ones((1, 8, 8, 1), "float32"))
    found = scratch_by_value(model, trace.outline().to_dict(), trace.names())
    assert found["scaled/output"] == ["Rescaling"]
    assert found["convolution/output"] == ["SlidingConvolution", "Convolution"]
    assert found["convolution/kernel"] == ["SlidingConvolution", "Convolution"]
    assert found["pooling/output"] == ["MaxPooling"]
    assert found["output"] == ["Flatten"]


def test_page_is_told_names_and_code(asker, text_trace):
    names = {name for value in text_trace["values"].values() for name in value["scratch"]}
    assert {"Attention", "Embedding", "Linear", "Softmax"} <= names
    sources = asker.json("scratch")
    assert names <= set(sources)
    assert sources == scratch_sources()
    for code in sources.values():
        check_type(code, "ScratchCode")
