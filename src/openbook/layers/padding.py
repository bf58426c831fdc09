"""Sequences of unequal lengths: which positions are padding, and a mean that leaves them out."""

# B = batch, T = time, E = features

from typing import Any

import keras


@keras.saving.register_keras_serializable(package="openbook")
class PaddingMask(keras.layers.Layer):
    """True where there is a token, false where there is padding, which is the number 0.

    The mask is handed on as a tensor of its own, so that it is seen and cannot get lost on the way.

    Shapes: (B, T) → (B, T).
    """

    def call(self, tokens_BT: Any) -> Any:
        return keras.ops.not_equal(tokens_BT, 0)

    def compute_output_spec(self, tokens_BT: Any) -> Any:
        return keras.KerasTensor(tokens_BT.shape, dtype="bool")


@keras.saving.register_keras_serializable(package="openbook")
class AttentionMask(keras.layers.Layer):
    """For every position the positions that it may attend to: all that are no padding.

    Shapes: (B, T) → (B, 1, T), true where attention may go.
    """

    def call(self, is_token_BT: Any) -> Any:
        return keras.ops.expand_dims(is_token_BT, 1)

    def compute_output_spec(self, is_token_BT: Any) -> Any:
        batch, time = is_token_BT.shape
        return keras.KerasTensor((batch, 1, time), dtype="bool")


@keras.saving.register_keras_serializable(package="openbook")
class MaskedMean(keras.layers.Layer):
    """Mean over the positions that are no padding; zeros for a text without any.

    Shapes: [(B, T, E), (B, T)] → (B, E).
    """

    def call(self, inputs: Any) -> Any:
        features_BTE, is_token_BT = inputs
        weights_BT1 = keras.ops.expand_dims(keras.ops.cast(is_token_BT, features_BTE.dtype), -1)
        number_B1 = keras.ops.maximum(keras.ops.sum(weights_BT1, axis=1), 1.0)
        return keras.ops.sum(features_BTE * weights_BT1, axis=1) / number_B1

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        (batch, _, features), _ = input_shape
        return (batch, features)


@keras.saving.register_keras_serializable(package="openbook")
class MaskedMax(keras.layers.Layer):
    """Largest value over the positions that are no padding.

    Shapes: [(B, T, E), (B, T)] → (B, E).
    """

    def call(self, inputs: Any) -> Any:
        features_BTE, is_token_BT = inputs
        return keras.ops.max(keras.ops.where(is_token_BT[..., None], features_BTE, -1e9), axis=1)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        (batch, _, features), _ = input_shape
        return (batch, features)
