"""Which beginnings keep the signal of a deep net alive."""

import numpy as np
import pytest

from openbook.scratch.initialisation import activation_spread, glorot, he, naive


@pytest.mark.parametrize(
    ("initialise", "shape", "variance"),
    [
        (naive, (300, 200), 1),
        (glorot, (300, 200), 2 / 500),
        (he, (300, 200), 2 / 300),
        (he, (3, 3, 40, 50), 2 / 360),
        (glorot, (3, 3, 40, 50), 2 / 810),
    ],
)
def test_variance_is_that_of_the_formula(initialise, shape, variance, rng):
    found = initialise(shape, rng).var()
    # The variance of a sample of n normal numbers is off by √(2/n); five times that.
    assert abs(found / variance - 1) < 5 * np.sqrt(2 / np.prod(shape))


def test_naive_numbers_grow_tenfold_at_each_of_100_units():
    spread = activation_spread(naive, is_linear=True, num_layers=20)
    # √100 = 10 a layer, in the mean; the products are random.
    assert 8 < (spread[-1] / spread[0]) ** (1 / 19) < 12


def test_glorot_keeps_a_linear_net_and_fades_behind_relu():
    assert 0.3 < activation_spread(glorot, is_linear=True)[-1] < 3
    # Half of the signal's power is lost at each of 50 layers: 2^-25 = 3e-8.
    assert 1e-9 < activation_spread(glorot)[-1] < 1e-6


def test_he_keeps_a_net_with_relu():
    assert 0.1 < activation_spread(he)[-1] < 3


def test_same_seed_same_numbers():
    assert np.array_equal(activation_spread(he, seed=3), activation_spread(he, seed=3))
    assert not np.array_equal(activation_spread(he, seed=3), activation_spread(he, seed=4))
