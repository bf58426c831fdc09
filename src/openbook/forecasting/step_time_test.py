"""The time of a program: by hand for one product, and what it grows with."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from openbook.forecasting.machine_profile import Speed
from openbook.forecasting.step_time import gflops, time_of
from openbook.program.cost import cost_of
from openbook.program.program import program_of


def duration(function, machine, *arguments):
    program = program_of(function, *arguments)
    return time_of(program, cost_of(program), machine)


def test_product_of_a_measured_shape_takes_its_operations_over_its_speed(machine):
    matrix = np.ones((1024, 1024), np.float32)
    only = dataclasses.replace(machine, products=machine.products[:1])
    found = duration(jnp.matmul, only, matrix, matrix)
    assert found.products == pytest.approx(2 * 1024**3 / 100e9 + 1e-6)
    assert found.convolutions == found.elements == 0.0
    assert found.total == pytest.approx(found.products + 1e-3)


def test_near_shapes_count_more_than_far_ones(machine):
    large, small = machine.products[0].gflops, machine.products[1].gflops
    near_large = gflops(machine.products, (1, 900, 1024, 1024), "float32")
    near_small = gflops(machine.products, (1, 64, 64, 80), "float32")
    assert small < near_small < 1.5 * small
    assert 0.8 * large < near_large < large


def test_a_dtype_that_was_measured_is_told_apart(machine):
    assert gflops(machine.products, (1, 1024, 1024, 1024), "bfloat16") == pytest.approx(200.0)
    assert gflops(machine.products[:2], (1, 1024, 1024, 1024), "bfloat16") == pytest.approx(
        gflops(machine.products, (1, 1024, 1024, 1024), "float32")
    )


def test_elements_take_the_longer_of_moving_and_computing(machine):
    values = np.ones(10_000_000, np.float32)
    one = duration(lambda x: x + 1.0, machine, values)
    assert one.elements == pytest.approx(0.5 * 2 * 4e7 / 10e9)  # half of the bytes are left when fused
    exponential = duration(jnp.exp, machine, values)
    assert exponential.elements > one.elements


def test_steps_of_a_loop_are_counted_for_each_round(machine):
    values = np.ones((64, 64), np.float32)

    def times(length):
        return duration(
            lambda x: jax.lax.scan(lambda c, _: (c @ c, None), x, None, length=length)[0], machine, values
        ).products

    assert times(30) == pytest.approx(10 * times(3))


@pytest.mark.parametrize("kind", ["forward", "inputs", "kernel"])
def test_each_direction_of_a_convolution_has_its_own_speed(machine, kind):
    images, kernel = np.ones((8, 16, 16, 32), np.float32), np.ones((3, 3, 32, 64), np.float32)

    def convolve(images, kernel):
        return jax.lax.conv_general_dilated(
            images, kernel, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
        )

    functions = {
        "forward": convolve,
        "inputs": jax.grad(lambda i, k: convolve(i, k).sum(), argnums=0),
        "kernel": jax.grad(lambda i, k: convolve(i, k).sum(), argnums=1),
    }
    fast = tuple(dataclasses.replace(speed, gflops=5000.0) for speed in machine.convolutions)
    changed = {
        "forward": dataclasses.replace(machine, convolutions=fast),
        "inputs": dataclasses.replace(machine, convolution_gradients=(fast, machine.convolutions)),
        "kernel": dataclasses.replace(machine, convolution_gradients=(machine.convolutions, fast)),
    }[kind]
    slow_s, fast_s = (
        duration(functions[kind], each, images, kernel).convolutions for each in (machine, changed)
    )
    assert slow_s == pytest.approx(100 * fast_s, rel=0.1)


def test_published_speeds_are_bounded_by_the_memory(machine):
    published = dataclasses.replace(
        machine,
        origin="published",
        products=(Speed(dtype="float32", shape=(1, 4096, 4096, 4096), gflops=1e9),),
    )
    row, matrix = np.ones((1, 4096), np.float32), np.ones((4096, 4096), np.float32)
    moved = 4 * (4096 + 4096 + 4096 * 4096)
    assert duration(jnp.matmul, published, row, matrix).products == pytest.approx(moved / 10e9 + 1e-6)
