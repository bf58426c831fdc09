"""One pre-norm decoder block: attention, then feed-forward, each added to the residual stream."""

# B = batch, T = time, S = cache length, H = heads, D = features per head, E = model width

from typing import Any

import keras

from openbook.layers.attention import CausalSelfAttention
from openbook.layers.feed_forward import FeedForward


@keras.saving.register_keras_serializable(package="openbook")
class DecoderBlock(keras.layers.Layer):
    """`x = x + attention(norm(x)); x = x + feed_forward(norm(x))`.

    Args:
        num_heads, head_dim, rotary_base: of the attention.
        feed_forward_units: width inside the feed-forward part.
        precision: operand type of all products with weights.
    Shapes: (B, T, E) → (B, T, E).
    Source: Xiong et al. (2020), "On layer normalization in the Transformer architecture" for the order.
    """

    def __init__(
        self,
        *,
        num_heads: int,
        head_dim: int,
        feed_forward_units: int,
        rotary_base: float = 1000.0,
        precision: str = "float32",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.settings = {
            "num_heads": num_heads,
            "head_dim": head_dim,
            "feed_forward_units": feed_forward_units,
            "rotary_base": rotary_base,
            "precision": precision,
        }
        self.attention_norm = keras.layers.RMSNormalization(name="attention_norm")
        self.attention = CausalSelfAttention(
            num_heads, head_dim, rotary_base=rotary_base, precision=precision, name="attention"
        )
        self.feed_forward_norm = keras.layers.RMSNormalization(name="feed_forward_norm")
        self.feed_forward = FeedForward(feed_forward_units, precision=precision, name="feed_forward")

    def build(self, input_shape: tuple[int, ...]) -> None:
        for layer in (self.attention_norm, self.attention, self.feed_forward_norm, self.feed_forward):
            layer.build(input_shape)

    def call(self, inputs_BTE: Any) -> Any:
        hidden = inputs_BTE + self.attention(self.attention_norm(inputs_BTE))
        return hidden + self.feed_forward(self.feed_forward_norm(hidden))

    def step(self, inputs_B1E: Any, cache: tuple[Any, Any], position: Any) -> tuple[Any, tuple[Any, Any]]:
        """The block at one position, with the keys and values of earlier positions from a cache.

        Args:
            inputs_B1E: float tensor; the residual stream at this position.
            cache: keys and values, each (B, S, H, D), a ring: position p lies in slot p mod S.
            position: scalar integer tensor, counted from 0.
        Returns:
            (B, 1, E) and the cache with this position written. The last S positions are seen.
        """
        ops = keras.ops
        keys_BSHD, values_BSHD = cache
        num_slots = keys_BSHD.shape[1]
        queries, key, value = self.attention.project(
            self.attention_norm(inputs_B1E), ops.reshape(position, (1,))
        )
        start = (0, position % num_slots, 0, 0)
        keys_BSHD = ops.slice_update(keys_BSHD, start, key)
        values_BSHD = ops.slice_update(values_BSHD, start, value)
        visible_1S = (ops.arange(num_slots) <= position)[None, :]
        hidden = inputs_B1E + self.attention.attend(queries, keys_BSHD, values_BSHD, visible_TS=visible_1S)
        return hidden + self.feed_forward(self.feed_forward_norm(hidden)), (keys_BSHD, values_BSHD)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self.settings}
