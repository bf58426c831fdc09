"""The forecast of a small net: levels, what widens a range, what does not fit, other machines."""

import dataclasses

import pytest

from openbook.errors import UsageError
from openbook.forecasting import forecast as module
from openbook.forecasting.abstract_model import compiled, read_step
from openbook.forecasting.forecast import Situation, make_forecast, on_other_machine
from openbook.forecasting.history import History, PastRun
from openbook.forecasting.load import MachineLoad
from openbook.forecasting.probe import probe
from openbook.forecasting.profiles import reference_devices
from openbook.forecasting.reference import reference_profile


@pytest.fixture
def situation(machine):
    return Situation(
        profile=machine,
        identity="here",
        start_s=2.0,
        data_s=1.0,
        elapsed_s=lambda: 3.0,
        is_training=True,
        free_bytes=8_000_000_000,
        load=MachineLoad(),
        available_bytes=8_000_000_000,
    )


def past(is_same, factor):
    names = ("step", "prepare", "build", "compile", "held_out", "checkpoints", "finish", "memory")
    return PastRun(
        name="earlier",
        is_same=is_same,
        predicted=dict.fromkeys(names, 1.0),
        actual=dict.fromkeys(names, factor),
    )


def test_profile_runs_nothing(workload, situation, monkeypatch):
    monkeypatch.setattr(module, "probe", lambda *_, **__: pytest.fail("a step was run"))
    forecast = make_forecast(workload, situation, level="profile").forecast
    assert forecast.level == "profile"
    assert "nothing was run" in forecast.basis
    assert forecast.num_steps == 100
    assert forecast.epochs == 2.0


def test_probe_takes_real_steps(workload, situation):
    taken = []
    counted = dataclasses.replace(
        workload, batch_at=lambda step: (taken.append(step), workload.batch_at(step))[1]
    )
    forecast = make_forecast(counted, situation).forecast
    assert forecast.level == "probe"
    assert taken[:1] == [0]  # its shapes are read
    assert len(taken) >= 4, "one to read, one thrown away, two timed"
    assert forecast.step_s > 0.0


def test_what_would_come_too_late_is_not_tried(workload, situation, monkeypatch):
    monkeypatch.setattr(module, "probe", lambda *_, **__: pytest.fail("a step was run"))
    hurried = dataclasses.replace(situation, is_training=False, left_s=lambda: 0.0)
    forecast = make_forecast(workload, hurried).forecast
    assert forecast.level == "profile"
    assert "nothing was run" in forecast.basis
    assert "takes long" in forecast.basis


def test_probed_step_is_the_median_without_the_first(workload, monkeypatch):
    step = compiled(read_step(workload.build, workload.optimizer, workload.loss, workload.batch_at(0)))
    clock = iter([0.0, 0.0, 9.0, 9.0, 9.1, 9.1, 9.4, 9.4, 9.5] + [100.0 + each for each in range(40)])
    monkeypatch.setattr("openbook.forecasting.probe.time.perf_counter", lambda: next(clock))
    assert probe(workload, step, limit_s=9.45) == pytest.approx(0.1)


def test_total_is_the_sum_of_the_phases(workload, situation):
    forecast = make_forecast(workload, situation, level="profile").forecast
    assert forecast.time_s.middle == pytest.approx(sum(forecast.phases.values()))
    assert forecast.phases["steps"] == pytest.approx(99 * forecast.step_s)
    assert forecast.phases["start"] == 2.0
    assert forecast.phases["forecast"] == 3.0
    assert forecast.time_s.low < forecast.time_s.middle < forecast.time_s.high
    assert forecast.phases[forecast.dominant] == max(forecast.phases.values())


def test_same_steps_of_the_past_are_preferred(workload, situation):
    known = dataclasses.replace(situation, history=History(runs=(past(True, 3.0),)))
    plain = make_forecast(workload, situation, level="profile").forecast
    forecast = make_forecast(workload, known).forecast
    assert forecast.level == "history"
    assert "earlier" in forecast.basis
    # A factor of 1 counts as 0.15 runs beside one of weight 8.
    assert forecast.step_s == pytest.approx(plain.step_s * 3.0 ** (8 / 8.15), rel=1e-3)
    assert forecast.phases["prepare"] == pytest.approx(2.0 * 3.0 ** (8 / 8.15), rel=1e-3)
    assert forecast.phases["start"] == 2.0, "what was measured just now is not corrected"


