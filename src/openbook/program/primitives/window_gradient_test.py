"""Cases of the gradients of extremes in windows."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from openbook.program.primitives.cases_test import Case
from openbook.program.primitives.window_gradient import max_pool_gradient

_RNG = np.random.default_rng(38)
# All elements differ by more than a hundredth, so that no window has a tie.
X = _RNG.permutation(5 * 4).reshape(5, 4).astype(np.float32) / 100


def _largest(x):
    return lax.reduce_window(x, np.asarray(-np.inf, x.dtype), lax.max, (3, 2), (2, 1), "SAME")


CASES = (
    Case(
        label="overlapping",
        function=jax.grad(lambda x: jnp.sin(_largest(x)).sum()),
        arguments=(X,),
    ),
    Case(
        label="direction",
        function=lambda x, direction: jax.jvp(_largest, (x,), (direction,))[1],
        arguments=(X, X[::-1].copy()),
    ),
)


def test_gradients_of_windows_that_chose_the_same_element_add_up():
    x = np.array([1.0, 9.0, 2.0])

    passed = max_pool_gradient(np.array([10.0, 20.0]), x, (2,), (1,), ((0, 0),))

    assert passed.tolist() == [0.0, 30.0, 0.0]


def test_first_of_equal_elements_gets_the_gradient():
    passed = max_pool_gradient(np.array([10.0]), np.array([5.0, 5.0]), (2,), (2,), ((0, 0),))

    assert passed.tolist() == [10.0, 0.0]
