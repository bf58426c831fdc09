"""Cases and properties of reductions."""

from __future__ import annotations

import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jax import lax

from openbook.program.primitives import checking_test as checking
from openbook.program.primitives.cases_test import Case
from openbook.program.primitives.reason import evaluate, terms
from openbook.program.primitives.table import Element, Given, Shape, primitives

_RNG = np.random.default_rng(24)
X = _RNG.normal(size=(2, 3, 4)).astype(np.float32)
INTEGERS = _RNG.integers(-9, 10, size=(3, 4)).astype(np.int32)
BYTES = _RNG.integers(0, 256, size=(3, 4)).astype(np.uint8)
TRUTH = _RNG.integers(0, 2, size=(4, 3)).astype(bool)
SPECIAL = np.array([[1.0, np.nan, 2.0], [np.inf, 1.0, -np.inf]], np.float32)

CASES = (
    *(
        Case(
            label=f"{function.__name__}-{name}",
            function=lambda x, function=function, axis=axis: function(x, axis=axis),
            arguments=(X,),
            gradient=True,
        )
        for function in (jnp.sum, jnp.max, jnp.min, jnp.mean, jnp.prod)
        for name, axis in (("all", None), ("last", -1), ("two", (0, 2)))
    ),
    *(
        Case(
            label=f"{function.__name__}-{numbers.dtype}",
            function=lambda x, function=function: function(x, axes=(0,)),
            arguments=(numbers,),
        )
        for function in (lax.reduce_sum, lax.reduce_max, lax.reduce_min, lax.reduce_prod)
        for numbers in (INTEGERS, BYTES, X.astype(ml_dtypes.bfloat16))
    ),
    *(
        Case(
            label=f"{function.__name__}-{name}",
            function=lambda x, function=function, axes=axes: function(x, axes=axes),
            arguments=(numbers,),
        )
        for function in (lax.reduce_and, lax.reduce_or, lax.reduce_xor)
        for name, numbers, axes in (("truth", TRUTH, (1,)), ("all", TRUTH, (0, 1)), ("bits", INTEGERS, (0,)))
    ),
    *(
        Case(
            label=f"{function.__name__}-special",
            function=lambda x, function=function: function(x, axes=(1,)),
            arguments=(SPECIAL,),
        )
        for function in (lax.reduce_sum, lax.reduce_max, lax.reduce_min)
    ),
    Case(label="sum-of-none", function=lambda x: lax.reduce_sum(x, axes=()), arguments=(X,)),
    Case(
        label="max-of-empty",
        function=lambda x: lax.reduce_max(x, axes=(1,)),
        arguments=(X[:, :0],),
        source=False,
    ),
    *(
        Case(
            label=f"{function.__name__}-{name}",
            function=lambda x, function=function, axis=axis: function(x, axis, np.int32),
            arguments=(numbers,),
        )
        for function in (lax.argmax, lax.argmin)
        for name, numbers, axis in (("last", X, 2), ("first", INTEGERS, 0), ("special", SPECIAL, 1))
    ),
)


def explain(name, operand, params, index):
    shape = Shape(shape=(), dtype=operand.dtype)
    element = Element(params=params, operands=[operand], results=[shape], output=0, index=index)
    return primitives()[name].explain(element)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    data=st.data(),
    function=st.sampled_from((lax.reduce_sum, lax.reduce_max, lax.reduce_min, lax.reduce_prod)),
    dtype=st.sampled_from(("float32", "float64", "float16", "int8", "int32", "uint8")),
    shape=st.sampled_from([(3,), (2, 3), (2, 0), (1, 3, 2)]),
)
def test_any_shape_dtype_and_axes(data, function, dtype, shape):
    axes = tuple(sorted(data.draw(st.sets(st.integers(0, len(shape) - 1)))))
    numbers = np.random.default_rng(data.draw(st.integers(0, 9))).integers(0, 5, shape).astype(dtype)
    case = Case(label="drawn", function=lambda x: function(x, axes=axes), arguments=(numbers,))

    [done] = checking.execute(case, in_float64=dtype == "float64") or [None]

    checking.check_value(done)
    checking.check_explanation(done, np.random.default_rng(0))
    checking.check_operations(done)
    if numbers.size:
        checking.check_source(done)


def test_sum_shows_its_terms_the_largest_first():
    numbers = np.array([[1.0, -5.0, 3.0], [9.0, 9.0, 9.0]], np.float32)

    reason = explain("reduce_sum", numbers, {"axes": (1,)}, (0,))
    shown = terms(reason, [numbers], limit=2)

    assert [(term.contribution, term.operands) for term in shown] == [
        (-5.0, ((0, (0, 1)),)),
        (3.0, ((0, (0, 2)),)),
    ]
    assert evaluate(reason, [numbers]) == -1.0


def test_maximum_names_the_chosen_element_among_its_row():
    numbers = np.array([[1.0, 5.0, 3.0], [9.0, 9.0, 9.0]], np.float32)

    reason = explain("reduce_max", numbers, {"axes": (1,)}, (0,))

    assert (reason.chosen, reason.why) == ((0, (0, 1)), "the largest along axis 1")
    assert reason.candidates.indices.tolist() == [[0, 0], [0, 1], [0, 2]]


@pytest.mark.parametrize(("name", "decisive"), [("reduce_and", False), ("reduce_or", True)])
def test_one_element_decides_over_all_or_any(name, decisive):
    truth = np.array([not decisive, decisive, not decisive])

    reason = explain(name, truth, {"axes": (0,)}, ())

    assert (reason.chosen, reason.why) == ((0, (1,)), f"one that is {str(decisive).lower()} is enough")


def test_position_is_given_by_the_largest_element():
    numbers = np.array([1.0, 5.0, 3.0], np.float32)

    reason = explain("argmax", numbers, {"axes": (0,)}, ())

    assert isinstance(reason, Given)
    assert (reason.value, reason.operands) == (1, ((0, (1,)),))


@pytest.mark.parametrize(("axes", "operations"), [((1,), 10 - 2), ((0, 1), 10 - 1), ((), 0)])
def test_operations_are_elements_read_minus_elements_written(axes, operations):
    kept = tuple(size for axis, size in enumerate((2, 5)) if axis not in axes)
    shapes = [Shape(shape=shape, dtype=np.dtype("float32")) for shape in ((2, 5), kept)]

    assert primitives()["reduce_sum"].operations({"axes": axes}, shapes[:1], shapes[1:]) == operations
