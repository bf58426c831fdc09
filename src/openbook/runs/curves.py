"""The curves of a run, read out of its metrics rows.

A training row has "step", "train_s", "loss" and more; an evaluation row has "step", "train_s" and "held_out"
with scores. A number that is missing, as after a NaN loss, is a gap.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Curve", "held_out_curve", "held_out_names", "training_curve"]


@dataclass(frozen=True, kw_only=True)
class Curve:
    """One quantity while training went on; the three have the same length."""

    steps: tuple[float, ...]
    seconds: tuple[float, ...]
    values: tuple[float, ...]

    def __len__(self) -> int:
        return len(self.values)


def training_curve(rows: Iterable[Mapping[str, Any]], name: str = "loss") -> Curve:
    """A quantity of the training rows."""
    return _curve(rows, lambda row: row.get(name))


def held_out_curve(rows: Iterable[Mapping[str, Any]], name: str) -> Curve:
    """A score of the evaluation rows, on data that was not trained on."""
    return _curve(rows, lambda row: _held_out(row).get(name))


def held_out_names(rows: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """The scores that the evaluation rows have, each once, in the order they come."""
    return tuple(dict.fromkeys(name for row in rows for name in _held_out(row)))


def _held_out(row: Mapping[str, Any]) -> Mapping[str, Any]:
    found = row.get("held_out")
    return found if isinstance(found, Mapping) else {}


def _curve(rows: Iterable[Mapping[str, Any]], value_of: Callable[[Mapping[str, Any]], object]) -> Curve:
    points = [
        (step, seconds if (seconds := _number(row.get("train_s"))) is not None else math.nan, value)
        for row in rows
        if (step := _number(row.get("step"))) is not None and (value := _number(value_of(row))) is not None
    ]
    points.sort(key=lambda point: point[0])
    return Curve(
        steps=tuple(point[0] for point in points),
        seconds=tuple(point[1] for point in points),
        values=tuple(point[2] for point in points),
    )


def _number(value: object) -> float | None:
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        return None
    return float(value)
