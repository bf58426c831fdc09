"""What an experiment is: a question, a few nets that differ in one thing, and what their results say."""

# N = examples, D = numbers in an example

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np


@dataclasses.dataclass(frozen=True, kw_only=True)
class Examples:
    """Inputs to learn from and inputs that are held out, each with labels.

    Attributes:
        train_ND, held_out_ND: float32, between 0 and 1.
        train_labels_N, held_out_labels_N: int32.
        shape: of an example as a picture (height, width, channels), for nets with filters.
    """

    train_ND: np.ndarray
    train_labels_N: np.ndarray
    held_out_ND: np.ndarray
    held_out_labels_N: np.ndarray
    num_classes: int
    shape: tuple[int, ...] = ()

    @property
    def guessing(self) -> float:
        """Share of the held-out examples that are right when the most frequent class is always said."""
        return float(np.bincount(self.held_out_labels_N).max() / len(self.held_out_labels_N))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Net:
    """One net of an experiment, dense unless it has filters.

    Attributes:
        hidden_units: of each hidden layer.
        num_filters: of each convolution (3 × 3, with pooling after all but the last) before the hidden layers.
        is_from_scratch: trained by `openbook.scratch`, in plain NumPy, instead of by Keras.
        l2: times the sum of the squared weights, added to the loss.
        dropout: share of the hidden values that is left out in training.
        optimizer: name of a Keras optimizer.
    """

    label: str
    examples: Examples
    hidden_units: tuple[int, ...] = (128,)
    num_filters: tuple[int, ...] = ()
    is_from_scratch: bool = False
    learning_rate: float = 1e-3
    l2: float = 0.0
    dropout: float = 0.0
    optimizer: str = "adam"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Scores:
    """Of a net at one moment, without dropout and without what L2 adds."""

    epoch: int
    train_loss: float
    train_accuracy: float
    held_out_loss: float
    held_out_accuracy: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a net came to.

    Attributes:
        curve: scores before training and after some of the epochs, the last one included.
        mean_weight: mean absolute value of its matrices' entries at the end.
    """

    net: Net
    curve: tuple[Scores, ...]
    num_parameters: int
    mean_weight: float
    duration_s: float

    @property
    def label(self) -> str:
        return self.net.label

    @property
    def last(self) -> Scores:
        return self.curve[-1]

    @property
    def best(self) -> Scores:
        """Where the held-out loss was lowest."""
        return min(self.curve, key=lambda scores: scores.held_out_loss)

    @property
    def gap(self) -> float:
        """By how much it is better on what it has seen: a difference of two shares."""
        return self.last.train_accuracy - self.last.held_out_accuracy


@dataclasses.dataclass(frozen=True, kw_only=True)
class Experiment:
    """A question, and the nets that answer it.

    Attributes:
        curve: "accuracy" or "loss", whichever shows the answer.
        num_examples: the nets learn from at most so many.
        nets: the nets for some examples; chance comes from the generator.
        see: what the results say, in one sentence.
    """

    title: str
    question: str
    curve: str
    num_epochs: int
    num_examples: int
    nets: Callable[[Examples, np.random.Generator], Sequence[Net]]
    see: Callable[[Sequence[Outcome]], str]


def percent(share: float) -> str:
    """0.912 as "91.2 %"."""
    return f"{100 * share:.1f} %"
