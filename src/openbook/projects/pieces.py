"""What a recipe brings to a project besides the files that all projects have."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

__all__ = ["GOALS", "Pieces"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class GoalWords:
    """How a project scores.

    Attributes:
        score: entries of the run's score that the project has as well.
        compared: the one that is told and held against the run's.
        chosen_by: the one by which weights are chosen; the lowest is best.
    """

    score: tuple[str, ...]
    compared: str
    chosen_by: str


GOALS: Mapping[str, GoalWords] = {
    "classification": GoalWords(score=("accuracy", "loss"), compared="accuracy", chosen_by="loss"),
    "multi_label": GoalWords(
        score=("accuracy", "all_right", "f1", "loss"), compared="accuracy", chosen_by="loss"
    ),
    "segmentation": GoalWords(score=("iou", "accuracy", "loss"), compared="iou", chosen_by="loss"),
    "regression": GoalWords(score=("mae", "rmse", "loss"), compared="mae", chosen_by="mae"),
    "tokens": GoalWords(
        score=("bits_per_byte", "loss", "accuracy"), compared="bits_per_byte", chosen_by="bits_per_byte"
    ),
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Pieces:
    """One recipe's part of a project; the files of data lie in its folder already.

    Attributes:
        template: folder of the recipe's own templates.
        goal: a name of `GOALS`.
        constants: of the recipe's `data.py`.
        parts: of the templates that are wanted, besides the schedule and the goal.
        train_constants: of `train.py`, besides those that all projects have.
        num_test, tolerance, tolerance_words: examples that are scored; how near a training elsewhere should come,
            and what that is in words.
        fold_score: what the run came to over its folds, where it had some.
        made_first: names of the network's layers that the recipe makes before those they follow.
        model: source of `model.py`, where it is not that of the run's model.
        packages: that the project needs besides Keras, JAX and NumPy.
        about, given, data, data_note, examples, own_data, notes: for the README.
    """

    template: str
    goal: str
    constants: Mapping[str, Any]
    parts: tuple[str, ...] = ()
    train_constants: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    num_test: int
    tolerance: float
    tolerance_words: str = "two standard errors"
    fold_score: Mapping[str, float] = dataclasses.field(default_factory=dict)
    made_first: tuple[str, ...] = ()
    model: str = ""
    packages: tuple[str, ...] = ()
    about: str
    given: str
    data: str
    data_note: str
    examples: str = "examples"
    own_data: str
    notes: str = ""
