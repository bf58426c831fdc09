"""Drawing the next token: each setting does what its name says."""

import jax
import numpy as np
import pytest

from openbook.errors import UsageError
from openbook.text.sampling import Decoding, DecodingValues, draw_token

LOGITS = np.log(np.array([0.4, 0.3, 0.2, 0.06, 0.04], np.float32))


def frequencies(decoding, *, seen=(), num_draws=4000, logits=LOGITS):
    values = DecodingValues.of(decoding, vocabulary_size=len(logits))
    seen_V = np.isin(np.arange(len(logits)), seen)
    keys = jax.random.split(jax.random.key(1), num_draws)
    drawn = jax.vmap(lambda key: draw_token(logits, seen_V, key, values))(keys)
    return np.bincount(drawn, minlength=len(logits)) / num_draws


PLAIN = {"temperature": 1.0, "top_p": 1.0, "repetition_penalty": 1.0}
# 4,000 draws: three standard deviations of a share are at most 0.024.
TOLERANCE = 0.024


def test_plain_draws_follow_the_probabilities():
    np.testing.assert_allclose(frequencies(Decoding(**PLAIN)), np.exp(LOGITS), atol=TOLERANCE)


def test_temperature_sharpens_and_zero_is_greedy():
    sharp = np.exp(LOGITS * 2) / np.exp(LOGITS * 2).sum()
    drawn = frequencies(Decoding(**{**PLAIN, "temperature": 0.5}))
    np.testing.assert_allclose(drawn, sharp, atol=TOLERANCE)
    assert frequencies(Decoding(**{**PLAIN, "temperature": 0.0}))[0] == 1.0


def test_top_k_and_top_p_cut_the_tail():
    expected = np.array([4, 3, 0, 0, 0]) / 7
    np.testing.assert_allclose(frequencies(Decoding(**PLAIN, top_k=2)), expected, atol=TOLERANCE)
    np.testing.assert_allclose(frequencies(Decoding(**{**PLAIN, "top_p": 0.65})), expected, atol=TOLERANCE)
    assert frequencies(Decoding(**{**PLAIN, "top_p": 1e-6}))[0] == 1.0


def test_top_k_beyond_the_vocabulary_takes_all():
    np.testing.assert_array_equal(
        frequencies(Decoding(**PLAIN, top_k=10**12)), frequencies(Decoding(**PLAIN, top_k=len(LOGITS)))
    )


def test_repetition_penalty_makes_seen_tokens_rarer():
    decoding = Decoding(**{**PLAIN, "repetition_penalty": 2.0})
    penalized = LOGITS.copy()
    penalized[0] *= 2.0  # negative logits are multiplied
    expected = np.exp(penalized) / np.exp(penalized).sum()
    np.testing.assert_allclose(frequencies(decoding, seen=[0]), expected, atol=TOLERANCE)


@pytest.mark.parametrize(
    ("name", "value"),
    [("temperature", -1.0), ("top_p", 0.0), ("top_p", 1.5), ("top_k", -2), ("max_tokens", 0), ("seed", -1)],
)
def test_impossible_setting_is_refused_by_name(name, value):
    with pytest.raises(UsageError, match=f"--{name.replace('_', '-')}"):
        Decoding(**{name: value})
