"""What a model should have said, for one training step: a class, or numbers."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from openbook.errors import UsageError
from openbook.page.inputs.reading import Json

_Shape = tuple[int | None, ...]


@dataclasses.dataclass(frozen=True, kw_only=True)
class TargetReader:
    """Reads targets in the form that the loss takes.

    Attributes:
        form: "class" (its number), "one_hot" (a row of zeros with a one), or "values" (as the outputs are).
        classes: names; None where there are none.
        output_names, output_shapes: of the model, without the batch axis.
    """

    form: str
    classes: Sequence[str] | None
    output_names: Sequence[str]
    output_shapes: Sequence[_Shape]

    def spec(self) -> list[Json] | None:
        """`targets` of an `InputSpec`; None where a class is asked for."""
        if self.classes is not None and self.form != "values":
            return None
        return [
            {"name": name, "shape": list(shape), "dtype": "float32", "columns": None, "example": None}
            for name, shape in zip(self.output_names, self.output_shapes, strict=True)
        ]

    def read(self, target: Any) -> Any:
        """Arrays for the loss, with a batch axis of 1.

        Raises:
            UsageError: no target, or one that does not fit.
        """
        if target is None:
            raise UsageError("a training step needs a target: what the model should have said")
        if self.classes is not None and self.form != "values":
            number = self._class(target)
            if self.form == "class":
                return np.array([number], np.int32)
            return np.eye(len(self.classes), dtype=np.float32)[[number]]
        if len(self.output_shapes) == 1:
            [name], [shape] = self.output_names, self.output_shapes
            return _values(target.get(name) if isinstance(target, dict) else target, name, shape)
        if not isinstance(target, dict):
            raise UsageError(f"the targets are {', '.join(self.output_names)}, each by its name")
        return [
            _values(target.get(name), name, shape)
            for name, shape in zip(self.output_names, self.output_shapes, strict=True)
        ]

    def _class(self, target: Any) -> int:
        assert self.classes is not None
        if str(target) in self.classes:
            return list(self.classes).index(str(target))
        if isinstance(target, int) and 0 <= target < len(self.classes):
            return target
        raise UsageError(f"{target!r} is no class; there are {', '.join(map(str, self.classes[:12]))}")


def as_array(value: Any, name: str, shape: _Shape, dtype: str) -> np.ndarray:
    """Nested lists as an array with a batch axis of 1.

    Raises:
        UsageError: other numbers, or another shape.
    """
    wanted = " × ".join("any" if size is None else str(size) for size in shape) or "one number"
    try:
        array = np.asarray(value, dtype=np.float64 if dtype != "bool" else bool)
    except (TypeError, ValueError, OverflowError) as error:
        raise UsageError(f"{name} takes numbers in the shape {wanted}") from error
    if array.ndim == 0 and all(size in (1, None) for size in shape):
        array = array.reshape((1,) * len(shape))
    fits = array.ndim == len(shape) and all(
        size in (None, given) for size, given in zip(shape, array.shape, strict=True)
    )
    if not fits or array.size == 0:
        got = " × ".join(map(str, array.shape)) or "one number"
        raise UsageError(f"{name} takes numbers in the shape {wanted}, not {got}")
    return np.asarray(array[None], dtype=np.float32 if dtype == "bfloat16" else dtype)


def _values(value: Any, name: str, shape: _Shape) -> np.ndarray:
    return as_array(value, name, shape, "float32")
