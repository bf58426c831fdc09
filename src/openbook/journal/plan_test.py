"""The plan of the book: what was run, what is open, what is missing, times without a network, meetings."""

import json
from datetime import date

import pytest
from typer.testing import CliRunner

from openbook.cli.app import app
from openbook.data.source import Source, fetch
from openbook.errors import FetchError, UsageError
from openbook.journal import times
from openbook.journal.plan import Chapter, lay_out, parse_meetings, plan_of
from openbook.journal.times import TimeHere, rough, times_here
from openbook.recipes import all_recipes
from openbook.runs import Run, list_runs
from openbook.runs.machine import describe_machine


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Runs and cache of one's own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENBOOK_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("OPENBOOK_CACHE", str(tmp_path / "cache"))
    return tmp_path


def quick(name):
    return TimeHere(seconds=60.0, basis="default budget")


def chapters(*weights):
    """Chapters with so many commands, to have weights."""
    return [
        Chapter(number=number, title="", systems=(), commands=("x",) if heavy else (), missing=())
        for number, heavy in enumerate(weights, 1)
    ]


def test_every_recipe_stands_in_its_chapter_and_every_chapter_has_something():
    plan = plan_of((), time_of=quick)
    assert [chapter.number for chapter in plan] == list(range(1, 15))
    found = {system.recipe: chapter.number for chapter in plan for system in chapter.systems}
    assert found == {name: recipe.chapter for name, recipe in all_recipes().items() if recipe.chapter <= 14}
    assert not any(chapter.is_done for chapter in plan)
    assert "Neural style transfer" in plan[11].missing
    assert {system.status for chapter in plan for system in chapter.systems} == {"open"}


def test_what_was_run_is_done_and_what_was_stopped_is_begun():
    done = Run.create(recipe="digits", record={"score": {"accuracy": 0.98}})
    done.complete()
    Run.create(recipe="digits", record={})
    Run.create(recipe="regression", record={})
    systems = {
        system.recipe: system for chapter in plan_of(list_runs(), time_of=quick) for system in chapter.systems
    }
    assert (systems["digits"].status, systems["digits"].score) == ("done", "98.0 % accuracy")
    assert systems["digits"].runs == ("digits-1", "digits-2")
    assert systems["regression"].status == "begun"


def test_time_is_of_an_earlier_run_on_this_machine_only():
    for processor, total_s in (("another", 5.0), (describe_machine()["processor"], 70.0), ("another", 6.0)):
        run = Run.create(
            recipe="digits",
            record={"machine": {"processor": processor}, "actual": {"total_s": total_s}},
        )
        run.complete()
    time_of = times_here(list_runs(), say=print, may_forecast=False)
    assert time_of("digits") == TimeHere(seconds=70.0, basis="earlier run")
    assert time_of("text-generator").basis == "default budget"
    assert time_of("text-generator").seconds > 90.0


def test_nothing_is_fetched_for_a_plan(monkeypatch):
    class Origin:
        def find(self):
            return None

        def obtain(self, **options):
            raise AssertionError("fetched")

    def forecast(*arguments, **options):
        fetch(Source(name="reviews", origins=(Origin(),)), max_bytes=1)

    monkeypatch.setattr("openbook.recipes.recipe_forecast.forecast_settings", forecast)
    said = []
    assert times_here((), say=said.append)("digits").basis == "default budget"
    with pytest.raises(AssertionError, match="fetched"):
        forecast()


def test_forecast_is_made_once_and_kept(monkeypatch):
    made = []

    class Estimate:
        low, middle, high = 50.0, 60.0, 80.0

    class Found:
        forecast = type("Forecast", (), {"time_s": Estimate})

    def forecast(name, settings, **options):
        made.append(name)
        return Found

    monkeypatch.setattr("openbook.recipes.recipe_forecast.forecast_settings", forecast)
    for _ in range(2):
        found = times_here((), say=print)("digits")
        assert found == TimeHere(seconds=60.0, low=50.0, high=80.0, basis="forecast")
    assert made == ["digits"]
    assert times_here((), say=print, may_forecast=False)("digits").basis == "forecast"


def test_failing_forecast_is_said_and_a_slow_one_stops_the_others(monkeypatch):
    def forecast(name, settings, **options):
        raise (FetchError("not here") if name == "digits" else RuntimeError("amiss"))

    monkeypatch.setattr("openbook.recipes.recipe_forecast.forecast_settings", forecast)
    said = []
    time_of = times_here((), say=said.append)
    assert {time_of("digits").basis, time_of("regression").basis} == {"default budget"}
    assert "No forecast of regression could be made (RuntimeError: amiss)." in said
    monkeypatch.setattr(times, "_PATIENCE_S", -1.0)
    said.clear()
    times_here((), say=said.append)("forecasting")
    assert said == []


def test_meetings_are_filled_evenly_and_in_order():
    days = [date(2026, 12, 7), date(2026, 12, 14), date(2026, 12, 21)]
    laid_out = lay_out(chapters(True, False, False, True, False, True), days)
    assert [meeting.day for meeting in laid_out] == days
    assert [[chapter.number for chapter in meeting.chapters] for meeting in laid_out] == [
        [1, 2],
        [3, 4],
        [5, 6],
    ]
    assert lay_out(chapters(True), []) == []
    assert [len(each.chapters) for each in lay_out(chapters(True, True), days)] == [1, 1, 0]


def test_days_are_put_in_order_and_what_is_none_is_said():
    assert parse_meetings("2026-12-14, 2026-12-07") == [date(2026, 12, 7), date(2026, 12, 14)]
    for text, said in (
        ("2026-13-01", "is no day"),
        ("", "is no day"),
        ("2026-12-07,2026-12-07", "there twice"),
    ):
        with pytest.raises(UsageError, match=said):
            parse_meetings(text)


@pytest.mark.parametrize("columns", [40, 60, 80, 120])
def test_command_fits_the_terminal(columns):
    result = CliRunner().invoke(
        app, ["plan", "--quick", "--meetings", "2026-12-07,2026-12-14"], env={"COLUMNS": str(columns)}
    )
    assert result.exit_code == 0, result.exception
    assert max(map(len, result.stdout.splitlines())) <= columns
    shown = " ".join(result.stdout.split())
    for part in ("openbook train digits", "not in openbook yet", "Mon 2026-12-07", "to run before"):
        assert part in shown


def test_command_as_json_begins_where_it_is_told():
    result = CliRunner().invoke(
        app, ["plan", "--quick", "--json", "--from", "11", "--meetings", "2026-12-07"]
    )
    found = json.loads(result.stdout)
    assert [chapter["chapter"] for chapter in found["chapters"]] == [11, 12, 13, 14]
    assert found["meetings"] == [{"day": "2026-12-07", "chapters": [11, 12, 13, 14]}]
    assert found["chapters"][0]["systems"][0]["status"] == "open"
    assert "14 chapters" in str(CliRunner().invoke(app, ["plan", "--quick", "--from", "15"]).exception)


def test_rough_times():
    assert [rough(seconds) for seconds in (3, 44, 89, 95, 600, 9000)] == [
        "about 5 s",
        "about 45 s",
        "about 90 s",
        "about 2 min",
        "about 10 min",
        "about 2.5 h",
    ]
