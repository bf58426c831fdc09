"""Joining and cutting: parts of arrays put together, taken out, or put into a larger one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from openbook.program.primitives.shape import moving
from openbook.program.primitives.source_texts import (
    index_text,
    slice_text,
)
from openbook.program.primitives.table import (
    Element,
    Index,
    Params,
    Shape,
    SourceCall,
)

Operands = Sequence[np.ndarray]
Results = Sequence[Shape]


def _concatenate_value(params: Params, operands: Operands, results: Results) -> list[np.ndarray]:
    return [np.concatenate(operands, axis=params["dimension"])]


def _concatenate_locate(element: Element) -> tuple[tuple[int, Index], str]:
    axis = element.params["dimension"]
    at, position = element.index[axis], 0
    while at >= element.operands[position].shape[axis]:
        at -= element.operands[position].shape[axis]
        position += 1
    index = (*element.index[:axis], at, *element.index[axis + 1 :])
    return (position, index), f"from part {position + 1} of {len(element.operands)} along axis {axis}"


def _concatenate_source(call: SourceCall) -> str:
    return f"np.concatenate([{', '.join(call.inputs)}]{_axis_argument(call.params['dimension'], call)})"


def _axis_argument(axis: int, call: SourceCall) -> str:
    """The axis as a keyword; the last of several counts from the end."""
    if axis == 0:
        return ""
    return f", axis={-1 if axis == len(call.results[0].shape) - 1 else int(axis)}"


def _stack_value(params: Params, operands: Operands, results: Results) -> list[np.ndarray]:
    return [np.stack(operands, axis=params["axis"])]


def _stack_locate(element: Element) -> tuple[tuple[int, Index], str]:
    axis = element.params["axis"]
    position = element.index[axis]
    why = f"from array {position + 1} of {len(element.operands)}, stacked along axis {axis}"
    return (position, (*element.index[:axis], *element.index[axis + 1 :])), why


def _stack_source(call: SourceCall) -> str:
    return f"np.stack([{', '.join(call.inputs)}]{_axis_argument(call.params['axis'], call)})"


def _unstack_value(params: Params, operands: Operands, results: Results) -> list[np.ndarray]:
    return list(np.moveaxis(operands[0], params["axis"], 0))


def _unstack_locate(element: Element) -> tuple[tuple[int, Index], str]:
    axis = element.params["axis"]
    index = (*element.index[:axis], element.output, *element.index[axis:])
    return (0, index), f"slice {element.output} along axis {axis}"


def _unstack_source(call: SourceCall) -> str:
    axis = int(call.params["axis"])
    return f"tuple({call.inputs[0]})" if axis == 0 else f"tuple(np.moveaxis({call.inputs[0]}, {axis}, 0))"


def _split_value(params: Params, operands: Operands, results: Results) -> list[np.ndarray]:
    return np.split(operands[0], np.cumsum(params["sizes"])[:-1], axis=params["axis"])


def _split_locate(element: Element) -> tuple[tuple[int, Index], str]:
    axis, sizes = element.params["axis"], element.params["sizes"]
    index = list(element.index)
    index[axis] += sum(sizes[: element.output])
    return (0, tuple(index)), f"part {element.output + 1} of {len(sizes)} along axis {axis}"


def _split_source(call: SourceCall) -> str:
    sizes = [int(size) for size in call.params["sizes"]]
    axis = _axis_argument(call.params["axis"], call)
    if len(set(sizes)) == 1 and sizes[0] > 0:
        return f"np.split({call.inputs[0]}, {len(sizes)}{axis})"
    return f"np.split({call.inputs[0]}, {np.cumsum(sizes)[:-1].tolist()}{axis})"


def _slice_value(params: Params, operands: Operands, results: Results) -> list[np.ndarray]:
    return [operands[0][_slices(params)]]


def _slices(params: Params) -> tuple[slice, ...]:
    steps = params.get("strides") or (1,) * len(params["start_indices"])
    return tuple(
        slice(start, limit, step)
        for start, limit, step in zip(params["start_indices"], params["limit_indices"], steps, strict=True)
    )


def _slice_locate(element: Element) -> tuple[tuple[int, Index], str]:
    cuts = _slices(element.params)
    index = tuple(cut.start + at * cut.step for at, cut in zip(element.index, cuts, strict=True))
    sizes = element.operands[0].shape
    texts = [slice_text(cut.start, cut.stop, cut.step, size) for cut, size in zip(cuts, sizes, strict=True)]
    return (0, index), f"from the part {index_text(texts) or '[:]'}"


def _slice_source(call: SourceCall) -> str:
    return call.inputs[0] + index_text(
        [
            slice_text(cut.start, cut.stop, cut.step, size)
            for cut, size in zip(_slices(call.params), call.operands[0].shape, strict=True)
        ]
    )


def _slice_bytes(params: Params, operands: Results, results: Results) -> tuple[float, float]:
    """The part only; not the whole array."""
    return results[0].size_bytes, results[0].size_bytes


def _pad_value(params: Params, operands: Operands, results: Results) -> list[np.ndarray]:
    return [pad(operands[0], operands[1], params["padding_config"])]


def pad(x: np.ndarray, fill: Any, config: Sequence[tuple[int, int, int]]) -> np.ndarray:
    """Put an array into a larger one.

    Args:
        config: for each axis, how many fillers come before, after, and between each two elements; negative
            numbers before and after cut elements off.
    """
    for axis, (_, _, between) in enumerate(config):
        if between and x.shape[axis] > 1:
            spread = list(x.shape)
            spread[axis] += between * (spread[axis] - 1)
            holes = np.full(spread, fill, x.dtype)
            holes[(slice(None),) * axis + (slice(None, None, between + 1),)] = x
            x = holes
    x = np.pad(x, [(max(before, 0), max(after, 0)) for before, after, _ in config], constant_values=fill)
    for axis, (before, after, _) in enumerate(config):
        if before < 0 or after < 0:
            kept = slice(max(-before, 0), x.shape[axis] + min(after, 0))
            x = x[(slice(None),) * axis + (kept,)]
    return x


def _pad_locate(element: Element) -> tuple[tuple[int, Index], str]:
    index = []
    config = element.params["padding_config"]
    for at, size, (before, _, between) in zip(element.index, element.operands[0].shape, config, strict=True):
        position, rest = divmod(at - before, between + 1)
        if rest:
            return (1, ()), "a filler between two elements"
        if not 0 <= position < size:
            return (1, ()), "padding around the array"
        index.append(position)
    return (0, tuple(index)), "the same element; the array is padded"


def _pad_source(call: SourceCall) -> str:
    config = [tuple(int(number) for number in each) for each in call.params["padding_config"]]
    text, fill = call.inputs
    if all(before <= 0 and after <= 0 and between == 0 for before, after, between in config):
        cuts = [
            slice_text(-before, size + after, 1, size)
            for (before, after, _), size in zip(config, call.operands[0].shape, strict=True)
        ]
        return text + index_text(cuts)
    if any(before < 0 or after < 0 or between for before, after, between in config):
        return f"{call.helper('pad')}({text}, {fill}, {config})"
    widths = tuple((before, after) for before, after, _ in config)
    constant = "" if fill in ("0", "0.0", "False") else f", constant_values={fill}"
    return f"np.pad({text}, {widths if len(widths) > 1 else widths[0]}{constant})"


PRIMITIVES = (
    moving("concatenate", _concatenate_value, _concatenate_locate, _concatenate_source),
    moving("stack", _stack_value, _stack_locate, _stack_source),
    moving("unstack", _unstack_value, _unstack_locate, _unstack_source),
    moving("split", _split_value, _split_locate, _split_source),
    moving("slice", _slice_value, _slice_locate, _slice_source, _slice_bytes),
    moving("pad", _pad_value, _pad_locate, _pad_source),
)

HELPERS = {"pad": pad}
