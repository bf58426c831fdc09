"""What a lens is: it reads a model and gives numbers, a text and a picture file; and what it is asked."""

# N = examples, F = columns, G = groups of columns

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from openbook.errors import UsageError

if TYPE_CHECKING:
    from openbook.runs import Run

__all__ = [
    "TAKES",
    "Examples",
    "Finding",
    "Lens",
    "Question",
    "class_of",
    "class_title",
    "made_by_recipe",
    "needs_no_model",
]

TAKES = frozenset(
    {"inputs", "word", "row_names", "layer", "class_name", "seed", "examples", "finding", "runs"}
)

_MAX_NAMED = 12


class Finding(Protocol):
    """What a lens found."""

    def text(self) -> str:
        """What there is to see, in lines."""

    def to_dict(self) -> dict[str, Any]:
        """The numbers as plain lists."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Examples:
    """Rows of a table with what is known of them, and how answers are scored.

    Attributes:
        inputs_NF: float32.
        targets_N: as `score` takes them.
        score: from the model's outputs and the targets to a number; the lower the better.
        score_name: what that is, with its unit.
        groups: columns that belong together, such as those of one category, by name.
    """

    inputs_NF: np.ndarray
    targets_N: np.ndarray
    score: Callable[[np.ndarray, np.ndarray], float]
    score_name: str
    groups: Mapping[str, Sequence[int]] | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Question:
    """A model, and what a person wants to know of it; each lens reads what it needs.

    Attributes:
        model: a Keras model on JAX; None for lenses that read runs alone.
        inputs: arrays as the model takes them; the first example is looked at.
        word: what the person wrote, for a lens that is asked for a row by its name.
        layer: path of a layer, such as "backbone/convolution_1".
        class_name: name or number of a class.
        classes: names of the model's classes.
        row_names: of the rows of the embedding of words or tokens.
        examples: of a table; read when they are asked for, which may take a while.
        finding: what the run's recipe makes of its held-out examples, in the form that this lens draws; made when
            asked for, which may take a while.
        runs: whose curves are wanted.
    """

    model: Any = None
    inputs: Any = None
    word: str | None = None
    layer: str | None = None
    class_name: str | None = None
    classes: Sequence[str] | None = None
    row_names: Sequence[str] | None = None
    examples: Callable[[], Examples] | None = None
    finding: Callable[[], Finding] | None = None
    runs: Sequence[Run] = ()
    seed: int = 0


@dataclasses.dataclass(frozen=True, kw_only=True)
class Lens:
    """A way to look at a model.

    Attributes:
        name: as it is typed.
        title: a few words.
        says: one sentence on what its picture shows.
        source: of what it computes.
        takes: what it reads of a `Question` beside the model, some of `TAKES`.
        fits: why a model does not suit it, or None where it does.
        read: from a question to what is found.
        draw: a picture file of it.
        layers: paths of the layers that it can be asked about, in their order; None for a lens without a choice.
    """

    name: str
    title: str
    says: str
    source: str
    takes: frozenset[str]
    fits: Callable[[Any], str | None]
    read: Callable[[Question], Finding]
    draw: Callable[[Any, Path], None]
    layers: Callable[[Any], Sequence[str]] | None = None


def made_by_recipe(question: Question) -> Finding:
    """`read` of a lens on what a recipe makes of its held-out examples.

    Raises:
        UsageError: the model comes from no run of such a recipe.
    """
    if question.finding is None:
        raise UsageError("this lens reads the held-out examples of a run; give the name of one")
    return question.finding()


def needs_no_model(model: Any) -> str | None:
    """`fits` of a lens that reads runs: any model may come from one, and whether it does is known elsewhere."""
    return None


def class_of(class_name: str | None, scores_C: np.ndarray, classes: Sequence[str] | None) -> int:
    """The class that was asked for, by name or number; the one with the highest score when None.

    Raises:
        UsageError: there is no such class.
    """
    if class_name is None:
        return int(np.argmax(scores_C))
    if classes is not None and class_name in classes:
        return list(classes).index(class_name)
    if class_name.isdecimal() and int(class_name) < len(scores_C):
        return int(class_name)
    known = (
        ", ".join(list(classes)[:_MAX_NAMED]) + (" …" if len(classes) > _MAX_NAMED else "") if classes else ""
    )
    raise UsageError(
        f"there is no class {class_name!r}; "
        + (f"there are {known}" if known else f"give a number from 0 to {len(scores_C) - 1}")
    )


def class_title(index: int, classes: Sequence[str] | None) -> str:
    """A class as a person reads it."""
    return str(classes[index]) if classes is not None else f"class {index}"
