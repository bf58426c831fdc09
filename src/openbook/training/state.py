"""Everything a training run carries from step to step, as arrays."""

from __future__ import annotations

import dataclasses
from typing import Any


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainingState:
    """Values of all variables, in the order Keras lists them.

    Attributes:
        trainable: weights that the optimizer changes.
        non_trainable: statistics and seed generator states.
        optimizer: the optimizer's slots, iteration count and learning rate.
    """

    trainable: list[Any]
    non_trainable: list[Any]
    optimizer: list[Any]

    @classmethod
    def of(cls, model: Any, optimizer: Any) -> TrainingState:
        """The current values; copies, so that the model keeps its own when a step donates these."""
        import jax.numpy as jnp

        def values(variables: list[Any]) -> list[Any]:
            return [jnp.array(variable.value) for variable in variables]

        return cls(
            trainable=values(model.trainable_variables),
            non_trainable=values(model.non_trainable_variables),
            optimizer=values(optimizer.variables),
        )

    def groups(self) -> dict[str, list[Any]]:
        """The three lists by name, as a checkpoint holds them."""
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}

    def put_weights_into(self, model: Any) -> None:
        """Assign copies of the weights and statistics to the model's variables."""
        import jax.numpy as jnp

        for variable, value in zip(model.trainable_variables, self.trainable, strict=True):
            variable.assign(jnp.array(value))
        for variable, value in zip(model.non_trainable_variables, self.non_trainable, strict=True):
            variable.assign(jnp.array(value))
