"""What tells one Llama model from another, but for its weights; and the plan as a Keras model."""

# B = batch, T = time, V = vocabulary

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["LlamaPlan", "build_llama"]


@dataclass(frozen=True, kw_only=True)
class LlamaPlan:
    """The sizes of a Llama model."""

    num_blocks: int
    width: int
    num_heads: int
    num_key_heads: int
    head_dim: int
    feed_forward_units: int
    vocabulary_size: int
    context_length: int  # tokens that it was trained to see at once
    rotary_base: float
    epsilon: float  # of the normalizations
    tied_output: bool

    def problem(self) -> str | None:
        """What is wrong with the sizes, in words; None where they fit together."""
        sizes = {
            "number of blocks": self.num_blocks,
            "width": self.width,
            "number of heads": self.num_heads,
            "number of key heads": self.num_key_heads,
            "size of a head": self.head_dim,
            "feed-forward width": self.feed_forward_units,
            "vocabulary": self.vocabulary_size,
            "context length": self.context_length,
        }
        for name, size in sizes.items():
            if size < 1:
                return f"a {name} of {size}"
        if self.num_heads % self.num_key_heads:
            return f"{self.num_heads} heads of queries over {self.num_key_heads} of keys"
        if self.head_dim % 2:
            return f"heads of {self.head_dim} features, which rotary positions cannot pair"
        return None


def build_llama(plan: LlamaPlan, *, precision: str) -> Any:
    """The functional model, tokens (B, T) → next-token logits (B, T, V); its weights are still zero.

    Layers are named as in a text generator that is trained from scratch.
    """
    import keras

    from openbook.layers import LlamaBlock, Projection, TiedEmbedding

    tokens = keras.Input((None,), dtype="int32", name="tokens")
    sizes: dict[str, Any] = {"input_dim": plan.vocabulary_size, "output_dim": plan.width}
    if plan.tied_output:
        embedding = TiedEmbedding(
            **sizes, embeddings_initializer="zeros", precision=precision, name="token_embedding"
        )
    else:
        embedding = keras.layers.Embedding(**sizes, embeddings_initializer="zeros", name="token_embedding")
    hidden = embedding(tokens)
    for index in range(plan.num_blocks):
        hidden = LlamaBlock(
            num_heads=plan.num_heads,
            num_key_heads=plan.num_key_heads,
            head_dim=plan.head_dim,
            feed_forward_units=plan.feed_forward_units,
            rotary_base=plan.rotary_base,
            epsilon=plan.epsilon,
            precision=precision,
            name=f"block_{index + 1}",
        )(hidden)
    hidden = keras.layers.RMSNormalization(epsilon=plan.epsilon, name="final_norm")(hidden)
    if plan.tied_output:
        logits = keras.layers.Identity(name="next_token_logits")(embedding(hidden, reverse=True))
    else:
        logits = Projection(
            plan.vocabulary_size, precision=precision, kernel_initializer="zeros", name="next_token_logits"
        )(hidden)
    return keras.Model(tokens, logits, name="text_generator")
