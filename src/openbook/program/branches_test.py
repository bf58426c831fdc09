"""Branches and loops of unknown length, one inside the other: values, explanations and walks."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import openbook
from openbook.program.numpy_run import run_numpy

X = np.random.default_rng(1).normal(size=(6, 3)).astype("float32")
WEIGHT = np.ones(3, "float32")


def branch_in_scan(x, weight):
    def step(carry, row):
        return jax.lax.cond(row.sum() > 0, lambda: carry + row * weight, lambda: carry * 0.5), carry.sum()

    return jax.lax.scan(step, jnp.zeros(3), x)


def while_in_scan(x, weight):
    def step(carry, row):
        grown = jax.lax.while_loop(lambda a: jnp.abs(a).sum() < 5, lambda a: a * 1.7 + weight, carry + row)
        return grown * 0.1, carry.sum()

    return jax.lax.scan(step, jnp.zeros(3), x)


def scan_in_branch_in_scan(x, weight):
    def inner(carry, row):
        return carry * 0.5 + row, carry * weight

    def step(carry, row):
        rows = jnp.stack([row, row])
        return jax.lax.cond(
            row.sum() > 0, lambda: jax.lax.scan(inner, carry, rows)[0], lambda: carry * 0.5
        ), carry

    return jax.lax.scan(step, jnp.zeros(3), x)


def while_alone(x, weight):
    return jax.lax.while_loop(lambda a: jnp.abs(a).sum() < 50, lambda a: a * 1.5 + weight, x)


def branch_in_while(x, weight):
    def body(a):
        return jax.lax.cond(a.sum() > 0, lambda: a * 1.5 + weight, lambda: a * 2 - weight)

    return jax.lax.while_loop(lambda a: jnp.abs(a).sum() < 50, body, x)


@pytest.fixture(
    params=[branch_in_scan, while_in_scan, scan_in_branch_in_scan, while_alone, branch_in_while],
    ids=lambda function: function.__name__,
)
def trace(request):
    return openbook.trace(request.param, X, WEIGHT)


def test_numpy_gives_the_same_results(trace):
    values = run_numpy(trace.program, [X, WEIGHT])
    for value_id in trace.program.outputs:
        np.testing.assert_allclose(values[value_id], trace.array(value_id), rtol=1e-5, atol=1e-6)


def test_walks_from_every_value_end_in_inputs_or_constants(trace, rng):
    for name in trace.names():
        for _ in range(3):
            index = tuple(int(rng.integers(size)) for size in trace[name].shape)
            explanation = trace.explain(name, index)
            for _ in range(500):
                np.testing.assert_allclose(explanation.evaluate(), explanation.value, rtol=1e-5, atol=1e-6)
                if explanation.is_leaf:
                    break
                operands = [operand for term in explanation.terms for operand in term.operands]
                explanation = operands[rng.integers(len(operands))].explain()
            assert explanation.kind in ("input", "constant", "given"), (name, index, explanation)
