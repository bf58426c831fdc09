"""The decoder block of a Llama model."""

from typing import Any

import keras

from openbook.layers.gated_feed_forward import GatedFeedForward
from openbook.layers.grouped_attention import GroupedQueryAttention
from openbook.layers.residual_block import ResidualBlock


@keras.saving.register_keras_serializable(package="openbook")
class LlamaBlock(ResidualBlock):
    """Grouped attention, then a gated feed-forward part.

    Args:
        num_heads, num_key_heads, head_dim, rotary_base: of the attention.
        feed_forward_units: width inside the feed-forward part.
        epsilon: of the normalizations.
        precision: operand type of all products with weights.
    Source: Touvron et al. (2023), "LLaMA: Open and efficient foundation language models", section 2.2.
    """

    def __init__(
        self,
        *,
        num_heads: int,
        num_key_heads: int,
        head_dim: int,
        feed_forward_units: int,
        rotary_base: float = 10000.0,
        epsilon: float = 1e-5,
        precision: str = "float32",
        **kwargs: Any,
    ) -> None:
        super().__init__(
            attention=GroupedQueryAttention(
                num_heads,
                num_key_heads,
                head_dim,
                rotary_base=rotary_base,
                precision=precision,
                name="attention",
            ),
            feed_forward=GatedFeedForward(feed_forward_units, precision=precision, name="feed_forward"),
            epsilon=epsilon,
            settings={
                "num_heads": num_heads,
                "num_key_heads": num_key_heads,
                "head_dim": head_dim,
                "feed_forward_units": feed_forward_units,
                "rotary_base": rotary_base,
                "epsilon": epsilon,
                "precision": precision,
            },
            **kwargs,
        )
