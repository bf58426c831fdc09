"""What a recipe tells the page of its runs: how a person's input is read, and how a step is taken."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from openbook.text.tokenizer import Tokenizer


@dataclasses.dataclass(frozen=True, kw_only=True)
class TextLook:
    """A model that reads a text and predicts the next token at each position.

    Attributes:
        encode: from a text to the ids (1, T) that the model takes, at most `max_tokens` of them.
        example: a text to begin with.
        loss: of one step, from `{"tokens": (B, T), "weights": (B, T)}` and the outputs; positions of weight 0 are
            padding.
        optimizer: reads the optimizer as it stands after training, so that a step is the run's next one; and what
            a person must know about it.
        draw: the drawing of a token as a function that JAX can trace, and its arrays by name; from the logits of a
            position, the ids of the text so far, and the fields of `Decoding` that the page asks for.
    """

    tokenizer: Tokenizer
    encode: Callable[[str], np.ndarray]
    max_tokens: int
    example: str
    loss: Callable[[Any, Any], Any]
    optimizer: Callable[[], tuple[Any, str]]
    draw: Callable[
        [np.ndarray, Sequence[int], Mapping[str, Any]], tuple[Callable[..., Any], Mapping[str, Any]]
    ]


@dataclasses.dataclass(frozen=True, kw_only=True)
class WordsLook:
    """How a text is read by a model that tells texts apart.

    Attributes:
        read: from a text to the model's inputs, a batch of 1, the same as `read_input` makes of it.
        unknown: the words of a text that the model has no number for.
        names: of the rows of the embedding.
        is_bag: whether the words come without their order.
        example: a text to begin with.
    """

    read: Callable[[str], Any]
    unknown: Callable[[str], Sequence[str]]
    names: Sequence[str]
    is_bag: bool
    example: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class LineLook:
    """How what a person types is read by a model of a table's rows, or of a series.

    Attributes:
        read: from the text to the input, a batch of 1, the same as `read_input` makes of it; what to say about it;
            and names of the rows of a window.
        fields: of a row: (name, known values of a category or None, what is typical in words).
        text: to begin with; "" for the first example.
        hint: what is expected.
    """

    read: Callable[[str], tuple[np.ndarray, list[str], Sequence[str] | None]]
    fields: Sequence[tuple[str, Sequence[str] | None, str]]
    text: str
    hint: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class ModelLook:
    """A model that reads pictures or numbers.

    Attributes:
        classes: names of the classes that it tells apart; None where it does not.
        columns: names along the last axis of its input; None where they have none.
        examples: inputs (N, …) by the names of the model's inputs, "input" where it has one only.
        loss: of one step, from targets and outputs.
        optimizer: makes a new one, as training began with.
        value_range: of a picture's values, one of `pictures.preprocess.RANGES`.
        crop, invert: how a picture is brought into form, as in training; guessed by the page when None.
        typed: how what a person types is read; None where numbers or pictures are given as they are.
    """

    classes: Sequence[str] | None
    columns: Sequence[str] | None
    examples: Mapping[str, np.ndarray]
    loss: Callable[[Any, Any], Any]
    optimizer: Callable[[], Any]
    value_range: str = "0…1"
    crop: str | None = None
    invert: str | None = None
    typed: WordsLook | LineLook | None = None
