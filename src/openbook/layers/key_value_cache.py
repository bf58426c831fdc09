"""The keys and values of earlier positions, kept while a text is written token by token."""

# B = batch, T = time of new positions (1), S = slots, H = heads of keys and values, D = features per head

from typing import Any

import keras

# Keys and values, each (B, S, H, D), a ring: position p lies in slot p mod S.
KeyValueCache = tuple[Any, Any]


def empty_cache(num_slots: int, *, num_heads: int, head_dim: int) -> KeyValueCache:
    """A cache for one text in which nothing is seen yet."""
    shape = (1, num_slots, num_heads, head_dim)
    return keras.ops.zeros(shape), keras.ops.zeros(shape)


def remember(
    cache: KeyValueCache, key_B1HD: Any, value_B1HD: Any, position: Any
) -> tuple[KeyValueCache, Any]:
    """The cache with one more position, which takes the place of the oldest where there is no slot left.

    Args:
        position: scalar integer tensor, counted from 0.
    Returns:
        the cache, and which slots (1, S) hold something.
    """
    ops = keras.ops
    keys_BSHD, values_BSHD = cache
    num_slots = keys_BSHD.shape[1]
    start = (0, position % num_slots, 0, 0)
    keys_BSHD = ops.slice_update(keys_BSHD, start, key_B1HD)
    values_BSHD = ops.slice_update(values_BSHD, start, value_B1HD)
    return (keys_BSHD, values_BSHD), (ops.arange(num_slots) <= position)[None, :]
