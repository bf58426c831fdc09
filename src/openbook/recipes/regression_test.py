"""The recipe regression: settings, facts, answers, folds, and what a person may get wrong."""

import json

import numpy as np
import pytest

from openbook.errors import DataError, Interrupted, UsageError
from openbook.recipes import make_recipe
from openbook.recipes.regression import Regression
from openbook.recipes.session import resume, train
from openbook.runs import find_run
from openbook.supervised.folds import LoopTraining
from openbook.training.reporter import Reporter

SMALL = {"hidden_units": 8, "batch_size": 8, "steps": 40}


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """Sixty houses: size and town decide the price, some sizes are missing."""
    folder = tmp_path_factory.mktemp("houses")
    rng = np.random.default_rng(0)
    lines = ["number;size;town;sold;price"]
    for number in range(60):
        size, town = rng.integers(20, 200), rng.choice(["Rome", "Oslo"])
        price = f"{3 * size + 50 * (town == 'Oslo') + rng.normal():.1f}".replace(".", ",")
        shown = "" if number % 9 == 0 else size
        lines.append(f"{number};{shown};{town};{number % 28 + 1:02d}.03.2024;{price}")
    path = folder / "houses.csv"
    path.write_text("\n".join(lines))
    return path


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENBOOK_RUNS", str(folder / "runs"))
        patch.setenv("OPENBOOK_CACHE", str(folder / "cache"))
        yield folder


@pytest.fixture(scope="module")
def run(table, place):
    recipe = make_recipe("regression", {**SMALL, "data": str(table), "num_folds": 3})
    return train(recipe, reporter=Reporter(), name="houses").run


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"model": "forest"}, "linear or dense, not 'forest'"),
        ({"num_folds": 1}, "2 or more, or 0"),
        ({"num_folds": -2}, "2 or more, or 0"),
        ({"dropout": 1.0}, "below 1"),
        ({"num_layers": 0}, "--num-layers must be 1 or more"),
        ({"hidden_units": 0}, "--hidden-units must be 1 or more"),
    ],
)
def test_impossible_settings_are_refused(settings, message):
    with pytest.raises(UsageError, match=message):
        Regression(**settings)


def test_open_settings_follow_from_the_data(table):
    recipe = Regression(data=str(table))
    resolved = recipe.resolve(recipe.load_data(Reporter()))
    assert (resolved.batch_size, resolved.num_folds, resolved.learning_rate) == (15, 4, 5e-3)
    data = recipe.load_data(Reporter())
    with pytest.raises(UsageError, match="needs as many different rows"):
        Regression(data=str(table), num_folds=100).resolve(data)


def test_preprocessing_is_fitted_on_the_training_rows_alone(table):
    recipe = Regression(data=str(table))
    splits = recipe.split(recipe.load_data(Reporter()))
    inputs, targets = splits.train.batch(np.arange(len(splits.train)))
    # float32 of a few dozen values.
    assert abs(targets.mean()) < 1e-6
    assert abs(targets.std() - 1) < 1e-6
    column = splits.facts["columns"].index("size")
    assert abs(inputs[:, column].mean()) < 1e-6
    assert splits.facts == json.loads(json.dumps(splits.facts))
    assert "number" in splits.facts["ignored"]


@pytest.mark.long
def test_run_has_a_score_of_folds_and_of_the_kept_model(run):
    score = run.section("score")
    folds = Regression(**run.section("settings")).num_folds
    assert folds == 3
    assert {"mae", "rmse", "loss", "mae_between_folds", "held_out_mae"} <= set(score)
    for name in ("predicted.png", "folds.png"):
        assert (run.samples_folder / name).read_bytes().startswith(b"\x89PNG")


@pytest.mark.long
def test_folds_follow_the_schedule_that_was_asked_for(table, place, monkeypatch):
    shapes = []

    class Noted(LoopTraining):
        def __init__(self, *args, schedule, **kwargs):
            shapes.append(schedule.shape)
            super().__init__(*args, schedule=schedule, **kwargs)

    monkeypatch.setattr("openbook.recipes.regression.LoopTraining", Noted)
    settings = {**SMALL, "data": str(table), "num_folds": 2, "schedule": "cosine"}
    train(make_recipe("regression", settings), reporter=Reporter())
    assert shapes == ["cosine"]


