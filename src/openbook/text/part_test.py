"""A part of the texts tells the number of tokens of all."""

import numpy as np
import pytest

from openbook.text.part import tokenise_part
from openbook.text.stream import TokenStream
from openbook.text.tokenizer import Tokenizer


@pytest.fixture(scope="module")
def texts():
    rng = np.random.default_rng(0)
    words = ["".join(rng.choice(list("abcdefghij"), rng.integers(2, 8))) for _ in range(500)]
    return [" ".join(rng.choice(words, 60)) for _ in range(6000)]  # about 2 MB


def test_tokens_of_all_texts_are_estimated_from_a_part(texts):
    part = tokenise_part(texts, vocabulary_size=600)
    assert part.stream.size_bytes < 0.6 * sum(map(len, texts)), "only a part is tokenised"
    whole = TokenStream.encode(texts, Tokenizer.train(texts, vocabulary_size=600))
    # The words of part and whole are the same; only the rare merges differ.
    assert part.num_tokens == pytest.approx(whole.num_tokens, rel=0.03)
    assert part.tokens_in(whole.size_bytes) == pytest.approx(whole.num_tokens, rel=0.03)
    assert part.prepare_s > 0.0


def test_a_larger_whole_has_more_tokens(texts):
    one, three = (tokenise_part(texts[:500], vocabulary_size=400, scale=scale) for scale in (1.0, 3.0))
    assert three.num_tokens == pytest.approx(3 * one.num_tokens, rel=0.001)
    assert three.held_bytes == 3 * one.held_bytes


def test_a_handful_of_texts_is_taken_whole():
    part = tokenise_part(["a b c", "d e f"], vocabulary_size=300)
    assert part.num_tokens == part.stream.num_tokens
    assert tokenise_part(["a"], vocabulary_size=300).num_tokens >= 2


def test_one_long_document_is_looked_at_in_many_places(texts):
    long = " ".join(texts)
    part = tokenise_part([long], vocabulary_size=600)
    assert part.is_part
    assert part.stream.size_bytes < 0.6 * len(long)
    whole = TokenStream.encode([long], Tokenizer.train([long], vocabulary_size=600))
    assert part.num_tokens == pytest.approx(whole.num_tokens, rel=0.03)
