"""Layers for texts: padding changes nothing, and each computes what its formula says."""

import keras
import numpy as np
import pytest

from openbook.layers import (
    BidirectionalLSTM,
    LearnedPositions,
    MaskedMax,
    MaskedMean,
    PaddingMask,
    WeightedSum,
)


@pytest.fixture
def sequence(rng):
    """Features (2, 5, 3) and a mask: the second text has three words."""
    is_token = np.array([[True] * 5, [True] * 3 + [False] * 2])
    return rng.normal(size=(2, 5, 3)).astype("float32"), is_token


def test_weighted_sum_of_embeddings_is_a_product_with_the_sparse_vector(rng):
    table = rng.normal(size=(7, 4)).astype("float32")
    numbers, weights = np.array([[1, 5, 0]]), np.array([[0.5, 2.0, 0.0]], "float32")
    sparse = np.zeros((1, 7), "float32")
    sparse[0, [1, 5]] = [0.5, 2.0]
    found = np.asarray(WeightedSum()([table[numbers], weights]))
    np.testing.assert_allclose(found, sparse @ table, rtol=1e-6)


def test_mask_is_true_for_tokens():
    found = np.asarray(PaddingMask()(np.array([[4, 1, 0]])))
    assert found.tolist() == [[True, True, False]]


def test_masked_pooling_leaves_padding_out(sequence):
    features, is_token = sequence
    for layer, by_hand in ((MaskedMean(), np.mean), (MaskedMax(), np.max)):
        found = np.asarray(layer([features, is_token]))
        np.testing.assert_allclose(found[0], by_hand(features[0], axis=0), rtol=1e-5)
        np.testing.assert_allclose(found[1], by_hand(features[1, :3], axis=0), rtol=1e-5)


def test_mean_of_a_text_without_words_is_zero():
    found = MaskedMean()([np.ones((1, 2, 3), "float32"), np.zeros((1, 2), bool)])
    assert np.asarray(found).tolist() == [[0.0, 0.0, 0.0]]


def test_lstm_is_keras_own_in_both_directions(sequence, rng):
    features, is_token = sequence
    layer = BidirectionalLSTM(4)
    layer.build([(2, 5, 3), (2, 5)])
    for variable in layer.trainable_variables:
        variable.assign(rng.normal(size=variable.shape) * 0.5)
    kernel, recurrent_kernel, bias = map(np.asarray, layer.trainable_variables)
    found = np.asarray(layer([features, is_token]))
    for direction in range(2):
        own = keras.layers.LSTM(4, return_sequences=True, go_backwards=direction == 1)
        own.build(features.shape)
        columns = slice(16 * direction, 16 * direction + 16)
        own.set_weights([kernel[:, columns], recurrent_kernel[direction], bias[direction]])
        for row, length in ((0, 5), (1, 3)):
            expected = np.asarray(own(features[row : row + 1, :length]))[0]
            expected = expected[::-1] if direction == 1 else expected
            hidden = found[row, :length, 4 * direction : 4 * direction + 4]
            np.testing.assert_allclose(hidden, expected, atol=1e-5)  # float32, five steps


def test_positions_tell_places_apart():
    layer = LearnedPositions()
    outputs = np.asarray(layer(np.zeros((1, 4, 3), "float32")))
    assert len({tuple(row) for row in outputs[0]}) == 4


def test_lstm_comes_back_from_a_saved_model_in_safe_mode(sequence, tmp_path):
    features, is_token = sequence
    inputs = [keras.Input((5, 3)), keras.Input((5,), dtype="bool")]
    model = keras.Model(inputs, MaskedMax()([BidirectionalLSTM(4)(inputs), inputs[1]]))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_array_equal(
        np.asarray(model([features, is_token])), np.asarray(loaded([features, is_token]))
    )
