"""A weighted sum of vectors: with an embedding before it, a Dense layer over a sparse vector."""

# B = batch, K = vectors in a sum, D = size of a vector

from typing import Any

import keras


@keras.saving.register_keras_serializable(package="openbook")
class WeightedSum(keras.layers.Layer):
    """`sums[b] = Σ_k weights[b, k] · vectors[b, k]`.

    The rows of an embedding, summed with the entries of a sparse vector as weights, are that vector times the
    embedding's matrix; only the rows that matter are read.

    Shapes: [(B, K, D), (B, K)] → (B, D).
    """

    def call(self, inputs: Any) -> Any:
        vectors_BKD, weights_BK = inputs
        return keras.ops.sum(vectors_BKD * keras.ops.expand_dims(weights_BK, -1), axis=1)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        (batch, _, size), _ = input_shape
        return (batch, size)
