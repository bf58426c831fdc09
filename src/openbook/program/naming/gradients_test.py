"""A backward value that bears the name of a forward value is the gradient of the loss by it."""

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

from openbook.layers import DecoderBlock
from openbook.program.capture import compile_capture
from openbook.program.model import step_program
from openbook.program.naming import name_values
from openbook.program.naming.gradients import gradients_of

layers, losses = keras.layers, keras.losses


def models():
    sequence = keras.Input((5, 8))

    def attention(layer):
        return keras.Model(sequence, layers.Dense(8)(layer(layers.Dense(8)(sequence))))

    flat = keras.Input((6,))
    shared = layers.Dense(6, activation="tanh", name="shared")
    block = DecoderBlock(num_heads=2, head_dim=4, feed_forward_units=16, name="block_1")
    return {
        "norms": (
            keras.Sequential(
                [
                    keras.Input((6,)),
                    layers.Dense(4, activation="relu"),
                    layers.LayerNormalization(),
                    layers.Dense(4, activation="gelu"),
                    layers.BatchNormalization(),
                    layers.Dropout(0.3),
                    layers.Dense(6, activation="softmax"),
                ]
            ),
            losses.CategoricalCrossentropy(),
            0.3,
        ),
        "activations": (
            keras.Sequential(
                [
                    keras.Input((6,)),
                    *(
                        layers.Dense(4, activation=name)
                        for name in ("tanh", "sigmoid", "silu", "elu", "softplus", "leaky_relu")
                    ),
                    layers.Dense(6),
                ]
            ),
            losses.MeanSquaredError(),
            0.3,
        ),
        "decoder": (keras.Sequential([keras.Input((5, 8)), block]), losses.MeanSquaredError(), 0.3),
        "multi_head": (
            attention(lambda x: layers.MultiHeadAttention(2, 4)(x, x, use_causal_mask=True)),
            losses.MeanAbsoluteError(),
            0.3,
        ),
        "attention": (attention(lambda x: layers.Attention()([x, x])), losses.Huber(), 0.2),
        "convolution": (
            keras.Sequential(
                [
                    keras.Input((8, 8, 4)),
                    layers.Conv2D(3, 3, activation="relu"),
                    layers.MaxPooling2D(),
                    layers.Conv2D(5, 2, padding="same"),
                    layers.BatchNormalization(),
                    layers.GlobalAveragePooling2D(),
                    layers.Dense(4, activation="sigmoid"),
                ]
            ),
            losses.BinaryCrossentropy(),
            0.3,
        ),
        "recurrent": (
            keras.Sequential([keras.Input((5, 8)), layers.LSTM(4, return_sequences=True), layers.GRU(3)]),
            losses.MeanSquaredError(),
            0.05,
        ),
        "shared": (
            keras.Model(flat, layers.Add()([shared(shared(flat)), flat])),
            losses.MeanSquaredError(),
            0.3,
        ),
    }


MODELS = models()


@pytest.mark.parametrize("name", MODELS)
def test_recognised_gradients_are_the_gradients(name):
    model, loss, smallest_share = MODELS[name]
    rng = np.random.default_rng(0)
    for variable in model.trainable_variables:
        variable.assign(rng.normal(size=variable.shape) * 0.5)
    inputs = rng.normal(size=(3, *model.input_shape[1:])).astype("float32")
    targets = rng.uniform(size=(3, *model.output_shape[1:])).astype("float32")
    program, roles, arrays = step_program(model, inputs, targets, loss=loss, optimizer="sgd")
    names = name_values(program, roles)
    found = gradients_of(names.placement)
    backward = [step for step in program.steps if step.scope.phase == "backward"]
    assert len(set(found.values())) >= smallest_share * len(backward)
    expected = gradients_by_jax(program, names.placement.graph, arrays, set(found))
    captured = compile_capture(program, set(found.values()))(arrays)
    for forward_id, value_id in found.items():
        actual, wanted = np.asarray(captured[value_id]), np.asarray(expected[forward_id])
        # float32 sums in another order.
        np.testing.assert_allclose(
            actual, wanted, rtol=2e-3, atol=2e-5 * max(1.0, np.abs(wanted).max()), err_msg=names[value_id]
        )


def gradients_by_jax(program, graph, arrays, wanted):
    """The loss's gradient by forward values: zeros are added to them, and JAX differentiates by the zeros."""
    loss_id = program.outputs[0]
    steps = [step for step in program.steps if graph.phases[step.id] == "forward"]

    def loss_of(zeros):
        environment = {**program.constants, **dict(zip(program.inputs, arrays, strict=True))}
        environment.update({key: environment[key] + zeros[key] for key in program.inputs if key in zeros})
        for step in steps:
            params = step.jax_primitive.get_bind_params(step.params)
            results = step.jax_primitive.bind(*(environment[each] for each in step.inputs), **params)
            results = results if step.jax_primitive.multiple_results else [results]
            for value_id, result in zip(step.outputs, results, strict=True):
                environment[value_id] = result + zeros[value_id] if value_id in zeros else result
        return environment[loss_id]

    zeros = {key: jnp.zeros(program.values[key].shape, program.values[key].dtype) for key in wanted}
    return jax.jit(jax.grad(loss_of))(zeros)
