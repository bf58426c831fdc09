"""Cases of gamma-distributed numbers."""

from __future__ import annotations

import jax
import numpy as np
from jax import random as jax_random

from openbook.program.primitives import random_gamma
from openbook.program.primitives.cases_test import Case

KEY = jax_random.key(7)
KEYS = jax_random.split(KEY, 3)
ALPHA = np.array([0.3, 2.0, 1.0], np.float32)
COUNTS = np.arange(4, dtype=np.uint32)


def _hash(first, second, high, low):
    from jax._src.random.threefry2x32 import threefry2x32_p

    return threefry2x32_p.bind(first, second, high, low)


def _positions(x):
    from jax._src.random.prng import iota_2x32_shape

    return [*iota_2x32_shape((3, 2)), x]


CASES = (
    Case(
        label="gamma",
        function=lambda key, keys, alpha: [
            jax_random.gamma(key, alpha, (5, 3)),
            jax_random.loggamma(key, alpha, (5, 3)),
            jax.vmap(jax_random.gamma)(keys, alpha),
        ],
        arguments=(KEY, KEYS, ALPHA),
    ),
)


def test_gamma_numbers_have_their_mean_and_variance():
    alpha = np.full(20000, 2.5)

    drawn = random_gamma.random_gamma(np.array([1, 2], np.uint32), alpha)

    # Mean and variance are alpha; five standard errors.
    assert abs(drawn.mean() - 2.5) < 5 * np.sqrt(2.5 / 20000)
    assert abs(drawn.var() - 2.5) < 0.25
