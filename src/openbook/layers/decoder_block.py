"""The text generator's decoder block."""

from typing import Any

import keras

from openbook.layers.attention import CausalSelfAttention
from openbook.layers.feed_forward import FeedForward
from openbook.layers.residual_block import ResidualBlock


@keras.saving.register_keras_serializable(package="openbook")
class DecoderBlock(ResidualBlock):
    """Causal self-attention, then a feed-forward part with squared ReLU.

    Args:
        num_heads, head_dim, rotary_base: of the attention.
        feed_forward_units: width inside the feed-forward part.
        precision: operand type of all products with weights.
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
        super().__init__(
            attention=CausalSelfAttention(
                num_heads, head_dim, rotary_base=rotary_base, precision=precision, name="attention"
            ),
            feed_forward=FeedForward(feed_forward_units, precision=precision, name="feed_forward"),
            settings={
                "num_heads": num_heads,
                "head_dim": head_dim,
                "feed_forward_units": feed_forward_units,
                "rotary_base": rotary_base,
                "precision": precision,
            },
            **kwargs,
        )
