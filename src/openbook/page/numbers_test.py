"""Statistics and histograms against NumPy, with all kinds of numbers."""

import numpy as np
import pytest

from openbook.page.numbers import histogram, statistics

ARRAYS = {
    "floats": np.random.default_rng(0).normal(size=(7, 50_000)).astype(np.float32),
    "whole": np.arange(-5, 20, dtype=np.int32),
    "booleans": np.array([True, False, True]),
    "one": np.array(3.5),
    "equal": np.full(10, 2.0, np.float32),
    "double": np.random.default_rng(1).normal(size=40),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_statistics_and_histogram_agree_with_numpy(name):
    array = ARRAYS[name]
    found, wide = statistics(array), array.astype(np.float64)
    assert found.num_nonfinite == 0
    np.testing.assert_allclose(
        [found.minimum, found.maximum, found.mean, found.std],
        [wide.min(), wide.max(), wide.mean(), wide.std()],
        rtol=1e-6,
        atol=1e-9,
    )
    counts = histogram(array)
    assert sum(counts) == array.size
    if wide.min() < wide.max():
        # A number on a border may fall on either side of it.
        assert np.abs(np.array(counts) - np.histogram(wide, 16)[0]).sum() <= 4


def test_what_is_not_finite_is_counted_and_left_out():
    array = np.array([1.0, np.nan, np.inf, -np.inf, 3.0], np.float32)
    found = statistics(array)
    assert (found.minimum, found.maximum, found.mean, found.num_nonfinite) == (1.0, 3.0, 2.0, 3)
    assert sum(histogram(array)) == 2


def test_nothing_finite_has_no_statistics():
    found = statistics(np.array([np.nan, np.inf]))
    assert (found.minimum, found.mean, found.std) == (None, None, None)
    assert histogram(np.array([])) == [0] * 16


def test_range_that_float32_cannot_subtract_has_a_histogram():
    largest = np.finfo(np.float32).max
    assert histogram(np.array([-largest, largest], np.float32))[0] == 1
