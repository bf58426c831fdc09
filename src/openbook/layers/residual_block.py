"""What decoder blocks have in common: attention, then feed-forward, each added to the residual stream."""

# B = batch, T = time, E = model width

from typing import Any

import keras

from openbook.layers.key_value_cache import KeyValueCache, remember


class ResidualBlock(keras.layers.Layer):
    """`x = x + attention(norm(x)); x = x + feed_forward(norm(x))`.

    Args:
        attention, feed_forward: the two parts.
        epsilon: of the normalizations before them; Keras' own when None.
        settings: arguments that make the same block again.
    Shapes: (B, T, E) → (B, T, E).
    Source: Xiong et al. (2020), "On layer normalization in the Transformer architecture" for the order.
    """

    def __init__(
        self,
        *,
        attention: keras.layers.Layer,
        feed_forward: keras.layers.Layer,
        epsilon: float | None = None,
        settings: dict[str, Any],
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.settings = settings
        given = {} if epsilon is None else {"epsilon": epsilon}
        self.attention_norm = keras.layers.RMSNormalization(**given, name="attention_norm")
        self.attention = attention
        self.feed_forward_norm = keras.layers.RMSNormalization(**given, name="feed_forward_norm")
        self.feed_forward = feed_forward

    def build(self, input_shape: tuple[int, ...]) -> None:
        for layer in (self.attention_norm, self.attention, self.feed_forward_norm, self.feed_forward):
            layer.build(input_shape)

    def call(self, inputs_BTE: Any) -> Any:
        hidden = inputs_BTE + self.attention(self.attention_norm(inputs_BTE))
        return hidden + self.feed_forward(self.feed_forward_norm(hidden))

    def empty_cache(self, num_slots: int) -> KeyValueCache:
        """What `step` begins with: room for the keys and values of `num_slots` positions of one text."""
        cache: KeyValueCache = self.attention.empty_cache(num_slots)
        return cache

    def step(self, inputs_B1E: Any, cache: KeyValueCache, position: Any) -> tuple[Any, KeyValueCache]:
        """The block at one position, with the keys and values of earlier positions from a cache.

        Args:
            inputs_B1E: float tensor; the residual stream at this position.
            cache: keys and values of the positions before.
            position: scalar integer tensor, counted from 0.
        Returns:
            (B, 1, E) and the cache with this position written. As many positions are seen as it has slots.
        """
        queries, key, value = self.attention.project(
            self.attention_norm(inputs_B1E), keras.ops.reshape(position, (1,))
        )
        cache, visible_1S = remember(cache, key, value, position)
        hidden = inputs_B1E + self.attention.attend(queries, *cache, visible_TS=visible_1S)
        return hidden + self.feed_forward(self.feed_forward_norm(hidden)), cache

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self.settings}
