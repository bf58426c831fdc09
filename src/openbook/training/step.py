"""One compiled training step on JAX: forward, loss, backward, update."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from openbook.training.state import TrainingState

# (state, inputs, targets, learning rate) -> (state, loss); the given state's memory is used again.
TrainStep = Callable[[TrainingState, Any, Any, float], tuple[TrainingState, Any]]


def compile_train_step(model: Any, optimizer: Any, loss: Callable[[Any, Any], Any]) -> TrainStep:
    """A function that takes one step.

    A step whose loss or gradient is not finite changes nothing, so the weights stay the last good ones;
    its loss is returned as it is.

    Args:
        model: a built Keras model.
        optimizer: a Keras optimizer, built for the model's trainable variables.
        loss: (outputs, targets) -> scalar.
    """
    import jax
    import jax.numpy as jnp

    from openbook.layers.fusing import fused_attention
    from openbook.training.devices import has_accelerator

    is_fused = has_accelerator()
    compiled = jax.jit(train_step_function(model, optimizer, loss), donate_argnums=0)

    def take(
        state: TrainingState, inputs: Any, targets: Any, learning_rate: float
    ) -> tuple[TrainingState, Any]:
        arrays = (state.trainable, state.non_trainable, state.optimizer)
        with fused_attention(is_wanted=is_fused):
            (trainable, non_trainable, slots), value = compiled(
                arrays, inputs, targets, jnp.float32(learning_rate)
            )
        return TrainingState(trainable=trainable, non_trainable=non_trainable, optimizer=slots), value

    return take


def train_step_function(model: Any, optimizer: Any, loss: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    """The step as a function for JAX to trace: (state, inputs, targets, learning rate) -> (state, loss).

    The state is three lists of arrays: trainable and other variables of the model, and those of the optimizer.
    """
    import jax
    import jax.numpy as jnp

    [rate_index] = [
        index for index, variable in enumerate(optimizer.variables) if variable.path.endswith("learning_rate")
    ]

    def compute_loss(trainable: Any, non_trainable: Any, inputs: Any, targets: Any) -> Any:
        outputs, non_trainable, losses = model.stateless_call(
            trainable, non_trainable, inputs, training=True, return_losses=True
        )
        return loss(outputs, targets) + sum(losses), non_trainable

    def step(arrays: Any, inputs: Any, targets: Any, learning_rate: Any) -> Any:
        trainable, non_trainable, slots = arrays
        (value, new_non_trainable), gradients = jax.value_and_grad(compute_loss, has_aux=True)(
            trainable, non_trainable, inputs, targets
        )
        slots = [learning_rate if index == rate_index else slot for index, slot in enumerate(slots)]
        new_trainable, new_slots = optimizer.stateless_apply(slots, gradients, trainable)
        squares = jnp.stack([jnp.sum(jnp.square(gradient)) for gradient in gradients])
        is_finite = jnp.isfinite(value) & jnp.all(jnp.isfinite(squares))
        new_arrays = (new_trainable, new_non_trainable, new_slots)
        kept = jax.tree.map(lambda new, old: jnp.where(is_finite, new, old), new_arrays, arrays)
        return kept, jnp.where(is_finite, value, jnp.nan)

    return step
