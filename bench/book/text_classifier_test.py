"""The book's text classifiers: their size, that padding says nothing, that texts do not see each other."""

import csv

import numpy as np
import pytest

from bench.book import text_classifier as book
from bench.text_classifier import Arms, some_of

pytestmark = pytest.mark.long

SEQUENCES = tuple(book.NUM_PARAMETERS)
LENGTH, LONGER = 12, 20


@pytest.fixture(scope="module", params=SEQUENCES)
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def model(kind):
    return book.compiled(kind, 2, 0, num_tokens=LONGER)


@pytest.fixture(scope="module")
def tokens():
    """Two texts, filled up with padding."""
    tokens_BT = np.zeros((2, LONGER), np.int32)
    tokens_BT[:, :LENGTH] = np.random.default_rng(0).integers(1, book.VOCABULARY_SIZE, (2, LENGTH))
    return tokens_BT


@pytest.mark.parametrize("name", SEQUENCES)
def test_they_have_the_published_number_of_parameters(name):
    assert book.build(name, 1).count_params() == book.NUM_PARAMETERS[name]


def test_an_answer_is_a_probability_for_each_class(model, tokens):
    answers_BC = np.asarray(model(tokens))
    assert answers_BC.shape == (2, 2)
    # Float32 sums of two numbers.
    np.testing.assert_allclose(answers_BC.sum(axis=1), 1.0, atol=1e-6)


def test_padding_changes_nothing(kind, model, tokens):
    short = book.build(kind, 2, num_tokens=LENGTH)
    weights = model.get_weights()
    if kind == "transformer-positions":
        [at] = [index for index, each in enumerate(weights) if each.shape == (LONGER, book.WIDTH)]
        weights[at] = weights[at][:LENGTH]
    short.set_weights(weights)
    # Another width of the same sums: float32's rounding.
    np.testing.assert_allclose(model(tokens), short(tokens[:, :LENGTH]), atol=1e-5)


def test_a_text_does_not_see_its_neighbour(model, tokens):
    other = tokens.copy()
    other[1, :LENGTH] = other[1, :LENGTH][::-1] // 2 + 1
    before, after = np.asarray(model(tokens)), np.asarray(model(other))
    np.testing.assert_allclose(before[0], after[0], atol=1e-7)
    assert np.abs(before[1] - after[1]).max() > 1e-6


def test_only_a_model_that_knows_the_order_tells_it(kind, model, tokens):
    turned = tokens.copy()
    turned[:, :LENGTH] = turned[:, :LENGTH][:, ::-1]
    difference = np.abs(np.asarray(model(tokens)) - np.asarray(model(turned))).max()
    assert difference < 1e-6 if kind == "transformer" else difference > 1e-6


def test_a_bag_is_a_multi_hot_vector():
    vectors_BV = book.multi_hot(np.array([[3, 5, 0], [7, 0, 0]]))
    assert vectors_BV.shape == (2, book.VOCABULARY_SIZE)
    assert [row.nonzero()[0].tolist() for row in vectors_BV] == [[3, 5], [7]]


@pytest.fixture(scope="module", params=["bag", "lstm"])
def arms(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("texts") / "texts.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["text", "label"])
        for number in range(120):
            rows.writerow([f"common words and word{number} word{number}", "good" if number % 2 else "bad"])
    return Arms(request.param, str(path), None, 8, 0)


def test_both_arms_have_the_same_texts_and_none_on_both_sides(arms):
    train, test = arms.splits.train, arms.splits.test
    assert not set(train.texts) & set(test.texts)
    for examples, (inputs, labels) in ((train, arms.book_train), (test, arms.book_test)):
        assert len(inputs) == len(examples)
        np.testing.assert_array_equal(labels, examples.targets)


def test_the_book_knows_the_words_of_the_training_texts_alone(arms):
    known, held_out = (set(np.unique(inputs)) for inputs, _ in (arms.book_train, arms.book_test))
    padding, unknown = 0, 1
    assert held_out <= known | {padding, unknown}
    assert max(known) < book.VOCABULARY_SIZE


def test_some_of_the_texts_are_the_same_ones_each_time():
    from openbook.data.labelled_texts import LabelledTexts

    texts = LabelledTexts(
        texts=tuple("abcdefgh"),
        labels=np.arange(8),
        classes=("x",),
        is_multi_label=False,
        hashes=tuple(bytes([number]) for number in range(8)),
        report=None,
        fingerprint="",
        origin={},
    )
    some = some_of(texts, 3)
    assert some.texts == some_of(texts, 3).texts
    assert [texts.texts[label] for label in some.labels] == list(some.texts)
    assert some_of(texts, None) is texts
