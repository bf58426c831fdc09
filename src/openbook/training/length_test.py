"""Durations, and the number of steps a budget becomes."""

import pytest

from openbook.errors import UsageError
from openbook.training.length import Length, StepPlan, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("10m", 600),
        ("2h", 7200),
        ("1h30m", 5400),
        ("1.5m", 90),
        ("45", 45),
        (" 2 h ", 7200),
        (3, 3),
    ],
)
def test_duration_is_read(text, seconds):
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["0", "0s", "-5m", "soon", "", "5 parsecs", "nan", "inf", "10m-"])
def test_duration_that_is_none_is_refused(text):
    with pytest.raises(UsageError, match="--budget 90s"):
        parse_duration(text)


def test_exactly_one_way_to_say_how_long():
    with pytest.raises(UsageError, match="exactly one"):
        Length(steps=3, budget_s=5.0)
    with pytest.raises(UsageError, match="exactly one"):
        Length()
    with pytest.raises(UsageError, match="--steps must be above zero"):
        Length(steps=0)


def test_epochs_become_steps():
    assert StepPlan(Length(epochs=2.5), steps_per_epoch=10).num_steps == 25


def simulate(budget_s, step_s, *, stall_at=None, evaluation_at=None):
    """Seconds and steps of a run whose steps take `step_s(step)`; the first one compiles for 5 s."""
    plan = StepPlan(Length(budget_s=budget_s), steps_per_epoch=10**9)
    step, shares = 0, []
    while not plan.is_done(step):
        shares.append(plan.progress(step))
        step += 1
        duration_s = 5.0 if step == 1 else step_s(step)
        plan.step_taken(step, duration_s=duration_s, is_warm=step > 1)
        if step == evaluation_at:
            plan.time_passed(step, duration_s=3.0)
    return plan.elapsed_s, step, shares


@pytest.mark.parametrize(
    "step_s",
    [lambda step: 0.1, lambda step: 0.1 + 0.05 * (step % 2), lambda step: 0.1 if step < 300 else 0.2],
    ids=["steady", "uneven", "slower halfway"],
)
def test_budget_is_kept_and_the_schedule_ends_at_its_end(step_s):
    elapsed_s, num_steps, shares = simulate(90.0, step_s, evaluation_at=200)
    assert elapsed_s == pytest.approx(90.0, rel=0.01)
    assert shares[0] == 0.0
    assert shares[-1] > 0.98
    assert num_steps > 100


def test_budget_shorter_than_the_first_step_ends_after_it():
    elapsed_s, num_steps, _ = simulate(2.0, lambda step: 0.1)
    assert num_steps == 1
    assert elapsed_s == 5.0
