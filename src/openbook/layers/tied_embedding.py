"""A token embedding that also makes the logits, with products in a chosen precision."""

# B = batch, T = time, V = vocabulary, E = model width

from typing import Any

import keras

from openbook.layers.product import product


@keras.saving.register_keras_serializable(package="openbook")
class TiedEmbedding(keras.layers.Embedding):
    """`vectors = embeddings[tokens]`, and in reverse `logits = hidden @ embeddingsᵀ`.

    As `keras.layers.ReversibleEmbedding`, whose products know one precision only.

    Args:
        precision: operand type of the logits' product.
    Shapes: (B, T) → (B, T, E); in reverse (B, T, E) → (B, T, V).
    Source: Press and Wolf (2017), "Using the output embedding to improve language models".
    """

    tie_weights = True

    def __init__(self, input_dim: int, output_dim: int, *, precision: str = "float32", **kwargs: Any) -> None:
        super().__init__(input_dim, output_dim, **kwargs)
        self.precision = precision

    def call(self, inputs: Any, reverse: bool = False) -> Any:
        if not reverse:
            return super().call(inputs)
        return product(inputs, keras.ops.transpose(self.embeddings), precision=self.precision)

    def compute_output_spec(self, inputs: Any, reverse: bool = False) -> Any:
        if not reverse:
            return keras.KerasTensor((*inputs.shape, self.output_dim), dtype=self.compute_dtype)
        return keras.KerasTensor((*inputs.shape[:-1], self.input_dim), dtype="float32")

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "precision": self.precision}
