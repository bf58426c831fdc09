"""Axes over the words of a text of fixed length: those that keep the order, and no others."""

import keras
import numpy as np
import pytest

from openbook.layers import BidirectionalLSTM, LearnedPositions, MaskedMean, PaddingMask
from openbook.page.token_axes import aligned_axes
from openbook.program.model import forward_program
from openbook.program.reading import Reading

LENGTH = 7


def axes_of(model):
    arrays = np.array([[3, 4, 5, 0, 0, 0, 0]], np.int32)
    program, roles, _ = forward_program(model, arrays)
    reading = Reading(program, roles)
    found = aligned_axes(program, program.inputs[-1:], LENGTH, reading.names)
    return {reading.names[value_id]: axes for value_id, axes in found.items() if value_id in reading.names}


def embedded(size=4):
    tokens = keras.Input((LENGTH,), dtype="int32", name="tokens")
    return (
        tokens,
        PaddingMask(name="mask")(tokens),
        keras.layers.Embedding(20, size, name="embedding")(tokens),
    )


def test_attention_runs_over_the_words_twice():
    tokens, is_token, hidden = embedded()
    hidden = LearnedPositions(name="position_embedding")(hidden)
    hidden = keras.layers.MultiHeadAttention(2, 2, name="attention")(hidden, hidden)
    pooled = MaskedMean(name="pooling")([hidden, is_token])
    found = axes_of(keras.Model(tokens, keras.layers.Dense(2, name="logits")(pooled)))
    assert found["embedding/output"] == (1,)
    assert found["position_embedding/output"] == (1,)
    assert len(found["attention/weights"]) == 2
    assert found["attention/attention_output/output"] == (1,)
    assert "pooling/output" not in found
    assert "output" not in found


def test_what_is_turned_round_has_no_words_until_its_layer_answers():
    tokens, is_token, hidden = embedded()
    states = BidirectionalLSTM(3, name="both_directions")([hidden, is_token])
    pooled = MaskedMean(name="pooling")([states, is_token])
    found = axes_of(keras.Model(tokens, keras.layers.Dense(2, name="logits")(pooled)))
    assert found["embedding/output"] == (1,)
    assert found["both_directions/output"] == (1,)
    assert found["both_directions/pre_activation"] == (1,)
    # Turned round and stacked: place t belongs to two words.
    assert "both_directions/stack" not in found
    assert not any("scan" in name for name in found)


@pytest.mark.parametrize("size", [LENGTH, 4])
def test_layer_as_wide_as_the_text_is_long_is_not_taken_for_it(size):
    tokens, is_token, hidden = embedded(size)
    hidden = keras.layers.Dense(LENGTH, activation="relu", name="wide")(hidden)
    pooled = MaskedMean(name="pooling")([hidden, is_token])
    found = axes_of(keras.Model(tokens, keras.layers.Dense(2, name="logits")(pooled)))
    assert found["wide/output"] == (1,)
    assert "pooling/output" not in found
