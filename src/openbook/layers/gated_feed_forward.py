"""The position-wise feed-forward part of a Transformer block, with a gate: SwiGLU."""

from typing import Any

import keras

from openbook.layers.projection import Projection


@keras.saving.register_keras_serializable(package="openbook")
class GatedFeedForward(keras.layers.Layer):
    """`outputs = (silu(inputs @ gate) * (inputs @ expand)) @ contract`.

    Shapes: (..., E) → (..., E); `units` is the width in between.
    Source: Shazeer (2020), "GLU variants improve Transformer", eq. 6.
    """

    def __init__(self, units: int, *, precision: str = "float32", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units
        self.precision = precision
        self.gate = self._projection(units, "gate")
        self.expand = self._projection(units, "expand")

    def build(self, input_shape: tuple[int, ...]) -> None:
        self.gate.build(input_shape)
        self.expand.build(input_shape)
        self.contract = self._projection(input_shape[-1], "contract")
        self.contract.build((*input_shape[:-1], self.units))

    def call(self, inputs: Any) -> Any:
        return self.contract(keras.ops.silu(self.gate(inputs)) * self.expand(inputs))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units, "precision": self.precision}

    def _projection(self, units: int, name: str) -> Projection:
        return Projection(units, precision=self.precision, kernel_initializer="zeros", name=name)
