"""Depthwise convolutions that are quick on processors, for models whose layers stay those of Keras.

On a CPU, XLA's convolution takes 6 to 38 times as long as the same sum written as shifted products, its gradients
3 to 10 times. So training and scoring call a stand-in, whose depthwise layers are written like that; what is
saved, opened and exported is the model itself.
"""

# B = batch, H = height, W = width, C = channels, M = outputs of each channel

from __future__ import annotations

from collections.abc import Iterator
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
    """A stand-in for the model where it has depthwise convolutions and runs on a CPU; else the model itself."""
    import jax
    import keras

    is_here = jax.default_backend() == "cpu" and isinstance(model, keras.Model)
    if not is_here or not any(type(layer) in _depthwise_layers() for layer in _layers(model)):
        return model
    quick_classes = _quick_classes()

    def twin_of(layer: Any) -> Any:
        return quick_classes.get(type(layer), type(layer)).from_config(layer.get_config())

    with without_weights():
        twin = keras.models.clone_model(model, clone_function=twin_of, recursive=True)
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
    import jax.numpy as jnp

    height, width, channels, multiplier = kernel_HWCM.shape
    places, pads = [], []
    for size, taps, stride, apart in zip(
        inputs_BHWC.shape[1:3], (height, width), strides, dilation, strict=True
    ):
        reach = (taps - 1) * apart + 1
        number = -(-size // stride) if padding == "same" else (size - reach) // stride + 1
        missing = max((number - 1) * stride + reach - size, 0) if padding == "same" else 0
        pads.append((missing // 2, missing - missing // 2))
        places.append(
            [slice(tap * apart, tap * apart + (number - 1) * stride + 1, stride) for tap in range(taps)]
        )
    padded = jnp.pad(inputs_BHWC, ((0, 0), *pads, (0, 0)))
    total = None
    for row, rows in enumerate(places[0]):
        for column, columns in enumerate(places[1]):
            product = padded[:, rows, columns, :, None] * kernel_HWCM[row, column]
            total = product if total is None else total + product
    assert total is not None
    return total.reshape(*total.shape[:3], channels * multiplier)


def _layers(model: Any) -> Iterator[Any]:
    for layer in model.layers:
        yield layer
        if hasattr(layer, "layers"):
            yield from _layers(layer)


def _depthwise_layers() -> tuple[type, ...]:
    import keras

    return keras.layers.DepthwiseConv2D, keras.layers.SeparableConv2D


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

    return {
        keras.layers.DepthwiseConv2D: QuickDepthwiseConv2D,
        keras.layers.SeparableConv2D: QuickSeparableConv2D,
    }


def _depthwise_of(layer: Any, inputs: Any, kernel: Any) -> Any:
    from keras import tree

    strides, dilation = (tuple(tree.flatten(each)) for each in (layer.strides, layer.dilation_rate))
    return depthwise(inputs, kernel[...], strides=strides, padding=layer.padding, dilation=dilation)


def _finished(layer: Any, outputs: Any) -> Any:
    """With bias and activation, where the layer has them."""
    if layer.use_bias:
        outputs = outputs + layer.bias
    return outputs if layer.activation is None else layer.activation(outputs)
