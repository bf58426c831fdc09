"""Conversions of numbers to other dtypes, and steps that hand their operand on as it is."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from openbook.program.primitives.elementwise import in_wide, is_integer, wide
from openbook.program.primitives.source_texts import dtype_text
from openbook.program.primitives.table import (
    ATOM,
    COMPARISON,
    Element,
    Formula,
    Given,
    Params,
    Primitive,
    Selection,
    Shape,
    Source,
    SourceCall,
    no_operations,
    one_per_element,
)


def _known_to_numpy(dtype: Any) -> bool:
    # The small floats are registered with NumPy from outside, one of them even as a float of its own.
    return bool(np.dtype(dtype).isbuiltin == 1)


def _convert(array: np.ndarray, dtype: Any) -> np.ndarray:
    array, target = np.asarray(array), np.dtype(dtype)
    if array.dtype == target:
        return array
    if target.kind == "b":
        return np.asarray(array != 0)
    if array.dtype.kind == "c" and target.kind != "c":
        array = array.real
    if is_integer(target) and not is_integer(array.dtype) and array.dtype.kind != "b":
        return np.asarray(_to_integer(wide(array), target))
    return array.astype(target)


def _to_integer(array: np.ndarray, target: np.dtype[Any]) -> np.ndarray:
    """Toward zero; beyond the range its nearest end, and 0 for NaN, as XLA does where NumPy is undefined."""
    if target.kind not in "iu":
        return wide(array).astype(target)
    limits = np.iinfo(target)
    whole = np.trunc(np.nan_to_num(array, nan=0.0, posinf=np.inf, neginf=-np.inf)).astype(np.float64)
    inside = (whole > limits.min) & (whole < limits.max)
    ends = np.where(whole <= limits.min, limits.min, limits.max).astype(target)
    return np.where(inside, np.where(inside, whole, 0).astype(target), ends)


def _convert_value(
    params: Params, operands: Sequence[np.ndarray], results: Sequence[Shape]
) -> Sequence[np.ndarray]:
    return [_convert(operands[0], results[0].dtype)]


def _convert_explain(element: Element) -> Formula:
    dtype = element.results[0].dtype
    name = np.dtype(dtype).name
    text = "{0}" if np.dtype(element.operands[0].dtype) == np.dtype(dtype) else f"{{0}} as {name}"
    compute = functools.partial(_convert, dtype=dtype)
    return Formula(operands=((0, element.index),), compute=compute, text=text)


def _convert_source(call: SourceCall) -> Source:
    [operand] = call.inputs
    before, after = np.dtype(call.operands[0].dtype), np.dtype(call.results[0].dtype)
    if before == after:
        return Source(text=operand, binding=ATOM)
    if after.kind == "b":
        return Source(text=f"{operand} != 0", binding=COMPARISON)
    if before.kind == "c" and after.kind != "c":
        operand, before = f"{operand}.real", np.dtype(before.type(0).real.dtype)
        if before == after:
            return Source(text=operand, binding=ATOM)
    if not _known_to_numpy(after):
        import ml_dtypes

        if is_integer(after):
            return Source(text=f"{operand}.astype({dtype_text(after)})", binding=ATOM)
        # NumPy lacks the small floats: float32 holds them, rounded to the bits they have.
        bits: Any = ml_dtypes.finfo(after)  # type: ignore[no-untyped-call]
        number = operand if before == np.float32 else f"np.float32({operand})"
        rounded = f"{call.helper('reduce_precision')}({number}, {bits.nexp}, {bits.nmant})"
        return Source(text=rounded, binding=ATOM)
    if not _known_to_numpy(before) and after == np.float32:
        return Source(text=operand, binding=ATOM)
    if is_integer(after) and before.kind not in "biu":
        # NumPy leaves open what becomes of a float beyond the range; JAX takes the nearest end.
        limits = np.iinfo(after)
        if limits.bits <= 16:
            operand = f"np.clip({operand}, {limits.min}, {limits.max})"
        elif limits.min == 0:
            operand = f"np.maximum({operand}, 0)"
    if not call.results[0].shape:
        # A scalar may be a Python number, which has no methods.
        return Source(text=f"{dtype_text(after)}({operand})", binding=ATOM)
    return Source(text=f"{operand}.astype({dtype_text(after)})", binding=ATOM)


def _bitcast(array: np.ndarray, dtype: Any) -> np.ndarray:
    array, target = np.ascontiguousarray(array).reshape(np.shape(array)), np.dtype(dtype)
    if target.itemsize < array.dtype.itemsize:
        return array[..., None].view(target)
    if target.itemsize > array.dtype.itemsize:
        return np.asarray(array.view(target)[..., 0])
    return array.view(target)


def _bitcast_value(
    params: Params, operands: Sequence[np.ndarray], results: Sequence[Shape]
) -> Sequence[np.ndarray]:
    return [_bitcast(operands[0], results[0].dtype)]


def _bitcast_explain(element: Element) -> Formula:
    [operand], dtype = element.operands, np.dtype(element.results[0].dtype)
    text = f"bits of {{0}} read as {dtype.name}"
    if dtype.itemsize < operand.dtype.itemsize:
        *place, part = element.index
        return Formula(
            operands=((0, tuple(place)),),
            compute=lambda number: _bitcast(np.asarray(number), dtype)[part],
            text=f"part {part} of the {text}",
        )
    parts = operand.shape[-1] if dtype.itemsize > operand.dtype.itemsize else 0
    places = tuple((0, (*element.index, part)) for part in range(parts)) or ((0, element.index),)
    return Formula(
        operands=places,
        compute=lambda *numbers: _bitcast(np.stack(numbers) if parts else np.asarray(numbers[0]), dtype)[()],
        text=text if not parts else f"bits of {parts} numbers from {{0}} on read as {dtype.name}",
    )


def _bitcast_source(call: SourceCall) -> Source:
    [operand] = call.inputs
    before, after = np.dtype(call.operands[0].dtype), np.dtype(call.results[0].dtype)
    view = f".view({dtype_text(after)})"
    if after.itemsize < before.itemsize:
        return Source(text=f"{operand}[..., None]{view}", binding=ATOM)
    first = "[..., 0]" if after.itemsize > before.itemsize else ""
    return Source(text=operand + view + first, binding=ATOM)


def reduce_precision(x: np.ndarray, exponent_bits: int, mantissa_bits: int) -> np.ndarray:
    """Round to the nearest float of so many bits, ties to even; too large is infinite, too small is 0."""
    mantissa, exponent = np.frexp(x)
    scale = 2.0 ** (mantissa_bits + 1)
    rounded = np.ldexp((np.round(mantissa * scale) / scale).astype(x.dtype), exponent)
    largest_exponent = 2 ** (exponent_bits - 1) - 1
    smallest = 2.0 ** (1 - largest_exponent)
    # Two factors, as 2 ** (largest_exponent + 1) itself may overflow.
    rounded = np.where(np.abs(rounded) / 2.0**largest_exponent >= 2, np.copysign(np.inf, x), rounded)
    rounded = np.where(np.abs(rounded) < smallest, np.copysign(0, x), rounded)
    return np.where(np.isfinite(x), rounded, x).astype(x.dtype)


def _precision_value(
    params: Params, operands: Sequence[np.ndarray], results: Sequence[Shape]
) -> Sequence[np.ndarray]:
    bits = (params["exponent_bits"], params["mantissa_bits"])
    return [np.asarray(reduce_precision(wide(operands[0]), *bits)).astype(results[0].dtype)]


def _precision_explain(element: Element) -> Formula:
    exponent_bits, mantissa_bits = element.params["exponent_bits"], element.params["mantissa_bits"]
    return Formula(
        operands=((0, element.index),),
        compute=in_wide(lambda number: reduce_precision(number, exponent_bits, mantissa_bits)[()]),
        text=f"{{0}} rounded to {mantissa_bits} bits after the point",
    )


def _precision_source(call: SourceCall) -> Source:
    bits = f"{call.params['exponent_bits']}, {call.params['mantissa_bits']}"
    return Source(text=f"{call.helper('reduce_precision')}({call.inputs[0]}, {bits})", binding=ATOM)


def _handed_on(name: str, why: str, *, first: int = 0) -> Primitive:
    """The entry of a step whose results are its operands, from the operand `first` on."""

    def value(
        params: Params, operands: Sequence[np.ndarray], results: Sequence[Shape]
    ) -> Sequence[np.ndarray]:
        return operands[first:]

    def explain(element: Element) -> Selection:
        return Selection(chosen=(first + element.output, element.index), why=why)

    def write(call: SourceCall) -> Source:
        inputs = call.inputs[first:]
        return Source(text=inputs[0] if len(inputs) == 1 else f"({', '.join(inputs)})", binding=ATOM)

    return Primitive(name=name, value=value, explain=explain, source=write, operations=no_operations)


def _zeros_value(
    params: Params, operands: Sequence[np.ndarray], results: Sequence[Shape]
) -> Sequence[np.ndarray]:
    return [np.zeros(results[0].shape, results[0].dtype)]


def _zeros_explain(element: Element) -> Given:
    return Given(value=np.zeros((), element.results[0].dtype)[()], why="filled with 0")


def _zeros_source(call: SourceCall) -> Source:
    shape, dtype = call.results[0].shape, np.dtype(call.results[0].dtype)
    return Source(text=f"np.zeros({shape}, {dtype_text(dtype)})", binding=ATOM)


PRIMITIVES = (
    Primitive(
        name="convert_element_type",
        value=_convert_value,
        explain=_convert_explain,
        source=_convert_source,
        # Reading a number as another dtype is no arithmetic.
        operations=no_operations,
    ),
    Primitive(
        name="bitcast_convert_type",
        value=_bitcast_value,
        explain=_bitcast_explain,
        source=_bitcast_source,
        operations=no_operations,
    ),
    Primitive(
        name="reduce_precision",
        value=_precision_value,
        explain=_precision_explain,
        source=_precision_source,
        operations=one_per_element,
    ),
    _handed_on("copy", "a copy"),
    _handed_on("device_put", "put on a device"),
    _handed_on("sharding_constraint", "laid out over devices"),
    _handed_on("reshard", "laid out over devices"),
    _handed_on("layout_constraint", "laid out in memory"),
    _handed_on("optimization_barrier", "kept apart from what follows"),
    _handed_on("name", "named for checkpointing"),
    _handed_on("stop_gradient", "no gradient flows back"),
    _handed_on("tie", "computed after another value", first=1),
    Primitive(
        name="empty",
        value=_zeros_value,
        explain=_zeros_explain,
        source=_zeros_source,
        operations=no_operations,
    ),
)

HELPERS = {"reduce_precision": reduce_precision}
