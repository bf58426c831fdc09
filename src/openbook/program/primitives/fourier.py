"""Fourier transforms.

Operations, by definition: 5 · n · log₂ n for n complex numbers, half as many where one side is real.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from openbook.program.primitives.places import grid
from openbook.program.primitives.table import (
    ATOM,
    Element,
    Formula,
    Params,
    Primitive,
    Shape,
    Source,
    SourceCall,
)


def _kind(params: Params) -> str:
    """One of "FFT", "IFFT", "RFFT" and "IRFFT"."""
    kind = params["fft_type"]
    return str(getattr(kind, "name", kind)).upper()


def _axes(params: Params) -> tuple[int, ...]:
    return tuple(range(-len(params["fft_lengths"]), 0))


def _transform(params: Params, x: np.ndarray) -> np.ndarray:
    lengths, axes = tuple(map(int, params["fft_lengths"])), _axes(params)
    transforms: dict[str, Any] = {
        "FFT": np.fft.fftn,
        "IFFT": np.fft.ifftn,
        "RFFT": np.fft.rfftn,
        "IRFFT": np.fft.irfftn,
    }
    return np.asarray(transforms[_kind(params)](x, lengths, axes))


def _fft_value(
    params: Params, operands: Sequence[np.ndarray], results: Sequence[Shape]
) -> Sequence[np.ndarray]:
    if 0 in operands[0].shape:
        return [np.zeros(results[0].shape, results[0].dtype)]
    return [_transform(params, operands[0]).astype(results[0].dtype, copy=False)]


def _fft_explain(element: Element) -> Formula:
    """One result as a sum over the transformed axes; other axes stay."""
    [x] = element.operands
    params, kind = element.params, _kind(element.params)
    lengths = tuple(map(int, params["fft_lengths"]))
    num_axes = len(lengths)
    before, at = element.index[: x.ndim - num_axes], element.index[x.ndim - num_axes :]
    places = grid(x.shape[x.ndim - num_axes :])
    turns = sum(
        place * frequency / length for place, frequency, length in zip(places, at, lengths, strict=True)
    )
    sign = -1 if kind in ("FFT", "RFFT") else 1
    weights = np.exp(sign * 2j * np.pi * np.asarray(turns % 1))
    if sign == 1:
        weights = weights / math.prod(lengths)
    if kind == "IRFFT":
        # The half that is not stored mirrors the stored one.
        is_mirrored = (places[-1] > 0) & (2 * places[-1] != lengths[-1])
        weights = weights * np.where(is_mirrored, 2, 1)

    def compute(*numbers: Any) -> Any:
        total = np.sum(np.asarray(numbers) * weights)
        return total.real if kind == "IRFFT" else total

    scale = f" / {math.prod(lengths)}" if sign == 1 else ""
    over = "+".join(
        f"{frequency}·n{axis}/{length}"
        for axis, (frequency, length) in enumerate(zip(at, lengths, strict=True))
    )
    return Formula(
        operands=tuple((0, (*before, *map(int, place))) for place in places.T),
        compute=compute,
        text=f"Σ_n x[n] · exp({'−' if sign == -1 else ''}2πi·({over})){scale}",
    )


def _fft_source(call: SourceCall) -> Source:
    kind, axes = _kind(call.params).lower(), _axes(call.params)
    lengths = tuple(map(int, call.params["fft_lengths"]))
    if len(axes) == 1:
        more = f", n={lengths[0]}" if kind == "irfft" else ""
        return Source(text=f"np.fft.{kind}({call.inputs[0]}{more})", binding=ATOM)
    more = f"s={lengths}, " if kind == "irfft" else ""
    return Source(text=f"np.fft.{kind}n({call.inputs[0]}, {more}axes={axes})", binding=ATOM)


def _fft_operations(params: Params, operands: Sequence[Shape], results: Sequence[Shape]) -> float:
    length = math.prod(params["fft_lengths"])
    is_real = _kind(params) in ("RFFT", "IRFFT")
    num_axes = len(params["fft_lengths"])
    num_transforms = math.prod(operands[0].shape[: len(operands[0].shape) - num_axes])
    return num_transforms * 5.0 * length * math.log2(max(length, 1)) / (2 if is_real else 1)


PRIMITIVES = (
    Primitive(
        name="fft",
        value=_fft_value,
        explain=_fft_explain,
        source=_fft_source,
        operations=_fft_operations,
    ),
)
