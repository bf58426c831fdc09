"""The words of the book's text generator: what is normalised, what is unknown, and what that costs."""

import itertools

import numpy as np
import pytest

from bench.book.words import PADDING, UNKNOWN, LetterModel, Words, normalised


def test_text_is_normalised_as_the_vectorizer_does():
    assert normalised("It's  GREAT,<br /><br />isn't it?") == "its great isnt it"


def test_rare_words_are_unknown_and_short_texts_are_padded():
    words = Words.of(["the film the film", "the plot"], vocabulary_size=4)
    ids = words.encode(["the film plot", "the"], length=4)
    assert ids.tolist() == [[2, 3, UNKNOWN, PADDING], [2, PADDING, PADDING, PADDING]]
    assert words.hidden_bits(["the film plot"], length=4) == pytest.approx(words.letters.bits("plot"))
    assert words.hidden_bits(["the film plot"], length=2) == 0.0


def test_letters_are_a_distribution():
    model = LetterModel({"ab": 3, "ba": 1, "aa": 2})
    for context in (b"", b"a", b"ab", b"zz"):
        shares = [model._share(context, letter) for letter in range(256)]
        assert sum(shares) == pytest.approx(1.0)
    seen = model.bits("ab")
    assert all(seen < model.bits("".join(word)) for word in itertools.permutations("abc", 2) if "c" in word)


def test_first_words_cost_their_share():
    words = Words.of(["the film", "the plot", "a film"], vocabulary_size=5)
    assert np.sum(2.0**-words.first_bits) == pytest.approx(1.0)
    assert words.first_bits[words.ids["the"]] == pytest.approx(-np.log2(3 / 8))
