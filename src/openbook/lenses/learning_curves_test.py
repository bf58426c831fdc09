"""Curves of one run and of several."""

import numpy as np
import pytest

from openbook.errors import UsageError
from openbook.lenses.learning_curves import draw_learning_curves, learning_curves
from openbook.runs import Run


def run_with_metrics(folder, name, losses):
    run = Run.create(recipe="digits", record={}, parent=folder, name=name)
    for step, loss in enumerate(losses, start=1):
        run.append_metrics({"step": step, "train_s": float(step), "loss": loss})
    run.append_metrics({"step": len(losses), "train_s": 9.0, "held_out": {"loss": 0.7, "accuracy": 0.8}})
    return run


@pytest.mark.parametrize("num_runs", [1, 2])
def test_curves_are_the_metrics(tmp_path, num_runs):
    runs = [run_with_metrics(tmp_path, f"run-{number}", [2.0, 1.0, 1.5]) for number in range(num_runs)]
    found = learning_curves(runs)
    np.testing.assert_array_equal(found.training["run-0"].values, [2.0, 1.0, 1.5])
    assert found.to_dict()["runs"]["run-0"]["held_out"]["accuracy"] == {"steps": [3.0], "values": [0.8]}
    assert "best 1 at step 2" in found.text()
    draw_learning_curves(found, tmp_path / "curves.png")
    assert (tmp_path / "curves.png").stat().st_size > 2000


def test_curves_need_a_run():
    with pytest.raises(UsageError, match="learning curves are of runs"):
        learning_curves([])
