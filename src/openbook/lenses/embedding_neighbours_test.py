"""Neighbours by hand, and words by name."""

import numpy as np
import pytest

from openbook.errors import UsageError
from openbook.lenses.embedding_neighbours import embedding_neighbours

NAMES = ("(padding)", "good", "great", "bad", "table")


@pytest.fixture
def model():
    import keras

    words = keras.Input((3,), dtype="int32")
    embedding = keras.layers.Embedding(5, 2, name="embedding")
    model = keras.Model(words, embedding(words))
    embedding.set_weights([np.array([[0, 0], [1, 0], [2, 1], [-1, 0], [0, 3]], np.float32)])
    return model


def test_nearest_by_cosine(model):
    found = embedding_neighbours(model, word="good", names=NAMES)
    assert found.names == ("good", "great", "table", "bad"), "the row of zeros has no direction"
    np.testing.assert_allclose(found.cosines_N, [1, 2 / np.sqrt(5), 0, -1], atol=1e-12)


def test_plane_keeps_the_distances_of_rows_in_a_plane(model):
    found = embedding_neighbours(model, word="good", names=NAMES)
    rows = np.array([[1, 0], [2, 1], [0, 3], [-1, 0]], np.float64)

    def distances(places):
        return np.linalg.norm(places[:, None] - places[None], axis=-1)

    np.testing.assert_allclose(distances(found.map_N2), distances(rows), atol=1e-9)
    assert found.explained_2.sum() == pytest.approx(1.0)


def test_longest_row_is_taken_when_nothing_is_asked(model):
    assert embedding_neighbours(model).names[0] == "row 4"


def test_unknown_word_gets_a_suggestion(model):
    with pytest.raises(UsageError, match="Near it are great"):
        embedding_neighbours(model, word="graet", names=NAMES)
    with pytest.raises(UsageError, match="all zeros"):
        embedding_neighbours(model, word="0", names=NAMES)
