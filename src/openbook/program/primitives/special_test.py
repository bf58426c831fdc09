"""Cases of special functions, and their exact values."""

from __future__ import annotations

import math

import numpy as np
import pytest
from jax import lax

from openbook.program.primitives import incomplete_gamma, special
from openbook.program.primitives.cases_test import Case

_RNG = np.random.default_rng(28)
X = _RNG.normal(size=(3, 4)).astype(np.float32)
INSIDE = _RNG.uniform(-0.95, 0.95, size=(3, 4)).astype(np.float32)
POSITIVE = _RNG.uniform(0.3, 5.0, size=(3, 4)).astype(np.float32)
OTHER = _RNG.uniform(0.3, 5.0, size=(3, 4)).astype(np.float32)
SHARE = _RNG.uniform(0.05, 0.95, size=(3, 4)).astype(np.float32)
SPECIAL = np.array([0.0, 1.0, -1.0, -2.0, 8.0, -0.5, np.inf, -np.inf, np.nan], np.float32)
ORDER = np.array([[0, 1, 2, 3]] * 3, np.float32)
SMOOTH = (lax.erf, lax.erfc, lax.bessel_i0e, lax.bessel_i1e)
EVERYWHERE = (*SMOOTH, lax.lgamma, lax.digamma)

CASES = (
    *(Case(label=each.__name__, function=each, arguments=(X,)) for each in (lax.lgamma, lax.digamma)),
    *(Case(label=each.__name__, function=each, arguments=(X,), gradient=True) for each in SMOOTH),
    *(Case(label=f"{each.__name__}-special", function=each, arguments=(SPECIAL,)) for each in EVERYWHERE),
    *(
        Case(label=f"{each.__name__}-gradient", function=each, arguments=(POSITIVE,), gradient=True)
        for each in (lax.lgamma, lax.digamma)
    ),
    Case(label="erf_inv", function=lax.erf_inv, arguments=(INSIDE,), gradient=True),
    Case(label="erf_inv-special", function=lax.erf_inv, arguments=(SPECIAL,)),
    Case(label="polygamma", function=lambda x, n: lax.polygamma(n, x), arguments=(POSITIVE, ORDER)),
    Case(label="zeta", function=lambda s, q: lax.zeta(s + 1, q), arguments=(POSITIVE, OTHER)),
    Case(label="igamma", function=lax.igamma, arguments=(POSITIVE, OTHER), gradient=True),
    Case(label="igammac", function=lax.igammac, arguments=(POSITIVE, OTHER), gradient=True),
    Case(label="igamma_grad_a", function=lax.igamma_grad_a, arguments=(POSITIVE, OTHER)),
    Case(label="betainc", function=lax.betainc, arguments=(POSITIVE, OTHER, SHARE)),
)


@pytest.mark.parametrize(
    ("ours", "exact"), [(special.erf, math.erf), (special.erfc, math.erfc), (special.lgamma, math.lgamma)]
)
def test_as_exact_as_the_standard_library(ours, exact):
    numbers = np.linspace(-20.3, 26.17, 2001)

    expected = np.array([exact(number) for number in numbers])

    # Rounding in exp(-x²) and in the reflection at 0 grows with the exponent.
    assert np.max(np.abs(ours(numbers) - expected) / np.maximum(np.abs(expected), 1e-300)) < 1e-11


def test_inverse_of_the_error_function_is_its_inverse():
    shares = np.concatenate([np.linspace(-0.999, 0.999, 501), 1 - 10.0 ** -np.arange(1, 15)])

    assert np.allclose(special.erf(special.erf_inv(shares)), shares, rtol=0, atol=1e-15)


@pytest.mark.filterwarnings("ignore:divide by zero")  # on the way; the result does not use it
def test_whole_numbers_give_factorials_and_harmonic_sums():
    assert np.allclose(np.exp(special.lgamma(np.arange(1.0, 8))), [1, 1, 2, 6, 24, 120, 720], rtol=1e-14)
    assert np.allclose(np.diff(special.digamma(np.arange(1.0, 8))), 1 / np.arange(1, 7), rtol=1e-14)
    assert math.isclose(special.zeta(np.float64(2), np.float64(1)), math.pi**2 / 6, rel_tol=1e-15)


def test_shares_below_and_above_are_all():
    a, x = np.meshgrid(10.0 ** np.arange(-2, 4), 10.0 ** np.arange(-2, 4))

    together = incomplete_gamma.igamma(a, x) + incomplete_gamma.igammac(a, x)

    assert np.allclose(together, 1, rtol=1e-14)
    assert np.allclose(incomplete_gamma.igamma(np.ones(5), np.arange(5.0)), -np.expm1(-np.arange(5.0)))


def test_incomplete_beta_is_symmetric():
    a, b, x = np.float64(2.5), np.float64(0.7), np.linspace(0, 1, 11)

    assert np.allclose(
        incomplete_gamma.incomplete_beta(a, b, x) + incomplete_gamma.incomplete_beta(b, a, 1 - x), 1
    )
