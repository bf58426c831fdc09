"""Comparisons, logic and bits, element by element."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from openbook.program.primitives.elementwise import Reading, elementwise, elementwise_by_kind, is_integer
from openbook.program.primitives.table import COMPARISON, UNARY, Params, Primitive


def _comparison(name: str, function: np.ufunc, sign: str, operator: str) -> Primitive:
    return elementwise(
        name, function, formula=f"{{0}} {sign} {{1}}", source=f"{{0}} {operator} {{1}}", binding=COMPARISON
    )


def total_order(x: np.ndarray) -> Any:
    """Whole numbers in the order of the floats, -0 before 0, and NaN at the ends by its sign."""
    bits = x.view(f"i{x.dtype.itemsize}")
    return np.where(bits < 0, bits ^ np.iinfo(bits.dtype).max, bits)


def _total(name: str, function: np.ufunc, sign: str, operator: str) -> Primitive:
    """The entry of a comparison in which NaN and the two zeros have their place."""

    def compute(left: Any, right: Any) -> Any:
        if left.dtype.kind == "f":
            return function(total_order(left), total_order(right))
        return function(left, right)

    def read(params: Params, operands: Sequence[Any]) -> Reading:
        is_float = not is_integer(operands[0].dtype) and np.dtype(operands[0].dtype).kind != "b"
        sides = ("<total_order>({0})", "<total_order>({1})") if is_float else ("{0}", "{1}")
        return Reading(
            compute=compute,
            formula=f"{{0}} {sign} {{1}}",
            source=f" {operator} ".join(sides),
            binding=COMPARISON,
        )

    return elementwise_by_kind(name, read)


def _logic(name: str, function: np.ufunc, word: str, operator: str) -> Primitive:
    # In Python &, | and ^ bind more tightly than a comparison and less than a sum; operands of a
    # comparison's own rank get parentheses, so that rank is right for all three.
    return elementwise(
        name, function, formula=f"{{0}} {word} {{1}}", source=f"{{0}} {operator} {{1}}", binding=COMPARISON
    )


def _read_not(params: Params, operands: Sequence[Any]) -> Reading:
    is_logic = np.dtype(operands[0].dtype).kind == "b"
    formula = "not {0}" if is_logic else "bits of {0} flipped"
    return Reading(compute=np.invert, formula=formula, source="~{0}", binding=UNARY)


def _shift_left(number: Any, places: Any) -> Any:
    """Zero where all bits are shifted out; C leaves that open."""
    fits = _fits(number, places)
    return np.where(fits, np.left_shift(number, np.where(fits, places, 0)), 0).astype(number.dtype)


def _shift_right_logical(number: Any, places: Any) -> Any:
    unsigned = np.dtype(f"u{number.dtype.itemsize}")
    fits = _fits(number, places)
    bits = np.asarray(number).astype(unsigned)
    shifted = np.right_shift(bits, np.where(fits, places, 0).astype(unsigned))
    return np.where(fits, shifted, 0).astype(unsigned).astype(number.dtype)


def _shift_right_arithmetic(number: Any, places: Any) -> Any:
    signed = np.dtype(f"i{number.dtype.itemsize}")
    fits = _fits(number, places)
    last = number.dtype.itemsize * 8 - 1
    bits = np.asarray(number).astype(signed)
    return np.right_shift(bits, np.where(fits, places, last).astype(signed)).astype(number.dtype)


def _fits(number: Any, places: Any) -> Any:
    return (places >= 0) & (places < number.dtype.itemsize * 8)


def _read_shift_right_logical(params: Params, operands: Sequence[Any]) -> Reading:
    formula = "{0} shifted right by {1} bits"
    name = np.dtype(operands[0].dtype).name
    if name.startswith("uint"):
        return Reading(compute=_shift_right_logical, formula=formula, source="{0} >> {1}", binding=COMPARISON)
    source = f"({{0}}.view(np.u{name}) >> {{1}}.view(np.u{name})).view(np.{name})"
    return Reading(compute=_shift_right_logical, formula=formula, source=source)


def _read_shift_right_arithmetic(params: Params, operands: Sequence[Any]) -> Reading:
    formula = "{0} shifted right by {1} bits, with its sign"
    name = np.dtype(operands[0].dtype).name
    if not name.startswith("uint"):
        return Reading(
            compute=_shift_right_arithmetic, formula=formula, source="{0} >> {1}", binding=COMPARISON
        )
    signed = name.removeprefix("u")
    source = f"({{0}}.view(np.{signed}) >> {{1}}.view(np.{signed})).view(np.{name})"
    return Reading(compute=_shift_right_arithmetic, formula=formula, source=source)


def _population_count(number: Any) -> Any:
    unsigned = np.dtype(f"u{number.dtype.itemsize}")
    return np.bitwise_count(np.asarray(number).astype(unsigned)).astype(number.dtype)


def _read_population_count(params: Params, operands: Sequence[Any]) -> Reading:
    name = np.dtype(operands[0].dtype).name
    unsigned = "{0}" if name.startswith("uint") else f"{{0}}.view(np.u{name})"
    return Reading(
        compute=_population_count,
        formula="number of set bits of {0}",
        source=f"np.bitwise_count({unsigned})",
    )


def count_leading_zeros(x: np.ndarray) -> Any:
    """Zero bits before the first set bit of each number."""
    num_bits = x.dtype.itemsize * 8
    bits = x.astype(f"u{x.dtype.itemsize}")
    # A bit stays set once a bit above it was; then the unset ones are the leading ones.
    for places in (1, 2, 4, 8, 16, 32):
        if places < num_bits:
            bits = bits | (bits >> places)
    return (num_bits - np.bitwise_count(bits)).astype(x.dtype)


PRIMITIVES = (
    _comparison("eq", np.equal, "=", "=="),
    _comparison("ne", np.not_equal, "≠", "!="),
    _comparison("lt", np.less, "<", "<"),
    _comparison("le", np.less_equal, "≤", "<="),
    _comparison("gt", np.greater, ">", ">"),
    _comparison("ge", np.greater_equal, "≥", ">="),
    _total("eq_to", np.equal, "=", "=="),
    _total("lt_to", np.less, "<", "<"),
    _total("le_to", np.less_equal, "≤", "<="),
    elementwise("is_finite", np.isfinite, formula="{0} is finite", source="np.isfinite({0})"),
    _logic("and", np.bitwise_and, "and", "&"),
    _logic("or", np.bitwise_or, "or", "|"),
    _logic("xor", np.bitwise_xor, "xor", "^"),
    elementwise_by_kind("not", _read_not),
    elementwise(
        "shift_left",
        _shift_left,
        formula="{0} shifted left by {1} bits",
        source="{0} << {1}",
        binding=COMPARISON,
    ),
    elementwise_by_kind("shift_right_logical", _read_shift_right_logical),
    elementwise_by_kind("shift_right_arithmetic", _read_shift_right_arithmetic),
    elementwise_by_kind("population_count", _read_population_count),
    elementwise(
        "clz",
        count_leading_zeros,
        formula="number of zero bits before the first set bit of {0}",
        source="<count_leading_zeros>({0})",
    ),
)

HELPERS = {"total_order": total_order, "count_leading_zeros": count_leading_zeros}
