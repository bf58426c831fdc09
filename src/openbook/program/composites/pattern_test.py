"""The language of the patterns: what it matches and what it keeps."""

import jax.numpy as jnp
import numpy as np
import pytest

from openbook.program.composites.graph import Graph
from openbook.program.composites.matching import matches
from openbook.program.composites.pattern import anchors, parse
from openbook.program.program import program_of

X = np.ones((2, 3), "float32")


def first_match(pattern, function, *arguments, rules=None):
    program = program_of(function, *arguments)
    graph = Graph(program)
    node = parse(pattern, rules or {})
    last = graph.producer[program.outputs[0]]
    return next(matches(graph, node, last), None)


@pytest.mark.parametrize(
    ("pattern", "function"),
    [
        ("output = x + 2.0", lambda x: 2.0 + x),
        ("output = exp(x) - x", lambda x: jnp.exp(x) - x),
        ("output = tanh(x) | exp(x)", jnp.exp),
        ("output = integer_pow(x, y=3)", lambda x: x**3),
        ("output = mean(x)", lambda x: x.mean(axis=0)),
        ("output = mean(x)", lambda x: x.sum(axis=1) * (1 / 3)),
        ("wide = exp(x)\noutput = wide * wide", lambda x: (lambda e: e * e)(jnp.exp(x))),
        ("output = exp(x) / y", lambda x: jnp.exp(x) / x.sum(axis=1, keepdims=True)),
    ],
)
def test_pattern_matches(pattern, function):
    assert first_match(pattern, function, X) is not None


@pytest.mark.parametrize(
    ("pattern", "function"),
    [
        ("output = x + 2.0", lambda x: x + 3.0),
        ("output = x - exp(x)", lambda x: jnp.exp(x) - x),
        ("output = x * exp(x)", lambda x: x.T * jnp.exp(x + 1).T),
        ("output = mean(x)", lambda x: x.sum(axis=0) / 3.0),
        ("output = integer_pow(x, y=3)", lambda x: x**4),
    ],
)
def test_pattern_does_not_match(pattern, function):
    assert first_match(pattern, function, X) is None


def test_views_between_the_steps_are_passed_over():
    found = first_match(
        "output = exp(x) + x", lambda x: jnp.exp(x.reshape(3, 2)).reshape(6) + x.reshape(6), X
    )
    assert found is not None
    assert len(found.places["x"]) == 2


def test_numbers_are_kept_and_must_agree():
    found = first_match("output = x * constant(scale) + constant(shift)", lambda x: x * 3.0 + 2.0, X)
    assert found.numbers == {"scale": 3.0, "shift": 2.0}
    assert first_match("output = x * constant(c) + constant(c)", lambda x: x * 3.0 + 2.0, X) is None


def test_other_rules_can_be_called_with_operands():
    rules = {"double_exp": "inner = exp(z)\noutput = exp(inner)"}
    found = first_match("output = double_exp(x + 1.0)", lambda x: jnp.exp(jnp.exp(x + 1.0)), X, rules=rules)
    assert found is not None
    assert "inner" not in found.values


def test_anchors_are_the_primitives_of_the_last_step():
    assert anchors(parse("output = exp(x) | x / y", {})) == {"exp", "div"}


def test_numbers_known_beforehand_are_folded():
    program = program_of(lambda x: x * (jnp.sqrt(4.0) + 1.0), X)
    graph = Graph(program)
    product = graph.producer[program.outputs[0]]
    assert {graph.number(value_id) for value_id in product.inputs} == {None, 3.0}
