"""The stand-in's layers beside those of Keras: `python -m bench.quick_layers`.

For layers of the sizes that the recipes have, 32 pictures each: the forward pass, and the gradients by inputs and
weights, Keras' layer and the stand-in's in turns (A B A B …), compiled before. Prints milliseconds (medians) and
ratios, and keeps them in `bench/results/quick_layers.json`.
"""

from __future__ import annotations

import argparse
import functools
from typing import Any

import numpy as np

from bench.side_by_side import RESULTS, Rows, side_by_side

_BATCH = 32
# (kind, side, channels, size of the kernel, stride, filters)
LAYERS = (
    ("depthwise", 64, 32, 3, 1, 32),
    ("depthwise", 64, 96, 3, 2, 96),
    ("depthwise", 32, 144, 5, 2, 144),
    ("depthwise", 16, 240, 5, 1, 240),
    ("depthwise", 8, 672, 5, 1, 672),
    ("separable", 48, 32, 3, 1, 64),
    ("separable", 12, 128, 3, 1, 256),
    ("transposed", 12, 128, 4, 2, 64),
    ("transposed", 24, 64, 4, 2, 32),
    ("transposed", 48, 32, 4, 2, 16),
    ("pooling", 26, 32, 2, 2, 32),
    ("pooling", 94, 32, 2, 2, 32),
    ("pooling", 48, 128, 3, 2, 128),
)


def main() -> None:
    """Time all layers and print a line for each."""
    parser = argparse.ArgumentParser(prog="python -m bench.quick_layers", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    rows = Rows(RESULTS / "quick_layers.json", command="python -m bench.quick_layers")
    for kind, side, channels, size, stride, filters in LAYERS:
        pairs = [
            side_by_side(own, keras_own, rounds=rounds)
            for own, keras_own in calls(kind, side, channels, size, stride, filters)
        ]
        found = {
            name: {
                "keras_ms": 1e3 * pair.medians_s[1],
                "quick_ms": 1e3 * pair.medians_s[0],
                "ratio": pair.ratio,
            }
            for name, pair in zip(("forward", "with gradients"), pairs, strict=True)
        }
        found = {name: {key: round(value, 2) for key, value in each.items()} for name, each in found.items()}
        key = {"layer": kind, "side": side, "channels": channels, "kernel": size, "stride": stride}
        rows.put({**key, "filters": filters, "pictures": _BATCH}, found)


def calls(kind: str, side: int, channels: int, size: int, stride: int, filters: int) -> Any:
    """For the forward pass and for the gradients: (the stand-in's call, that of Keras)."""
    import jax
    import keras

    from openbook.supervised.quick_layers import quick

    settings: dict[str, Any] = {"strides": stride, "padding": "same", "use_bias": False}
    layer = {
        "pooling": lambda: keras.layers.MaxPooling2D(size, strides=stride, padding="same"),
        "depthwise": lambda: keras.layers.DepthwiseConv2D(size, **settings),
        "separable": lambda: keras.layers.SeparableConv2D(filters, size, **settings),
        "transposed": lambda: keras.layers.Conv2DTranspose(filters, size, **settings),
    }[kind]()
    inputs = keras.Input((side, side, channels))
    model = keras.Model(inputs, layer(inputs))
    weights = [variable.value for variable in model.trainable_variables]
    pictures = np.random.default_rng(0).normal(size=(_BATCH, side, side, channels)).astype(np.float32)

    def programs(network: Any) -> Any:
        def forward(weights: Any, pictures: Any) -> Any:
            return network.stateless_call(weights, [], pictures)[0]

        gradients = jax.grad(lambda *arguments: (forward(*arguments) ** 2).sum(), argnums=(0, 1))
        return [functools.partial(called, jax.jit(each)) for each in (forward, gradients)]

    def called(program: Any) -> None:
        jax.block_until_ready(program(weights, pictures))

    return list(zip(programs(quick(model)), programs(model), strict=True))


if __name__ == "__main__":
    main()
