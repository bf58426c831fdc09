"""Special functions: error function, gamma function and their kin, in NumPy to about 1e-13.

Each counts as one operation by definition. All are computed in float64 and given back in the operand's dtype.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from openbook.program.primitives.elementwise import elementwise
from openbook.program.primitives.incomplete_gamma import (
    igamma,
    igamma_grad_a,
    igammac,
    incomplete_beta,
)


def erf(x: np.ndarray) -> Any:
    """Error function: 2/√π times the integral of exp(-t²) from 0 to x."""
    # Ratio of polynomials near 0 from Cephes (S. Moshier).
    above = [9.60497373987051638749, 9.00260197203842689217e1, 2.23200534594684319226e3]
    above += [7.00332514112805075473e3, 5.55923013010394962768e4]
    below = [1, 3.35617141647503099647e1, 5.21357949780152679795e2, 4.59432382970980127987e3]
    below += [2.26290000613890934246e4, 4.92673942608635921086e4]
    wide = np.asarray(x, np.float64)
    near = np.clip(wide, -1, 1)
    ratio = near * np.polyval(above, near**2) / np.polyval(below, near**2)
    result = np.where(np.abs(wide) <= 1, ratio, np.copysign(1 - erfc_tail(wide), wide))
    return result.astype(np.asarray(x).dtype)


def erfc(x: np.ndarray) -> Any:
    """1 - erf(x), exact where it is tiny."""
    wide = np.asarray(x, np.float64)
    tail = erfc_tail(wide)
    result = np.where(np.abs(wide) <= 1, 1 - erf(wide), np.where(wide < 0, 2 - tail, tail))
    return result.astype(np.asarray(x).dtype)


def erfc_tail(x: np.ndarray) -> Any:
    """Integral of 2/√π · exp(-t²) from |x| on, for |x| from 1 on, in float64."""
    # Ratios of polynomials from Cephes (S. Moshier): for |x| up to 8, and beyond.
    above = [2.46196981473530512524e-10, 5.64189564831068821977e-1, 7.46321056442269912687]
    above += [4.86371970985681366614e1, 1.96520832956077098242e2, 5.26445194995477358631e2]
    above += [9.34528527171957607540e2, 1.02755188689515710272e3, 5.57535335369399327526e2]
    below = [1, 1.32281951154744992508e1, 8.67072140885989742329e1, 3.54937778887819891062e2]
    below += [9.75708501743205489753e2, 1.82390916687909736289e3, 2.24633760818710981792e3]
    below += [1.65666309194161350182e3, 5.57535340817727675546e2]
    far_above = [5.64189583547755073984e-1, 1.27536670759978104416, 5.01905042251180477414]
    far_above += [6.16021097993053585195, 7.40974269950448939160, 2.97886665372100240670]
    far_below = [1, 2.26052863220117276590, 9.39603524938001434673, 1.20489539808096656605e1]
    far_below += [1.70814450747565897222e1, 9.60896809063285878198, 3.36907645100081516050]
    # Beyond 27 it is 0 in float64.
    size = np.clip(np.abs(x), 1, 30)
    near = np.polyval(above, size) / np.polyval(below, size)
    far = np.polyval(far_above, size) / np.polyval(far_below, size)
    return np.exp(-(size**2)) * np.where(size < 8, near, far)


def erf_inv(x: np.ndarray) -> np.ndarray:
    """The number whose error function is x."""
    wide = np.asarray(x, np.float64)
    inside = np.where(np.abs(wide) < 1, np.abs(wide), 0)
    # Winitzki's approximation, good to 0.2 %, then Halley's method on erfc(y) = 1 - |x|.
    log = np.log1p(-(inside**2))
    half = 2 / (np.pi * 0.147) + log / 2
    y = np.sqrt(np.sqrt(half**2 - log / 0.147) - half)
    for _ in range(3):
        # Near 0 erf itself is exact, elsewhere its complement.
        error = np.where(inside < 0.5, inside - erf(y), erfc(y) - (1 - inside))
        newton = error * np.sqrt(np.pi) / 2 * np.exp(y**2)
        y = y + newton / (1 - y * newton)
    y = np.where(np.abs(wide) == 1, np.inf, np.where(np.abs(wide) < 1, y, np.nan))
    return np.copysign(y, wide).astype(np.asarray(x).dtype)


def lgamma(x: np.ndarray) -> np.ndarray:
    """Logarithm of |Γ(x)| by Lanczos' sum; Γ(n) = (n - 1)!."""
    lanczos = [676.520368121885098567009190444019, -1259.13921672240287047156078755283]
    lanczos += [771.3234287776530788486528258894, -176.61502916214059906584551354]
    lanczos += [12.507343278686904814458936853, -0.13857109526572011689554707]
    lanczos += [9.984369578019570859563e-6, 1.50563273514931155834e-7]
    wide = np.asarray(x, np.float64)
    # Γ(z) Γ(1 - z) = π / sin πz leads from the left half to the right one.
    reflected = wide < 0.5
    z = np.where(reflected, -wide, wide - 1)
    series = 0.99999999999980993227684700473478 + sum(c / (z + n + 1) for n, c in enumerate(lanczos))
    t = z + 7.5
    log_gamma = (z + 0.5) * np.log(t) - t + np.log(2 * np.pi) / 2 + np.log(series)
    fraction = np.abs(wide) - np.floor(np.abs(wide))
    sine = np.abs(np.sin(np.pi * np.minimum(fraction, 1 - fraction)))
    log_gamma = np.where(reflected, np.log(np.pi) - np.log(sine) - log_gamma, log_gamma)
    log_gamma = np.where(np.isinf(wide), np.inf, log_gamma)
    return log_gamma.astype(np.asarray(x).dtype)


