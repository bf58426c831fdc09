"""Element-wise arithmetic: each element of the result depends on the operands' elements at the same place."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from openbook.program.primitives.table import (
    ATOM,
    POWER,
    PRODUCT,
    SUM,
    UNARY,
    Element,
    Formula,
    Index,
    Params,
    Primitive,
    Shape,
    Source,
    SourceCall,
    one_per_element,
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Reading:
    """How one function of scalars is computed and written.

    Attributes:
        compute: NumPy function of the operands.
        formula: text with {0}, {1}, … for the operands.
        source: NumPy text with {0}, {1}, … for the operands; a name in angle brackets, such as <erf>, is a
            helper.
        binding: how tightly the source text binds.
    """

    compute: Callable[..., Any]
    formula: str
    source: str
    binding: int = ATOM


def elementwise(
    name: str,
    compute: Callable[..., Any],
    *,
    formula: str,
    source: str,
    binding: int = ATOM,
    operations: float = 1.0,
) -> Primitive:
    """An entry whose four readings follow from one function of scalars and its text.

    Args:
        compute: NumPy function of the operands.
        formula: text with {0}, {1}, … for the operands.
        source: NumPy text with {0}, {1}, … for the operands, <name> for a helper.
        operations: arithmetic operations an element; 1 by definition, of a transcendental function too.
    """
    reading = Reading(compute=compute, formula=formula, source=source, binding=binding)
    return elementwise_by_kind(name, lambda params, operands: reading, operations=operations)


def elementwise_by_kind(
    name: str, read: Callable[[Params, Sequence[Any]], Reading], *, operations: float = 1.0
) -> Primitive:
    """An entry whose reading depends on its parameters or on the dtypes of its operands.

    Args:
        read: from the parameters and anything with dtypes (arrays or shapes) of the operands.
        operations: arithmetic operations an element.
    """

    def value(
        params: Params, operands: Sequence[np.ndarray], results: Sequence[Shape]
    ) -> Sequence[np.ndarray]:
        compute = in_wide(read(params, operands).compute)
        return [np.asarray(compute(*operands)).astype(results[0].dtype)]

    def explain(element: Element) -> Formula:
        reading = read(element.params, element.operands)
        return Formula(operands=same_place(element), compute=in_wide(reading.compute), text=reading.formula)

    def write(call: SourceCall) -> Source:
        reading = read(call.params, call.operands)
        return Source(text=with_helpers(reading.source, call), binding=reading.binding)

    def count(params: Params, operands: Sequence[Shape], results: Sequence[Shape]) -> float:
        return operations * one_per_element(params, operands, results)

    return Primitive(name=name, value=value, explain=explain, source=write, operations=count)


def same_place(element: Element) -> tuple[tuple[int, Index], ...]:
    """The element of each operand at the place asked about; scalars and axes of size 1 are repeated."""
    return tuple(
        (
            position,
            tuple(0 if size == 1 else i for size, i in zip(operand.shape, element.index, strict=False)),
        )
        for position, operand in enumerate(element.operands)
    )


def with_helpers(source: str, call: SourceCall) -> str:
    """Fill in the operands and the names of helper functions."""
    named = re.sub(r"<(\w+)>", lambda found: call.helper(found[1]), source)
    return named.format(*call.inputs)


def wide(array: Any) -> np.ndarray:
    """NumPy computes neither with bfloat16, float8 nor int4; float32 and int32 hold all their values."""
    known = np.asarray(array)
    if known.dtype.isbuiltin == 1 and known.dtype != np.float16:
        return known
    return known.astype(np.int32 if "int" in known.dtype.name else np.float32)


def in_wide(compute: Callable[..., Any]) -> Callable[..., Any]:
    """A function computed in a dtype that NumPy knows."""

    def widened(*operands: Any) -> Any:
        return compute(*(wide(operand) for operand in operands))

    return widened


def is_integer(dtype: Any) -> bool:
    """Whether it counts, signed or unsigned."""
    return np.dtype(dtype).kind in "iu" or "int" in np.dtype(dtype).name


def _divide_integers(left: Any, right: Any) -> Any:
    """Toward zero, as C does; division by zero gives all bits set, as XLA does."""
    divisor = np.where(right == 0, 1, right)
    quotient = left // divisor
    inexact = left - quotient * divisor != 0
    toward_zero = quotient + (inexact & ((left < 0) != (right < 0))).astype(quotient.dtype)
    return np.where(right == 0, np.invert(np.zeros_like(toward_zero)), toward_zero)


def _remainder_integers(left: Any, right: Any) -> Any:
    """With the sign of the dividend; the dividend itself where the divisor is zero, as XLA does."""
    return np.where(right == 0, left, np.fmod(left, np.where(right == 0, 1, right)))


def _read_mul(params: Params, operands: Sequence[Any]) -> Reading:
    out_dtype = params.get("out_dtype")
    if out_dtype is None:
        return Reading(compute=np.multiply, formula="{0} · {1}", source="{0} * {1}", binding=PRODUCT)

    def in_result_dtype(left: Any, right: Any) -> Any:
        return np.multiply(left, right, dtype=wide(np.zeros(0, out_dtype)).dtype)

    name = np.dtype(out_dtype).name
    source = f"np.multiply({{0}}, {{1}}, dtype=np.{name})"
    return Reading(compute=in_result_dtype, formula="{0} · {1}", source=source)


def _read_div(params: Params, operands: Sequence[Any]) -> Reading:
    dtype = np.dtype(operands[0].dtype)
    if not is_integer(dtype):
        return Reading(compute=np.divide, formula="{0} / {1}", source="{0} / {1}", binding=PRODUCT)
    formula = "{0} / {1} without the fraction"
    if "uint" in dtype.name:
        return Reading(compute=_divide_integers, formula=formula, source="{0} // {1}", binding=PRODUCT)
    # Python's // rounds down where this rounds toward zero.
    source = f"np.trunc({{0}} / {{1}}).astype(np.{dtype.name})"
    return Reading(compute=_divide_integers, formula=formula, source=source)


def _read_rem(params: Params, operands: Sequence[Any]) -> Reading:
    compute = _remainder_integers if is_integer(operands[0].dtype) else np.fmod
    return Reading(compute=compute, formula="remainder of {0} / {1}", source="np.fmod({0}, {1})")


def _read_integer_pow(params: Params, operands: Sequence[Any]) -> Reading:
    exponent = params["y"]
    if exponent == -1:
        return Reading(compute=np.reciprocal, formula="1 / {0}", source="1 / {0}", binding=PRODUCT)
    signs = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
    return Reading(
        compute=lambda base: base**exponent,
        formula="{0}" + str(exponent).translate(signs),
        source=f"{{0}} ** {exponent}",
        binding=POWER,
    )


def _read_round(params: Params, operands: Sequence[Any]) -> Reading:
    if int(params["rounding_method"]) == 1:
        return Reading(compute=np.rint, formula="round({0}), halves to even", source="np.round({0})")
    return Reading(
        compute=_round_away,
        formula="round({0}), halves away from 0",
        source="np.sign({0}) * np.floor(np.abs({0}) + 0.5)",
        binding=PRODUCT,
    )


def _round_away(number: Any) -> Any:
    whole = np.trunc(number)
    return np.where(np.abs(number - whole) >= 0.5, whole + np.copysign(1, number), whole)


def multiply_high(left: Any, right: Any) -> Any:
    """The upper half of the bits of a product of whole numbers."""
    # Python's whole numbers have no limit.
    product = left.astype(object) * right.astype(object)
    return np.asarray(product >> left.dtype.itemsize * 8, dtype=left.dtype)


PRIMITIVES = (
    elementwise("add", np.add, formula="{0} + {1}", source="{0} + {1}", binding=SUM),
    # The sum of two gradients of one value.
    elementwise("add_any", np.add, formula="{0} + {1}", source="{0} + {1}", binding=SUM),
    elementwise("sub", np.subtract, formula="{0} − {1}", source="{0} - {1}", binding=SUM),
    elementwise_by_kind("mul", _read_mul),
    elementwise_by_kind("div", _read_div),
    elementwise_by_kind("rem", _read_rem),
    elementwise(
        "mulhi",
        multiply_high,
        formula="upper half of the bits of {0} · {1}",
        source="<multiply_high>({0}, {1})",
    ),
    elementwise("neg", np.negative, formula="−{0}", source="-{0}", binding=UNARY),
    elementwise("abs", np.abs, formula="|{0}|", source="np.abs({0})"),
    elementwise("sign", np.sign, formula="sign of {0}", source="np.sign({0})"),
    elementwise("square", np.square, formula="{0}²", source="{0} ** 2", binding=POWER),
    elementwise("sqrt", np.sqrt, formula="√{0}", source="np.sqrt({0})"),
    elementwise(
        "rsqrt",
        lambda number: 1 / np.sqrt(number),
        formula="1/√{0}",
        source="1 / np.sqrt({0})",
        binding=PRODUCT,
        operations=2.0,
    ),
    elementwise("cbrt", np.cbrt, formula="∛{0}", source="np.cbrt({0})"),
    elementwise("pow", np.power, formula="{0} ^ {1}", source="{0} ** {1}", binding=POWER),
    elementwise_by_kind("integer_pow", _read_integer_pow),
    elementwise("floor", np.floor, formula="⌊{0}⌋", source="np.floor({0})"),
    elementwise("ceil", np.ceil, formula="⌈{0}⌉", source="np.ceil({0})"),
    elementwise_by_kind("round", _read_round),
    elementwise(
        "nextafter",
        np.nextafter,
        formula="the number next to {0} toward {1}",
        source="np.nextafter({0}, {1})",
    ),
    elementwise("real", np.real, formula="real part of {0}", source="np.real({0})", operations=0.0),
    elementwise("imag", np.imag, formula="imaginary part of {0}", source="np.imag({0})", operations=0.0),
    elementwise("conj", np.conj, formula="conjugate of {0}", source="np.conj({0})", operations=0.0),
    elementwise(
        "complex",
        lambda real, imaginary: real + 1j * imaginary,
        formula="{0} + i·{1}",
        source="{0} + 1j * {1}",
        binding=SUM,
        operations=0.0,
    ),
)

HELPERS = {"multiply_high": multiply_high}
