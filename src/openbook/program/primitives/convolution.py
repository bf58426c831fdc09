"""Convolutions: a kernel slides over an array and is summed with what lies under it.

Operations, by definition: a multiplication and an addition for each result, each place of the window and each
channel of its group. Padding is counted like any other element; the holes between the elements of a spread input
(a transposed convolution's) are not.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from openbook.program.primitives.elementwise import wide
from openbook.program.primitives.joining import pad
from openbook.program.primitives.places import grid
from openbook.program.primitives.shape import transpose_text
from openbook.program.primitives.table import (
    ATOM,
    Element,
    Factor,
    Params,
    Primitive,
    Shape,
    Source,
    SourceCall,
    Sum,
)


def conv1d(
    x: np.ndarray, kernel: np.ndarray, stride: tuple[int] = (1,), padding: tuple[tuple[int, int]] = ((0, 0),)
) -> np.ndarray:
    """Slide a kernel (width, channels, filters) over sequences (batch, time, channels)."""
    x = np.pad(x, ((0, 0), *padding, (0, 0)))
    length = (x.shape[1] - kernel.shape[0]) // stride[0] + 1
    result = np.zeros((len(x), length, kernel.shape[-1]), x.dtype)
    for time in range(kernel.shape[0]):
        under = x[:, time : time + length * stride[0] : stride[0]][:, :length]
        result += under @ kernel[time]
    return result


def conv2d(
    x: np.ndarray,
    kernel: np.ndarray,
    stride: tuple[int, int] = (1, 1),
    padding: tuple[tuple[int, int], tuple[int, int]] = ((0, 0), (0, 0)),
) -> np.ndarray:
    """Slide a kernel (height, width, channels, filters) over images (batch, height, width, channels)."""
    x = np.pad(x, ((0, 0), *padding, (0, 0)))
    height = (x.shape[1] - kernel.shape[0]) // stride[0] + 1
    width = (x.shape[2] - kernel.shape[1]) // stride[1] + 1
    result = np.zeros((len(x), height, width, kernel.shape[-1]), x.dtype)
    for row in range(kernel.shape[0]):
        for column in range(kernel.shape[1]):
            under = x[:, row :: stride[0], column :: stride[1]][:, :height, :width]
            result += under @ kernel[row, column]
    return result


def convolve(
    x: np.ndarray,
    kernel: np.ndarray,
    *,
    stride: Sequence[int],
    padding: Sequence[tuple[int, int]],
    dilation: Sequence[int] = (1, 1, 1),
    spread: Sequence[int] = (1, 1, 1),
    groups: int = 1,
    batch_groups: int = 1,
) -> np.ndarray:
    """Slide a kernel (*window, channels of a group, filters) over an array (batch, *space, channels).

    Args:
        stride: how far the window moves, along each axis.
        padding: how many zeros come before and after; negative numbers cut off.
        dilation: how far apart the kernel's elements lie.
        spread: how far apart the array's elements lie, with zeros between: a transposed convolution's stride.
        groups: the channels are cut into so many groups, and each filter sees one of them.
        batch_groups: the batch is cut into so many groups, and each filter sees one of them.
    """
    num_axes = x.ndim - 2
    config = [(*ends, apart - 1) for ends, apart in zip(padding, spread, strict=False)]
    x = pad(x, 0, [(0, 0, 0), *config, (0, 0, 0)])
    window = kernel.shape[:num_axes]
    reach = [(length - 1) * apart + 1 for length, apart in zip(window, dilation, strict=False)]
    places = [
        max((size - length) // step + 1, 0)
        for size, length, step in zip(x.shape[1:-1], reach, stride, strict=True)
    ]
    # The groups stand first: (group, batch, *space, channels) and (group, *window, channels, filters).
    if batch_groups > 1:
        x = x.reshape(batch_groups, -1, *x.shape[1:])
    else:
        x = np.moveaxis(x.reshape(*x.shape[:-1], groups, -1), -2, 0)
    num_groups, batch, num_filters = len(x), x.shape[1], kernel.shape[-1]
    kernel = np.moveaxis(kernel.reshape(*kernel.shape[:-1], num_groups, -1), -2, 0)
    result = np.zeros((batch, *places, num_groups, kernel.shape[-1]), np.result_type(x, kernel))
    by_group = np.moveaxis(result, -2, 0)
    if 0 in result.shape:
        return result.reshape(batch, *places, num_filters)
    space = tuple(range(2, 2 + num_axes))
    windows = np.lib.stride_tricks.sliding_window_view(x, reach, space) if space else x
    steps = tuple(slice(None, None, step) for step in stride)
    holes = tuple(slice(None, None, apart) for _, apart in zip(window, dilation, strict=False))
    windows = windows[(slice(None), slice(None), *steps, slice(None), *holes)]
    if x.shape[-1] == 1:
        # Each channel for itself: no product of matrices, but one of arrays for each place in the window.
        for at in np.ndindex(*window):
            weights = kernel[(slice(None), *at)].reshape(num_groups, *(1,) * (num_axes + 1), -1)
            by_group += windows[(..., *at)] * weights
    else:
        windows = np.moveaxis(windows, num_axes + 2, -1)
        weights = kernel.reshape(num_groups, -1, kernel.shape[-1])
        # The windows overlap, so that written side by side they are many times as large as x.
        chunk = max(1, int(2e7 / (num_groups * np.prod(places) * weights.shape[1])))
        for first in range(0, batch, chunk):
            part = windows[:, first : first + chunk]
            product = part.reshape(num_groups, -1, weights.shape[1]) @ weights
            by_group[:, first : first + chunk] = product.reshape(*part.shape[: num_axes + 2], -1)
    return result.reshape(batch, *places, num_filters)


def _conv_value(
    params: Params, operands: Sequence[np.ndarray], results: Sequence[Shape]
) -> Sequence[np.ndarray]:
    x_order, kernel_order, result_order = _orders(params)
    result = convolve(
        wide(operands[0]).transpose(x_order),
        wide(operands[1]).transpose(kernel_order),
        stride=params["window_strides"],
        padding=params["padding"],
        dilation=params["rhs_dilation"],
        spread=params["lhs_dilation"],
        groups=params["feature_group_count"],
        batch_groups=params["batch_group_count"],
    )
    return [result.transpose(result_order).astype(results[0].dtype, copy=False)]


def _orders(params: Params) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    """How to transpose the operands as `convolve` takes them, and its result back."""
    numbers = params["dimension_numbers"]
    batch, channels, *space = numbers.lhs_spec
    filters, kernel_channels, *window = numbers.rhs_spec
    result_batch, result_channels, *result_space = numbers.out_spec
    result_axes = (result_batch, *result_space, result_channels)
    back = tuple(result_axes.index(axis) for axis in range(len(result_axes)))
    return (batch, *space, channels), (*window, kernel_channels, filters), back


def _conv_explain(element: Element) -> Sum:
    params, numbers = element.params, element.params["dimension_numbers"]
    x, kernel = element.operands
    result_batch, result_filter, *result_space = numbers.out_spec
    batch, number = element.index[result_batch], element.index[result_filter]
    num_filters = kernel.shape[numbers.rhs_spec[0]]
    num_channels = kernel.shape[numbers.rhs_spec[1]]
    group = number // (num_filters // params["feature_group_count"])
    batch_group = number // (num_filters // params["batch_group_count"])
    kept = []  # for each axis: the places in the window, and the elements of x they lie on
    for axis, result_axis in enumerate(result_space):
        apart, spread = params["rhs_dilation"][axis], params["lhs_dilation"][axis]
        in_window = np.arange(kernel.shape[numbers.rhs_spec[2 + axis]])
        start = element.index[result_axis] * params["window_strides"][axis] - params["padding"][axis][0]
        position, hole = np.divmod(start + in_window * apart, spread)
        on_x = (hole == 0) & (position >= 0) & (position < x.shape[numbers.lhs_spec[2 + axis]])
        kept.append((in_window[on_x], position[on_x]))
    sizes = [len(in_window) for in_window, _ in kept] + [num_channels]
    *at, channel = grid(sizes)
    x_rows = np.empty((len(channel), x.ndim), int)
    kernel_rows = np.empty_like(x_rows)
    x_rows[:, numbers.lhs_spec[0]] = batch_group * element.results[0].shape[result_batch] + batch
    x_rows[:, numbers.lhs_spec[1]] = (
        group if params["feature_group_count"] > 1 else 0
    ) * num_channels + channel
    kernel_rows[:, numbers.rhs_spec[0]] = number
    kernel_rows[:, numbers.rhs_spec[1]] = channel
    for axis, (chosen, (in_window, position)) in enumerate(zip(at, kept, strict=True)):
        x_rows[:, numbers.lhs_spec[2 + axis]] = position[chosen]
        kernel_rows[:, numbers.rhs_spec[2 + axis]] = in_window[chosen]
    return Sum(
        factors=(Factor(operand=0, indices=x_rows), Factor(operand=1, indices=kernel_rows)),
        text="Σ_window,channels {0}·{1}",
    )


def _conv_source(call: SourceCall) -> Source:
    params = call.params
    x_order, kernel_order, back = _orders(params)
    num_axes = len(x_order) - 2
    arguments = [transpose_text(call.inputs[0], x_order), transpose_text(call.inputs[1], kernel_order)]
    options: dict[str, object] = {
        "dilation": tuple(map(int, params["rhs_dilation"])),
        "spread": tuple(map(int, params["lhs_dilation"])),
        "groups": int(params["feature_group_count"]),
        "batch_groups": int(params["batch_group_count"]),
    }
    options = {name: option for name, option in options.items() if option not in (1, (1,) * num_axes)}
    stride = tuple(map(int, params["window_strides"]))
    padding = tuple((int(before), int(after)) for before, after in params["padding"])
    is_cut = any(number < 0 for ends in padding for number in ends)
    if not options and not is_cut and num_axes in (1, 2):
        helper = f"conv{num_axes}d"
        options = {"stride": stride, "padding": padding}
        plain = {"stride": (1,) * num_axes, "padding": ((0, 0),) * num_axes}
        options = {name: option for name, option in options.items() if option != plain[name]}
    else:
        helper = "convolve"
        options = {"stride": stride, "padding": padding, **options}
    arguments += [f"{name}={option}" for name, option in options.items()]
    text = transpose_text(f"{call.helper(helper)}({', '.join(arguments)})", back)
    return Source(text=text, binding=ATOM)


def _conv_operations(params: Params, operands: Sequence[Shape], results: Sequence[Shape]) -> float:
    numbers = params["dimension_numbers"]
    result = results[0].shape
    num_products = result[numbers.out_spec[0]] * result[numbers.out_spec[1]]
    num_products *= operands[1].shape[numbers.rhs_spec[1]]
    for axis, (result_axis, window_axis) in enumerate(
        zip(numbers.out_spec[2:], numbers.rhs_spec[2:], strict=True)
    ):
        spread = params["lhs_dilation"][axis]
        places = np.arange(result[result_axis]) * params["window_strides"][axis] - params["padding"][axis][0]
        in_window = np.arange(operands[1].shape[window_axis]) * params["rhs_dilation"][axis]
        # How often each remainder occurs, so that a large window costs no table of pairs.
        first = np.bincount(places % spread, minlength=spread)
        second = np.bincount(-in_window % spread, minlength=spread)
        num_products *= int(first @ second)
    return 2.0 * float(num_products)


PRIMITIVES = (
    Primitive(
        name="conv_general_dilated",
        value=_conv_value,
        explain=_conv_explain,
        source=_conv_source,
        operations=_conv_operations,
    ),
)

HELPERS = {"conv1d": conv1d, "conv2d": conv2d, "convolve": convolve}
