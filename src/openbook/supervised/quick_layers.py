"""Convolutions and pooling that are quick on processors, for models whose layers stay those of Keras.

On a CPU, XLA's depthwise convolution takes up to 27 times as long as the same sum written as shifted
products, with its gradients 2 to 7 times; a transposed convolution with its gradients 6 to 10 times as long
as written as a product of matrices; the gradient of a largest value in a window several times as long as that of
comparing shifted pictures: `python -m bench.quick_layers`. So training and scoring call a stand-in with such
layers; what is saved, opened and exported is the model itself.
"""

# B = batch, H = height, W = width, C = channels, F = filters, M = outputs of each channel

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Iterator, Sequence
from typing import Any

from openbook.training.weightless import without_weights


class QuickModel:
    """A model as the training loop sees it: its own variables, and a call that gives the same numbers sooner.

    Attributes:
        whole: the Keras model.
    """

    def __init__(self, model: Any, twin: Any) -> None:
        self.whole = model
        self.trainable_variables = model.trainable_variables
        self.non_trainable_variables = model.non_trainable_variables
        self.weights = model.weights
        self.stateless_call = twin.stateless_call


def quick(model: Any) -> Any:
    """A stand-in for a model with layers that are slow on a CPU, where it runs on one; else the model itself."""
    import jax
    import keras

    is_here = jax.default_backend() == "cpu" and isinstance(model, keras.Model)
    quick_classes = _quick_classes()
    if not is_here or not any(type(layer) in quick_classes for layer in _layers(model)):
        return model

    def twin_of(layer: Any) -> Any:
        return quick_classes.get(type(layer), type(layer)).from_config(layer.get_config())

    with without_weights():
        twin = keras.models.clone_model(model, clone_function=twin_of, recursive=True)
    # Values are handed over by their place: a twin that lists its variables otherwise cannot stand in.
    for name in ("trainable_variables", "non_trainable_variables"):
        own, other = ([tuple(each.shape) for each in getattr(one, name)] for one in (model, twin))
        if own != other:
            return model
    return QuickModel(model, twin)


def depthwise(
    inputs_BHWC: Any, kernel_HWCM: Any, *, strides: tuple[int, int], padding: str, dilation: tuple[int, int]
) -> Any:
    """The depthwise convolution of `keras.ops.depthwise_conv`, channels last: (B, H', W', C × M).

    Args:
        padding: "same" or "valid".
    """
    *size, channels, multiplier = kernel_HWCM.shape
    shifted = _shifted(inputs_BHWC, size, strides=strides, padding=padding, dilation=dilation, fill=0.0)
    products = (
        inputs[..., None] * kernel
        for inputs, kernel in zip(shifted, kernel_HWCM.reshape(-1, channels, multiplier), strict=True)
    )
    total = functools.reduce(operator.add, products)
    return total.reshape(*total.shape[:3], channels * multiplier)


def largest(inputs_BHWC: Any, *, size: tuple[int, int], strides: tuple[int, int], padding: str) -> Any:
    """The largest value in each window, as of `keras.ops.max_pool`, channels last: (B, H', W', C).

    The gradient goes to the first of equal values, as XLA's does.

    Args:
        size: of the window.
        padding: "same" or "valid".
    """
    import jax.numpy as jnp

    def larger(one: Any, other: Any) -> Any:
        # What is no number stays, on either side.
        return jnp.where((one >= other) | jnp.isnan(one), one, other)

    shifted = _shifted(inputs_BHWC, size, strides=strides, padding=padding, dilation=(1, 1), fill=-math.inf)
    return functools.reduce(larger, shifted)


