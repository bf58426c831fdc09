"""Matrix products with chosen operand precision and float32 results, forward and backward.

On XLA's CPU a bfloat16 product is fast only when the result is float32, and mixed operands fall back to
float32; Keras' own `matmul` does neither, so the JAX path states it here, also for the two products of
the backward pass.
"""

# N = rows (all leading axes together), I = inputs, O = outputs

import functools
from typing import Any

import keras


def product(inputs: Any, kernel: Any, *, precision: str) -> Any:
    """Matrix product over the last axis of the inputs.

    Args:
        inputs: float tensor (..., I).
        kernel: float tensor (I, O).
        precision: type of the operands, "float32" or "bfloat16"; sums and result are float32.
    Returns:
        float32 tensor (..., O).
    """
    if precision == "float32":
        return keras.ops.matmul(inputs, kernel)
    if keras.backend.backend() == "jax":
        return _jax_bfloat16_product()(inputs, kernel)
    inputs, kernel = keras.ops.cast(inputs, "bfloat16"), keras.ops.cast(kernel, "bfloat16")
    return keras.ops.cast(keras.ops.matmul(inputs, kernel), "float32")


@functools.cache
def _jax_bfloat16_product() -> Any:
    import jax
    import jax.numpy as jnp

    def contract(left: Any, right: Any, axes: tuple[int, int]) -> Any:
        return jax.lax.dot_general(
            left, right, (((axes[0],), (axes[1],)), ((), ())), preferred_element_type=jnp.float32
        )

    def rows(tensor: Any) -> Any:
        return tensor.reshape(-1, tensor.shape[-1]).astype(jnp.bfloat16)

    @jax.custom_vjp
    def multiply(inputs: Any, kernel: Any) -> Any:
        return forward(inputs, kernel)[0]

    def forward(inputs: Any, kernel: Any) -> Any:
        inputs_NI, kernel_IO = rows(inputs), kernel.astype(jnp.bfloat16)
        outputs = contract(inputs_NI, kernel_IO, (1, 0)).reshape(*inputs.shape[:-1], kernel.shape[-1])
        return outputs, (inputs_NI, kernel_IO)

    def backward(saved: Any, gradient: Any) -> Any:
        inputs_NI, kernel_IO = saved
        gradient_NO = rows(gradient)
        inputs_gradient = contract(gradient_NO, kernel_IO, (1, 1))
        kernel_gradient = contract(inputs_NI, gradient_NO, (0, 0))
        return inputs_gradient.reshape(*gradient.shape[:-1], -1), kernel_gradient

    multiply.defvjp(forward, backward)
    return multiply
