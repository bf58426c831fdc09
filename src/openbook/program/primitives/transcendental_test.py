"""Cases of exponentials, logarithms, trigonometric and hyperbolic functions."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from openbook.program.primitives.cases_test import Case

_RNG = np.random.default_rng(21)
X = _RNG.normal(size=(3, 4)).astype(np.float32)
Y = _RNG.normal(size=(3, 4)).astype(np.float32)
INSIDE = _RNG.uniform(-0.9, 0.9, size=(3, 4)).astype(np.float32)
POSITIVE = _RNG.uniform(0.3, 3.0, size=(3, 4)).astype(np.float32)
SPECIAL = np.array([0.0, 100.0, -100.0, np.inf, -np.inf, np.nan, 1e-8], np.float32)
COMPLEX = (X + 1j * Y).astype(np.complex64)

ANYWHERE = (lax.exp, lax.exp2, lax.expm1, lax.logistic, lax.sin, lax.cos, lax.tan, lax.atan)
ANYWHERE += (lax.sinh, lax.cosh, lax.tanh, lax.asinh)
SOMEWHERE = {lax.log: POSITIVE, lax.log1p: POSITIVE, lax.acosh: POSITIVE + 1, lax.asin: INSIDE}
SOMEWHERE |= {lax.acos: INSIDE, lax.atanh: INSIDE}

CASES = (
    *(Case(label=each.__name__, function=each, arguments=(X,), gradient=True) for each in ANYWHERE),
    *(Case(label=f"{each.__name__}-special", function=each, arguments=(SPECIAL,)) for each in ANYWHERE),
    *(
        Case(label=each.__name__, function=each, arguments=(numbers,), gradient=True)
        for each, numbers in SOMEWHERE.items()
    ),
    *(Case(label=f"{each.__name__}-special", function=each, arguments=(SPECIAL,)) for each in SOMEWHERE),
    Case(label="atan2", function=lax.atan2, arguments=(X, Y), gradient=True),
    Case(label="exp-complex", function=lambda x: lax.log(lax.exp(x)), arguments=(COMPLEX,)),
    Case(label="logistic-complex", function=lax.logistic, arguments=(COMPLEX,)),
    Case(label="logaddexp", function=jnp.logaddexp, arguments=(X, Y), gradient=True),
    Case(label="softplus", function=jax.nn.softplus, arguments=(X,), gradient=True),
    Case(label="gelu", function=lambda x: jax.nn.gelu(x, approximate=False), arguments=(X,), gradient=True),
)
