"""Cases and explanations of choices between operands."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from openbook.program.primitives.cases_test import Case
from openbook.program.primitives.table import Element, Shape, primitives

_RNG = np.random.default_rng(22)
X = _RNG.normal(size=(3, 4)).astype(np.float32)
Y = _RNG.normal(size=(3, 4)).astype(np.float32)
SPECIAL = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1.0], np.float32)
NUMBERS = np.array([[-1, 0, 1, 2], [3, 0, 2, 1], [1, 1, 0, 0]], np.int32)
CHOICES = np.abs(NUMBERS) % 3

CASES = (
    Case(
        label="platform",
        function=lambda x: lax.platform_dependent(x, cpu=lambda x: x * 2, default=lambda x: x * 3),
        arguments=(X,),
    ),
    Case(label="max", function=jnp.maximum, arguments=(X, Y), gradient=True),
    Case(label="min", function=jnp.minimum, arguments=(X, Y), gradient=True),
    Case(label="max-special", function=lax.max, arguments=(SPECIAL, SPECIAL[::-1].copy())),
    Case(label="min-special", function=lax.min, arguments=(SPECIAL, SPECIAL[::-1].copy())),
    Case(label="max-truth", function=lax.max, arguments=(X > 0, Y > 0)),
    Case(label="relu", function=jax.nn.relu, arguments=(X,), gradient=True),
    Case(label="where", function=lambda x, y: jnp.where(x > 0, x, y), arguments=(X, Y), gradient=True),
    Case(label="where-scalar", function=lambda x, y: lax.select_n(x[0, 0] > 0, x, y), arguments=(X, Y)),
    Case(label="select-of-three", function=lax.select_n, arguments=(CHOICES, X, Y, X * 2)),
    Case(label="select-beyond", function=lax.select_n, arguments=(NUMBERS, X, Y, X * 2)),
    Case(label="select-scalar", function=lax.select_n, arguments=(np.int32(2), X, Y, X * 2)),
    Case(label="select-truth", function=lax.select_n, arguments=(X > 0, X > 1, Y > 1)),
    Case(label="select-of-one", function=lax.select_n, arguments=(CHOICES * 0, X)),
    Case(
        label="clamp",
        function=lambda x: lax.clamp(x.dtype.type(-0.5), x, x.dtype.type(0.5)),
        arguments=(X,),
        gradient=True,
    ),
    Case(label="clamp-arrays", function=lax.clamp, arguments=(X - 1, Y, X + 1), gradient=True),
    Case(label="clamp-crossed", function=lax.clamp, arguments=(X + 1, Y, X - 1)),
    Case(
        label="clamp-special",
        function=lambda x: lax.clamp(x.dtype.type(-0.5), x, x.dtype.type(0.5)),
        arguments=(SPECIAL,),
    ),
    Case(
        label="clamp-integers",
        function=lambda x: lax.clamp(np.int32(0), x, np.int32(2)),
        arguments=(NUMBERS,),
    ),
)


def explain(name, *operands):
    shape = Shape(shape=operands[-1].shape, dtype=operands[-1].dtype)
    element = Element(params={}, operands=operands, results=[shape], output=0, index=(0,))
    return primitives()[name].explain(element)


@pytest.mark.parametrize(
    ("number", "chosen", "why"),
    [
        (-2.0, 0, "below the lower bound"),
        (0.5, 1, "within the bounds"),
        (2.0, 2, "above the upper bound"),
        (np.nan, 1, "not a number, so no comparison holds"),
    ],
)
def test_clamp_says_which_bound_took_over(number, chosen, why):
    reason = explain("clamp", np.float32([-1]), np.float32([number]), np.float32([1]))

    assert (reason.chosen[0], reason.why) == (chosen, why)


@pytest.mark.parametrize(
    ("left", "right", "chosen", "why"),
    [
        (2.0, 1.0, 0, "the larger of the two"),
        (1.0, 2.0, 1, "the larger of the two"),
        (1.0, 1.0, 0, "both are equal"),
        (1.0, np.nan, 1, "not a number, so no comparison holds"),
    ],
)
def test_max_says_which_operand_is_larger(left, right, chosen, why):
    reason = explain("max", np.float32([left]), np.float32([right]))

    assert (reason.chosen, reason.why) == ((chosen, (0,)), why)
