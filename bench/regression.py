"""openbook's house prices beside the book's, on the same rows, folds and backend: `python -m bench.regression`.

Both give a 4-fold estimate on all 506 rows of Boston, with the same features. First each is trained without a
clock: the book's for its 130 epochs with the error after each, openbook for 2, 3, 5, … epochs, each from the
start with its rate falling to zero at the end, until its error (mean over the seeds) is as low as the book's.
Then the two are timed in turns (A B A B …) at these lengths, making the networks ready included, and once more at
the book's own best epoch. At last the accuracy of openbook's defaults. Results go to
`bench/results/regression.json`.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.book import regression as book
from bench.side_by_side import facts, side_by_side

RESULTS = Path(__file__).parent / "results" / "regression.json"
EPOCHS = (2, 3, 5, 7, 10, 15, 20, 30, 50, 80, 130)
DEFAULT_EPOCHS = 200  # as many as a fold gets with the default budget


def main() -> None:
    """Run both and print the ratios."""
    parser = argparse.ArgumentParser(prog="python -m bench.regression", description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    seeds = range(given.seeds)
    ours, published = _Openbook(), _Book()
    curves = [published.curve(seed) for seed in seeds]
    curve = np.mean(curves, axis=0)
    best_epoch = int(curve.argmin()) + 1
    content: dict[str, Any] = {
        "command": "python -m bench.regression",
        "date": time.strftime("%Y-%m-%d"),
        **facts(),
        "score": "mean absolute error in k$ over 4 folds of all 506 rows, mean over the seeds",
        "seeds": given.seeds,
        "openbook_default": [ours.mae(DEFAULT_EPOCHS, seed) for seed in seeds],
    }
    tried = {epochs: statistics.mean(ours.mae(epochs, seed) for seed in seeds) for epochs in EPOCHS}
    content["openbook_by_epochs"] = tried
    for name, num_epochs in (("book_as_published", book.NUM_EPOCHS), ("book_at_its_best", best_epoch)):
        wanted = float(curve[num_epochs - 1])
        content[name] = {
            "epochs": num_epochs,
            "mae": wanted,
            **_timed(ours, published, tried, wanted, num_epochs, given.rounds),
        }
        print(json.dumps({name: content[name]}, indent=1), flush=True)
    RESULTS.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    print("openbook's defaults:", content["openbook_default"])


def _timed(
    ours: _Openbook, published: _Book, tried: dict[int, float], wanted: float, num_epochs: int, rounds: int
) -> dict[str, Any]:
    enough = [epochs for epochs, mae in tried.items() if mae <= wanted]
    if not enough:
        return {"openbook_epochs": None}
    pair = side_by_side(
        lambda: ours.mae(enough[0], 0), lambda: published.mae(num_epochs, 0), rounds=rounds, warm_up=1
    )
    return {
        "openbook_epochs": enough[0],
        "openbook_mae": tried[enough[0]],
        "ratio_epochs": num_epochs / enough[0],
        "openbook_s": pair.first_s,
        "book_s": pair.second_s,
        "ratio_s": pair.ratio,
    }


class _Openbook:
    """A 4-fold estimate as `openbook train regression` makes it."""

    def __init__(self) -> None:
        from openbook.recipes.backend import prepare_backend
        from openbook.recipes.regression import Regression
        from openbook.training.reporter import Reporter

        prepare_backend()
        recipe = Regression(num_folds=book.NUM_FOLDS)
        data = recipe.load_data(Reporter())
        resolved = recipe.resolve(data)
        assert isinstance(resolved, Regression)
        self.recipe = resolved
        self.folds = list(resolved.folds(data))

    def mae(self, epochs: int, seed: int) -> float:
        """Of the four models together."""
        from openbook.supervised.folds import LoopTraining
        from openbook.supervised.task import predict
        from openbook.training.schedule import Schedule
        from openbook.training.seeding import seeded

        recipe = self.recipe
        assert recipe.batch_size and recipe.learning_rate
        training = LoopTraining(
            recipe.optimizer, batch_size=recipe.batch_size, schedule=Schedule(peak=recipe.learning_rate)
        )
        maes = []
        for number, splits in enumerate(self.folds):
            with seeded(1000 * seed + number):
                model = recipe.build_model(splits.facts)
            num_steps = epochs * (len(splits.train) // recipe.batch_size)
            training.train(model, splits, num_steps=num_steps, seed=seed)
            said = predict(model, splits.test, batch_size=recipe.batch_size)[:, 0]
            _, observed = splits.test.batch(np.arange(len(splits.test)))
            maes.append(float(splits.facts["scale"] * np.abs(said - observed).mean()))
        return statistics.mean(maes)


class _Book:
    """The same four folds with the book's network, on targets in their own unit."""

    def __init__(self) -> None:
        self.arrays = [_in_unit(splits) for splits in _Openbook().folds]

    def curve(self, seed: int) -> np.ndarray:
        """Error after each epoch, mean over the folds."""
        found = [
            book.train(train, test, num_epochs=book.NUM_EPOCHS, seed=10 * seed + number, with_curve=True)[1]
            for number, (train, test) in enumerate(self.arrays)
        ]
        return np.asarray(np.mean(found, axis=0))

    def mae(self, num_epochs: int, seed: int) -> float:
        """Of the four models together."""
        return statistics.mean(
            book.train(train, test, num_epochs=num_epochs, seed=10 * seed + number)[1][-1]
            for number, (train, test) in enumerate(self.arrays)
        )


def _in_unit(splits: Any) -> Sequence[tuple[np.ndarray, np.ndarray]]:
    found = []
    for examples in (splits.train, splits.test):
        inputs, targets = examples.batch(np.arange(len(examples)))
        found.append((inputs, (targets * splits.facts["scale"] + splits.facts["mean"]).astype(np.float32)))
    return found


if __name__ == "__main__":
    main()
