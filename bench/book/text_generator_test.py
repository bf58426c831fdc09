"""The book's text generator: its size, and that position t does not see what comes later."""

import numpy as np
import pytest

from bench.book import text_generator as book

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def model():
    return book.build()


def test_it_has_the_published_number_of_parameters(model):
    assert model.count_params() == book.NUM_PARAMETERS


def test_it_does_not_see_the_future(model):
    rng = np.random.default_rng(0)
    tokens = rng.integers(1, book.VOCABULARY_SIZE, (1, book.CONTEXT_LENGTH)).astype("int32")
    other = tokens.copy()
    other[:, 40:] = rng.integers(1, book.VOCABULARY_SIZE, other[:, 40:].shape)
    before, after = np.asarray(model(tokens)), np.asarray(model(other))
    np.testing.assert_allclose(before[:, :40], after[:, :40], atol=1e-9)
    assert np.abs(before[:, 40:] - after[:, 40:]).max() > 1e-6
