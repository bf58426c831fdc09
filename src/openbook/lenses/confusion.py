"""Which classes are taken for which, and the worst mistakes: numbers, text and a picture file."""

# N = examples, C = classes

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from openbook.lenses.lens import Lens, made_by_recipe, needs_no_model

__all__ = ["LENS", "Confusion", "confusion_of", "draw_confusion"]

_NUM_WORST = 12
_NUM_PAIRS = 6
_MAX_CELLS = 20


@dataclasses.dataclass(frozen=True, kw_only=True)
class Confusion:
    """What a classifier made of held-out examples.

    Attributes:
        counts_CC: rows are the true classes, columns the answers.
        worst: positions of the mistakes that were most certain, the most certain first.
        targets, answers, certainties: of these.
        pictures: (N, H, W, C) of these, between 0 and 1; None where they are none.
        texts: of these, where they are texts.
    """

    classes: tuple[str, ...]
    counts_CC: np.ndarray
    worst: np.ndarray
    targets: np.ndarray
    answers: np.ndarray
    certainties: np.ndarray
    pictures: np.ndarray | None = None
    texts: tuple[str, ...] = ()

    @property
    def accuracy(self) -> float:
        return float(np.trace(self.counts_CC) / self.counts_CC.sum())

    def pairs(self) -> list[tuple[str, str, int]]:
        """(true, answer, how often) of the most frequent mistakes."""
        wrong_CC = self.counts_CC - np.diag(np.diag(self.counts_CC))
        order = np.argsort(-wrong_CC, axis=None, kind="stable")[:_NUM_PAIRS]
        rows, columns = np.unravel_index(order, wrong_CC.shape)
        return [
            (self.classes[row], self.classes[column], int(wrong_CC[row, column]))
            for row, column in zip(rows, columns, strict=True)
            if wrong_CC[row, column]
        ]

    def text(self) -> str:
        """The accuracy of each class and the most frequent mistakes, in lines."""
        lines = [f"{self.accuracy:.1%} of {int(self.counts_CC.sum()):,} held-out examples are right"]
        totals_C = self.counts_CC.sum(axis=1)
        shares_C = np.diag(self.counts_CC) / np.maximum(1, totals_C)
        hardest = np.argsort(shares_C, kind="stable")[:_NUM_PAIRS]
        lines += [
            f"  {self.classes[index]}: {shares_C[index]:.1%} of {int(totals_C[index]):,}"
            for index in hardest
            if totals_C[index]
        ]
        lines += [f"  {true} taken for {answer}: {number:,}" for true, answer, number in self.pairs()]
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """The numbers as plain lists."""
        return {
            "classes": list(self.classes),
            "counts": self.counts_CC.tolist(),
            "accuracy": self.accuracy,
            "pairs": [list(pair) for pair in self.pairs()],
            "worst": [
                {
                    "true": self.classes[target],
                    "answer": self.classes[answer],
                    "certainty": float(certainty),
                    **({"text": self.texts[position]} if position < len(self.texts) else {}),
                }
                for position, (target, answer, certainty) in enumerate(
                    zip(self.targets, self.answers, self.certainties, strict=True)
                )
            ],
        }


def confusion_of(logits_NC: np.ndarray, targets_N: np.ndarray, classes: Sequence[str]) -> Confusion:
    """From a classifier's outputs.

    Args:
        logits_NC: float array.
        targets_N: integer array of the true classes.
    """
    num_classes = len(classes)
    answers_N = logits_NC.argmax(axis=-1)
    counts_CC = np.zeros((num_classes, num_classes), np.int64)
    np.add.at(counts_CC, (targets_N, answers_N), np.int64(1))
    exponentials_NC = np.exp(logits_NC.astype(np.float64) - logits_NC.max(axis=-1, keepdims=True))
    certainties_N = exponentials_NC.max(axis=-1) / exponentials_NC.sum(axis=-1)
    wrong = np.flatnonzero(answers_N != targets_N)
    worst = wrong[np.argsort(-certainties_N[wrong], kind="stable")][:_NUM_WORST]
    return Confusion(
        classes=tuple(classes),
        counts_CC=counts_CC,
        worst=worst,
        targets=targets_N[worst],
        answers=answers_N[worst],
        certainties=certainties_N[worst],
    )


def draw_confusion(confusion: Confusion, path: Path) -> None:
    """A picture file: the matrix, and the worst mistakes where they are pictures."""
    from matplotlib.figure import Figure

    pictures = confusion.pictures
    has_pictures = pictures is not None and len(pictures) > 0
    figure = Figure(figsize=(11, 5.2) if has_pictures else (6, 5.2), layout="constrained")
    grid = figure.add_gridspec(3, 8 if has_pictures else 4)
    axes = figure.add_subplot(grid[:, :4])
    num_classes = len(confusion.classes)
    totals_C1 = np.maximum(1, confusion.counts_CC.sum(axis=1, keepdims=True))
    axes.imshow(confusion.counts_CC / totals_C1, cmap="Blues", vmin=0, vmax=1)
    axes.set_xlabel("the model's answer")
    axes.set_ylabel("the true class")
    if num_classes <= _MAX_CELLS:
        axes.set_xticks(range(num_classes), confusion.classes, rotation=45, ha="right")
        axes.set_yticks(range(num_classes), confusion.classes)
        for row, column in np.ndindex(num_classes, num_classes):
            number = int(confusion.counts_CC[row, column])
            if number:
                is_dark = number / totals_C1[row, 0] > 0.5
                axes.text(
                    column, row, f"{number}", ha="center", va="center", color="white" if is_dark else "black"
                )
    axes.set_title(f"{confusion.accuracy:.1%} are right")
    if has_pictures:
        assert pictures is not None
        for position, picture in enumerate(pictures[:_NUM_WORST]):
            cell = figure.add_subplot(grid[position // 4, 4 + position % 4])
            cell.imshow(picture[..., 0] if picture.shape[-1] == 1 else picture, cmap="gray")
            cell.set_axis_off()
            true, said = (
                confusion.classes[each[position]] for each in (confusion.targets, confusion.answers)
            )
            cell.set_title(f"{true}, not {said}\n{confusion.certainties[position]:.0%} sure", fontsize=8)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)


LENS = Lens(
    name="confusion",
    title="Confusion",
    says="which classes a classifier takes for which, and its worst mistakes on held-out examples",
    source="the run's own held-out examples",
    takes=frozenset({"finding"}),
    fits=needs_no_model,
    read=made_by_recipe,
    draw=draw_confusion,
)