@pytest.mark.long
def test_every_row_is_predicted_by_a_model_that_never_saw_it(table, place):
    """A table whose targets are noise: a model that saw a row would know it, and one that did not cannot."""
    rng = np.random.default_rng(0)
    lines = ["a,b,c,d,price", *(",".join(f"{value:.6f}" for value in rng.normal(size=5)) for _ in range(32))]
    path = place / "noise.csv"
    path.write_text("\n".join(lines))
    settings = {"data": str(path), "num_folds": 2, "steps": 300, "dropout": 0.0, "weight_decay": 0.0}
    score = train(make_recipe("regression", settings), reporter=Reporter()).score
    # The mean absolute value of standard noise is 0.8; knowing the rows would give far less.
    assert score["mae"] > 0.6


@pytest.mark.long
@pytest.mark.parametrize(
    "given",
    ["size=120, town=Oslo", "SIZE = 120,0; Town=Oslo", '{"size": 120, "town": "Oslo"}', "{folder}/row.csv"],
)
def test_one_row_is_answered_however_it_is_given(run, place, given):
    (place / "row.csv").write_text("size;town;number\n120,0;Oslo;7\n")
    answer = Regression.answer(run, given.replace("{folder}", str(place)))
    assert answer["value"] == pytest.approx(Regression.answer(run, "size=120, town=Oslo")["value"])
    assert float(answer["answer"]) == pytest.approx(answer["value"], abs=1.0)
    assert any("sold" in note for note in answer["notes"])
    assert json.loads(json.dumps(answer)) == answer
    text = "".join(Regression.use(run, given.replace("{folder}", str(place))))
    assert text.startswith("price: ")
    assert "usually off by" in text


@pytest.mark.long
@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("", "got nothing"),
        ("120", "there is no such file"),
        ("gone.csv", "there is no such file"),
        ("hello, size=3", "'hello' before the first name"),
        ("sise=3", "Did you mean size"),
        ("size=big", "size is a number"),
        ("{'size'", "JSON that cannot be read"),
        ('{"size": [1]}', "lists or objects"),
        ("{table}", "has 60 rows"),
    ],
)
def test_row_that_cannot_be_read_says_what_can(run, table, given, message):
    with pytest.raises((UsageError, DataError), match=message):
        Regression.answer(run, given.replace("{table}", str(table)))


@pytest.mark.long
def test_linear_model_finds_a_weighted_sum(place):
    rng = np.random.default_rng(1)
    inputs = rng.normal(size=(300, 3))
    targets = inputs @ [3.0, -2.0, 0.5] + 7
    rows = [
        ",".join(f"{value:.5f}" for value in [*row, target])
        for row, target in zip(inputs, targets, strict=True)
    ]
    path = place / "line.csv"
    path.write_text("\n".join(["a,b,c,price", *rows]))
    settings = {"data": str(path), "model": "linear", "steps": 1500, "num_folds": 0, "weight_decay": 0.0}
    result = train(make_recipe("regression", settings), reporter=Reporter())
    # Targets spread by 3.6; the learning rate ends at zero.
    assert result.score["mae"] < 0.02


@pytest.mark.long
def test_run_stopped_in_its_folds_ends_as_one_that_was_not(table, place, run):
    class StopsInFold(Reporter):
        def message(self, text):
            if text.startswith("Fold 2"):
                raise KeyboardInterrupt

    recipe = make_recipe("regression", {**SMALL, "data": str(table), "num_folds": 3})
    with pytest.raises(Interrupted):
        train(recipe, reporter=StopsInFold(), name="stopped")
    result = resume(find_run("stopped"), reporter=Reporter())
    assert result.score == pytest.approx(dict(run.section("score")), rel=1e-6)
