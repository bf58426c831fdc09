"""The forecast of a recipe on real texts: what it tells, what it offers, and that training records it."""

import dataclasses
import json

import pytest

from openbook.errors import DataError, Interrupted, UsageError
from openbook.recipes import make_recipe
from openbook.recipes.recipe_forecast import forecast_settings
from openbook.recipes.session import resume, train
from openbook.runs import Run, find_run
from openbook.saved_models import load_model
from openbook.training.reporter import Reporter

pytestmark = pytest.mark.long

SMALL = {
    "size": "tiny",
    "width": 32,
    "num_blocks": 1,
    "vocabulary_size": 400,
    "context_length": 16,
    "batch_size": 8,
    "precision": "float32",
}


class Lines(Reporter):
    def __init__(self):
        self.lines = []

    def forecast(self, lines):
        self.lines += lines


@pytest.fixture
def texts(tmp_path, rng, monkeypatch):
    monkeypatch.setenv("OPENBOOK_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("OPENBOOK_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "texts.jsonl"
    words = ["red", "green", "old", "new", "house", "tree", "river", "stone", "walks", "sleeps"]
    with path.open("w", encoding="utf-8") as file:
        for number in range(600):
            file.write(json.dumps({"body": f"{number} " + " ".join(rng.choice(words, 30))}) + "\n")
    return str(path)


def forecast(texts, level="profile", machines=(), **settings):
    return forecast_settings(
        "text-generator",
        {**SMALL, "data": texts, **settings},
        reporter=Reporter(),
        level=level,
        machines=machines,
    )


def test_epoch_has_the_steps_that_training_takes(texts):
    told = forecast(texts, epochs=1.0).forecast
    recipe = make_recipe("text-generator", {**SMALL, "data": texts, "epochs": 1.0})
    result = train(recipe, reporter=Reporter())
    assert told.num_steps == pytest.approx(result.steps, rel=0.05)
    assert told.num_parameters == load_model(result.run.model_path).count_params()


def test_run_records_forecast_and_actual_and_the_next_learns_from_it(texts):
    recipe = make_recipe("text-generator", {**SMALL, "data": texts, "steps": 12})
    reporter = Lines()
    result = train(recipe, reporter=reporter)
    record = Run.open(result.run.path).section("forecast")
    assert record["level"] == "probe"
    for quantity in ("time_s", "memory_bytes"):
        assert record[quantity]["low"] < record[quantity]["middle"] < record[quantity]["high"]
        if "actual" not in record[quantity]:
            # This process held more before, so its peak says nothing of this run.
            assert quantity == "memory_bytes"
            continue
        assert record[quantity]["actual"] > 0
        assert record[quantity]["error"] == pytest.approx(
            record[quantity]["middle"] / record[quantity]["actual"] - 1.0, abs=1e-3
        )
    assert reporter.lines[0].startswith("Forecast: ")
    actual = Run.open(result.run.path).section("actual")
    assert sum(actual["phases"].values()) <= actual["total_s"]
    assert sum(actual["phases"].values()) > 0.8 * actual["total_s"]
    learned = forecast(texts, level="auto", steps=12).forecast
    assert learned.level == "history"
    assert result.run.name in learned.basis
    # Two steps of the same program on the same machine.
    assert learned.step_s == pytest.approx(actual["step_s"], rel=1.0)


def test_limit_that_is_too_short_brings_offers_that_fit(texts):
    found = forecast(texts, steps=100_000, budget="20s")
    assert not found.forecast.fits_budget
    assert found.offers
    assert all(offer.forecast.train_s.middle <= 1.02 * 20.0 for offer in found.offers)
    assert found.offers[0].settings["steps"] < 100_000
    assert found.offers[0].flags.startswith("--steps ")
    assert "longer than the budget" in str(found)
    assert found.offers[0].flags in str(found)


def test_offer_fits_where_the_profile_expects_a_longer_compilation_than_was_seen(texts, monkeypatch):
    import openbook.recipes.recipe_forecast as module

    measured = module.profile_here

    def with_slow_compiler(folder, *, say):
        profile = measured(folder, say=say)
        return dataclasses.replace(profile, compile_s=3 * profile.compile_s)

    monkeypatch.setattr(module, "profile_here", with_slow_compiler)
    found = forecast(texts, level="probe", steps=1_000_000, budget="60s")
    assert found.offers
    assert found.offers[0].forecast.phases["compile"] > 2 * found.forecast.phases["compile"]
    assert all(offer.forecast.fits_budget for offer in found.offers)


def test_model_that_no_smaller_one_can_replace_is_told_not_to_fit(texts, monkeypatch):
    import openbook.recipes.recipe_forecast as module

    # Less than Python alone holds: nothing fits.
    monkeypatch.setattr(module, "_available_bytes", lambda profile: 1_000_000)
    found = forecast(texts, steps=10, batch_size=64, context_length=64)
    assert not found.forecast.fits_memory
    assert not found.offers
    assert "will not fit in memory" in str(found)
    assert "nothing was run" in found.forecast.basis


def test_other_machines_stand_beside(texts):
    found = forecast(texts, steps=10, machines=("t4",))
    assert found.elsewhere[0].machine == "t4"
    assert "not measured" in str(found)
    assert found.to_dict()["elsewhere"][0]["is_measured"] is False


@pytest.mark.parametrize("budget", ["0", "-5", "soon", "0s", "nan"])
def test_budget_that_is_no_time_is_refused(texts, budget):
    with pytest.raises(UsageError, match="budget"):
        forecast(texts, budget=budget)
    with pytest.raises(UsageError, match="budget"):
        forecast(texts, steps=10, budget=budget)


def test_wrong_words_are_refused_before_anything_is_read():
    for wrong in ({"level": "magic"}, {"machines": ("quantum",)}):
        with pytest.raises(UsageError):
            forecast("nowhere.txt", **wrong)
    with pytest.raises(DataError):
        forecast("nowhere.txt")


def test_large_file_is_only_begun(texts, monkeypatch):
    import openbook.recipes.text_generator as module

    whole = forecast(texts, epochs=1.0).forecast
    monkeypatch.setattr(module, "_PART_BYTES", 30_000)
    begun = forecast(texts, epochs=1.0).forecast
    # Token counts differ a little with the vocabulary learned from less text.
    assert begun.num_steps == pytest.approx(whole.num_steps, rel=0.1)


def test_resumed_run_is_no_test_of_its_forecast(texts):
    class Stopping(Reporter):
        def step(self, progress):
            if progress.step == 6:
                raise KeyboardInterrupt

    recipe = make_recipe(
        "text-generator", {**SMALL, "data": texts, "steps": 12, "checkpoint_interval_s": 0.0}
    )
    with pytest.raises(Interrupted):
        train(recipe, reporter=Stopping(), name="stopped")
    run = Run.open(resume(find_run("stopped"), reporter=Reporter()).run.path)
    assert run.section("forecast")["is_whole"] is False


def test_clock_that_is_set_meanwhile_does_no_harm(texts, monkeypatch):
    import time

    real, jumps = time.time, iter(range(10**9))
    monkeypatch.setattr(time, "time", lambda: real() + 3600.0 * next(jumps))
    recipe = make_recipe("text-generator", {**SMALL, "data": texts, "steps": 12})
    result = train(recipe, reporter=Reporter())
    record = result.run.section("forecast")
    assert 0.0 < record["time_s"]["actual"] < 600.0
    assert 0.0 < record["time_s"]["middle"] < 600.0
