"""A learned vector for each position, added to what stands there."""

from typing import Any

import keras


@keras.saving.register_keras_serializable(package="openbook")
class LearnedPositions(keras.layers.Layer):
    """`outputs[b, t] = inputs[b, t] + positions[t]`; without it a Transformer does not know the order of words.

    Shapes: (B, T, E) → (B, T, E); T is fixed when the layer is built.
    """

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        # Small beside the words, or the first steps would learn nothing but where a word stands.
        self.positions = self.add_weight(
            name="embeddings",
            shape=input_shape[1:],
            initializer=keras.initializers.RandomNormal(stddev=0.02),
        )

    def call(self, inputs_BTE: Any) -> Any:
        return inputs_BTE + self.positions

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return input_shape
