"""How a program's value is seen as a value of the graph, and which operations NumPy broadcasts by itself."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

# Their operands are broadcast against each other by NumPy itself.
_ELEMENTWISE_NAMES = (
    "abs acos acosh add add_any and asin asinh atan atan2 atanh bessel_i0e bessel_i1e cbrt ceil "
    "clamp cos cosh convert_element_type digamma div eq erf erf_inv erfc exp exp2 expm1 floor ge gt "
    "igamma igammac imag integer_pow is_finite le lgamma log log1p logistic lt max min mul ne neg "
    "nextafter not or population_count pow real rem round rsqrt select_n shift_left "
    "shift_right_arithmetic shift_right_logical sign sin sinh sqrt square sub tan tanh xor "
)
ELEMENTWISE = frozenset(_ELEMENTWISE_NAMES.split())
REDUCTIONS = frozenset(f"reduce_{name}" for name in ("sum", "max", "min", "prod", "and", "or"))


@dataclasses.dataclass(frozen=True, slots=True)
class View:
    """A program's value as a value of the graph.

    Attributes:
        value_id: value of the graph.
        axes: for each axis of the program's value the axis of the graph's value, in rising order, or None where
            the graph's value has none (it is the same all along that axis). A graph's axis of size 1 may stand
            for a longer one.
    """

    value_id: int
    axes: tuple[int | None, ...]


def align_index(axes: Sequence[int | None], kept: Sequence[int]) -> tuple[bool, ...]:
    """Which axes, from the first that exists to the last, exist."""
    present = [axes[axis] is not None for axis in kept]
    while present and not present[0]:
        present.pop(0)
    return tuple(present)


def paired_axes(before: Sequence[int], after: Sequence[int]) -> tuple[set[int], list[int | None]]:
    """Which axes of a shape stay when axes of size 1 come and go; and which of them each new axis is."""
    kept: set[int] = set()
    places: list[int | None] = [None] * len(after)
    old = len(before) - 1
    for new in reversed(range(len(after))):
        while old >= 0 and before[old] == 1 and after[new] != 1:
            old -= 1
        if old >= 0 and before[old] == after[new]:
            kept.add(old)
            places[new] = old
            old -= 1
    return kept, places
