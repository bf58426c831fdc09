"""A linear projection without bias whose products run in a chosen precision."""

from typing import Any

import keras

from openbook.layers.low_rank import LowRankUpdate
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
        self.low_rank_update: LowRankUpdate | None = None

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.kernel = self.add_weight(
            name="kernel", shape=(input_shape[-1], self.units), initializer=self.kernel_initializer
        )

    def call(self, inputs: Any) -> Any:
        outputs = product(inputs, self.kernel.value, precision=self.precision)
        return outputs if self.low_rank_update is None else outputs + self.low_rank_update(inputs)

    def add_low_rank_update(self, *, rank: int, scale: float) -> None:
        """Train a low-rank update from now on, and not the kernel."""
        update = LowRankUpdate(
            self.units, rank=rank, scale=scale, precision=self.precision, name="low_rank_update"
        )
        # Keras locks what a built layer consists of; its own `Dense.enable_lora` does the same.
        self._tracker.unlock()
        self.low_rank_update = update
        self._tracker.lock()
        update.build((None, self.kernel.shape[0]))
        self.kernel.trainable = False

    def merge_low_rank_update(self) -> None:
        """Add the update to the kernel; the layer is an ordinary one again."""
        assert self.low_rank_update is not None
        self.kernel.assign(self.kernel + self.low_rank_update.kernel())
        self._tracker.unlock()
        self._tracker.untrack(self.low_rank_update)
        self.low_rank_update = None
        self._tracker.lock()
        self.kernel.trainable = True

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (*input_shape[:-1], self.units)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "units": self.units,
            "precision": self.precision,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }
