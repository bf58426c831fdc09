"""Ranges: where they lie, and how those of sums follow from those of parts."""

import math

import numpy as np
import pytest

from openbook.forecasting.estimate import Estimate, total


def test_range_holds_four_draws_of_five(rng):
    estimate = Estimate(middle=10.0, spread=0.3)
    drawn = 10.0 * np.exp(rng.normal(scale=0.3, size=100_000))
    within = np.mean((drawn >= estimate.low) & (drawn <= estimate.high))
    assert within == pytest.approx(0.8, abs=0.005)  # 100,000 draws: a standard error of 0.0013


def test_known_numbers_have_no_range():
    estimate = total([Estimate(middle=2.0), Estimate(middle=3.0)])
    assert (estimate.low, estimate.middle, estimate.high) == (5.0, 5.0, 5.0)


def test_parts_of_a_sum_err_in_the_same_direction():
    both = total([Estimate(middle=6.0, spread=0.2), Estimate(middle=2.0, spread=0.6)])
    assert both.middle == 8.0
    assert both.spread == pytest.approx(0.3)


def test_an_independent_factor_adds_its_spread_in_squares():
    scaled = Estimate(middle=2.0, spread=0.3).times(5.0, spread=0.4)
    assert scaled.middle == 10.0
    assert scaled.spread == pytest.approx(0.5)
    assert scaled.low < 10.0 / math.exp(0.5) < scaled.middle < scaled.high


@pytest.fixture
def rng():
    return np.random.default_rng(0)
