"""Words, sequences and bags: by hand, and against a plain reading of the definition."""

import math

import numpy as np

from openbook.text.bags import BagVocabulary
from openbook.text.words import UNKNOWN, WordVocabulary, head_and_tail, split_words

TEXTS = ["A good film.", "a good, good story", "not a good film", "a bad film", "it's bad"]


def test_words_are_lower_case_and_punctuation_stands_by_itself():
    assert split_words("It's GOOD, isn't it?!") == ["it's", "good", ",", "isn't", "it", "?", "!"]


def test_long_text_keeps_its_head_and_more_of_its_tail():
    assert head_and_tail(list(range(10)), 4) == [0, 7, 8, 9]
    assert head_and_tail([1, 2], 4) == [1, 2]


def test_sequence_has_padding_after_the_words_and_a_number_for_unknown_ones():
    vocabulary = WordVocabulary.fit(TEXTS, size=100)
    row = vocabulary.sequence("a superb film", 5)
    assert row.tolist()[1] == UNKNOWN
    assert row.tolist()[3:] == [0, 0]
    assert vocabulary.word_texts(row) == ["a", "[?]", "film"]
    assert "story" not in vocabulary.words  # it comes once


def test_vocabulary_is_no_larger_than_asked_for():
    assert WordVocabulary.fit(TEXTS, size=4).num_embeddings == 4
    assert BagVocabulary.fit(TEXTS, size=4, ngrams=2, is_tf_idf=True).num_embeddings == 4


def test_bag_has_the_terms_of_a_text_with_tf_idf_weights_of_length_one():
    vocabulary = BagVocabulary.fit(TEXTS, size=100, ngrams=2, is_tf_idf=True)
    assert set(vocabulary.terms) == {"a", "good", "film", "bad", "a good", "good film"}
    numbers, weights = vocabulary.bags(["a GOOD good film"], 8)
    found = dict(zip(vocabulary.term_texts(numbers[0]), weights[0].tolist(), strict=False))
    # ln((1 + 5 texts) / (1 + texts with the term)) + 1
    frequency = {"a": 4, "good": 3, "film": 3, "a good": 3, "good film": 2}
    idf = {term: math.log(6 / (1 + number)) + 1 for term, number in frequency.items()}
    length = math.sqrt(sum(weight**2 for weight in idf.values()))
    assert found.keys() == idf.keys()
    for term, weight in idf.items():
        assert abs(found[term] - weight / length) < 1e-6  # float32
    assert weights[0, len(found) :].tolist() == [0.0] * (8 - len(found))


def test_bag_without_tf_idf_weighs_all_terms_alike():
    vocabulary = BagVocabulary.fit(TEXTS, size=100, ngrams=1, is_tf_idf=False)
    _, weights = vocabulary.bags(["a good film"], 4)
    np.testing.assert_allclose(weights[0], [3**-0.5] * 3 + [0.0], rtol=1e-6)


def test_many_texts_are_read_as_each_by_itself():
    vocabulary = BagVocabulary.fit(TEXTS, size=100, ngrams=2, is_tf_idf=True)
    together = vocabulary.bags([*TEXTS, ""], 4)
    for row, text in enumerate([*TEXTS, ""]):
        for many, one in zip(together, vocabulary.bags([text], 4), strict=True):
            np.testing.assert_array_equal(many[row], one[0])


def test_pairs_do_not_cross_from_one_text_to_the_next():
    vocabulary = BagVocabulary.fit(
        ["film good", "film good", "film good"], size=100, ngrams=2, is_tf_idf=True
    )
    assert "good film" not in vocabulary.terms
    assert "film good" in vocabulary.terms
