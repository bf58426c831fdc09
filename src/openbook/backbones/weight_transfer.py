"""Puts the weights of a torch state dict into a Keras model, layer by layer, and sees that none is left over."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from openbook.errors import DataError

__all__ = ["transfer_weights"]

# torch: (out, in, height, width), depthwise (channels, 1, height, width), dense (out, in).
_TO_KERAS_AXES = {"Conv2D": (2, 3, 1, 0), "DepthwiseConv2D": (2, 3, 0, 1), "Dense": (1, 0)}
# In the order of the layer's own weights: gamma, beta, moving mean, moving variance.
_BATCH_NORM_PARTS = ("weight", "bias", "running_mean", "running_var")
_COUNTER = ".num_batches_tracked"


def transfer_weights(
    model: Any, weights: Mapping[str, np.ndarray], torch_names: Mapping[str, str], *, path: Path
) -> None:
    """Set the weights of every layer that `torch_names` names.

    Args:
        model: a built Keras model; layers of `torch_names` that it lacks, as those of the top, are passed over.
        weights: the state dict.
        torch_names: Keras layer → name of the same module in torch.
        path: of the file, for messages.
    Raises:
        DataError: a weight is missing, has another shape, is not finite, or belongs to no layer.
    """
    unused = {name for name in weights if not name.endswith(_COUNTER)}
    layers = {layer.name: layer for layer in model.layers}
    for layer_name, torch_name in torch_names.items():
        parts = [part for part in _BATCH_NORM_PARTS if f"{torch_name}.{part}" in weights]
        unused.difference_update(f"{torch_name}.{part}" for part in parts)
        layer = layers.get(layer_name)
        if layer is None:
            continue
        axes = _TO_KERAS_AXES.get(type(layer).__name__)
        arrays = [weights[f"{torch_name}.{part}"] for part in parts]
        # The kernel's axes move; a bias and the numbers of a normalization have one axis.
        arrays = [array.transpose(axes) if axes and array.ndim == len(axes) else array for array in arrays]
        expected = [tuple(weight.shape) for weight in layer.weights]
        if [array.shape for array in arrays] != expected:
            raise DataError(
                f"{path}: {torch_name} has {[array.shape for array in arrays]}, expected {expected} for the layer "
                f"{layer_name}; these are the weights of another network"
            )
        if not all(np.isfinite(array).all() for array in arrays):
            raise DataError(f"{path}: {torch_name} has weights that are not finite")
        layer.set_weights(arrays)
    if unused:
        raise DataError(f"{path}: has weights of no layer, such as {min(unused)}; expected another network")
