"""Permutation importance against what is known of a weighted sum."""

import numpy as np
import pytest

from openbook.errors import UsageError
from openbook.lenses.permuted_columns import permuted_columns, predictions_of


def squared_error(outputs, targets):
    return float(np.square(outputs[:, 0] - targets).mean())


def test_weighted_sum_rises_by_twice_its_squared_weights(rng):
    """Of independent columns of variance 1, shuffling one adds 2 w² to the squared error."""
    weights_F = np.array([3.0, 1.0, 0.0])
    inputs_NF = rng.normal(size=(4000, 3))
    found = permuted_columns(
        lambda rows_NF: rows_NF @ weights_F[:, None], inputs_NF, inputs_NF @ weights_F, squared_error
    )
    assert found.score == pytest.approx(0.0, abs=1e-12)
    # The variance of 4,000 draws is off by a few hundredths.
    np.testing.assert_allclose(found.increases, 2 * weights_F**2, rtol=0.08, atol=1e-12)
    assert list(found.order) == [0, 1, 2]


def test_features_of_a_group_are_shuffled_together(rng):
    """A model that only sees whether two features agree notices nothing when they are shuffled together."""
    first_N = rng.normal(size=200)
    inputs_NF = np.stack([first_N, first_N], axis=1)

    def predict(rows_NF):
        return (rows_NF[:, :1] - rows_NF[:, 1:]) ** 2

    found = permuted_columns(
        predict, inputs_NF, np.zeros(200), squared_error, groups={"both": [0, 1], "first": [0]}
    )
    assert found.increases[0] == 0.0
    assert found.increases[1] > 0.5


def test_rows_given_stay_as_they_are(lens_models, rng):
    model, inputs_NF = lens_models["table"]
    before = inputs_NF.copy()
    permuted_columns(predictions_of(model), inputs_NF, np.zeros(len(inputs_NF)), squared_error, num_repeats=1)
    np.testing.assert_array_equal(inputs_NF, before)


def test_single_row_cannot_be_shuffled():
    with pytest.raises(UsageError, match="two rows or more"):
        permuted_columns(lambda rows: rows, np.zeros((1, 2)), np.zeros(1), squared_error)
