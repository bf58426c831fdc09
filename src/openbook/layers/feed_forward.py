"""The position-wise feed-forward part of a Transformer block, with squared ReLU."""

from typing import Any

import keras

from openbook.layers.projection import Projection


@keras.saving.register_keras_serializable(package="openbook")
class FeedForward(keras.layers.Layer):
    """`outputs = square(relu(inputs @ expand)) @ contract`.

    Shapes: (..., E) → (..., E); `units` is the width in between.
    Source: So et al. (2021), "Primer: Searching for efficient Transformers" for the squared ReLU.
    """

    def __init__(self, units: int, *, precision: str = "float32", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units
        self.precision = precision
        self.expand = Projection(units, precision=precision, name="expand")

    def build(self, input_shape: tuple[int, ...]) -> None:
        self.expand.build(input_shape)
        self.contract = Projection(
            input_shape[-1], precision=self.precision, kernel_initializer="zeros", name="contract"
        )
        self.contract.build((*input_shape[:-1], self.units))

    def call(self, inputs: Any) -> Any:
        return self.contract(keras.ops.square(keras.ops.relu(self.expand(inputs))))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units, "precision": self.precision}
