"""The held-out score counts every token once and agrees with a closed form."""

import math

import numpy as np
import pytest

from openbook.text.score import score_stream
from openbook.text.stream import TokenStream


def stream_of(num_tokens, size_bytes=1000):
    return TokenStream(
        tokens=np.arange(num_tokens, dtype=np.uint16), starts=np.array([0]), size_bytes=size_bytes
    )


@pytest.mark.parametrize("num_tokens", [2, 5, 8, 9, 10, 16, 17, 31, 200])
@pytest.mark.parametrize("context_length", [1, 7, 8])
def test_every_token_but_the_first_is_scored_once_with_all_context_there_is(num_tokens, context_length):
    seen = []

    def score_batch(inputs, targets, weights):
        np.testing.assert_array_equal(targets[weights > 0], inputs[weights > 0] + 1)
        for row, row_weights in zip(targets, weights, strict=True):
            columns = np.flatnonzero(row_weights)
            seen.extend((int(row[column]), column) for column in columns)
        return weights.sum(), 0.0

    score = score_stream(stream_of(num_tokens), score_batch, batch_size=3, context_length=context_length)
    assert sorted(token for token, _ in seen) == list(range(1, num_tokens))
    assert all(column >= min(token - 1, context_length - context_length // 2 - 1) for token, column in seen)
    assert score.num_tokens == num_tokens - 1
    assert score.loss == pytest.approx(1.0)


def test_uniform_prediction_costs_log2_of_the_vocabulary_per_token():
    def score_batch(inputs, targets, weights):
        return weights.sum() * math.log(256), weights.sum() / 256

    score = score_stream(stream_of(1001, size_bytes=4000), score_batch, batch_size=4, context_length=16)
    assert score.bits_per_byte == pytest.approx(1000 * 8 / 4000)
    assert score.perplexity == pytest.approx(256)
    assert score.accuracy == pytest.approx(1 / 256)
