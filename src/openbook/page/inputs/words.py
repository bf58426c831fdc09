"""Texts for a model that tells them apart: read as in training, with a name for each word that it sees."""

# T = positions

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from openbook.errors import UsageError
from openbook.page.inputs.reading import Json, ReadInput
from openbook.page.inputs.targets import TargetReader
from openbook.page.inputs.text import given_text, shown_text

_PADDING = 0
_NUM_TOLD = 8


@dataclasses.dataclass(frozen=True, kw_only=True)
class WordsReader:
    """Reads texts for a model of a fixed number of words, which is filled up with padding.

    Attributes:
        read_text: from a text to the model's inputs, a batch of 1; the first of them are word numbers (1, T).
        unknown: the words of a text that the model has no number for.
        names: of the rows of the embedding; row 0 is the padding.
        input_names: in the order of the model.
        is_bag: whether the words come without their order.
    """

    read_text: Callable[[str], Any]
    unknown: Callable[[str], Sequence[str]]
    names: Sequence[str]
    input_names: Sequence[str]
    max_tokens: int
    is_bag: bool
    example_text: str
    target_reader: TargetReader | None

    def spec(self) -> Json:
        classes = None if self.target_reader is None else self.target_reader.classes
        return {
            "kind": "text",
            "example": self.example_text,
            "max_tokens": self.max_tokens,
            "target": "none" if self.target_reader is None else "class" if classes is not None else "values",
            "classes": None if classes is None else list(classes),
            "targets": None if self.target_reader is None else self.target_reader.spec(),
        }

    def read(self, given: Mapping[str, Any]) -> ReadInput:
        text = given_text(given)
        arrays = self.read_text(text)
        notes = []
        if self.is_bag:
            notes.append(
                "The model reads a bag: words, and pairs of neighbours, each once and without their order."
            )
        unknown = list(dict.fromkeys(self.unknown(text)))
        if unknown:
            told = ", ".join(f"“{word}”" for word in unknown[:_NUM_TOLD])
            more = f" and {len(unknown) - _NUM_TOLD} more" if len(unknown) > _NUM_TOLD else ""
            instead = "they are left out" if self.is_bag else "[?] stands for each"
            notes.append(f"Not among the words that the model knows: {told}{more}; {instead}.")
        return self._read(self._in_order(arrays), text, notes)

    def read_arrays(self, arrays: Sequence[np.ndarray]) -> ReadInput:
        """Arrays with a batch axis of 1, in the order of the inputs; as text their words."""
        words = [self.names[row] for row in _rows(arrays[0]) if " " not in self.names[row]]
        notes = ["The text itself is not kept with the run; these are its words as the model has them."]
        return self._read(list(arrays), " ".join(words), notes)

    def example(self) -> ReadInput:
        return self.read({"text": self.example_text})

    def targets(self, read: ReadInput, target: Any) -> Any:
        assert self.target_reader is not None, "checked before a step is asked for"
        return self.target_reader.read(target)

    def place(self, read: ReadInput, name: str, index: Sequence[int]) -> str | None:
        if name.startswith("input") and read.token_ids is not None and len(index) == 2:
            position = index[1]
            if position >= len(read.token_ids):
                return f"padding after the text, position {position + 1}"
            return f"“{self.names[read.token_ids[position]]}” at position {position + 1}"
        if name.endswith("/embeddings") and len(index) == 2:
            return f"the embedding of “{self.token_text(index[0])}”"
        return None

    def token_text(self, token: int) -> str:
        return self.names[token] if 0 <= token < len(self.names) else f"row {token}"

    def vocabulary(self, rows: Sequence[int]) -> list[str]:
        return [shown_text(self.token_text(row)) for row in rows]

    @property
    def vocabulary_size(self) -> int:
        return len(self.names)

    def _in_order(self, arrays: Any) -> list[np.ndarray]:
        if isinstance(arrays, Mapping):
            return [np.asarray(arrays[name]) for name in self.input_names]
        return [np.asarray(arrays)]

    def _read(self, arrays: list[np.ndarray], text: str, notes: list[str]) -> ReadInput:
        rows = _rows(arrays[0])
        if not rows:
            raise UsageError("there is no word in this text that the model knows. Write another one")
        tokens = [
            {"id": row, "text": self.token_text(row), "shown": shown_text(self.token_text(row))}
            for row in rows
        ]
        given: Any = arrays[0] if len(arrays) == 1 else arrays
        preview = {"kind": "text", "text": text, "tokens": tokens, "notes": notes}
        return ReadInput(arrays=given, preview=preview, token_ids=tuple(rows), length=int(arrays[0].shape[1]))


def _rows(numbers_1T: np.ndarray) -> list[int]:
    """The word numbers of a text without the padding after them."""
    return [int(row) for row in numbers_1T[0] if int(row) != _PADDING]
