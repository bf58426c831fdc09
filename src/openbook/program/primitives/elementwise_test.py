"""Cases and properties of element-wise arithmetic."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from jax import lax

from openbook.program.primitives import checking_test as checking
from openbook.program.primitives.cases_test import Case

_RNG = np.random.default_rng(20)
X = _RNG.normal(size=(3, 4)).astype(np.float32)
Y = _RNG.normal(size=(3, 4)).astype(np.float32)
POSITIVE = _RNG.uniform(0.3, 2.0, size=(3, 4)).astype(np.float32)
INTEGERS = np.array([[-7, 7, -8, 8], [0, 1, -1, 5], [9, -9, 100, -100]], np.int32)
DIVISORS = np.array([[2, -2, 3, -3], [4, 5, 6, 7], [-4, -4, 7, 7]], np.int32)
BYTES = np.array([[200, 3], [255, 0]], np.uint8)
COMPLEX = (X + 1j * Y).astype(np.complex64)
SPECIAL = np.array([0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan], np.float32)
HALVES = np.array([0.5, -0.5, 1.5, -1.5, 2.5, -2.5, 0.2, 3.7], np.float32)

CASES = (
    Case(label="add", function=lambda x, y: x + y, arguments=(X, Y), gradient=True),
    Case(label="add-bytes", function=lax.add, arguments=(BYTES, BYTES)),
    Case(label="add_any", function=jax.grad(lambda x: (x * jnp.sin(x)).sum()), arguments=(X,), gradient=True),
    Case(label="sub", function=lambda x, y: x - y, arguments=(X, Y), gradient=True),
    Case(label="mul", function=lambda x, y: x * y, arguments=(X, Y), gradient=True),
    Case(label="mul-bytes", function=lax.mul, arguments=(BYTES, BYTES)),
    Case(label="mul-bfloat16", function=lax.mul, arguments=(X.astype(ml_dtypes.bfloat16),) * 2),
    Case(label="div", function=lambda x, y: x / y, arguments=(X, POSITIVE), gradient=True),
    Case(label="div-by-zero", function=lax.div, arguments=(SPECIAL, np.zeros_like(SPECIAL))),
    Case(label="div-integers", function=lax.div, arguments=(INTEGERS, DIVISORS)),
    Case(label="div-bytes", function=lax.div, arguments=(BYTES, BYTES | 2)),
    Case(label="div-floor", function=jnp.floor_divide, arguments=(INTEGERS, DIVISORS)),
    Case(label="rem", function=lax.rem, arguments=(X * 10, POSITIVE), gradient=True),
    Case(label="rem-integers", function=lax.rem, arguments=(INTEGERS, DIVISORS)),
    Case(label="mod", function=jnp.mod, arguments=(INTEGERS, DIVISORS)),
    Case(
        label="mulhi",
        function=lax.mulhi,
        arguments=(INTEGERS * 123456789, DIVISORS * 987654321),
        in_float64=False,
    ),
    Case(label="neg", function=lambda x: -x, arguments=(X,), gradient=True),
    Case(label="abs", function=jnp.abs, arguments=(X,), gradient=True),
    Case(label="abs-complex", function=jnp.abs, arguments=(COMPLEX,)),
    Case(label="sign", function=jnp.sign, arguments=(X,)),
    Case(label="sign-special", function=jnp.sign, arguments=(SPECIAL,)),
    Case(label="sign-complex", function=lax.sign, arguments=(COMPLEX,)),
    Case(label="square", function=jnp.square, arguments=(X,), gradient=True),
    Case(label="sqrt", function=jnp.sqrt, arguments=(POSITIVE,), gradient=True),
    Case(label="sqrt-special", function=jnp.sqrt, arguments=(SPECIAL,)),
    Case(label="rsqrt", function=lax.rsqrt, arguments=(POSITIVE,), gradient=True),
    Case(label="rsqrt-special", function=lax.rsqrt, arguments=(SPECIAL,)),
    Case(label="cbrt", function=jnp.cbrt, arguments=(X,), gradient=True),
    Case(label="pow", function=lambda x, y: x**y, arguments=(POSITIVE, Y), gradient=True),
    Case(label="pow-special", function=lax.pow, arguments=(SPECIAL, SPECIAL[::-1].copy())),
    Case(label="pow-integer-exponent", function=lax.pow, arguments=(X, np.array(3, np.int32) + 0 * INTEGERS)),
    Case(label="integer_pow", function=lambda x: x**3 + x**5, arguments=(X,), gradient=True),
    Case(label="integer_pow-negative", function=lambda x: x**-3, arguments=(POSITIVE,), gradient=True),
    Case(label="reciprocal", function=lambda x: x**-1, arguments=(POSITIVE,), gradient=True),
    Case(label="floor", function=jnp.floor, arguments=(HALVES,)),
    Case(label="ceil", function=jnp.ceil, arguments=(HALVES,)),
    Case(label="round", function=jnp.round, arguments=(HALVES,)),
    Case(label="round-away", function=lax.round, arguments=(HALVES,)),
    Case(label="nextafter", function=jnp.nextafter, arguments=(X, Y)),
    Case(label="real", function=lambda x: lax.real(x) * lax.imag(x), arguments=(COMPLEX,)),
    Case(
        label="complex",
        function=lambda x, y: lax.real(lax.conj(lax.complex(x, y)) * lax.complex(y, x)),
        arguments=(X, Y),
        gradient=True,
    ),
)

TWO_NUMBERS = (lax.add, lax.sub, lax.mul, lax.div, lax.max, lax.min, lax.rem, lax.atan2, lax.pow)
TWO_WHOLE_NUMBERS = (lax.add, lax.sub, lax.mul, lax.div, lax.rem, lax.max, lax.min, lax.bitwise_and)
TWO_WHOLE_NUMBERS += (lax.bitwise_or, lax.bitwise_xor, lax.shift_left, lax.shift_right_logical)
TWO_WHOLE_NUMBERS += (lax.shift_right_arithmetic, lax.lt, lax.eq)
ONE_NUMBER = (lax.neg, lax.abs, lax.sign, lax.square, lax.floor, lax.ceil, lax.round, lax.tanh, lax.logistic)
ONE_NUMBER += (lax.sin, lax.cos, lax.exp, lax.expm1, lax.atan, lax.asinh, lax.erf, lax.erfc, lax.cbrt)
ONE_NUMBER += (lax.is_finite, lax.sqrt, lax.rsqrt, lax.log, lax.log1p)
# JAX's float32 of these is far from exact for large operands.
FLOATS = ("float32", "float64", "float16", "bfloat16")
WHOLE = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
# Few, so that JAX compiles each function for each only once.
SHAPES = st.sampled_from([(), (5,), (2, 0), (2, 3), (1, 4, 2)])
quick = settings(
    max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)


def check(function, *arguments):
    rng = np.random.default_rng(0)
    case = Case(label="drawn", function=function, arguments=arguments)
    wide = any(np.dtype(each.dtype).itemsize == 8 for each in arguments)
    for done in checking.execute(case, in_float64=wide):
        checking.check_value(done)
        checking.check_explanation(done, rng)
        checking.check_source(done)
        checking.check_operations(done)


def floats(shape, dtype):
    # Multiples of 1/16: each dtype holds them, and none is so near a pole that rounding shows.
    return hnp.arrays(np.int32, shape, elements=st.integers(-64, 64)).map(
        lambda array: (array / 16).astype(np.dtype(dtype) if dtype != "bfloat16" else ml_dtypes.bfloat16)
    )


@quick
@given(data=st.data(), function=st.sampled_from(TWO_NUMBERS), dtype=st.sampled_from(FLOATS), shape=SHAPES)
def test_two_floats_of_any_shape_and_dtype(data, function, dtype, shape):
    check(function, data.draw(floats(shape, dtype)), data.draw(floats(shape, dtype)))


@quick
@given(data=st.data(), function=st.sampled_from(ONE_NUMBER), dtype=st.sampled_from(FLOATS), shape=SHAPES)
def test_one_float_of_any_shape_and_dtype(data, function, dtype, shape):
    check(function, data.draw(floats(shape, dtype)))


@quick
@given(
    data=st.data(), function=st.sampled_from(TWO_WHOLE_NUMBERS), dtype=st.sampled_from(WHOLE), shape=SHAPES
)
def test_two_whole_numbers_of_any_shape_and_dtype(data, function, dtype, shape):
    limits = np.iinfo(dtype)
    numbers = hnp.arrays(dtype, shape, elements=st.integers(limits.min, limits.max))
    # A signed division by zero has no NumPy source; its value is tested by itself.
    second = numbers
    if function in (lax.div, lax.rem):
        smallest = st.integers(-100 if limits.min else 1, -1) if limits.min else st.nothing()
        second = hnp.arrays(dtype, shape, elements=smallest | st.integers(1, 100))
    elif "shift" in function.__name__:
        second = hnp.arrays(dtype, shape, elements=st.integers(0, limits.bits - 1))
    check(function, data.draw(numbers), data.draw(second))


@pytest.mark.parametrize("dtype", ["int32", "uint8"])
@pytest.mark.parametrize("function", [lax.div, lax.rem])
def test_whole_numbers_divided_by_zero_as_in_jax(function, dtype):
    numbers = np.array([0, 1, 7, 100], dtype)
    case = Case(label="zero", function=function, arguments=(numbers, np.zeros_like(numbers)))

    [done] = checking.execute(case, in_float64=False)

    checking.check_value(done)


@pytest.mark.parametrize("places", [0, 1, 31, 32, 40])
@pytest.mark.parametrize("function", [lax.shift_left, lax.shift_right_logical, lax.shift_right_arithmetic])
def test_shifts_beyond_the_width_as_in_jax(function, places):
    numbers = np.array([1, -1, 12345, -12345], np.int32)
    case = Case(label="far", function=function, arguments=(numbers, np.full_like(numbers, places)))

    [done] = checking.execute(case, in_float64=False)

    checking.check_value(done)
