"""The arithmetic behind one element, done once more from its operands."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from openbook.program.primitives.elementwise import wide
from openbook.program.primitives.table import Factor, Formula, Given, Index, Reason, Selection, Sum


@dataclasses.dataclass(frozen=True, kw_only=True)
class Term:
    """One summand of an element.

    Attributes:
        contribution: what it adds: coefficient × product of its operands' elements.
        operands: (position among the step's inputs, index) of those elements.
        coefficient: 1 where the sum has none.
    """

    contribution: Any
    operands: tuple[tuple[int, Index], ...]
    coefficient: float = 1.0


def evaluate(reason: Reason, operands: Sequence[np.ndarray]) -> Any:
    """The element, recomputed from the operand elements that the reason names, and from nothing else.

    Args:
        operands: the step's inputs, whole arrays.
    """
    # Overflow and division by zero give what IEEE says, as in JAX.
    with np.errstate(all="ignore"):
        match reason:
            case Sum():
                total = contributions(reason, operands).sum()
                dtypes = [operands[factor.operand].dtype for factor in reason.factors]
                # Whole numbers wrap around in their own width.
                is_whole = all(dtype.kind in "iu" for dtype in dtypes)
                return total.astype(np.result_type(*dtypes)) if is_whole else total
            case Formula():
                return reason.compute(*(operands[position][index] for position, index in reason.operands))
            case Selection(chosen=(position, index)):
                return operands[position][index]
            case Given():
                return reason.value


def contributions(reason: Sum, operands: Sequence[np.ndarray]) -> np.ndarray:
    """What each term adds, in the order of the reason's rows; float64 where the operands are floats."""
    product = _exact(elements_of(reason.factors[0], operands))
    for factor in reason.factors[1:]:
        product = product * _exact(elements_of(factor, operands))
    return product if reason.coefficients is None else product * _exact(reason.coefficients)


def terms(reason: Sum, operands: Sequence[np.ndarray], *, limit: int | None = None) -> tuple[Term, ...]:
    """The terms of a sum, the largest contribution first.

    Args:
        limit: leave out all but so many; what they add together is the element minus the sum of those given.
    """
    all_contributions = contributions(reason, operands)
    size = np.abs(all_contributions)
    # A NaN explains all that follows from it, so it comes first.
    order = np.argsort(-np.where(np.isnan(size), np.inf, size), kind="stable")[:limit]
    return tuple(
        Term(
            contribution=all_contributions[row],
            operands=tuple(
                (factor.operand, tuple(int(place) for place in factor.indices[row]))
                for factor in reason.factors
            ),
            coefficient=1.0 if reason.coefficients is None else float(reason.coefficients[row]),
        )
        for row in order
    )


def elements_of(factor: Factor, operands: Sequence[np.ndarray]) -> np.ndarray:
    """The operand's elements that a factor names, one a row."""
    operand = operands[factor.operand]
    if not operand.ndim:
        return np.full(len(factor.indices), operand[()])
    return np.asarray(operand[tuple(factor.indices.T)])


def _exact(elements: np.ndarray) -> np.ndarray:
    """In the widest dtype of its kind, so that the order of summation does not show."""
    elements = wide(elements)
    widest = {"f": np.float64, "c": np.complex128, "b": np.int64}.get(elements.dtype.kind)
    return elements if widest is None else elements.astype(widest)