def _shifted(
    inputs_BHWC: Any,
    size: Sequence[int],
    *,
    strides: tuple[int, int],
    padding: str,
    dilation: tuple[int, int],
    fill: float,
) -> Iterator[Any]:
    """What each place of a sliding window meets, (B, H', W', C), row by row of the window.

    Args:
        size: of the window.
        fill: what lies beyond the border.
    """
    import jax.numpy as jnp

    places, pads = [], []
    for length, taps, stride, apart in zip(inputs_BHWC.shape[1:3], size, strides, dilation, strict=True):
        reach = (taps - 1) * apart + 1
        number = -(-length // stride) if padding == "same" else (length - reach) // stride + 1
        missing = max((number - 1) * stride + reach - length, 0) if padding == "same" else 0
        pads.append((missing // 2, missing - missing // 2))
        places.append(
            [slice(tap * apart, tap * apart + (number - 1) * stride + 1, stride) for tap in range(taps)]
        )
    padded = jnp.pad(inputs_BHWC, ((0, 0), *pads, (0, 0)), constant_values=fill)
    for rows in places[0]:
        for columns in places[1]:
            yield padded[:, rows, columns]


def transposed(inputs_BHWC: Any, kernel_HWFC: Any, *, strides: tuple[int, int], padding: str) -> Any:
    """The transposed convolution of `keras.ops.conv_transpose`, channels last: (B, H', W', F).

    Results that lie a stride apart are sums over the same inputs with every stride-th row and column of the
    kernel. So one product of matrices calculates all of them as channels, which are then laid out side by side.

    Args:
        padding: "same" or "valid".
    """
    import jax.numpy as jnp
    from jax import lax

    num_filters, channels = kernel_HWFC.shape[2:]
    sizes = tuple(zip(kernel_HWFC.shape[:2], strides, strict=True))
    taps = [-(-size // stride) for size, stride in sizes]
    fill = [(0, tap * stride - size) for tap, (size, stride) in zip(taps, sizes, strict=True)]
    kernel = jnp.pad(kernel_HWFC, (*fill, (0, 0), (0, 0)))
    kernel = kernel.reshape(taps[0], strides[0], taps[1], strides[1], num_filters, channels)
    # The first row of the kernel meets the latest input: (taps × taps × channels, stride × stride × filters).
    kernel = kernel[::-1, :, ::-1].transpose(0, 2, 5, 1, 3, 4)
    kernel = kernel.reshape(taps[0] * taps[1] * channels, strides[0] * strides[1] * num_filters)
    padded = jnp.pad(inputs_BHWC, ((0, 0), *((tap - 1, tap - 1) for tap in taps), (0, 0)))
    batch, height, width = (
        len(padded),
        *(side - tap + 1 for side, tap in zip(padded.shape[1:3], taps, strict=True)),
    )
    windows = [
        padded[:, row : row + height, column : column + width]
        for row in range(taps[0])
        for column in range(taps[1])
    ]
    parts = jnp.concatenate(windows, axis=-1) @ kernel
    parts = parts.reshape(batch, height, width, *strides, num_filters).transpose(0, 1, 3, 2, 4, 5)
    whole = parts.reshape(batch, height * strides[0], width * strides[1], num_filters)
    for axis, (size, stride) in enumerate(sizes, 1):
        overlap = max(size - stride, 0)
        begin = overlap // 2 if padding == "same" else 0
        length = inputs_BHWC.shape[axis] * stride + (0 if padding == "same" else overlap)
        whole = lax.slice_in_dim(whole, begin, begin + length, axis=axis)
    return whole


def _layers(model: Any) -> Iterator[Any]:
    """All layers, those of models inside as well."""
    for layer in model.layers:
        yield layer
        if hasattr(layer, "layers"):
            yield from _layers(layer)


def _quick_classes() -> dict[type, Any]:
    import keras

    class QuickDepthwiseConv2D(keras.layers.DepthwiseConv2D):
        def call(self, inputs: Any) -> Any:
            if self.data_format != "channels_last":
                return super().call(inputs)
            return _finished(self, _depthwise_of(self, inputs, self.kernel))

    class QuickSeparableConv2D(keras.layers.SeparableConv2D):
        def call(self, inputs: Any) -> Any:
            if self.data_format != "channels_last":
                return super().call(inputs)
            hidden = _depthwise_of(self, inputs, self.depthwise_kernel)
            return _finished(
                self, keras.ops.conv(hidden, self.pointwise_kernel, data_format=self.data_format)
            )

    class QuickConv2DTranspose(keras.layers.Conv2DTranspose):
        def call(self, inputs: Any) -> Any:
            is_plain = self.output_padding is None and set(_pair(self.dilation_rate)) == {1}
            if self.data_format != "channels_last" or not is_plain:
                return super().call(inputs)
            outputs = transposed(inputs, self.kernel[...], strides=_pair(self.strides), padding=self.padding)
            return _finished(self, outputs)

    class QuickMaxPooling2D(keras.layers.MaxPooling2D):
        def call(self, inputs: Any) -> Any:
            if self.data_format != "channels_last":
                return super().call(inputs)
            return largest(inputs, size=self.pool_size, strides=self.strides, padding=self.padding)

    class QuickMaxPooling1D(keras.layers.MaxPooling1D):
        def call(self, inputs: Any) -> Any:
            if self.data_format != "channels_last":
                return super().call(inputs)
            size, strides = (1, *self.pool_size), (1, *self.strides)
            return largest(inputs[:, None], size=size, strides=strides, padding=self.padding)[:, 0]

    return {
        keras.layers.Conv2DTranspose: QuickConv2DTranspose,
        keras.layers.DepthwiseConv2D: QuickDepthwiseConv2D,
        keras.layers.MaxPooling1D: QuickMaxPooling1D,
        keras.layers.MaxPooling2D: QuickMaxPooling2D,
        keras.layers.SeparableConv2D: QuickSeparableConv2D,
    }


def _depthwise_of(layer: Any, inputs: Any, kernel: Any) -> Any:
    strides, dilation = _pair(layer.strides), _pair(layer.dilation_rate)
    return depthwise(inputs, kernel[...], strides=strides, padding=layer.padding, dilation=dilation)


def _pair(numbers: Any) -> tuple[int, int]:
    """Along height and width; Keras keeps one number for both as it was given."""
    return (numbers, numbers) if isinstance(numbers, int) else (numbers[0], numbers[1])


def _finished(layer: Any, outputs: Any) -> Any:
    """With bias and activation, where the layer has them."""
    if layer.use_bias:
        outputs = outputs + layer.bias
    return outputs if layer.activation is None else layer.activation(outputs)
