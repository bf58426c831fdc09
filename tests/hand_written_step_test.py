"""The training step that docs/training.md writes by hand gives the losses of `fit`."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

GUIDE = Path(__file__).resolve().parent.parent / "docs" / "training.md"


@pytest.mark.long
def test_step_by_hand_has_the_losses_of_fit(tmp_path, rng):
    script = re.search(
        r"<!-- script: step by hand -->\n```python\n(.*?)```", GUIDE.read_text("utf-8"), re.DOTALL
    )
    # As dark as digits: noise all over makes losses so large that rounding is seen.
    is_ink = rng.random((300, 28, 28)) < 0.15
    pictures = (255 * is_ink).astype(np.uint8)
    np.savez(tmp_path / "pictures.npz", x=pictures, y=np.arange(300) % 10)
    folders = {"OPENBOOK_RUNS": str(tmp_path / "runs"), "OPENBOOK_CACHE": str(tmp_path / "cache")}
    done = subprocess.run(
        [sys.executable, "-c", script[1], str(tmp_path / "pictures.npz")],
        env={**os.environ, **folders},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    losses = [[float(number) for number in line.split()[2:]] for line in done.stdout.splitlines()[:2]]
    assert [len(row) for row in losses] == [5, 5]
    # The same arithmetic in float32 in another order: a few units in the last place.
    assert float(done.stdout.split()[-1]) < 1e-6
