"""Explanations of padded inputs: terms that lie in the padding and add exactly nothing are not told."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from openbook.program.primitives.reason import contributions
from openbook.program.primitives.table import Factor, Reason, Selection, Sum

# By value id: for some axes, loop times first, how many places are not padding.
RealSizes = Mapping[int, Mapping[int, int]]


def without_padding(
    reason: Reason,
    operands: Sequence[np.ndarray],
    operand_ids: Sequence[int],
    *,
    num_times: int,
    real_sizes: RealSizes,
) -> Reason:
    """The same reason; a sum without the terms, a selection without the candidates, that are padding.

    A term that adds something is kept wherever it lies, so that the terms always add up to the number.

    Args:
        operands: the step's inputs, at the times of its loops.
        num_times: how many loops there are around the step.
    """

    def is_padding(factor: Factor) -> np.ndarray:
        sizes = real_sizes.get(operand_ids[factor.operand], {})
        outside = np.zeros(len(factor.indices), bool)
        for axis, size in sizes.items():
            if num_times <= axis < num_times + factor.indices.shape[1]:
                outside |= factor.indices[:, axis - num_times] >= size
        return outside

    if isinstance(reason, Sum):
        outside = np.logical_or.reduce([is_padding(factor) for factor in reason.factors])
        if not outside.any():
            return reason
        kept = ~outside | (contributions(reason, operands) != 0)
        coefficients = None if reason.coefficients is None else reason.coefficients[kept]
        factors = tuple(
            dataclasses.replace(factor, indices=factor.indices[kept]) for factor in reason.factors
        )
        return (
            dataclasses.replace(reason, factors=factors, coefficients=coefficients) if kept.any() else reason
        )
    if isinstance(reason, Selection) and reason.candidates is not None:
        inside = ~is_padding(reason.candidates)
        candidates = dataclasses.replace(reason.candidates, indices=reason.candidates.indices[inside])
        return dataclasses.replace(reason, candidates=candidates)
    return reason
