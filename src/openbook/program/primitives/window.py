"""Windows that slide over an array: sums and extremes of what lies in them, and the gradients of these.

Operations, by definition: one for each element of each window but the first; padding counts as an element.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from openbook.program.primitives.elementwise import wide
from openbook.program.primitives.joining import pad
from openbook.program.primitives.places import grid
from openbook.program.primitives.table import (
    ATOM,
    Element,
    Factor,
    Formula,
    Given,
    Index,
    Params,
    Primitive,
    Reason,
    Selection,
    Shape,
    Source,
    SourceCall,
    Sum,
    primitives,
)

Operands = Sequence[np.ndarray]
Results = Sequence[Shape]


def windows_of(
    x: np.ndarray,
    window: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[tuple[int, int]],
    fill: Any = 0,
    spread: Sequence[int] | None = None,
    dilation: Sequence[int] | None = None,
) -> np.ndarray:
    """A view of all windows of an array: axes of the windows' places first, then axes within the window.

    Args:
        window, stride, padding: of each axis of x.
        fill: what the padding consists of.
        spread: how far apart the elements of x lie, with fillers between.
        dilation: how far apart the elements of a window lie.
    """
    spread, dilation = spread or (1,) * x.ndim, dilation or (1,) * x.ndim
    x = pad(x, fill, [(*ends, apart - 1) for ends, apart in zip(padding, spread, strict=True)])
    reach = [(length - 1) * apart + 1 for length, apart in zip(window, dilation, strict=True)]
    if any(length > size for length, size in zip(reach, x.shape, strict=True)):
        places = [max(size - length + 1, 0) for size, length in zip(x.shape, reach, strict=True)]
        return np.zeros((*places, *window), x.dtype)
    windows = np.lib.stride_tricks.sliding_window_view(x, reach)
    steps = tuple(slice(None, None, step) for step in stride)
    holes = tuple(slice(None, None, apart) for apart in dilation)
    return windows[steps + holes]


def max_pool(
    x: np.ndarray, window: Sequence[int], stride: Sequence[int], padding: Sequence[tuple[int, int]]
) -> Any:
    """The largest element of each window; window, stride and padding are those of each axis of x."""
    x = np.pad(x, padding, constant_values=-np.inf)
    steps = tuple(slice(None, None, step) for step in stride)
    windows = np.lib.stride_tricks.sliding_window_view(x, window)[steps]
    return windows.max(axis=tuple(range(x.ndim, 2 * x.ndim)))


def sum_pool(
    x: np.ndarray, window: Sequence[int], stride: Sequence[int], padding: Sequence[tuple[int, int]]
) -> Any:
    """The sum of each window; window, stride and padding are those of each axis of x."""
    x = np.pad(x, padding)
    steps = tuple(slice(None, None, step) for step in stride)
    windows = np.lib.stride_tricks.sliding_window_view(x, window)[steps]
    return windows.sum(axis=tuple(range(x.ndim, 2 * x.ndim)))


def geometry_of(params: Params, num_axes: int) -> dict[str, Any]:
    """Window, stride and padding of each axis, and how far elements lie apart."""
    ones = (1,) * num_axes
    return {
        "window": tuple(map(int, params["window_dimensions"])),
        "stride": tuple(map(int, params["window_strides"])),
        "padding": tuple((int(before), int(after)) for before, after in params["padding"]),
        "spread": tuple(map(int, params.get("base_dilation") or ones)),
        "dilation": tuple(map(int, params.get("window_dilation") or ones)),
    }


def _combined(windows: np.ndarray, num_axes: int, ufunc: np.ufunc) -> np.ndarray:
    """Combine the elements of each window."""
    places, window = windows.shape[:num_axes], windows.shape[num_axes:]
    if not math.prod(window) or math.prod(window) > math.prod(places):
        return np.asarray(ufunc.reduce(windows, axis=tuple(range(num_axes, 2 * num_axes))))
    # One pass over all windows for each place within them, which keeps the inner loop long.
    result = None
    for at in np.ndindex(*window):
        part = windows[(..., *at)]
        result = part.copy() if result is None else ufunc(result, part, out=result)
    assert result is not None
    return result


def _lowest(dtype: np.dtype) -> Any:
    if dtype.kind == "b":
        return False
    return np.iinfo(dtype).min if dtype.kind in "iu" else -np.inf


def _highest(dtype: np.dtype) -> Any:
    if dtype.kind == "b":
        return True
    return np.iinfo(dtype).max if dtype.kind in "iu" else np.inf


def _pooling(
    name: str,
    ufunc: np.ufunc,
    fill: Callable[[np.dtype], Any],
    explain: Callable[[Element], Reason],
    helper: str,
) -> Primitive:
    """An entry that combines the elements of each window."""

    def value(params: Params, operands: Operands, results: Results) -> list[np.ndarray]:
        x = wide(operands[0])
        windows = windows_of(x, fill=fill(x.dtype), **geometry_of(params, x.ndim))
        return [_combined(windows, x.ndim, ufunc).astype(results[0].dtype, copy=False)]

    def write(call: SourceCall) -> Source:
        geometry = geometry_of(call.params, len(call.operands[0].shape))
        is_plain = _is_plain(geometry) and call.results[0].dtype.kind == "f" and call.results[0].num_elements
        if helper and is_plain:
            arguments = ", ".join(f"{key}={geometry[key]}" for key in ("window", "stride", "padding"))
            return Source(text=f"{call.helper(helper)}({call.inputs[0]}, {arguments})", binding=ATOM)
        number = fill(wide(np.zeros((), call.operands[0].dtype)).dtype)
        text = number if not isinstance(number, float) else "-np.inf" if number < 0 else "np.inf"
        return Source(
            text=f"np.{ufunc.__name__}.reduce({_windows_text(call, geometry, str(text))})", binding=ATOM
        )

    return Primitive(name=name, value=value, explain=explain, source=write, operations=pool_operations)


def _is_plain(geometry: dict[str, Any]) -> bool:
    is_apart = {*geometry["spread"], *geometry["dilation"]} - {1}
    return not is_apart and all(number >= 0 for ends in geometry["padding"] for number in ends)


def _windows_text(call: SourceCall, geometry: dict[str, Any], fill: str) -> str:
    num_axes = len(call.operands[0].shape)
    arguments = [f"{key}={geometry[key]}" for key in ("window", "stride", "padding")]
    arguments += [f"fill={fill}"] if fill != "0" else []
    arguments += [f"{key}={geometry[key]}" for key in ("spread", "dilation") if set(geometry[key]) != {1}]
    axes = tuple(range(num_axes, 2 * num_axes))
    return f"{call.helper('windows_of')}({call.inputs[0]}, {', '.join(arguments)}), axis={axes}"


def pool_operations(params: Params, operands: Results, results: Results) -> float:
    """One for each element of each window but the first."""
    return float(results[0].num_elements * (math.prod(params["window_dimensions"]) - 1))


def rows_of_window(params: Params, shape: Sequence[int], index: Index) -> np.ndarray:
    """Indices of the array's elements in one window, in order; places in the padding are left out."""
    geometry = geometry_of(params, len(shape))
    along = []
    for axis, size in enumerate(shape):
        start = index[axis] * geometry["stride"][axis] - geometry["padding"][axis][0]
        reached = start + np.arange(geometry["window"][axis]) * geometry["dilation"][axis]
        position, hole = np.divmod(reached, geometry["spread"][axis])
        along.append(position[(hole == 0) & (position >= 0) & (position < size)])
    places = grid([len(positions) for positions in along])
    return np.stack([positions[at] for positions, at in zip(along, places, strict=True)], axis=1)


