"""The network from its plan and a torch state dict, against the same network written apart from it in NumPy.

The other network has torch's layout (NCHW), float64 and windows summed by einsum; it reads the state dict by
itself and shares no code with the package.
"""

# N = pictures, C and O = channels in and out, H and W = height and width, I and J = of a kernel

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

import openbook
from openbook.backbones.inverted_residuals import NetworkPlan, Stage, build_network
from openbook.backbones.weight_transfer import transfer_weights
from openbook.saved_models import load_model

Pair = tuple[str, str]  # names of a convolution and of the batch normalization after it
EPSILON = {"same": 1e-3, "symmetric": 1e-5}
# Float32 against float64 through 20 layers; logits are about 1.
TOLERANCE = 1e-5


def reference_features(
    weights: dict[str, np.ndarray],
    x_NCHW: np.ndarray,
    *,
    pairs: Sequence[Sequence[Pair]],
    strides: Sequence[int],
    padding: str,
) -> np.ndarray:
    """The stem, the blocks and the head; the stride of a block is that of its depthwise convolution."""
    for position, (block, stride) in enumerate(zip(pairs, strides, strict=True)):
        inputs_NCHW = x_NCHW
        is_block = 0 < position < len(pairs) - 1
        for number, (convolution, normalization) in enumerate(block):
            kernel_OCIJ = weights[f"{convolution}.weight"].astype(np.float64)
            is_depthwise = is_block and kernel_OCIJ.shape[1] == 1
            x_NCHW = _convolved(
                x_NCHW, kernel_OCIJ, stride if is_depthwise or not is_block else 1, padding, is_depthwise
            )
            gamma, beta, mean, variance = (
                weights[f"{normalization}.{part}"].astype(np.float64)[:, None, None]
                for part in ("weight", "bias", "running_mean", "running_var")
            )
            x_NCHW = (x_NCHW - mean) / np.sqrt(variance + EPSILON[padding]) * gamma + beta
            if not (is_block and number == len(block) - 1):
                x_NCHW = np.clip(x_NCHW, 0, 6)
        if is_block and x_NCHW.shape == inputs_NCHW.shape:
            x_NCHW = x_NCHW + inputs_NCHW
    return x_NCHW


def reference_logits(
    weights: dict[str, np.ndarray], features_NCHW: np.ndarray, classifier: str
) -> np.ndarray:
    pooled_NC = features_NCHW.mean(axis=(2, 3))
    return pooled_NC @ weights[f"{classifier}.weight"].T.astype(np.float64) + weights[f"{classifier}.bias"]


def _convolved(x_NCHW, kernel_OCIJ, stride, padding, is_depthwise):
    size = kernel_OCIJ.shape[-1]
    if padding == "symmetric":
        before = after = size // 2
    else:
        length = x_NCHW.shape[-1]
        total = max((math.ceil(length / stride) - 1) * stride + size - length, 0)
        before, after = total // 2, total - total // 2
    padded = np.pad(x_NCHW, [(0, 0), (0, 0), (before, after), (before, after)])
    windows_NCHWIJ = np.lib.stride_tricks.sliding_window_view(padded, (size, size), axis=(2, 3))
    windows_NCHWIJ = windows_NCHWIJ[:, :, ::stride, ::stride]
    if is_depthwise:
        return np.einsum("nchwij,cij->nchw", windows_NCHWIJ, kernel_OCIJ[:, 0])
    return np.einsum("nchwij,ocij->nohw", windows_NCHWIJ, kernel_OCIJ, optimize=True)


def small_plan(padding: str) -> NetworkPlan:
    return NetworkPlan(
        name="small",
        input_size=30,  # 30, 15, 8: with a stride of 2, even and odd sizes are padded in different ways
        input_mean=(120.0, 110.0, 100.0),
        input_std=(60.0, 50.0, 40.0),
        stem_channels=8,
        stages=(
            Stage(num_blocks=1, kernel_size=3, stride=1, expansion=1, channels=4),
            Stage(num_blocks=2, kernel_size=5, stride=2, expansion=6, channels=6),
        ),
        head_channels=12,
        num_classes=5,
        batch_norm_epsilon=EPSILON[padding],
        pads_symmetrically=padding == "symmetric",
    )


