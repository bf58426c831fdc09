"""Causal self-attention with rotary positions and normalised queries and keys."""

# B = batch, T = time, S = time of the keys, H = heads, D = features per head, E = model width

from typing import Any

import keras

from openbook.layers.fusing import is_attention_fused
from openbook.layers.key_value_cache import KeyValueCache, empty_cache
from openbook.layers.projection import Projection
from openbook.layers.rotary import rotate

_MASKED_SCORE = -1e9


@keras.saving.register_keras_serializable(package="openbook")
class CausalSelfAttention(keras.layers.Layer):
    """Multi-head attention in which position t sees positions 0…t only.

    Queries and keys are divided by their root mean square, which keeps scores in range at high learning
    rates (Dehghani et al. 2023, "Scaling vision transformers to 22 billion parameters", section 2).

    Args:
        num_heads: H.
        head_dim: D, even.
        rotary_base: wavelength base of the rotary positions.
        precision: operand type of the projections.
    Shapes: (B, T, E) → (B, T, E).
    Source: Vaswani et al. (2017), "Attention is all you need", section 3.2.
    """

    def __init__(
        self,
        num_heads: int,
        head_dim: int,
        *,
        rotary_base: float = 1000.0,
        precision: str = "float32",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.num_heads = num_heads
        self.head_dim = head_dim
        self.rotary_base = rotary_base
        self.precision = precision
        features = num_heads * head_dim
        self.query = Projection(features, precision=precision, name="query")
        self.key = Projection(features, precision=precision, name="key")
        self.value = Projection(features, precision=precision, name="value")

    def build(self, input_shape: tuple[int, ...]) -> None:
        for projection in (self.query, self.key, self.value):
            projection.build(input_shape)
        # Zero weights make the block the identity at the start, so that depth costs no warm-up.
        self.output_projection = Projection(
            input_shape[-1], precision=self.precision, kernel_initializer="zeros", name="output"
        )
        self.output_projection.build((*input_shape[:-1], self.num_heads * self.head_dim))

    def call(self, inputs_BTE: Any) -> Any:
        num_positions = keras.ops.shape(inputs_BTE)[1]
        positions_T = keras.ops.arange(num_positions)
        queries, keys, values = self.project(inputs_BTE, positions_T)
        visible_TS = None if is_attention_fused() else positions_T[:, None] >= positions_T[None, :]
        return self.attend(queries, keys, values, visible_TS=visible_TS)

    def project(self, inputs_BTE: Any, positions_T: Any) -> tuple[Any, Any, Any]:
        """Queries, keys and values per head, each (B, T, H, D); queries and keys normalised and rotated."""
        queries, keys, values = (
            keras.ops.reshape(
                layer(inputs_BTE), (*keras.ops.shape(inputs_BTE)[:2], self.num_heads, self.head_dim)
            )
            for layer in (self.query, self.key, self.value)
        )
        queries, keys = (
            rotate(keras.ops.rms_normalization(heads), positions_T, base=self.rotary_base)
            for heads in (queries, keys)
        )
        return queries, keys, values

    def attend(self, queries_BTHD: Any, keys_BSHD: Any, values_BSHD: Any, *, visible_TS: Any) -> Any:
        """What `attended_values` gives, through the output projection: (B, T, E)."""
        return self.output_projection(
            attended_values(queries_BTHD, keys_BSHD, values_BSHD, visible_TS, precision=self.precision)
        )

    def empty_cache(self, num_slots: int) -> KeyValueCache:
        """Room for the keys and values of `num_slots` positions of one text."""
        return empty_cache(num_slots, num_heads=self.num_heads, head_dim=self.head_dim)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "num_heads": self.num_heads,
            "head_dim": self.head_dim,
            "rotary_base": self.rotary_base,
            "precision": self.precision,
        }


def attended_values(
    queries_BTHD: Any, keys_BSHD: Any, values_BSHD: Any, visible_TS: Any, *, precision: str
) -> Any:
    """Values of the visible positions, weighted by how well their keys fit the queries: (B, T, H · D).

    Args:
        visible_TS: booleans; None for positions 0…t, seen from t, by one fused operation.
        precision: of the operands of that operation.
    """
    ops = keras.ops
    num_heads, head_dim = queries_BTHD.shape[2:]
    if visible_TS is None:
        operands = [ops.cast(each, precision) for each in (queries_BTHD, keys_BSHD, values_BSHD)]
        attended_BTHD = ops.cast(ops.dot_product_attention(*operands, is_causal=True), "float32")
        return ops.reshape(attended_BTHD, (*ops.shape(attended_BTHD)[:2], num_heads * head_dim))
    scores_BHTS = ops.einsum("bthd,bshd->bhts", queries_BTHD, keys_BSHD) / head_dim**0.5
    weights_BHTS = ops.softmax(ops.where(visible_TS, scores_BHTS, _MASKED_SCORE), axis=-1)
    attended_BTHD = ops.einsum("bhts,bshd->bthd", weights_BHTS, values_BSHD)
    return ops.reshape(attended_BTHD, (*ops.shape(attended_BTHD)[:2], num_heads * head_dim))
