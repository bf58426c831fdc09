"""What a composite is, and what a rule that recognises one says."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from openbook.program.program import FORWARD

if TYPE_CHECKING:
    from openbook.program.composites.matching import Match


@dataclasses.dataclass(frozen=True, kw_only=True)
class Composite:
    """Steps that together are one operation of the textbook.

    Attributes:
        name: such as "softmax" or "adam_update".
        formula: in textbook form.
        steps: ids of the steps, in the order of computation.
        inputs: value ids by textbook role, such as {"x": 12, "scale": 3}.
        output: id of the result.
        parts: ids of results and of inner values that have a textbook name, such as {"maximum": 14}.
        params: numbers that belong to it, such as {"axis": (-1,), "epsilon": 1e-3}.
        moves_axes: whether the result's axes stand in another order or number than those of the input "x".
    """

    name: str
    formula: str
    steps: tuple[int, ...]
    inputs: Mapping[str, int]
    output: int
    parts: Mapping[str, int]
    params: Mapping[str, Any]
    moves_axes: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True)
class Rule:
    """How a composite looks in a program.

    Attributes:
        pattern: assignments in the language of `pattern.py`; the last one is the result.
        params: more numbers from a match, or None where it is no such composite after all. Numbers that the
            pattern names by `constant(name)` are params by themselves.
        axes_of: part whose reduced axes are the param "axis".
        phase: of the steps: "forward", or "update" for what an optimizer does.
    """

    name: str
    formula: str
    pattern: str
    params: Callable[[Match], Mapping[str, Any] | None] | None = None
    axes_of: str | None = None
    phase: str = FORWARD
