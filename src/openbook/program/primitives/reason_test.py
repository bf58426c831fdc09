"""The arithmetic behind one element, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from openbook.program.primitives.reason import contributions, evaluate, terms
from openbook.program.primitives.table import Factor, Formula, Given, Selection, Sum

LEFT = np.array([[1.0, 2.0], [3.0, -4.0]], np.float32)
RIGHT = np.array([10.0, 100.0], np.float32)
PRODUCTS = Sum(
    factors=(
        Factor(operand=0, indices=np.array([[1, 0], [1, 1]])),
        Factor(operand=1, indices=np.array([[0], [1]])),
    ),
    text="Σ {0}·{1}",
)


def test_a_sum_of_products():
    assert contributions(PRODUCTS, [LEFT, RIGHT]).tolist() == [30.0, -400.0]
    assert evaluate(PRODUCTS, [LEFT, RIGHT]) == -370.0


def test_terms_come_by_size_and_name_their_operands():
    first, second = terms(PRODUCTS, [LEFT, RIGHT])

    assert (first.contribution, first.operands) == (-400.0, ((0, (1, 1)), (1, (1,))))
    assert second.contribution == 30.0


def test_coefficients_scale_their_terms():
    scaled = Sum(factors=PRODUCTS.factors[1:], coefficients=np.array([0.5, 0.25]), text="")

    assert evaluate(scaled, [LEFT, RIGHT]) == 30.0
    assert [term.coefficient for term in terms(scaled, [LEFT, RIGHT])] == [0.25, 0.5]


def test_a_term_that_is_not_a_number_comes_first():
    numbers = np.array([1.0, np.nan, 5.0])
    reason = Sum(factors=(Factor(operand=0, indices=np.arange(3)[:, None]),), text="")

    assert terms(reason, [numbers], limit=1)[0].operands == ((0, (1,)),)


def test_whole_numbers_wrap_in_their_own_width():
    numbers = np.array([200, 100], np.uint8)
    reason = Sum(factors=(Factor(operand=0, indices=np.arange(2)[:, None]),), text="")

    assert evaluate(reason, [numbers]) == 44


def test_a_scalar_counts_in_every_term():
    reason = Sum(factors=(Factor(operand=0, indices=np.zeros((3, 0), int)),), text="")

    assert evaluate(reason, [np.float32(2)]) == 6.0


@pytest.mark.parametrize(
    ("reason", "value"),
    [
        (Formula(operands=((0, (1, 1)), (1, (0,))), compute=np.maximum, text=""), 10.0),
        (Selection(chosen=(0, (1, 0)), why=""), 3.0),
        (Given(value=7, why=""), 7),
        (Formula(operands=((0, (0, 0)),), compute=lambda x: x / np.float32(0), text=""), np.inf),
    ],
)
def test_other_reasons(reason, value):
    assert evaluate(reason, [LEFT, RIGHT]) == value
