"""Rows and windows that a person types: named columns of a table, or lines of a series."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from openbook.errors import UsageError
from openbook.page.inputs.reading import Json, ReadInput
from openbook.page.inputs.targets import TargetReader

_MAX_CHARACTERS = 2_000_000


@dataclasses.dataclass(frozen=True, kw_only=True)
class LineField:
    """One column that a person gives.

    Attributes:
        choices: the known values of a category; None for numbers, dates and texts.
        typical: what stands for it where it is left out, in words.
    """

    name: str
    choices: Sequence[str] | None
    typical: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class LineReader:
    """Reads what a person types for a model of one array.

    Attributes:
        read_text: from the text to the input, a batch of 1, what to say about it, and names along its first axis.
        fields: of a row, for a form; none where lines are pasted.
        text: to begin with; "" for the first of the examples.
        hint: what is expected.
        columns: names along the last axis of the input.
    """

    read_text: Callable[[str], tuple[np.ndarray, list[str], Sequence[str] | None]]
    fields: Sequence[LineField]
    text: str
    hint: str
    columns: Sequence[str] | None
    shape: tuple[int, ...]
    target_reader: TargetReader | None

    def spec(self) -> Json:
        return {
            "kind": "line",
            "text": self.text,
            "hint": self.hint,
            "fields": [
                {
                    "name": field.name,
                    "choices": None if field.choices is None else list(field.choices),
                    "typical": field.typical,
                }
                for field in self.fields
            ],
            "columns": None if self.columns is None else list(self.columns),
            "targets": None if self.target_reader is None else self.target_reader.spec(),
        }

    def read(self, given: Mapping[str, Any]) -> ReadInput:
        text = given.get("text")
        if not isinstance(text, str) or not text.strip():
            raise UsageError(f"expected {self.hint}")
        if len(text) > _MAX_CHARACTERS:
            raise UsageError(f"there are {len(text):,} characters; the page takes up to {_MAX_CHARACTERS:,}")
        array, notes, rows = self.read_text(text)
        return self._read(array, text, notes, rows)

    def read_arrays(self, arrays: Sequence[np.ndarray]) -> ReadInput:
        """An array with a batch axis of 1; nobody has typed it."""
        return self._read(arrays[0], "", [], None)

    def example(self) -> ReadInput:
        return self.read_arrays([np.zeros((1, *self.shape), np.float32)])

    def targets(self, read: ReadInput, target: Any) -> Any:
        assert self.target_reader is not None, "checked before a step is asked for"
        return self.target_reader.read(target)

    def place(self, read: ReadInput, name: str, index: Sequence[int]) -> str | None:
        if not (name == "input" or name.startswith("input/")) or not index:
            return None
        column = None if self.columns is None else f"“{self.columns[index[-1]]}”"
        if len(index) < 3:
            return f"{column or index[-1] + 1} of your row"
        row = index[1]
        when = read.row_names[row] if read.row_names is not None else f"row {row + 1}"
        return f"{column or index[-1] + 1} at {when}"

    def token_text(self, token: int) -> str:
        raise UsageError("numbers have no tokens")

    def vocabulary(self, rows: Sequence[int]) -> list[str]:
        raise UsageError("numbers have no tokens")

    def _read(self, array: np.ndarray, text: str, notes: list[str], rows: Sequence[str] | None) -> ReadInput:
        preview: Json = {"kind": "line", "text": text, "notes": notes}
        names = None if rows is None else tuple(rows)
        if names is not None:
            preview["row_names"] = list(names)
        return ReadInput(arrays=np.asarray(array, np.float32), preview=preview, row_names=names)