def torch_weights_for(model, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """A state dict of random weights whose modules are called as the layers are."""
    weights = {}
    for layer in model.layers:
        kind = type(layer).__name__
        shapes = [tuple(weight.shape) for weight in layer.weights]
        if kind == "BatchNormalization":
            for part in ("weight", "bias", "running_mean", "running_var"):
                weights[f"{layer.name}.{part}"] = rng.uniform(0.5, 1.5, shapes[0]).astype(np.float32)
            weights[f"{layer.name}.num_batches_tracked"] = np.array(7)
        elif shapes:
            out_first = {"Conv2D": (3, 2, 0, 1), "DepthwiseConv2D": (2, 3, 0, 1), "Dense": (1, 0)}[kind]
            shape = [shapes[0][axis] for axis in out_first]
            scale = 1 / math.sqrt(math.prod(shape[1:]))
            weights[f"{layer.name}.weight"] = rng.normal(0, scale, shape).astype(np.float32)
            for shape in shapes[1:]:
                weights[f"{layer.name}.bias"] = rng.normal(size=shape).astype(np.float32)
    return weights


def identity_names(model) -> dict[str, str]:
    return {layer.name: layer.name for layer in model.layers if layer.weights}


@pytest.fixture(scope="module", params=["same", "symmetric"])
def small(request):
    """A small network of random weights, its state dict and two pictures."""
    rng = np.random.default_rng(0)
    model = build_network(small_plan(request.param), with_top=True)
    weights = torch_weights_for(model, rng)
    transfer_weights(model, weights, identity_names(model), path=Path("small.pth"))
    pictures = rng.uniform(0, 255, (2, 30, 30, 3)).astype(np.float32)
    return request.param, model, weights, pictures


def test_logits_are_those_of_the_network_written_apart(small):
    padding, model, weights, pictures_NHWC = small
    standardized_NCHW = ((pictures_NHWC - [120, 110, 100]) / [60, 50, 40]).transpose(0, 3, 1, 2)

    def pair(part: str) -> Pair:
        return f"{part}_convolution", f"{part}_normalization"

    blocks = [
        [pair(f"block_{number}_{part}") for part in parts]
        for number, parts in [
            (1, ("depthwise", "projection")),
            (2, ("expansion", "depthwise", "projection")),
            (3, ("expansion", "depthwise", "projection")),
        ]
    ]
    features = reference_features(
        weights,
        standardized_NCHW,
        pairs=[[pair("stem")], *blocks, [pair("head")]],
        strides=[2, 1, 2, 1, 1],
        padding=padding,
    )
    expected = reference_logits(weights, features, "logits")
    assert np.abs(np.asarray(model(pictures_NHWC)) - expected).max() < TOLERANCE * np.abs(expected).max()
    assert model.get_layer("block_3_residual_sum").output.shape == (None, 8, 8, 6)


def test_every_step_of_it_can_be_computed_again_in_numpy(small):
    _, model, _, pictures = small
    trace = openbook.trace(model, pictures)
    assert trace["output"] == pytest.approx(np.asarray(model(pictures)), abs=TOLERANCE)
    assert "block_2_depthwise_relu6/output" in trace.names()
    check = trace.check()
    assert check.largest < TOLERANCE and not check.unchecked


def test_a_saved_network_is_loaded_in_safe_mode_with_the_same_logits(small, tmp_path):
    _, model, _, pictures = small
    model.save(tmp_path / "small.keras")
    again = load_model(tmp_path / "small.keras")
    assert np.array_equal(again(pictures), model(pictures))


def test_without_the_top_the_features_come_before_pooling(small):
    padding, model, weights, pictures = small
    features_model = build_network(small_plan(padding), with_top=False)
    transfer_weights(features_model, weights, identity_names(model), path=Path("small.pth"))
    features = np.asarray(features_model(pictures))
    assert features.shape == (2, 8, 8, 12)
    kernel, bias = (np.asarray(weight) for weight in model.get_layer("logits").weights)
    logits = features.mean(axis=(1, 2)) @ kernel + bias
    assert logits == pytest.approx(np.asarray(model(pictures)), abs=TOLERANCE)