def digamma(x: np.ndarray) -> np.ndarray:
    """Derivative of ln Γ(x)."""
    wide = np.asarray(x, np.float64)
    # ψ(1 - z) - ψ(z) = π / tan πz leads from the left half to the right one.
    reflected = wide < 0.5
    z = np.where(reflected, 1 - wide, wide)
    result = np.zeros_like(z)
    # ψ(z) = ψ(z + 1) - 1/z, up to where Stirling's series is exact.
    for _ in range(10):
        small = z < 10
        result -= np.where(small, 1 / z, 0)
        z = np.where(small, z + 1, z)
    bernoulli = [1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132, -691 / 32760, 1 / 12]
    result += np.log(z) - 1 / (2 * z) - sum(b / z ** (2 * n) for n, b in enumerate(bernoulli, 1))
    fraction = wide - np.round(wide)
    result = np.where(reflected, result - np.pi / np.tan(np.pi * fraction), result)
    return np.where((wide <= 0) & (fraction == 0), np.nan, result).astype(np.asarray(x).dtype)


def zeta(s: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Hurwitz' zeta function: the sum of (q + k) ** -s over k = 0, 1, … for s > 1."""
    s_wide, q_wide = np.asarray(s, np.float64), np.asarray(q, np.float64)
    # Euler and Maclaurin: a dozen terms, then an integral with corrections by Bernoulli's numbers.
    num_terms = 12
    start = q_wide + num_terms
    result = sum((q_wide + k) ** -s_wide for k in range(num_terms))
    result += start ** (1 - s_wide) / (s_wide - 1) + start**-s_wide / 2
    factor = s_wide * start ** (-s_wide - 1)
    bernoulli = [1 / 12, -1 / 720, 1 / 30240, -1 / 1209600, 1 / 47900160, -691 / 1307674368000]
    bernoulli += [1 / 74724249600, -3617 / 10670622842880000]
    for n, coefficient in enumerate(bernoulli):
        result += coefficient * factor
        factor = factor * (s_wide + 2 * n + 1) * (s_wide + 2 * n + 2) / start**2
    pole = (q_wide <= 0) & (q_wide == np.floor(q_wide))
    even = s_wide == 2 * np.floor(s_wide / 2)
    result = np.where(pole, np.where(even, np.inf, np.nan), result)
    result = np.where(s_wide == 1, np.inf, np.where(s_wide < 1, np.nan, result))
    return result.astype(np.result_type(s, q))


def polygamma(n: np.ndarray, x: np.ndarray) -> np.ndarray:
    """The n-th derivative of digamma: (-1) ** (n + 1) · n! · zeta(n + 1, x)."""
    n_wide, x_wide = np.asarray(n, np.float64), np.asarray(x, np.float64)
    sign = np.where(n_wide % 2 == 0, -1, 1)
    derivative = sign * np.exp(lgamma(n_wide + 1)) * zeta(n_wide + 1, x_wide)
    result = np.where(n_wide == 0, digamma(x_wide), derivative)
    result = np.where((n_wide < 0) | (n_wide != np.floor(n_wide)), np.nan, result)
    return result.astype(np.result_type(n, x))


def bessel_scaled(x: np.ndarray, order: int) -> np.ndarray:
    """Modified Bessel function I of order 0 or 1, times exp(-|x|)."""
    wide = np.asarray(x, np.float64)
    size = np.abs(wide)
    # Mean of exp(x cos t) cos(n t) over the circle; equal steps converge faster than any power.
    near = np.minimum(size, 30)
    steps = np.arange(128) * 2 * np.pi / 128
    mean = sum(np.exp(near * (np.cos(t) - 1)) * np.cos(order * t) for t in steps) / 128
    # Hankel's series for large numbers.
    far = np.maximum(size, 30)
    term = np.ones_like(far)
    series = np.ones_like(far)
    for k in range(1, 30):
        term = term * -(4 * order**2 - (2 * k - 1) ** 2) / (8 * k * far)
        series = series + term
    result = np.where(size < 30, mean, series / np.sqrt(2 * np.pi * far))
    result = np.where(np.isinf(size), 0, result)
    return (result if order == 0 else result * np.sign(wide)).astype(np.asarray(x).dtype)


PRIMITIVES = (
    elementwise("erf", erf, formula="erf({0})", source="<erf>({0})"),
    elementwise("erfc", erfc, formula="1 − erf({0})", source="<erfc>({0})"),
    elementwise("erf_inv", erf_inv, formula="erf⁻¹({0})", source="<erf_inv>({0})"),
    elementwise("lgamma", lgamma, formula="ln |Γ({0})|", source="<lgamma>({0})"),
    elementwise("digamma", digamma, formula="ψ({0})", source="<digamma>({0})"),
    elementwise("zeta", zeta, formula="ζ({0}, {1})", source="<zeta>({0}, {1})"),
    elementwise(
        "polygamma", polygamma, formula="{0}-th derivative of ψ at {1}", source="<polygamma>({0}, {1})"
    ),
    elementwise(
        "bessel_i0e",
        lambda x: bessel_scaled(x, 0),
        formula="exp(−|{0}|) · I₀({0})",
        source="<bessel_scaled>({0}, 0)",
    ),
    elementwise(
        "bessel_i1e",
        lambda x: bessel_scaled(x, 1),
        formula="exp(−|{0}|) · I₁({0})",
        source="<bessel_scaled>({0}, 1)",
    ),
    elementwise("igamma", igamma, formula="P({0}, {1})", source="<igamma>({0}, {1})"),
    elementwise("igammac", igammac, formula="1 − P({0}, {1})", source="<igammac>({0}, {1})"),
    elementwise(
        "igamma_grad_a",
        igamma_grad_a,
        formula="derivative of P(a, {1}) by a at {0}",
        source="<igamma_grad_a>({0}, {1})",
    ),
    elementwise(
        "regularized_incomplete_beta",
        incomplete_beta,
        formula="I({2}; {0}, {1})",
        source="<incomplete_beta>({0}, {1}, {2})",
    ),
)

# Some call others of them.
HELPERS = {
    function.__name__: function
    for function in (erf, erfc, erfc_tail, erf_inv, lgamma, digamma, zeta, polygamma, bessel_scaled)
}
