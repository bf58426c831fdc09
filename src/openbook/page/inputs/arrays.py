"""Arrays: numbers in the shapes of the model's inputs, as nested lists."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from openbook.errors import UsageError
from openbook.page.inputs.reading import Json, ReadInput
from openbook.page.inputs.targets import TargetReader, as_array

_LARGEST_EXAMPLE = 4096
# What an open axis gets in an example.
_OPEN_SIZE = 16


@dataclasses.dataclass(frozen=True, kw_only=True)
class ArrayInput:
    """One input of a model; its shape without the batch axis, None where any size will do."""

    name: str
    shape: tuple[int | None, ...]
    dtype: str
    columns: Sequence[str] | None = None
    example: np.ndarray | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class ArrayReader:
    """Reads arrays for a model with any inputs.

    Attributes:
        target_reader: None where no step can be taken.
    """

    inputs: Sequence[ArrayInput]
    target_reader: TargetReader | None

    @property
    def columns(self) -> Sequence[str] | None:
        """Names along the last axis of the only input."""
        return self.inputs[0].columns if len(self.inputs) == 1 else None

    def spec(self) -> Json:
        return {
            "kind": "arrays",
            "inputs": [
                {
                    "name": each.name,
                    "shape": list(each.shape),
                    "dtype": each.dtype,
                    "columns": None if each.columns is None else list(each.columns),
                    "example": _shown(_example(each)),
                }
                for each in self.inputs
            ],
            "targets": None if self.target_reader is None else self.target_reader.spec(),
        }

    def read(self, given: Mapping[str, Any]) -> ReadInput:
        arrays = given.get("arrays")
        if not isinstance(arrays, Mapping):
            raise UsageError("expected arrays by the names of the inputs")
        missing = [each.name for each in self.inputs if each.name not in arrays]
        if missing:
            raise UsageError(f"there are no numbers for the input {missing[0]!r}")
        read = [as_array(arrays[each.name], each.name, each.shape, each.dtype) for each in self.inputs]
        return self.read_arrays(read)

    def read_arrays(self, arrays: Sequence[np.ndarray]) -> ReadInput:
        """Arrays with a batch axis of 1, in the order of the inputs."""
        given: Any = arrays[0] if len(arrays) == 1 else list(arrays)
        return ReadInput(arrays=given, preview={"kind": "arrays", "notes": []})

    def example(self) -> ReadInput:
        return self.read_arrays([_example(each)[None] for each in self.inputs])

    def targets(self, read: ReadInput, target: Any) -> Any:
        assert self.target_reader is not None, "checked before a step is asked for"
        return self.target_reader.read(target)

    def place(self, read: ReadInput, name: str, index: Sequence[int]) -> str | None:
        if not (name == "input" or name.startswith("input/")):
            return None
        [*found] = (each for each in self.inputs if name in ("input", f"input/{each.name}"))
        columns = found[0].columns if found else None
        places = [str(position + 1) for position in index[1:]]
        if columns is not None and index:
            places[-1] = f"“{columns[index[-1]]}”"
        return (
            f"your number at {', '.join(places)} of {found[0].name if found else name}"
            if places
            else "your number"
        )

    def token_text(self, token: int) -> str:
        raise UsageError("numbers have no tokens")

    def vocabulary(self, rows: Sequence[int]) -> list[str]:
        raise UsageError("numbers have no tokens")


def _example(each: ArrayInput) -> np.ndarray:
    if each.example is not None:
        return each.example
    return np.zeros([_OPEN_SIZE if size is None else size for size in each.shape], each.dtype)


def _shown(example: np.ndarray) -> Any:
    return example.tolist() if example.size <= _LARGEST_EXAMPLE else None
