"""Incomplete gamma and beta functions, in NumPy to about 1e-12."""

from __future__ import annotations

from typing import Any

import numpy as np


def log_gamma(z: np.ndarray) -> Any:
    """Logarithm of Γ(z) for positive (or complex, with positive real part) z, by Stirling's series."""
    # Γ(z) = Γ(z + 1) / z, up to where the series is exact.
    shift = np.ones_like(z)
    for _ in range(12):
        small = z.real < 12
        shift = np.where(small, shift * z, shift)
        z = np.where(small, z + 1, z)
    bernoulli = [1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156]
    series = sum(b / z ** (2 * n - 1) for n, b in enumerate(bernoulli, 1))
    return (z - 0.5) * np.log(z) - z + np.log(2 * np.pi) / 2 + series - np.log(shift)


def igamma_both(a: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The share P of ∫ tᵃ⁻¹ exp(-t) dt below x > 0, and the share 1 - P above; a may be complex."""
    front = np.exp(a * np.log(x) - x - log_gamma(a))
    by_series = x.real < a.real + 1
    # Below: xᵃ e⁻ˣ / Γ(a + 1) · (1 + x/(a + 1) + x²/((a + 1)(a + 2)) + …).
    x_near = np.where(by_series, x, 0)
    term = 1 / a
    total = term
    for n in range(1, 2000):
        term = term * x_near / (a + n)
        total = total + term
        if np.all(np.abs(term) <= 1e-17 * np.abs(total)):
            break
    # Above: a continued fraction, by Lentz' method.
    x_far = np.where(by_series, a.real + 2, x)
    b = x_far + 1 - a
    c = np.full_like(b, 1e300)
    d = 1 / b
    fraction = d
    for n in range(1, 2000):
        numerator = -n * (n - a)
        b = b + 2
        d = 1 / (numerator * d + b)
        c = b + numerator / c
        fraction = fraction * c * d
        if np.all(np.abs(c * d - 1) <= 1e-16):
            break
    below = np.where(by_series, front * total, 1 - front * fraction)
    above = np.where(by_series, 1 - front * total, front * fraction)
    return below, above


def igamma(a: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Share of the integral of tᵃ⁻¹ exp(-t) that lies below x."""
    return igamma_at_edges(a, x, igamma_both(*igamma_inside(a, x))[0], at_zero=0.0)


def igammac(a: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Share of the integral of tᵃ⁻¹ exp(-t) that lies above x."""
    return igamma_at_edges(a, x, igamma_both(*igamma_inside(a, x))[1], at_zero=1.0)


def igamma_grad_a(a: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Derivative by a of the share of the integral of tᵃ⁻¹ exp(-t) that lies below x."""
    # An imaginary step of no size at all gives the derivative without any cancellation.
    a_inside, x_inside = igamma_inside(a, x)
    below, _ = igamma_both(a_inside + 1e-30j, x_inside.astype(complex))
    result = np.where(x == 0, 0, below.imag / 1e-30)
    outside = (x < 0) | (a <= 0) | ~np.isfinite(a) | ~np.isfinite(x)
    return np.where(outside, np.nan, result).astype(np.result_type(a, x))


def igamma_inside(a: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both in float64, with 1 in the place of what has no finite result."""
    a_wide, x_wide = np.asarray(a, np.float64), np.asarray(x, np.float64)
    inside = (a_wide > 0) & (x_wide > 0) & np.isfinite(a_wide) & np.isfinite(x_wide)
    return np.where(inside, a_wide, 1), np.where(inside, x_wide, 1)


def igamma_at_edges(a: np.ndarray, x: np.ndarray, inside: np.ndarray, at_zero: float) -> np.ndarray:
    """Put in what holds at the edges of the domain."""
    result = np.where(x == 0, at_zero, np.where(np.isinf(x) | (a == 0), 1 - at_zero, inside))
    outside = (x < 0) | (a < 0) | ((a == 0) & (x == 0)) | np.isnan(x) | np.isnan(a)
    return np.where(outside, np.nan, result).astype(np.result_type(a, x))


def incomplete_beta(a: np.ndarray, b: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Share of the integral of tᵃ⁻¹ (1 - t)ᵇ⁻¹ from 0 to 1 that lies below x."""
    a_wide, b_wide, x_wide = (np.asarray(each, np.float64) for each in (a, b, x))
    inside = (a_wide > 0) & (b_wide > 0) & (x_wide > 0) & (x_wide < 1)
    a_in, b_in, x_in = (np.where(inside, each, 0.5) for each in (a_wide, b_wide, x_wide))
    # The continued fraction converges fast below the mean; above it the roles are swapped.
    swapped = x_in > (a_in + 1) / (a_in + b_in + 2)
    p, q = np.where(swapped, b_in, a_in), np.where(swapped, a_in, b_in)
    z = np.where(swapped, 1 - x_in, x_in)
    front = p * np.log(z) + q * np.log1p(-z) + log_gamma(p + q) - log_gamma(p) - log_gamma(q)
    c = np.ones_like(z)
    d = 1 / (1 - (p + q) * z / (p + 1))
    fraction = d
    for n in range(1, 500):
        even = n * (q - n) * z / ((p + 2 * n - 1) * (p + 2 * n))
        odd = -(p + n) * (p + q + n) * z / ((p + 2 * n) * (p + 2 * n + 1))
        for numerator in (even, odd):
            d = 1 / (1 + numerator * d)
            c = 1 + numerator / c
            fraction = fraction * c * d
        if np.all(np.abs(c * d - 1) <= 1e-16):
            break
    share = np.exp(front) * fraction / p
    result = np.where(swapped, 1 - share, share)
    result = np.where(x_wide <= 0, 0, np.where(x_wide >= 1, 1, result))
    outside = (x_wide < 0) | (x_wide > 1) | (a_wide <= 0) | (b_wide <= 0) | np.isnan(a_wide + b_wide + x_wide)
    return np.where(outside, np.nan, result).astype(np.result_type(a, b, x))


# Some call others of them.
HELPERS = {
    function.__name__: function
    for function in (
        log_gamma,
        igamma_both,
        igamma,
        igammac,
        igamma_grad_a,
        igamma_inside,
        igamma_at_edges,
        incomplete_beta,
    )
}
