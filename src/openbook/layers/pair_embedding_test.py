"""Embeddings with pairs: what they add up to, position by position, and that a saved layer is the same again."""

import keras
import numpy as np
import pytest

from openbook.layers import PairEmbedding
from openbook.saved_models import load_model, save_model


@pytest.fixture
def layer(rng):
    layer = PairEmbedding(50, 6, num_pair_rows=80)
    layer.build((None, None))
    layer.set_weights([rng.normal(size=weight.shape) for weight in layer.get_weights()])
    return layer


def test_token_pair_and_the_token_before_add_up(layer):
    embeddings, pairs, mix = layer.get_weights()
    tokens = np.array([[7, 3, 49]], np.int32)
    found = np.asarray(layer(tokens))
    for position, (token, previous) in enumerate(zip((7, 3, 49), (0, 7, 3), strict=True)):
        row = (36313 * token + 27191 * previous) % 80
        expected = embeddings[token] + mix * embeddings[previous] + pairs[row]
        np.testing.assert_allclose(found[0, position], expected, rtol=1e-5)


def test_position_by_position_gives_the_same(layer):
    tokens = np.array([[7, 3, 49, 3]], np.int32)
    cache, pieces = layer.empty_cache(4), []
    for position in range(4):
        piece, cache = layer.step(tokens[:, position : position + 1], cache, position)
        pieces.append(np.asarray(piece))
    np.testing.assert_allclose(np.concatenate(pieces, axis=1), np.asarray(layer(tokens)), rtol=1e-6)


def test_largest_tokens_do_not_overflow():
    layer = PairEmbedding(32768, 2, num_pair_rows=1000)
    layer.build((None, None))
    assert np.isfinite(np.asarray(layer(np.array([[32767, 32767]], np.int32)))).all()
    assert 36313 * 32767 + 27191 * 32767 < 2**31


def test_saved_layer_is_the_same_again(layer, tmp_path):
    tokens = keras.Input((None,), dtype="int32")
    model = keras.Model(tokens, layer(tokens))
    save_model(model, tmp_path / "model.keras")
    again = load_model(tmp_path / "model.keras")
    given = np.array([[1, 2, 3]], np.int32)
    np.testing.assert_allclose(np.asarray(again(given)), np.asarray(model(given)))
