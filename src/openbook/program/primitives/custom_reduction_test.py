"""Cases of reductions by a function of the user's own."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
from jax import lax

from openbook.program.primitives.cases_test import Case

X = np.random.default_rng(25).normal(size=(2, 3, 4)).astype(np.float32)
POSITIONS = np.arange(24, dtype=np.int32).reshape(2, 3, 4)


def larger_with_its_position(left, right):
    keep = left[0] >= right[0]
    return jnp.where(keep, left[0], right[0]), jnp.where(keep, left[1], right[1])


CASES = (
    Case(
        label="one-operand",
        function=lambda x: lax.reduce(x, x.dtype.type(0), lambda a, b: a + b * b - a * b, (1,)),
        arguments=(X,),
    ),
    Case(
        label="two-operands",
        function=lambda x, places: lax.reduce(
            (x, places), (x.dtype.type(-9), np.int32(0)), larger_with_its_position, (0, 2)
        ),
        arguments=(X, POSITIONS),
    ),
)
