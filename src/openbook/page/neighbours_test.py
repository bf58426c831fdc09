"""Maps of rows against a whole singular value decomposition."""

import numpy as np
import pytest

from openbook.page.neighbours import cosine_similarities, first_components


@pytest.mark.parametrize("shape", [(40, 6), (30, 300), (900, 300), (5, 1), (3, 2)])
def test_places_are_the_first_two_principal_components(shape, rng):
    # Directions of different strength, so that the first two are well apart from the others.
    matrix = (rng.normal(size=shape) * np.geomspace(30.0, 1.0, shape[1])).astype(np.float32)
    centred = matrix.astype(np.float64) - matrix.mean(axis=0, dtype=np.float64)
    _, _, directions = np.linalg.svd(centred, full_matrices=False)
    expected = np.zeros((shape[0], 2))
    expected[:, : min(2, shape[1])] = centred @ directions[:2].T[:, : min(2, shape[1])]
    np.testing.assert_allclose(np.abs(first_components(matrix)), np.abs(expected), rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(first_components(matrix), first_components(matrix))


def test_rows_of_zeros_are_like_no_other(rng):
    matrix = rng.normal(size=(4, 3)).astype(np.float32)
    matrix[2] = 0.0
    similarities = cosine_similarities(matrix, 0)
    assert similarities[0] == pytest.approx(1.0)
    assert similarities[2] == 0.0
    assert cosine_similarities(matrix, 2).tolist() == [0.0] * 4
