"""Cases of running sums, products, maxima and minima."""

from __future__ import annotations

import numpy as np
import pytest
from jax import lax

from openbook.program.primitives.cases_test import Case
from openbook.program.primitives.table import Shape, primitives

X = np.random.default_rng(26).normal(size=(3, 4)).astype(np.float32)
INTEGERS = np.random.default_rng(26).integers(-9, 10, size=(3, 4)).astype(np.int8)
SPECIAL = np.array([[1.0, np.nan, 2.0], [1.0, np.inf, -np.inf]], np.float32)
FUNCTIONS = (lax.cumsum, lax.cumprod, lax.cummax, lax.cummin, lax.cumlogsumexp)

CASES = (
    *(
        Case(
            label=f"{function.__name__}-{axis}{'-reverse' if reverse else ''}",
            function=lambda x, function=function, axis=axis, reverse=reverse: function(
                x, axis=axis, reverse=reverse
            ),
            arguments=(X,),
            gradient=True,
        )
        for function in FUNCTIONS
        for axis in (0, 1)
        for reverse in (False, True)
    ),
    *(
        Case(
            label=f"{each.__name__}-integers", function=lambda x, each=each: each(x, 1), arguments=(INTEGERS,)
        )
        for each in FUNCTIONS[:4]
    ),
    *(
        Case(label=f"{each.__name__}-special", function=lambda x, each=each: each(x, 1), arguments=(SPECIAL,))
        for each in FUNCTIONS[:4]
    ),
    Case(label="cumsum-empty", function=lambda x: lax.cumsum(x, 1), arguments=(X[:, :0],)),
)


@pytest.mark.parametrize("name", [each.__name__ for each in FUNCTIONS])
def test_each_row_costs_one_operation_less_than_it_has_elements(name):
    shape = Shape(shape=(3, 5), dtype=np.dtype("float32"))

    assert primitives()[name].operations({"axis": 1, "reverse": False}, [shape], [shape]) == 3 * 4
