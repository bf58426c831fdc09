"""openbook's segmentation beside the book's, on the same scenes and split: `python -m bench.segmentation`.

For each seed the book's encoder and decoder trains first, with the mean intersection over union of the held-out
pictures after each epoch, for as many epochs as the book states or until it has not risen for ten. Then openbook's
default trains for one, two, three, … epochs, each from the start with its rate falling to zero at the end, until
it is as good as the book's best epoch. For each score that the book's arm had, its seconds stand beside those of
openbook's shortest run that is as good, compilation included on both sides. Both hold their pictures in memory,
at the recipe's own size. Results go to `bench/results/segmentation.json` as they come, so a run that was stopped
goes on where it was.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from bench.book import segmentation as book
from bench.side_by_side import Rows, scores_arguments, train_side_by_side
from bench.train_once import arrays_of, prepared, train_prepared

LENGTHS = (1.0, 2.0, 3.0, 5.0, 8.0, 12.0, 18.0, 27.0, 40.0)
_PATIENCE = 10


def main() -> None:
    """Run both arms and print the ratios."""
    parser = scores_arguments("segmentation", __doc__, ())
    parser.add_argument("--data", default="openmoji-scenes", help="as for `openbook train segmentation`")
    parser.add_argument("--side", type=int, default=96, help="height and width of the pictures, for both")
    given = parser.parse_args()
    rows = Rows(given.results, command="python -m bench.segmentation")
    key = {"data": given.data, "side": given.side, "book_epochs": given.book_epochs or book.NUM_EPOCHS}
    if given.anew:
        rows.forget(key)
    for seed in range(given.seeds):
        recipe, splits = prepared("segmentation", data=given.data, side=given.side, seed=seed)
        train_side_by_side(
            rows,
            {**key, "seed": seed},
            book=lambda splits=splits, seed=seed: _book(splits, seed, key["book_epochs"]),
            openbook=lambda epochs, recipe=recipe, splits=splits: train_prepared(
                recipe, splits, epochs=epochs, score="iou"
            ),
            lengths=LENGTHS,
            patience=_PATIENCE,
        )


def _book(splits: Any, seed: int, num_epochs: int) -> Any:
    pictures, targets = arrays_of(splits.test)

    def score(probabilities: np.ndarray) -> float:
        return mean_iou(splits.goal, probabilities, targets)

    return book.train(
        arrays_of(splits.train),
        pictures,
        score,
        num_classes=len(splits.facts["classes"]),
        seed=seed,
        num_epochs=num_epochs,
    )


def mean_iou(goal: Any, probabilities_NHWC: np.ndarray, targets_NHW: np.ndarray) -> float:
    """The score as openbook has it."""
    sums = goal.sums(probabilities_NHWC, targets_NHW, np.ones(len(targets_NHW), np.float32))
    return float(goal.score({name: np.asarray(value) for name, value in sums.items()})["iou"])


if __name__ == "__main__":
    main()
