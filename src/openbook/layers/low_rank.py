"""A low-rank update beside a kernel that stays as it is: LoRA."""

# N = rows, I = inputs, O = outputs, R = rank

from typing import Any

import keras

from openbook.layers.product import product


class LowRankUpdate(keras.layers.Layer):
    """`update = scale · (inputs @ down) @ up`, zero at first because `up` is zero.

    It is made for training alone and added to the kernel at its end, so it is never saved.

    Args:
        units: O.
        rank: R, small beside I and O.
        scale: of the update. A scale that does not depend on the rank lets one learning rate suit all ranks.
    Shapes: (..., I) → (..., O).
    Source: Hu et al. (2021), "LoRA: Low-rank adaptation of large language models", section 4.1.
    """

    def __init__(self, units: int, *, rank: int, scale: float, precision: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units
        self.rank = rank
        self.scale = scale
        self.precision = precision

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.down = self.add_weight(
            name="down_kernel", shape=(input_shape[-1], self.rank), initializer="he_uniform"
        )
        self.up = self.add_weight(name="up_kernel", shape=(self.rank, self.units), initializer="zeros")

    def call(self, inputs: Any) -> Any:
        narrow = product(inputs, self.down.value, precision=self.precision)
        return self.scale * product(narrow, self.up.value, precision=self.precision)

    def kernel(self) -> Any:
        """The update as a kernel (I, O), in float32."""
        return self.scale * keras.ops.matmul(self.down, self.up)
