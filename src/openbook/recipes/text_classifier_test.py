"""The text classifier: padding is not seen, runs on own texts, answers, wrong settings, word gradients."""

import dataclasses
import random

import numpy as np
import pytest

from openbook.errors import UsageError
from openbook.lenses.word_gradients import draw_word_gradients
from openbook.recipes import make_recipe
from openbook.recipes.session import train
from openbook.recipes.text_classifier import TextClassifier
from openbook.training.reporter import Reporter

MODELS = ("bag", "lstm", "transformer")
SMALL = {"max_tokens": 12, "embedding_size": 8, "vocabulary_size": 60, "batch_size": 16}
UNITS = {"bag": {}, "lstm": {"hidden_units": 4}, "transformer": {"hidden_units": 8}}
MOODS = {"good": ("fine", "lovely", "great"), "bad": ("awful", "dull", "poor")}
WORDS = ["the", "a", "film", "story", "plot", "actor", "was", "is", "very", "short", "and"]


def small(model, **changes):
    return make_recipe("text-classifier", {**SMALL, **UNITS[model], "model": model, **changes})


def randomized(model, rng):
    """Weights away from their beginnings, so that zeros hide nothing."""
    for variable in model.trainable_variables:
        variable.assign(rng.normal(size=variable.shape) * 0.5)
    return model


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """Texts whose mood is in one word each; moods and lengths as two labels."""
    texts = random.Random(0)
    rows = ["text,label,labels"]
    for number in range(240):
        mood = ("good", "bad")[number % 2]
        is_long = number % 3 == 0
        words = texts.choices(WORDS, k=9 if is_long else 4)
        words.insert(texts.randrange(len(words)), texts.choice(MOODS[mood]))
        labels = ";".join([mood] + ["long"] * is_long)
        rows.append(f"{' '.join([*words, *(['indeed'] if is_long else [])])},{mood},{labels}")
    path = tmp_path_factory.mktemp("texts") / "texts.csv"
    path.write_text("\n".join(rows))
    return path


@pytest.fixture(scope="module", params=[*MODELS, "labels"])
def result(request, table, tmp_path_factory):
    """A trained run of each model, and one with several labels a text."""
    folder = tmp_path_factory.mktemp(request.param)
    model = "bag" if request.param == "labels" else request.param
    target = "labels" if request.param == "labels" else "label"
    settings = {"dropout": 0.0, "word_dropout": 0.0, "learning_rate": 3e-2, "steps": 120, "target": target}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENBOOK_RUNS", str(folder / "runs"))
        patch.setenv("OPENBOOK_CACHE", str(folder / "cache"))
        yield train(small(model, data=str(table), **settings), reporter=Reporter())


@pytest.mark.parametrize("settings", [{}, {"positions": False}], ids=["positions", "no positions"])
@pytest.mark.parametrize("model", ["lstm", "transformer"])
def test_padding_does_not_change_the_logits(model, settings, rng):
    facts = {"kind": "sequence", "words": list("abcdefgh"), "classes": ["x", "y", "z"]}
    short = small(model, dropout=0.2, word_dropout=0.1, **settings)
    long = dataclasses.replace(short, max_tokens=20)
    tokens = np.zeros((3, 12), np.int32)
    for row, length in enumerate((12, 5, 1)):
        tokens[row, :length] = rng.integers(1, 10, length)
    models = [randomized(each.build_model(facts), np.random.default_rng(1)) for each in (short, long)]
    for one, other in zip(models[0].weights, models[1].weights, strict=True):
        if one.path.startswith("position_embedding"):
            other.assign(np.concatenate([np.asarray(one), np.ones((8, 8))]))
        else:
            other.assign(one)
    padded = np.pad(tokens, ((0, 0), (0, 8)))
    # float32; sums over more addends, of which the further ones are zeros
    np.testing.assert_allclose(
        np.asarray(models[0](tokens)), np.asarray(models[1](padded)), rtol=1e-5, atol=1e-5
    )


