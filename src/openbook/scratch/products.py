"""The matrix product four times: by loops, by rows, by broadcasting and by einsum."""

# M, N = rows and columns of the product, K = the axis that is summed over
# Source of all four: fastai, "Deep Learning for Coders with fastai and PyTorch" (2020), chapter 17.

import numpy as np

from openbook.errors import UsageError
from openbook.scratch.layers import Array

__all__ = ["product_by_broadcasting", "product_by_einsum", "product_by_loops", "product_by_rows"]


def product_by_loops(left_MK: Array, right_KN: Array) -> Array:
    """Element (m, n) is the sum over k of left[m, k] · right[k, n], one multiplication at a time.

    Raises:
        UsageError: not two matrices, or the inner sizes differ. So do the other three.
    """
    product_MN = _zeros_for(left_MK, right_KN)
    for m in range(left_MK.shape[0]):
        for n in range(right_KN.shape[1]):
            for k in range(left_MK.shape[1]):
                product_MN[m, n] += left_MK[m, k] * right_KN[k, n]
    return product_MN


def product_by_rows(left_MK: Array, right_KN: Array) -> Array:
    """A row times a column, element by element, then summed: the innermost loop is gone."""
    product_MN = _zeros_for(left_MK, right_KN)
    for m, n in np.ndindex(product_MN.shape):
        product_MN[m, n] = (left_MK[m, :] * right_KN[:, n]).sum()
    return product_MN


def product_by_broadcasting(left_MK: Array, right_KN: Array) -> Array:
    """A row, stood up as a column, is stretched over all columns of `right`: one loop is left."""
    product_MN = _zeros_for(left_MK, right_KN)
    for m in range(left_MK.shape[0]):
        product_MN[m] = (left_MK[m, :, None] * right_KN).sum(axis=0)
    return product_MN


def product_by_einsum(left_MK: Array, right_KN: Array) -> Array:
    """Einstein's notation: an index that is missing behind the arrow is summed over."""
    return np.einsum("mk,kn->mn", left_MK, right_KN, out=_zeros_for(left_MK, right_KN))


def _zeros_for(left_MK: Array, right_KN: Array) -> Array:
    if left_MK.ndim != 2 or right_KN.ndim != 2 or left_MK.shape[1] != right_KN.shape[0]:
        shapes = f"{left_MK.shape} and {right_KN.shape}"
        raise UsageError(
            f"a product needs matrices (M, K) and (K, N); got {shapes}. Transpose or reshape one"
        )
    return np.zeros((left_MK.shape[0], right_KN.shape[1]), np.result_type(left_MK, right_KN))
