"""One training of openbook's in a folder of its own, for the benchmarks beside the book's recipes."""

from __future__ import annotations

import os
import tempfile
from typing import Any
from unittest import mock


def train_once(recipe: str, **settings: Any) -> dict[str, Any]:
    """Train with these settings.

    Returns:
        the held-out score, and `train_s`: compiling and steps. The held-out scores on the way are openbook's own
        affair and are not counted; the book's are not counted either.
    """
    from openbook.recipes import make_recipe, session
    from openbook.training.reporter import Reporter

    with tempfile.TemporaryDirectory() as folder, mock.patch.dict(os.environ, {"OPENBOOK_RUNS": folder}):
        result = session.train(make_recipe(recipe, settings), reporter=Reporter())
        phases = result.run.section("actual")["phases"]
        return {**result.score, "train_s": round(phases["compile"] + phases["steps"], 3)}