def _sum_explain(element: Element) -> Sum:
    rows = rows_of_window(element.params, element.operands[0].shape, element.index)
    return Sum(factors=(Factor(operand=0, indices=rows),), text="Σ_window {0}")


def _extreme_explain(word: str, choose: Callable[[np.ndarray], Any], empty: Callable[[np.dtype], Any]) -> Any:
    def explain(element: Element) -> Reason:
        [operand] = element.operands
        rows = rows_of_window(element.params, operand.shape, element.index)
        if not len(rows):
            return Given(value=operand.dtype.type(empty(operand.dtype)), why="the window holds padding only")
        chosen = rows[int(choose(wide(operand[tuple(rows.T)])))]
        return Selection(
            chosen=(0, tuple(int(at) for at in chosen)),
            candidates=Factor(operand=0, indices=rows),
            why=f"the {word} of its window",
        )

    return explain


# Windows combined by a function of the user's own


def _reduce_window_value(params: Params, operands: Operands, results: Results) -> list[np.ndarray]:
    half = len(operands) // 2
    num_axes = operands[0].ndim
    geometry = geometry_of(params, num_axes)
    windows = [
        windows_of(wide(x), fill=start, **geometry)
        for x, start in zip(operands[:half], operands[half:], strict=True)
    ]
    places, window = windows[0].shape[:num_axes], windows[0].shape[num_axes:]
    so_far = [np.broadcast_to(start, places) for start in operands[half:]]
    for at in np.ndindex(*window):
        so_far = _apply(params, [*so_far, *(each[(..., *at)] for each in windows)])
    return [array.astype(each.dtype) for array, each in zip(so_far, results, strict=True)]


