"""Token embeddings with what a token means after the one before it: pairs are known before any attention."""

# B = batch, T = time, V = vocabulary, P = rows of the table of pairs, E = model width

from typing import Any

import keras

# Odd numbers without a common factor, small enough for products of token ids to stay within 32 bits.
_FACTOR, _PREVIOUS_FACTOR = 36313, 27191


@keras.saving.register_keras_serializable(package="openbook")
class PairEmbedding(keras.layers.Embedding):
    """`outputs[t] = embeddings[token] + pair_embeddings[row(token, previous)] + mix * embeddings[previous]`.

    Pairs of tokens share the P rows of a table by a hash; `pair_embeddings` and `mix` (E,) begin at zero. Before
    the first position stands token 0.

    Args:
        input_dim: V, at most 32,768.
        output_dim: E.
        num_pair_rows: P.
    Shapes: integers (B, T) → (B, T, E).
    Source: Svenstrup et al. (2017), "Hash embeddings for efficient word representations", for the table; Peng et
        al. (2023), "RWKV: Reinventing RNNs for the Transformer era", section 3.1, for the mixed-in position.
    """

    def __init__(self, input_dim: int, output_dim: int, *, num_pair_rows: int, **kwargs: Any) -> None:
        super().__init__(input_dim, output_dim, **kwargs)
        self.num_pair_rows = num_pair_rows

    def build(self, input_shape: tuple[int | None, ...] | None = None) -> None:
        super().build(input_shape)
        self.pair_embeddings = self.add_weight(
            name="pair_embeddings", shape=(self.num_pair_rows, self.output_dim), initializer="zeros"
        )
        self.mix = self.add_weight(name="mix", shape=(self.output_dim,), initializer="zeros")

    def call(self, tokens_BT: Any) -> Any:
        return self.embed(tokens_BT, keras.ops.pad(tokens_BT[:, :-1], ((0, 0), (1, 0))))

    def embed(self, tokens_BT: Any, previous_BT: Any) -> Any:
        """The embeddings of tokens that follow others: (B, T, E)."""
        ops = keras.ops
        rows_BT = (_FACTOR * tokens_BT + _PREVIOUS_FACTOR * previous_BT) % self.num_pair_rows
        mixed_BTE = self.mix * ops.take(self.embeddings, previous_BT, axis=0)
        paired_BTE = ops.take(self.pair_embeddings, rows_BT, axis=0)
        return paired_BTE + mixed_BTE + ops.take(self.embeddings, tokens_BT, axis=0)

    def empty_cache(self, num_slots: int) -> Any:
        """The token before the first one: (1, 1) zeros."""
        return keras.ops.zeros((1, 1), dtype="int32")

    def step(self, inputs_B1: Any, cache: Any, position: Any) -> tuple[Any, Any]:
        """The layer at one position; the cache is the token before it."""
        return self.embed(inputs_B1, cache), inputs_B1

    def save_own_variables(self, store: Any) -> None:
        # Keras' embedding would save its table alone.
        keras.layers.Layer.save_own_variables(self, store)

    def load_own_variables(self, store: Any) -> None:
        keras.layers.Layer.load_own_variables(self, store)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "num_pair_rows": self.num_pair_rows}
