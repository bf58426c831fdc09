"""Rotary position embedding: each pair of features is turned by an angle that grows with the position.

Source: Su et al. (2021), "RoFormer: Enhanced Transformer with Rotary Position Embedding".
"""

# B = batch, T = time, H = heads, D = features per head

from typing import Any

import keras


def rotate(features_BTHD: Any, positions_T: Any, *, base: float) -> Any:
    """Turn features by their position, so that a query-key product depends on the distance alone.

    Args:
        features_BTHD: float tensor; queries or keys, D even. Feature i is paired with feature i + D/2.
        positions_T: tensor (T,) of positions in tokens.
        base: wavelength base; angles are position · base^(-2i/D).
    Returns:
        float tensor (B, T, H, D).
    """
    ops = keras.ops
    half = features_BTHD.shape[-1] // 2
    frequencies = base ** (-ops.arange(half, dtype="float32") / half)
    angles = ops.cast(positions_T, "float32")[:, None, None] * frequencies
    cosine, sine = ops.cos(angles), ops.sin(angles)
    first, second = features_BTHD[..., :half], features_BTHD[..., half:]
    return ops.concatenate([first * cosine - second * sine, second * cosine + first * sine], axis=-1)