def test_history_is_refused_where_there_is_none(workload, situation):
    with pytest.raises(UsageError, match="--level probe"):
        make_forecast(workload, situation, level="history")
    with pytest.raises(UsageError, match="profile, probe, history"):
        make_forecast(workload, situation, level="magic")


def test_busy_machine_widens_the_range_and_says_why(workload, situation):
    busy = dataclasses.replace(situation, load=MachineLoad(share=0.6))
    quiet, loud = (make_forecast(workload, each, level="profile").forecast for each in (situation, busy))
    assert loud.time_s.spread > quiet.time_s.spread
    assert loud.time_s.middle == pytest.approx(quiet.time_s.middle, rel=0.3)
    assert any("60%" in note for note in loud.notes)
    assert not quiet.notes


@pytest.mark.parametrize(("share", "is_busy"), [(0.0, False), (0.1, False), (0.5, True), (1.0, True)])
def test_a_little_use_by_others_is_no_load(share, is_busy):
    assert bool(MachineLoad(share=share).note) == is_busy
    assert bool(MachineLoad(share=share).spread) == is_busy


def test_too_little_memory_is_seen_before_anything_is_run(workload, situation, monkeypatch):
    monkeypatch.setattr(module, "probe", lambda *_, **__: pytest.fail("a step was run"))
    small = dataclasses.replace(situation, available_bytes=10_000, free_bytes=10_000)
    forecast = make_forecast(workload, small).forecast
    assert not forecast.fits_memory
    assert "memory" in forecast.basis
    with pytest.raises(UsageError, match="memory"):
        make_forecast(workload, small, level="probe")


def test_limit_of_time_is_held_against_the_training(workload, situation):
    limited = dataclasses.replace(situation, budget_s=0.05)
    forecast = make_forecast(workload, limited, level="profile").forecast
    assert not forecast.fits_budget
    assert forecast.num_steps == 100, "the limit changes nothing of what was asked for"
    roomy = dataclasses.replace(situation, budget_s=1e6)
    assert make_forecast(workload, roomy, level="profile").forecast.fits_budget


def test_twice_the_steps_take_twice_their_time(with_length, situation):
    one, two = (
        make_forecast(with_length(steps=steps), situation, level="profile").forecast for steps in (1000, 2000)
    )
    assert two.phases["steps"] == pytest.approx(1999 / 999 * one.phases["steps"])


def test_other_machines_do_the_same_work(with_length, situation, machine):
    made = make_forecast(with_length(budget_s=120.0), situation, level="profile")
    fast = dataclasses.replace(
        machine,
        name="fast",
        products=tuple(dataclasses.replace(speed, gflops=10 * speed.gflops) for speed in machine.products),
        memory_gb_per_s=100.0,
        cache_gb_per_s=200.0,
        element_gops=100.0,
        transcendental_gops=10.0,
        scattered_gb_per_s=50.0,
        step_overhead_s=1e-4,
        kernel_overhead_s=1e-7,
    )
    here, there = on_other_machine(made, machine), on_other_machine(made, fast)
    assert here.step_s == pytest.approx(made.forecast.step_s)
    assert there.step_s < here.step_s / 5
    assert there.train_s.middle < here.train_s.middle


@pytest.mark.parametrize("name", sorted(reference_devices()))
def test_published_devices_are_marked_and_wide(with_length, situation, name):
    made = make_forecast(with_length(steps=10), situation, level="profile")
    profile = reference_profile(name, reference_devices()[name])
    other = on_other_machine(made, profile)
    assert not other.is_measured
    assert other.step_s > 0.0
    assert other.train_s.high > 1.5 * other.train_s.middle


def test_record_has_what_the_next_forecast_needs(workload, situation):
    record = make_forecast(workload, situation, level="profile").forecast.to_dict()
    for quantity in ("time_s", "memory_bytes"):
        assert record[quantity]["low"] <= record[quantity]["middle"] <= record[quantity]["high"]
    assert record["level"] == "profile"
    assert record["program"] == {"units": 128}
    assert record["from_profile"]["step"] == pytest.approx(record["step_s"], abs=1e-6)
    assert record["machine_identity"] == "here"