def _apply(params: Params, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
    """The reduction's own function, for scalars, on arrays of one shape."""
    from openbook.program.numpy_run import run_numpy
    from openbook.program.primitives.custom_reduction import body_of

    shape = np.broadcast_shapes(*(array.shape for array in arrays))
    program = body_of(params)
    values = run_numpy(program, arrays)
    return [np.broadcast_to(values[output], shape) for output in program.outputs]


def _reduce_window_explain(element: Element) -> Formula:
    half = len(element.operands) // 2
    rows = [
        tuple(map(int, row))
        for row in rows_of_window(element.params, element.operands[0].shape, element.index)
    ]

    def compute(*numbers: Any) -> Any:
        so_far: list[np.ndarray] = [np.asarray(number) for number in numbers[:half]]
        for at in range(len(rows)):
            taken = [np.asarray(numbers[half + position * len(rows) + at]) for position in range(half)]
            so_far = _apply(element.params, [*so_far, *taken])
        return so_far[element.output][()]

    starts = tuple((half + position, ()) for position in range(half))
    elements = tuple((position, row) for position in range(half) for row in rows)
    return Formula(
        operands=(*starts, *elements),
        compute=compute,
        text=f"the {len(rows)} elements of its window combined one after the other, beginning with {{0}}",
    )


def _reduce_window_source(call: SourceCall) -> Source:
    """A fold over the windows, written by the entry of the plain reduction."""
    half = len(call.inputs) // 2
    num_axes = len(call.operands[0].shape)
    geometry = geometry_of(call.params, num_axes)
    axes = tuple(range(num_axes, 2 * num_axes))
    texts, shapes = [], []
    for position in range(half):
        one = dataclasses.replace(call, inputs=[call.inputs[position]])
        text = _windows_text(one, geometry, call.inputs[half + position])
        texts.append(text.removesuffix(f", axis={axes}"))
        shape = (*call.results[0].shape, *geometry["window"])
        shapes.append(Shape(shape=shape, dtype=call.operands[position].dtype))
    return primitives()["reduce"].source(
        dataclasses.replace(
            call,
            params={**call.params, "dimensions": axes},
            inputs=[*texts, *call.inputs[half:]],
            operands=[*shapes, *call.operands[half:]],
        )
    )


PRIMITIVES = (
    _pooling("reduce_window_sum", np.add, lambda dtype: 0, _sum_explain, "sum_pool"),
    _pooling(
        "reduce_window_max",
        np.maximum,
        _lowest,
        _extreme_explain("largest", np.argmax, _lowest),
        "max_pool",
    ),
    _pooling(
        "reduce_window_min",
        np.minimum,
        _highest,
        _extreme_explain("smallest", np.argmin, _highest),
        "",
    ),
    Primitive(
        name="reduce_window",
        value=_reduce_window_value,
        explain=_reduce_window_explain,
        source=_reduce_window_source,
        operations=pool_operations,
    ),
)

HELPERS = {"windows_of": windows_of, "max_pool": max_pool, "sum_pool": sum_pool}
