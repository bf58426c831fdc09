"""Forecasting: begins at the naive line, learns what the line does not know, answers, refuses what it must."""

import dataclasses
import json

import numpy as np
import pytest

from openbook.errors import DataError, UsageError
from openbook.recipes import make_recipe
from openbook.recipes.forecasting import MODELS, Forecasting
from openbook.recipes.session import train
from openbook.saved_models import load_model
from openbook.supervised.series_channels import naive_lines
from openbook.supervised.task import predict
from openbook.training.reporter import Reporter

START = np.datetime64("2021-03-01T00:00")
SMALL = {"window": 24, "horizon": 6, "target": "warmth", "batch_size": 32, "hidden_units": 8}


@pytest.fixture(autouse=True)
def folders(tmp_path, monkeypatch):
    monkeypatch.setenv("OPENBOOK_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("OPENBOOK_CACHE", str(tmp_path / "cache"))


def rows(num_rows=700):
    """A wave of 40 hours, which no naive line of a day knows, beside its pressure."""
    hours = np.arange(num_rows)
    warmth = 60 + 10 * np.sin(2 * np.pi * hours / 40)
    return [
        f"{START + np.timedelta64(int(h), 'h')},{w:.3f},{1000 - w:.3f}"
        for h, w in zip(hours, warmth, strict=True)
    ]


@pytest.fixture
def data(tmp_path):
    path = tmp_path / "waves.csv"
    path.write_text("\n".join(["time,warmth,pressure", *rows()]))
    return path


def prepared(data, **settings):
    recipe = Forecasting(data=str(data), **{**SMALL, **settings})
    loaded = recipe.load_data(Reporter())
    resolved = recipe.resolve(loaded)
    return resolved, resolved.split(loaded)


def written(folder, lines, header="time,warmth,pressure"):
    path = folder / "input.csv"
    path.write_text("\n".join([header, *lines]))
    return str(path)


@pytest.mark.parametrize("model", [name for name in MODELS if name != "naive"])
def test_untrained_network_says_what_the_naive_line_says(data, model):
    recipe, splits = prepared(data, model=model)
    outputs = predict(recipe.build(splits), splits.test, batch_size=64)
    windows, targets = splits.test.batch(np.arange(len(splits.test)))
    facts = splits.facts
    naive = windows[:, -1 - facts["naive"]["rows_back"], facts["columns"].index("warmth")]
    # The network's last layer begins at zero, so nothing but the naive value is left, in float32.
    np.testing.assert_allclose(outputs[:, 0], naive, rtol=1e-6)
    assert np.abs(naive - targets).mean() * facts["target_scale"] == pytest.approx(
        facts["naive_mae"], rel=1e-5
    )


def test_naive_lines_are_the_last_value_and_the_same_hour():
    last, season = naive_lines(6, 24, (24, "day"))
    assert (last.rows_back, season.rows_back) == (0, 18)
    assert season.words == "the value at the same time of day one day before"
    [both] = naive_lines(24, 24, (24, "day"))
    assert both.rows_back == 0
    assert "the same time of day" in both.words
    assert [line.rows_back for line in naive_lines(30, 24, (24, "day"))] == [0, 18]
    assert [line.rows_back for line in naive_lines(6, 12, (24, "day"))] == [0]
    assert naive_lines(1, 12, (12, "year"))[1].words == "the value at the same month one year before"


def test_standardisation_and_naive_line_know_nothing_of_the_test(data, tmp_path):
    _, splits = prepared(data)
    lines = rows()
    lines[-30:] = [f"{line.split(',')[0]},{500 + number},3" for number, line in enumerate(lines[-30:])]
    other = tmp_path / "other.csv"
    other.write_text("\n".join(["time,warmth,pressure", *lines]))
    _, changed = prepared(other)
    of_test = {"naive_mae", "naive_errors"}
    assert {name: value for name, value in splits.facts.items() if name not in of_test} == {
        name: value for name, value in changed.facts.items() if name not in of_test
    }


def test_time_of_year_is_seen_only_after_a_whole_one(tmp_path):
    for years, expected in ((1, False), (3, True)):
        path = tmp_path / f"{years}.csv"
        days = np.arange(365 * years)
        path.write_text(
            "\n".join(
                [
                    "date,warmth",
                    *(f"{np.datetime64('2018-01-01') + day},{np.sin(day / 9):.3f}" for day in days),
                ]
            )
        )
        _, splits = prepared(path, window=14, horizon=1)
        assert ("time of year (sine)" in splits.facts["columns"]) == expected
        assert "time of day (sine)" not in splits.facts["columns"]


def test_trained_network_is_better_than_the_naive_line_and_answers(data, tmp_path):
    recipe = make_recipe("forecasting", {**SMALL, "data": str(data), "model": "dense", "steps": 150})
    result = train(recipe, reporter=Reporter())
    assert result.score["mae"] < 0.5 * result.score["naive_mae"]
    assert result.score["below_naive"] == pytest.approx(1 - result.score["mae"] / result.score["naive_mae"])
    assert "below the naive line" in result.samples[0]
    assert (result.run.samples_folder / "forecast.png").stat().st_size > 5000
    answer = Forecasting.answer(result.run, written(tmp_path, rows()[100:130]))
    expected = 60 + 10 * np.sin(2 * np.pi * 135 / 40)
    assert answer["value"] == pytest.approx(expected, abs=3)
    assert answer["answer"].startswith("warmth 6 hours after the last row: ")
    assert json.loads(json.dumps(answer)) == answer
    examples = result.run.examples()
    assert examples[0]["text"].startswith(("▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"))
    assert examples[0]["target"]


def test_naive_forecast_is_a_run_without_training(data, tmp_path):
    result = train(
        make_recipe("forecasting", {**SMALL, "data": str(data), "model": "naive"}), reporter=Reporter()
    )
    assert result.steps == 0
    assert result.score["mae"] == pytest.approx(result.score["naive_mae"], rel=1e-5)
    assert load_model(result.run.model_path).count_params() == 0
    lines = rows()[100:130]
    value = Forecasting.answer(result.run, written(tmp_path, lines))["value"]
    rows_back = Forecasting.facts_of(result.run)["naive"]["rows_back"]
    assert value == pytest.approx(float(lines[-1 - rows_back].split(",")[1]), rel=1e-5)


def test_recurrent_run_shows_its_gates(data):
    recipe = make_recipe("forecasting", {**SMALL, "data": str(data), "model": "lstm", "steps": 2})
    result = train(recipe, reporter=Reporter())
    assert "forget gate" in result.samples[1]
    assert (result.run.samples_folder / "gates.png").exists()


@pytest.mark.parametrize(
    ("lines", "header", "message"),
    [
        (rows()[:10], "time,warmth,pressure", "looks at the last 24"),
        ([line.rsplit(",", 1)[0] for line in rows()[:30]], "time,warmth", "lacks the column pressure"),
        (
            rows()[:60:2],
            "time,warmth,pressure",
            "a row every 2 hours, the model was trained on one every 1 hour",
        ),
        ([*rows()[:20], *rows()[40:60]], "time,warmth,pressure", "a gap that is too long"),
    ],
)
def test_input_that_does_not_fit_is_refused(data, tmp_path, lines, header, message):
    _, splits = prepared(data)
    with pytest.raises(DataError, match=message):
        Forecasting.read_input(splits.facts, {}, written(tmp_path, lines, header))


def test_input_that_is_no_file_is_refused(data):
    _, splits = prepared(data)
    with pytest.raises(UsageError, match="the last 24 rows or more, with the columns warmth, pressure"):
        Forecasting.read_input(splits.facts, {}, "sunny")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"model": "rnn"}, "--model must be naive, dense"),
        ({"window": 0}, "--window must be 1 or more"),
        ({"horizon": -1}, "--horizon must be 1 or more"),
        ({"dropout": 1.0}, "--dropout must be 0"),
        ({"model": "dense", "recurrent_dropout": 0.2}, "--recurrent-dropout is for lstm, gru"),
    ],
)
def test_wrong_settings_are_told(settings, message):
    with pytest.raises(UsageError, match=message):
        Forecasting(**settings)


def test_smaller_recipes_differ_from_the_whole(data):
    recipe, _ = prepared(data, model="gru")
    assert all(dataclasses.asdict(each) != dataclasses.asdict(recipe) for each in recipe.smaller())
