"""Cases of comparisons, logic and bits."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax
from jax._src.lax.lax import eq_to_p, le_to_p, lt_to_p

from openbook.program.primitives.cases_test import Case

X = np.array([[1.0, -1.0, 2.0], [np.nan, np.inf, 0.0]], np.float32)
Y = np.array([[1.0, 1.0, -2.0], [np.nan, np.inf, -0.0]], np.float32)
TRUTH = np.array([[True, True], [False, False]])
OTHER = np.array([[True, False], [True, False]])
INTEGERS = np.array([[-7, 7, -8, 8], [0, 1, -1, 5], [2**31 - 1, -(2**31), 1 << 20, 12345]], np.int32)
WORDS = INTEGERS.view(np.uint32)
PLACES = np.array([[0, 1, 2, 3], [4, 5, 31, 7], [8, 13, 30, 16]], np.int32)
COMPARISONS = (lax.eq, lax.ne, lax.lt, lax.le, lax.gt, lax.ge)
LOGIC = (lax.bitwise_and, lax.bitwise_or, lax.bitwise_xor)
SHIFTS = (lax.shift_left, lax.shift_right_logical, lax.shift_right_arithmetic)

CASES = (
    *(Case(label=each.__name__, function=each, arguments=(X, Y)) for each in COMPARISONS),
    *(
        Case(label=f"{each.name}-{name}", function=each.bind, arguments=arguments)
        for each in (eq_to_p, lt_to_p, le_to_p)
        for name, arguments in (
            ("floats", (X, Y)),
            ("halves", (X.astype(np.float16), Y.astype(np.float16))),
            ("integers", (INTEGERS, PLACES)),
        )
    ),
    Case(
        label="searchsorted",
        function=jnp.searchsorted,
        arguments=(np.array([1.0, 2.0, 3.0], np.float32), np.array([0.5, 2.0, 9.0, np.nan], np.float32)),
    ),
    *(Case(label=f"{each.__name__}-truth", function=each, arguments=(TRUTH, OTHER)) for each in LOGIC),
    *(Case(label=each.__name__, function=each, arguments=(INTEGERS, PLACES)) for each in (*LOGIC, *SHIFTS)),
    *(
        Case(label=f"{each.__name__}-unsigned", function=each, arguments=(WORDS, PLACES.view(np.uint32)))
        for each in SHIFTS
    ),
    Case(label="not", function=lax.bitwise_not, arguments=(INTEGERS,)),
    Case(label="not-truth", function=lax.bitwise_not, arguments=(TRUTH,)),
    Case(label="is_finite", function=lax.is_finite, arguments=(X,)),
    *(
        Case(label=f"{each.__name__}-{numbers.dtype}", function=each, arguments=(numbers,))
        for each in (lax.population_count, lax.clz)
        for numbers in (INTEGERS, WORDS, INTEGERS.astype(np.int8), INTEGERS.astype(np.uint16))
    ),
)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint32", "int64"])
def test_leading_zeros_by_hand(dtype):
    from openbook.program.primitives.comparison import count_leading_zeros

    bits = np.dtype(dtype).itemsize * 8

    found = count_leading_zeros(np.array([0, 1, 2, 127], dtype))

    assert found.tolist() == [bits, bits - 1, bits - 2, bits - 7]
