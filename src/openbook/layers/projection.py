"""A linear projection without bias whose products run in a chosen precision."""

from typing import Any

import keras

from openbook.layers.product import product


@keras.saving.register_keras_serializable(package="openbook")
class Projection(keras.layers.Layer):
    """`outputs = inputs @ kernel`.

    Args:
        units: size of the last axis of the outputs.
        precision: type of the operands, "float32" or "bfloat16"; the result is float32.
        kernel_initializer: as in `keras.layers.Dense`.
    Shapes: (..., I) → (..., units).
    """

    def __init__(
        self,
        units: int,
        *,
        precision: str = "float32",
        kernel_initializer: Any = "glorot_uniform",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.units = units
        self.precision = precision
        self.kernel_initializer = keras.initializers.get(kernel_initializer)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.kernel = self.add_weight(
            name="kernel", shape=(input_shape[-1], self.units), initializer=self.kernel_initializer
        )

    def call(self, inputs: Any) -> Any:
        return product(inputs, self.kernel.value, precision=self.precision)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (*input_shape[:-1], self.units)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "units": self.units,
            "precision": self.precision,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }
