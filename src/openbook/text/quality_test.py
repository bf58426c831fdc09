"""The measures of written text, on texts whose measures are known."""

import random

import pytest

from openbook.text.quality import TrainingWords, quality_of, told_apart

TRAINING = ["the film was good and the plot was not", "a bad film has a bad plot"]


@pytest.fixture
def training():
    return TrainingWords(TRAINING)


def test_repetition_counts_runs_of_four(training):
    # Nine runs of four, of which the last five were there before.
    assert quality_of(["a b c d a b c d a b c d"], training).repeated == pytest.approx(5 / 9)
    assert quality_of(["a b c d e f"], training).repeated == 0.0


def test_distinct_runs_over_all_texts(training):
    found = quality_of(["a b a", "a b c"], training)
    assert found.distinct_1 == pytest.approx(3 / 6)
    assert found.distinct_2 == pytest.approx(3 / 4)
    assert found.distinct_3 == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("text", "longest"),
    [
        ("the film was good and the plot was not", 9),
        ("said: the plot was not good", 4),
        ("zebra", 0),
        # Not across two training texts.
        ("plot was not a bad film", 3),
    ],
)
def test_longest_copy(training, text, longest):
    assert quality_of([text], training).longest_copy == longest


def test_novelty_and_unknown_words(training):
    found = quality_of(["The film was good and quick"], training)
    assert found.novel == pytest.approx(1 / 2)
    assert found.unknown_words == pytest.approx(1 / 6)
    assert quality_of([""], training).unknown_words == 0.0


def test_judge_tells_what_differs_and_guesses_where_nothing_does():
    rng = random.Random(0)

    def texts(words):
        return [" ".join(rng.choice(words) for _ in range(30)) for _ in range(60)]

    common = ["the", "a", "film", "plot", "was", "is"]
    assert told_apart(texts([*common, "zebra"]), texts([*common, "tiger"])) > 0.95
    assert 0.3 < told_apart(texts(common), texts(common)) < 0.7
    assert told_apart(["a"] * 5, ["b"] * 5) is None
