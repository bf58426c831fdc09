"""The book's text generator (chapter 12), with the causal mask that Keras 3 no longer passes on by itself.

15,000 words, 100 tokens, one block of two attentions with 2 heads of 256, feed-forward 2048, embeddings of 256,
post-norm, RMSprop at a constant rate, batches of 256: 9,825,176 parameters.
"""

# B = batch, T = time, V = vocabulary

from __future__ import annotations

from typing import Any

VOCABULARY_SIZE = 15_000
CONTEXT_LENGTH = 100
BATCH_SIZE = 256
NUM_REVIEWS = 100_000
WIDTH, NUM_HEADS, HEAD_DIM, FEED_FORWARD_UNITS = 256, 2, 256, 2048
NUM_PARAMETERS = 9_825_176


def build() -> Any:
    """The functional model: tokens (B, T) → probabilities of the next token (B, T, V)."""
    import keras
    from keras import layers

    class Positions(layers.Layer):  # type: ignore[misc]
        """Adds a learned vector for each position."""

        def build(self, input_shape: Any) -> None:
            self.vectors = layers.Embedding(CONTEXT_LENGTH, WIDTH, name="positions")
            self.vectors.build((None,))

        def call(self, hidden: Any) -> Any:
            return hidden + self.vectors(keras.ops.arange(keras.ops.shape(hidden)[1]))

    tokens = keras.Input((CONTEXT_LENGTH,), dtype="int32", name="tokens")
    hidden = layers.Embedding(VOCABULARY_SIZE, WIDTH, name="token_embedding")(tokens)
    hidden = Positions(name="position_embedding")(hidden)
    inputs = hidden
    for number in (1, 2):
        # The decoder attends to its own inputs twice; in a translator the second time goes to the other sentence.
        attention = layers.MultiHeadAttention(NUM_HEADS, HEAD_DIM, name=f"attention_{number}")
        attended = attention(hidden, inputs, inputs, use_causal_mask=True)
        hidden = layers.LayerNormalization(name=f"attention_norm_{number}")(hidden + attended)
    projected = layers.Dense(FEED_FORWARD_UNITS, activation="relu", name="expand")(hidden)
    projected = layers.Dense(WIDTH, name="contract")(projected)
    hidden = layers.LayerNormalization(name="feed_forward_norm")(hidden + projected)
    hidden = layers.Dropout(0.5, name="dropout")(hidden)
    probabilities = layers.Dense(VOCABULARY_SIZE, activation="softmax", name="next_token")(hidden)
    return keras.Model(tokens, probabilities, name="book_text_generator")


def optimizer() -> Any:
    """RMSprop at Keras' rate."""
    import keras

    return keras.optimizers.RMSprop()


def loss(probabilities_BTV: Any, targets_BT: Any) -> Any:
    """Mean cross-entropy in nats, from probabilities, as the book has it."""
    import keras

    return keras.ops.mean(keras.losses.sparse_categorical_crossentropy(targets_BT, probabilities_BTV))
