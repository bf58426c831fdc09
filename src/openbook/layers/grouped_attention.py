"""Causal self-attention in which several heads of queries share one head of keys and values."""

# B = batch, T = time, S = time of the keys, H = heads of queries, K = heads of keys, D = features per head,
# E = model width

from typing import Any

import keras

from openbook.layers.attention import attended_values
from openbook.layers.fusing import is_attention_fused
from openbook.layers.key_value_cache import KeyValueCache, empty_cache
from openbook.layers.projection import Projection
from openbook.layers.rotary import rotate


@keras.saving.register_keras_serializable(package="openbook")
class GroupedQueryAttention(keras.layers.Layer):
    """Multi-head attention in which position t sees positions 0…t only, as Llama models have it.

    Query heads come in groups of H / K; the heads of a group look at the same keys and collect the same values, so
    that there is less to keep while a text is written.

    Args:
        num_heads: H, a multiple of `num_key_heads`.
        num_key_heads: K.
        head_dim: D, even.
        rotary_base: wavelength base of the rotary positions.
        precision: operand type of the projections.
    Shapes: (B, T, E) → (B, T, E).
    Source: Ainslie et al. (2023), "GQA: Training generalized multi-query Transformer models".
    """

    def __init__(
        self,
        num_heads: int,
        num_key_heads: int,
        head_dim: int,
        *,
        rotary_base: float = 10000.0,
        precision: str = "float32",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.num_heads = num_heads
        self.num_key_heads = num_key_heads
        self.head_dim = head_dim
        self.rotary_base = rotary_base
        self.precision = precision
        self.query = self._projection(num_heads * head_dim, "query")
        self.key = self._projection(num_key_heads * head_dim, "key")
        self.value = self._projection(num_key_heads * head_dim, "value")

    def build(self, input_shape: tuple[int, ...]) -> None:
        for projection in (self.query, self.key, self.value):
            projection.build(input_shape)
        self.output_projection = self._projection(input_shape[-1], "output")
        self.output_projection.build((*input_shape[:-1], self.num_heads * self.head_dim))

    def call(self, inputs_BTE: Any) -> Any:
        positions_T = keras.ops.arange(keras.ops.shape(inputs_BTE)[1])
        queries, keys, values = self.project(inputs_BTE, positions_T)
        visible_TS = None if is_attention_fused() else positions_T[:, None] >= positions_T[None, :]
        return self.attend(queries, keys, values, visible_TS=visible_TS)

    def project(self, inputs_BTE: Any, positions_T: Any) -> tuple[Any, Any, Any]:
        """Queries (B, T, H, D), keys and values (B, T, K, D); queries and keys rotated."""
        queries, keys, values = (
            keras.ops.reshape(layer(inputs_BTE), (*keras.ops.shape(inputs_BTE)[:2], num_heads, self.head_dim))
            for layer, num_heads in (
                (self.query, self.num_heads),
                (self.key, self.num_key_heads),
                (self.value, self.num_key_heads),
            )
        )
        queries, keys = (rotate(heads, positions_T, base=self.rotary_base) for heads in (queries, keys))
        return queries, keys, values

    def attend(self, queries_BTHD: Any, keys_BSKD: Any, values_BSKD: Any, *, visible_TS: Any) -> Any:
        """What `attended_values` gives, through the output projection: (B, T, E)."""
        group_size = self.num_heads // self.num_key_heads
        keys_BSHD, values_BSHD = (
            keras.ops.repeat(heads, group_size, axis=2) if group_size > 1 else heads
            for heads in (keys_BSKD, values_BSKD)
        )
        return self.output_projection(
            attended_values(queries_BTHD, keys_BSHD, values_BSHD, visible_TS, precision=self.precision)
        )

    def empty_cache(self, num_slots: int) -> KeyValueCache:
        """Room for the keys and values of `num_slots` positions of one text."""
        return empty_cache(num_slots, num_heads=self.num_key_heads, head_dim=self.head_dim)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "num_heads": self.num_heads,
            "num_key_heads": self.num_key_heads,
            "head_dim": self.head_dim,
            "rotary_base": self.rotary_base,
            "precision": self.precision,
        }

    def _projection(self, units: int, name: str) -> Projection:
        # Zeros are replaced by trained weights at once; drawing hundreds of millions takes seconds.
        return Projection(units, precision=self.precision, kernel_initializer="zeros", name=name)
