"""Networks of inverted residual blocks, as MobileNetV2 introduced them: a plan, and the plan as a Keras model."""

# B = batch, H and W = height and width of pictures, h and w = of features, C = channels

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

__all__ = ["BlockPlan", "NetworkPlan", "Stage", "build_network"]


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Blocks of one kernel size and number of channels, of which the first may halve the picture."""

    num_blocks: int
    kernel_size: int
    stride: int
    expansion: int  # channels within a block, as a multiple of those that enter it
    channels: int  # that leave a block


@dataclass(frozen=True, kw_only=True)
class BlockPlan:
    """One inverted residual block: expand the channels, filter each in space, project them to few again."""

    name: str
    kernel_size: int
    stride: int
    expansion: int
    in_channels: int
    out_channels: int

    @property
    def has_expansion(self) -> bool:
        return self.expansion != 1

    @property
    def has_residual(self) -> bool:
        """Whether the block's input is added to its output, which needs both to have one shape."""
        return self.stride == 1 and self.in_channels == self.out_channels


@dataclass(frozen=True, kw_only=True)
class NetworkPlan:
    """Everything that tells one such network from another, but for its weights."""

    name: str
    input_size: int  # height and width of a picture, in pixels
    input_mean: tuple[float, float, float]  # of brightness 0…255 by colour; what the network was trained with
    input_std: tuple[float, float, float]
    stem_channels: int
    stages: tuple[Stage, ...]
    head_channels: int
    num_classes: int
    batch_norm_epsilon: float
    pads_symmetrically: bool  # one pixel on each side, as torchvision; else as TensorFlow's "same"

    def blocks(self) -> Iterator[BlockPlan]:
        """All blocks in the order of computation, named block_1, block_2 and so on."""
        in_channels, number = self.stem_channels, 0
        for stage in self.stages:
            for position in range(stage.num_blocks):
                number += 1
                yield BlockPlan(
                    name=f"block_{number}",
                    kernel_size=stage.kernel_size,
                    stride=stage.stride if position == 0 else 1,
                    expansion=stage.expansion,
                    in_channels=in_channels,
                    out_channels=stage.channels,
                )
                in_channels = stage.channels


def build_network(plan: NetworkPlan, *, with_top: bool) -> Any:
    """The network as a functional Keras model whose weights are still zero.

    Dropout before the classifier is left out: it is nothing but an aid of the original training.

    Returns:
        model: pictures float32 (B, H, W, 3), brightness 0…255 → logits (B, num_classes), or without the top the
        features (B, h, w, C) after the last convolution.
    Source: Sandler et al. (2018), "MobileNetV2", tables 1 and 2.
    """
    import keras

    layers = keras.layers
    pictures = layers.Input((plan.input_size, plan.input_size, 3), name="pictures")
    standardized = layers.Normalization(
        mean=plan.input_mean, variance=[std**2 for std in plan.input_std], name="standardized_pictures"
    )(pictures)
    convolved = _convolution(plan, standardized, "stem", channels=plan.stem_channels, kernel_size=3, stride=2)
    features = _relu6(_normalization(plan, convolved, "stem"), "stem")
    for block in plan.blocks():
        features = _inverted_residual(plan, block, features)
    convolved = _convolution(plan, features, "head", channels=plan.head_channels, kernel_size=1)
    features = _relu6(_normalization(plan, convolved, "head"), "head")
    if not with_top:
        return keras.Model(pictures, features, name=f"{plan.name}_features")
    pooled = layers.GlobalAveragePooling2D(name="global_average_pooling")(features)
    logits = layers.Dense(plan.num_classes, kernel_initializer="zeros", name="logits")(pooled)
    return keras.Model(pictures, logits, name=plan.name)


def _inverted_residual(plan: NetworkPlan, block: BlockPlan, inputs: Any) -> Any:
    """(B, h, w, in_channels) → (B, h / stride, w / stride, out_channels)."""
    import keras

    name, features = block.name, inputs
    if block.has_expansion:
        part = f"{name}_expansion"
        features = _convolution(
            plan, features, part, channels=block.in_channels * block.expansion, kernel_size=1
        )
        features = _relu6(_normalization(plan, features, part), part)
    part = f"{name}_depthwise"
    features = _convolution(
        plan, features, part, channels=None, kernel_size=block.kernel_size, stride=block.stride
    )
    features = _relu6(_normalization(plan, features, part), part)
    part = f"{name}_projection"
    # No activation follows: in few channels a ReLU would lose information.
    features = _convolution(plan, features, part, channels=block.out_channels, kernel_size=1)
    features = _normalization(plan, features, part)
    if block.has_residual:
        features = keras.layers.Add(name=f"{name}_residual_sum")([inputs, features])
    return features


def _convolution(
    plan: NetworkPlan, inputs: Any, part: str, *, channels: int | None, kernel_size: int, stride: int = 1
) -> Any:
    """A convolution without bias; depthwise, one filter for each channel, where no number of channels is given."""
    from keras import layers

    padding = "same"
    if plan.pads_symmetrically and stride > 1:
        # With a stride, Keras' "same" pads only below and on the right of a picture of even size.
        inputs = layers.ZeroPadding2D(kernel_size // 2, name=f"{part}_padding")(inputs)
        padding = "valid"
    # Zeros are replaced at once; drawing random weights takes seconds, and would move the user's seed.
    settings = {"strides": stride, "padding": padding, "use_bias": False, "name": f"{part}_convolution"}
    if channels is None:
        return layers.DepthwiseConv2D(kernel_size, depthwise_initializer="zeros", **settings)(inputs)
    return layers.Conv2D(channels, kernel_size, kernel_initializer="zeros", **settings)(inputs)


def _normalization(plan: NetworkPlan, inputs: Any, part: str) -> Any:
    from keras import layers

    return layers.BatchNormalization(epsilon=plan.batch_norm_epsilon, name=f"{part}_normalization")(inputs)


def _relu6(inputs: Any, part: str) -> Any:
    from keras import layers

    return layers.ReLU(max_value=6.0, name=f"{part}_relu6")(inputs)
