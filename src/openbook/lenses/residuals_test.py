"""Errors of numbers, by hand."""

import numpy as np
import pytest

from openbook.lenses.folds import FoldErrors, draw_folds
from openbook.lenses.residuals import Residuals, draw_residuals, num_decimals


def test_errors_in_words_by_hand():
    residuals = Residuals(
        predicted_N=np.array([20.0, 31.0, 10.0]),
        observed_N=np.array([22.0, 30.0, 10.0]),
        target="price",
        unit="k$",
        guess=20.0,
        descriptions=("a", "b", "c"),
    )
    assert residuals.mae == 1.0
    assert list(residuals.worst) == [0, 1, 2]
    lines = residuals.text().splitlines()
    assert lines[0] == (
        "off by 1.00 k$ on average on 3 held-out rows; always saying 20.0 would be off by 7.33"
    )
    assert lines[2] == "  said 20.0, was 22.0: a"


def test_folds_by_hand():
    folds = FoldErrors(errors=[np.array([1.0, -3.0]), np.array([4.0])], unit="")
    assert (folds.maes, folds.mae, folds.spread) == ([2.0, 4.0], 3.0, 1.0)
    assert folds.rmse == pytest.approx(np.sqrt(26 / 3))
    assert folds.text().startswith("2-fold: off by 3.00 on average on all 3 rows")


@pytest.mark.parametrize(("spread", "decimals"), [(9.2, 1), (0.92, 2), (92, 0), (1e5, 0), (1e-3, 5), (0, 2)])
def test_decimals_tell_numbers_apart(spread, decimals):
    assert num_decimals(spread) == decimals


def test_pictures_are_drawn_also_of_names_with_signs_of_mathematics(tmp_path, rng):
    observed = rng.normal(size=6000)
    residuals = Residuals(
        predicted_N=observed + 0.1, observed_N=observed, target="$x_1^{", unit="$", guess=0.0
    )
    draw_residuals(residuals, tmp_path / "samples" / "predicted.png")
    draw_folds(FoldErrors(errors=[np.ones(2), np.ones(3)], unit="$"), tmp_path / "folds.png")
    assert (tmp_path / "samples" / "predicted.png").stat().st_size > 10_000
    assert (tmp_path / "folds.png").stat().st_size > 5_000
