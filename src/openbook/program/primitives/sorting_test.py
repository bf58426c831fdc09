"""Cases and explanations of sorting, and of the largest elements of each row."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jax import lax

from openbook.program.primitives import checking_test as checking
from openbook.program.primitives.cases_test import Case
from openbook.program.primitives.table import Shape, primitives

_RNG = np.random.default_rng(27)
X = _RNG.normal(size=(3, 4)).astype(np.float32)
TIES = _RNG.integers(0, 3, size=(5, 6)).astype(np.float32)
INTEGERS = _RNG.integers(-9, 10, size=(5, 6)).astype(np.int32)
SPECIAL = np.array([[1.0, np.nan, 0.0, -0.0, np.inf, -np.inf, np.nan]], np.float32)

CASES = (
    *(
        Case(
            label=f"sort-{axis}",
            function=lambda x, axis=axis: jnp.sort(x, axis=axis),
            arguments=(X,),
            gradient=True,
        )
        for axis in (0, 1)
    ),
    Case(label="sort-special", function=jnp.sort, arguments=(SPECIAL,)),
    Case(label="argsort", function=jnp.argsort, arguments=(TIES,)),
    Case(label="argsort-falling", function=lambda x: jnp.argsort(x, descending=True), arguments=(TIES,)),
    Case(
        label="sort-two-keys",
        function=lambda x, n: lax.sort((x, n, x * 2), dimension=0, num_keys=2),
        arguments=(TIES, INTEGERS),
    ),
    *(
        Case(
            label=f"top_k-{name}",
            function=lambda x: lax.top_k(x, 3),
            arguments=(numbers,),
            gradient=numbers is X,
        )
        for name, numbers in (("floats", X), ("ties", TIES), ("integers", INTEGERS), ("special", SPECIAL))
    ),
    Case(label="top_k-first-axis", function=lambda x: lax.top_k(x, 2, axis=0), arguments=(TIES,)),
    Case(label="approx_max_k", function=lambda x: lax.approx_max_k(x, 2), arguments=(X,)),
    Case(
        label="approx_min_k",
        function=lambda x: lax.approx_min_k(x, 2, reduction_dimension=0),
        arguments=(X,),
    ),
)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 99),
    dtype=st.sampled_from(("float32", "int8", "uint32", "bool")),
    shape=st.sampled_from([(5,), (2, 4), (3, 1, 2)]),
    axis=st.sampled_from((0, -1)),
)
def test_any_shape_dtype_and_axis(seed, dtype, shape, axis):
    numbers = np.random.default_rng(seed).integers(0, 4, shape).astype(dtype)
    second = np.arange(numbers.size, dtype=np.int32).reshape(shape)
    case = Case(
        label="drawn",
        function=lambda *arrays: lax.sort(arrays, dimension=axis % len(shape), num_keys=1),
        arguments=(numbers, second),
    )

    [done] = checking.execute(case, in_float64=False)

    checking.check_value(done)
    checking.check_explanation(done, np.random.default_rng(0))
    checking.check_source(done)


@pytest.mark.parametrize(("length", "operations"), [(1, 0), (2, 2), (8, 24), (9, 36)])
def test_a_sort_by_merging_compares_n_log_n_times(length, operations):
    shape = Shape(shape=(length,), dtype=np.dtype("float32"))

    assert primitives()["sort"].operations({"dimension": 0}, [shape], [shape]) == operations
