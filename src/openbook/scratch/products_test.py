"""Four ways to multiply matrices, one result."""

import numpy as np
import pytest

from openbook.errors import UsageError
from openbook.scratch import products

WAYS = [getattr(products, name) for name in products.__all__]


@pytest.mark.parametrize("way", WAYS)
def test_small_whole_numbers_by_hand(way):
    assert way(np.array([[1, 2], [3, 4]]), np.array([[5, 6], [7, 8]])).tolist() == [[19, 22], [43, 50]]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("sizes", [(4, 5, 3), (1, 1, 1), (2, 0, 3)])
def test_all_ways_agree_with_numpy(way, sizes, rng):
    left, right = rng.normal(size=sizes[:2]), rng.normal(size=sizes[1:])
    # float64, sums in another order.
    assert np.allclose(way(left, right), left @ right, rtol=0, atol=1e-14)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("shapes", [((2, 3), (2, 3)), ((2, 3), (1, 4)), ((3,), (3, 2))])
def test_matrices_that_do_not_fit_are_refused(way, shapes):
    with pytest.raises(UsageError, match=r"needs matrices \(M, K\) and \(K, N\); got \("):
        way(np.ones(shapes[0]), np.ones(shapes[1]))
