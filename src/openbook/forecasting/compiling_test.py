"""What compiling is expected to take: more for operations unlike any before, as much where it was only read."""

import dataclasses

import jax.numpy as jnp
import pytest

from openbook.forecasting.abstract_model import read_step
from openbook.forecasting.compiling import compile_bytes, compile_seconds, expected_seconds, was_read
from openbook.program.program import program_of


def repeated(number, *, is_alike):
    def function(values):
        for place in range(number):
            values = jnp.sin(values if is_alike else values[: 40 - place])
        return values

    return program_of(function, jnp.ones(40))


def test_operations_unlike_any_before_take_longer(machine):
    few, many, unlike = (
        repeated(2, is_alike=True),
        repeated(20, is_alike=True),
        repeated(20, is_alike=False),
    )
    assert (
        expected_seconds(few, machine) < expected_seconds(many, machine) < expected_seconds(unlike, machine)
    )
    twice = dataclasses.replace(machine, compile_s=2 * machine.compile_s)
    assert expected_seconds(many, twice) == pytest.approx(2 * expected_seconds(many, machine))


def test_step_read_from_the_cache_counts_as_the_profile_says(workload, machine):
    step = read_step(workload.build, workload.optimizer, workload.loss, workload.batch_at(0))
    expected_s = expected_seconds(step.program, machine)
    made = dataclasses.replace(step, compile_s=0.9 * expected_s, compile_bytes=500_000_000)
    read = dataclasses.replace(step, compile_s=0.1 * expected_s, compile_bytes=0)
    assert not was_read(made, machine)
    assert compile_seconds(made, machine) == 0.9 * expected_s
    assert compile_bytes(made, machine) == 500_000_000
    assert was_read(read, machine)
    assert compile_seconds(read, machine) == expected_s
    assert compile_bytes(read, machine) == compile_bytes(step, machine) > 0
