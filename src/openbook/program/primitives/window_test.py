"""Cases of windows that slide over an array."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from openbook.program.cost import cost_of
from openbook.program.primitives.cases_test import Case
from openbook.program.primitives.table import Element, Shape, primitives
from openbook.program.program import program_of

_RNG = np.random.default_rng(33)
# All elements differ by more than a hundredth, so that no window has a tie.
X = _RNG.permutation(2 * 5 * 4 * 2).reshape(2, 5, 4, 2).astype(np.float32) / 100
SMALL = X[0, :, :, 0]


def _window(start, combine, window, stride, padding, **more):
    def function(x):
        first = np.asarray(start, np.bool_ if isinstance(start, bool) else x.dtype)
        return lax.reduce_window(x, first, combine, window, stride, padding, **more)

    return function


def _with_derivatives(function):
    """The function, its gradient, and its derivative along a direction."""

    def all_three(x):
        def probed(x):
            result = function(x)
            return (jnp.sin(jnp.arange(result.size, dtype=x.dtype)).reshape(result.shape) * result).sum()

        return function(x), jax.grad(probed)(x), jax.jvp(function, (x,), (jnp.cos(x),))[1]

    return all_three


MAX, MIN, SUM = (-np.inf, lax.max), (np.inf, lax.min), (0.0, lax.add)
POOL = ((1, 3, 2, 1), (1, 2, 2, 1))

CASES = (
    Case(label="max", function=_with_derivatives(_window(*MAX, *POOL, "SAME")), arguments=(X,)),
    Case(label="max-gradient", function=_window(*MAX, *POOL, "VALID"), arguments=(X,), gradient=True),
    Case(label="min", function=_with_derivatives(_window(*MIN, *POOL, "VALID")), arguments=(X,)),
    Case(label="sum", function=_with_derivatives(_window(*SUM, *POOL, "SAME")), arguments=(X,)),
    Case(label="sum-gradient", function=_window(*SUM, *POOL, "SAME"), arguments=(X,), gradient=True),
    Case(
        label="max-ties",
        function=_with_derivatives(_window(*MAX, (3, 2), (1, 1), "SAME")),
        arguments=(np.round(SMALL * 5),),
    ),
    Case(
        label="max-apart",
        function=_window(*MAX, (3, 2), (2, 1), ((1, 2), (0, 1)), window_dilation=(1, 2)),
        arguments=(SMALL,),
    ),
    Case(
        label="max-spread",
        function=_window(*MAX, (2, 2), (1, 1), ((3, 2), (0, 1)), base_dilation=(3, 2)),
        arguments=(SMALL,),
    ),
    Case(
        label="sum-spread",
        function=_window(*SUM, (3, 2), (2, 1), ((1, 2), (0, 1)), base_dilation=(2, 3)),
        arguments=(SMALL,),
    ),
    Case(label="sum-cut", function=_window(*SUM, (2, 2), (1, 1), ((-1, 2), (1, -2))), arguments=(SMALL,)),
    Case(label="sum-of-all", function=_window(*SUM, (5, 4), (1, 1), "VALID"), arguments=(SMALL,)),
    Case(label="no-places", function=_window(*SUM, (9, 2), (1, 1), "VALID"), arguments=(SMALL,)),
    Case(
        label="max-integers",
        function=_window(np.iinfo(np.int32).min, lax.max, (2, 2), (1, 2), "SAME"),
        arguments=(_RNG.integers(-5, 9, (4, 5)).astype(np.int32),),
    ),
    Case(
        label="or",
        function=_window(False, lax.bitwise_or, (2, 2), (1, 2), "SAME"),
        arguments=(_RNG.random((4, 5)) > 0.5,),
    ),
    Case(label="product", function=_window(1.0, lax.mul, (2, 2), (1, 2), "SAME"), arguments=(SMALL,)),
    Case(
        label="two-at-once",
        function=lambda x: lax.reduce_window(
            (x, x * 2),
            (np.asarray(0, x.dtype), np.asarray(1, x.dtype)),
            lambda left, right: (left[0] + right[0], left[1] * right[1]),
            (2, 2),
            (1, 2),
            "SAME",
        ),
        arguments=(SMALL,),
    ),
)


@pytest.mark.parametrize(("combine", "word"), [(MAX, "largest"), (MIN, "smallest")])
def test_pooling_chooses_an_element_of_its_window_and_skips_the_padding(combine, word):
    program = program_of(_window(*combine, *POOL, "SAME"), X)
    [step] = program.steps
    result = Shape(shape=program.values[step.outputs[0]].shape, dtype=X.dtype)
    element = Element(params=step.params, operands=(X,), results=(result,), output=0, index=(1, 0, 1, 1))

    reason = primitives()[step.primitive].explain(element)

    # The window's first row lies in the padding.
    seen = X[1, 0:2, 2:4, 1]
    assert len(reason.candidates.indices) == 4
    assert X[reason.chosen[1]] == (seen.max() if word == "largest" else seen.min())
    assert word in reason.why


def test_pooling_costs_a_comparison_for_each_further_element_of_the_window():
    program = program_of(
        _window(*MAX, (1, 2, 2, 1), (1, 2, 2, 1), "VALID"), np.zeros((8, 28, 28, 16), np.float32)
    )

    assert cost_of(program).operations == 8 * 14 * 14 * 16 * 3
