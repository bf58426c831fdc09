"""Forecast against actual: errors, hits, and runs that say nothing."""

import datetime

import pytest

from openbook.forecasting.outcome import hit_rate, median_error, outcomes, with_actual


class Recorded:
    def __init__(self, forecast, *, sessions=1, is_complete=True):
        self.name, self.recipe, self.is_complete = "run-1", "dense", is_complete
        self.created = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
        self.record = {"sessions": [{}] * sessions}
        self._forecast = forecast

    def section(self, name):
        return self._forecast if name == "forecast" else {}

    def finished(self, time_s, memory_bytes):
        """The same run with what happened."""
        forecast = with_actual(self, total_s=time_s, memory_bytes=memory_bytes)
        return Recorded(forecast, sessions=len(self.record["sessions"]), is_complete=self.is_complete)


def forecast(level="probe"):
    return {
        "level": level,
        "time_s": {"low": 80.0, "middle": 100.0, "high": 125.0},
        "memory_bytes": {"low": 0.9e9, "middle": 1e9, "high": 1.1e9},
    }


def test_actual_and_error_stand_beside_the_range():
    record = with_actual(Recorded(forecast()), total_s=110.0, memory_bytes=2_000_000_000)
    assert record["time_s"]["actual"] == 110.0
    assert record["time_s"]["error"] == pytest.approx(100 / 110 - 1, abs=1e-4)
    assert record["memory_bytes"]["error"] == pytest.approx(-0.5)
    assert record["level"] == "probe"


def test_hit_rate_and_median_error_over_runs():
    runs = [Recorded(forecast()).finished(time_s, 1e9) for time_s in (90.0, 100.0, 200.0, 120.0)]
    found = outcomes(runs)
    assert hit_rate(found, "time_s") == 0.75
    assert hit_rate(found, "memory_bytes") == 1.0
    assert median_error(found, "time_s") == pytest.approx((100 / 90 - 1 + 1 - 100 / 120) / 2)
    assert found[2].error("time_s") == pytest.approx(-0.5)
    assert not found[2].is_hit("time_s")
    assert found[0].to_dict()["time_s"]["is_hit"]


def test_runs_that_say_nothing_are_left_out():
    whole = Recorded(forecast()).finished(100.0, 1e9)
    resumed = Recorded(forecast(), sessions=2).finished(100.0, 1e9)
    stopped = Recorded(forecast(), is_complete=False).finished(100.0, 1e9)
    without = Recorded({})
    unfinished = Recorded(forecast())
    damaged = Recorded({**forecast(), "is_whole": True, "time_s": {"low": "x"}})
    assert outcomes([whole, resumed, stopped, without, unfinished, damaged]) == outcomes([whole])
    assert hit_rate([], "time_s") is None
    assert median_error([], "time_s") is None


def test_run_without_a_forecast_gets_none():
    assert with_actual(Recorded({}), total_s=1.0, memory_bytes=1) == {}


def test_memory_that_is_not_known_does_not_hide_the_time():
    run = Recorded(with_actual(Recorded(forecast()), total_s=100.0, memory_bytes=None))
    found = outcomes([run])
    assert hit_rate(found, "time_s") == 1.0
    assert hit_rate(found, "memory_bytes") is None
    assert "memory_bytes" not in found[0].to_dict()


def test_resumed_run_gets_no_actual():
    record = with_actual(Recorded(forecast(), sessions=2), total_s=5.0, memory_bytes=1)
    assert record["is_whole"] is False
    assert "actual" not in record["time_s"]
