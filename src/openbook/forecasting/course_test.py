"""The course of a run: steps times their duration, or as many as a budget leaves room for."""

import pytest

from openbook.forecasting.course import course_of
from openbook.forecasting.phases import Parts

PHASES = {
    "start": 2.0,
    "data": 1.0,
    "forecast": 3.0,
    "prepare": 2.0,
    "build": 1.0,
    "compile": 4.0,
    "held_out": 8.0,
    "checkpoints": 1.0,
    "finish": 5.0,
}


def parts(step_s=0.5, **changes):
    return Parts(step_s=step_s, phases={**PHASES, **changes})


def test_steps_take_their_number_times_their_duration(with_length):
    course = course_of(with_length(steps=100), parts())
    assert course.num_steps == 100
    assert course.phases["steps"] == 49.5  # the first is part of compiling
    assert sum(course.phases.values()) == sum(PHASES.values()) + 49.5
    assert course.train_s == 4.0 + 49.5 + 6.0 + 1.0  # the last of four scores comes after the training
    assert not course.is_budgeted


def test_epochs_become_steps(with_length):
    assert course_of(with_length(epochs=2.5), parts()).num_steps == 125  # of 50 steps each


def test_budget_is_filled_with_steps(with_length):
    course = course_of(with_length(budget_s=60.0), parts())
    assert course.is_budgeted
    assert course.train_s == 60.0
    assert course.num_steps == 1 + int((60.0 - 4.0 - 6.0 - 1.0) / 0.5)


def test_short_budget_leaves_out_the_scores_on_the_way(with_length):
    course = course_of(with_length(budget_s=10.0), parts())
    assert course.phases["held_out"] == 2.0
    assert course.num_steps == 1 + int((10.0 - 4.0 - 1.0) / 0.5)


def test_budget_below_the_compilation_is_overrun(with_length):
    course = course_of(with_length(budget_s=1.0), parts())
    assert course.num_steps == 1
    assert course.train_s == 4.0


@pytest.mark.parametrize("epochs", [0.001, 1e-9])
def test_at_least_one_step_is_taken(with_length, epochs):
    assert course_of(with_length(epochs=epochs), parts()).num_steps == 1
