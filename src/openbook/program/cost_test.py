"""Cost against hand counts."""

import keras
import numpy as np
import pytest

import openbook

L = keras.layers


def cost_of(model, shape, dtype="float32"):
    return openbook.trace(model, np.ones(shape, dtype)).cost()


def test_dense_layer_counts_two_operations_a_multiply_add():
    cost = cost_of(keras.Sequential([keras.Input((6,)), L.Dense(4)]), (3, 6))
    product, bias = 2 * 3 * 6 * 4, 3 * 4
    assert cost.operations == product + bias


def test_convolution_counts_its_window_for_each_output():
    cost = cost_of(keras.Sequential([keras.Input((8, 8, 3)), L.Conv2D(5, 3, use_bias=False)]), (2, 8, 8, 3))
    assert cost.operations == 2 * (2 * 6 * 6 * 5) * (3 * 3 * 3)


def test_attention_products_by_hand():
    import jax.numpy as jnp

    def attention(q, k, v):
        return jnp.einsum("bhts,bshd->bthd", jnp.einsum("bthd,bshd->bhts", q, k), v)

    heads = np.ones((2, 7, 3, 4), "float32")
    cost = openbook.trace(attention, heads, heads, heads).cost()
    assert cost.operations == 2 * (2 * (2 * 3 * 7 * 7) * 4)


def test_loop_counts_once_for_each_time_step():
    one = cost_of(keras.Sequential([keras.Input((1, 3)), L.SimpleRNN(4)]), (2, 1, 3))
    many = cost_of(keras.Sequential([keras.Input((10, 3)), L.SimpleRNN(4)]), (2, 10, 3))
    inside = [
        sum(each.cost.operations for each in cost.steps if "dot_general" in each.step.primitive)
        for cost in (one, many)
    ]
    assert inside[1] == 10 * inside[0]


def test_layers_add_up_and_memory_is_the_compilers():
    cost = cost_of(keras.Sequential([keras.Input((64,)), L.Dense(32), L.Dense(16)]), (5, 64))
    assert sum(each.operations for each in cost.by_layer().values()) == pytest.approx(cost.operations)
    assert len(cost.by_layer()) == 2
    weights_bytes = 4 * (64 * 32 + 32 + 32 * 16 + 16)
    assert cost.peak_memory_bytes >= weights_bytes
    assert cost.unknown_primitives == ()