def test_padding_of_a_bag_does_not_change_the_logits(rng):
    facts = {"kind": "bag", "terms": list("abcdefgh"), "idf": [1.0] * 8, "classes": ["x", "y"]}
    models = [
        randomized(
            small("bag", max_tokens=size, dropout=0.0, word_dropout=0.0).build_model(facts),
            np.random.default_rng(1),
        )
        for size in (6, 9)
    ]
    numbers, weights = np.array([[3, 1, 8, 2, 0, 0]], np.int32), np.array([[0.5, 0.5, 0.5, 0.5, 0, 0]], "f4")
    wide = {"ngrams": np.pad(numbers, ((0, 0), (0, 3))), "weights": np.pad(weights, ((0, 0), (0, 3)))}
    np.testing.assert_allclose(
        np.asarray(models[0]({"ngrams": numbers, "weights": weights})),
        np.asarray(models[1](wide)),
        rtol=1e-6,
    )


def test_encoder_without_positions_does_not_see_the_order(rng):
    facts = {"kind": "sequence", "words": list("abcdefgh"), "classes": ["x", "y"]}
    tokens = rng.integers(1, 10, (1, 12)).astype(np.int32)
    for positions, sees_order in ((False, False), (True, True)):
        recipe = small("transformer", positions=positions, dropout=0.0, word_dropout=0.0)
        model = randomized(recipe.build_model(facts), np.random.default_rng(1))
        difference = np.abs(np.asarray(model(tokens)) - np.asarray(model(tokens[:, ::-1]))).max()
        assert (difference > 1e-3) == sees_order


@pytest.mark.long
def test_it_learns_which_words_matter(result):
    assert result.score["accuracy"] > 0.9
    assert result.samples


@pytest.mark.long
def test_it_answers_a_text_and_a_file(result, tmp_path):
    path = tmp_path / "review.txt"
    path.write_text("the film was lovely and great")
    answers = [TextClassifier.answer(result.run, text) for text in (path.read_text(), str(path))]
    assert answers[0] == answers[1]
    if "labels" in answers[0]:
        assert "good" in answers[0]["labels"]
        assert set(answers[0]["probabilities"]) == {"good", "bad", "long"}
    else:
        assert answers[0]["answer"] == "good"
        assert answers[0]["probability"] > 0.5
        assert sum(answers[0]["probabilities"].values()) == pytest.approx(1.0, abs=1e-5)


@pytest.mark.long
def test_run_keeps_examples_with_words_and_a_picture(result):
    assert all(row["text"] and row["target"] for row in result.run.examples())
    if "f1" not in result.score:
        assert (result.run.samples_folder / "confusion.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.long
def test_word_gradients_sum_to_the_difference_of_the_logits(result, tmp_path):
    found = TextClassifier.word_gradients(result.run, "the film was lovely and the story dull", label="good")
    difference = found.logit - found.baseline_logit
    assert abs(found.attributions_T.sum() - difference) <= 0.01 * abs(difference) + 1e-4
    shares = dict(zip(found.words, found.attributions_T, strict=True))
    assert shares["lovely"] > shares["dull"]
    draw_word_gradients(found, tmp_path / "words.png")
    assert (tmp_path / "words.png").read_bytes().startswith(b"\x89PNG")
    assert "lovely" in found.text()


@pytest.mark.long
def test_word_gradients_of_an_unknown_label_name_the_labels(result):
    with pytest.raises(UsageError, match="bad"):
        TextClassifier.word_gradients(result.run, "a film", label="superb")


@pytest.mark.long
@pytest.mark.parametrize("given", ["", " ", "missing.txt"])
def test_nothing_to_read_is_told(result, given):
    with pytest.raises(UsageError, match="text"):
        TextClassifier.answer(result.run, given)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"model": "gru"}, "bag, lstm, transformer"),
        ({"ngrams": 3}, "--ngrams"),
        ({"dropout": 1.0}, "--dropout"),
        ({"word_dropout": -0.1}, "--word-dropout"),
        ({"vocabulary_size": 2}, "--vocabulary-size"),
        ({"max_tokens": 0}, "--max-tokens"),
        ({"model": "lstm", "hidden_units": 0}, "--hidden-units"),
        ({"model": "transformer", "embedding_size": 9}, "multiple of --num-heads"),
    ],
)
def test_wrong_setting_is_refused(settings, message):
    with pytest.raises(UsageError, match=message):
        make_recipe("text-classifier", settings)
