"""Cases, sources and hand-counted costs of contractions."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from openbook.program.cost import cost_of
from openbook.program.primitives.cases_test import Case
from openbook.program.primitives.table import Element, Shape, SourceCall, primitives
from openbook.program.program import program_of

_RNG = np.random.default_rng(30)


def _array(*shape: int) -> np.ndarray:
    return _RNG.normal(size=shape).astype(np.float32)


def _einsum(subscripts: str):
    return lambda *arrays: jnp.einsum(subscripts, *arrays)


CASES = (
    Case(label="dense", function=jnp.matmul, arguments=(_array(3, 4), _array(4, 5)), gradient=True),
    Case(
        label="dense-of-tokens", function=jnp.matmul, arguments=(_array(2, 3, 4), _array(4, 5)), gradient=True
    ),
    Case(label="vector", function=jnp.matmul, arguments=(_array(4), _array(4, 5)), gradient=True),
    Case(label="inner", function=jnp.dot, arguments=(_array(4), _array(4)), gradient=True),
    Case(label="outer", function=_einsum("i,j->ij"), arguments=(_array(3), _array(4)), gradient=True),
    Case(label="scaled", function=_einsum(",i->i"), arguments=(_array(), _array(4))),
    Case(label="stack", function=jnp.matmul, arguments=(_array(2, 3, 4), _array(2, 4, 5)), gradient=True),
    Case(
        label="scores",
        function=_einsum("bthd,bshd->bhts"),
        arguments=(_array(2, 3, 2, 4), _array(2, 5, 2, 4)),
        gradient=True,
    ),
    Case(label="heads", function=_einsum("btc,chd->bthd"), arguments=(_array(2, 3, 4), _array(4, 2, 3))),
    Case(label="merged", function=_einsum("bthd,hdc->btc"), arguments=(_array(2, 3, 2, 3), _array(2, 3, 4))),
    Case(label="rows", function=_einsum("bi,bi->b"), arguments=(_array(3, 4), _array(3, 4)), gradient=True),
    Case(label="weighted", function=_einsum("bti,bt->bi"), arguments=(_array(2, 3, 4), _array(2, 3))),
    Case(label="odd-axes", function=_einsum("kij,lk->ijl"), arguments=(_array(4, 2, 3), _array(5, 4))),
    Case(label="no-sum", function=jnp.matmul, arguments=(_array(3, 0), _array(0, 4))),
    Case(label="integers", function=jnp.matmul, arguments=(np.arange(6).reshape(2, 3), np.ones((3, 2), int))),
    Case(
        label="bfloat16",
        function=jnp.matmul,
        arguments=(_array(3, 4).astype(jnp.bfloat16), _array(4, 5).astype(jnp.bfloat16)),
    ),
    Case(
        label="accumulated-wider",
        function=lambda x, y: lax.dot(x, y, preferred_element_type=jnp.float32),
        arguments=(_array(3, 4).astype(jnp.bfloat16), _array(4, 5).astype(jnp.bfloat16)),
    ),
    Case(
        label="complex",
        function=jnp.matmul,
        arguments=(
            (_array(2, 3) + 1j * _array(2, 3)).astype(np.complex64),
            _array(3, 2).astype(np.complex64),
        ),
    ),
)


def _source(function, *arguments) -> str:
    program = program_of(function, *arguments)
    [step] = [step for step in program.steps if step.primitive == "dot_general"]
    shapes = [
        [Shape(shape=program.values[each].shape, dtype=program.values[each].dtype) for each in value_ids]
        for value_ids in (step.inputs, step.outputs)
    ]
    call = SourceCall(
        params=step.params, inputs=("x", "y"), operands=shapes[0], results=shapes[1], helper=lambda name: name
    )
    return primitives()["dot_general"].source(call).text


@pytest.mark.parametrize(
    ("subscripts", "left", "right", "text"),
    [
        ("ij,jk->ik", (3, 4), (4, 5), "x @ y"),
        ("bij,jk->bik", (2, 3, 4), (4, 5), "x @ y"),
        ("ij,ik->jk", (3, 4), (3, 5), "x.T @ y"),
        ("ik,jk->ij", (3, 4), (5, 4), "x @ y.T"),
        ("bij,bjk->bik", (2, 3, 4), (2, 4, 5), "x @ y"),
        ("bhtd,bhsd->bhts", (2, 2, 3, 4), (2, 2, 5, 4), "x @ y.swapaxes(-2, -1)"),
        ("btc,chd->bthd", (2, 3, 4), (4, 2, 3), "np.tensordot(x, y, 1)"),
        ("i,j->ij", (3,), (4,), "x[:, None] * y"),
        ("i,i->", (3,), (3,), "x @ y"),
    ],
)
def test_source_reads_like_a_textbook(subscripts, left, right, text):
    assert _source(_einsum(subscripts), np.zeros(left), np.zeros(right)) == text


def test_dense_layer_costs_two_operations_a_weight_and_row():
    program = program_of(
        lambda x, kernel, bias: x @ kernel + bias, _array(32, 784), _array(784, 512), _array(512)
    )

    cost = cost_of(program)

    product = 2 * 32 * 784 * 512
    assert cost.operations == product + 32 * 512  # and one addition of the bias for each result


def test_attention_costs_as_counted_by_hand():
    def attention(query, key, value):
        scores = jnp.einsum("bhtd,bhsd->bhts", query, key)
        return jnp.einsum("bhts,bhsd->bhtd", scores, value)

    batch, heads, length, dim = 2, 4, 16, 8
    shape = (batch, heads, length, dim)

    cost = cost_of(program_of(attention, _array(*shape), _array(*shape), _array(*shape)))

    # Scores and mix: each of length × length places, for each head, is a product of vectors of the head's size.
    assert cost.operations == 2 * (2 * batch * heads * length * length * dim)


def test_explanation_of_a_large_product_is_quick_and_exact():
    x, y = _array(8, 576), _array(576, 4096)
    params = {"dimension_numbers": (((1,), (0,)), ((), ()))}
    element = Element(
        params=params,
        operands=(x, y),
        results=(Shape(shape=(8, 4096), dtype=x.dtype),),
        output=0,
        index=(3, 77),
    )

    reason = primitives()["dot_general"].explain(element)

    left, right = reason.factors
    assert (left.indices[:, 0] == 3).all() and (right.indices[:, 1] == 77).all()
    assert len(left.indices) == 576
    assert np.isclose(
        (x[tuple(left.indices.T)] * y[tuple(right.indices.T)]).sum(), x[3] @ y[:, 77], rtol=1e-4
    )


def test_gradient_of_a_dense_layer_costs_twice_its_forward_part():
    def loss(kernel, x):
        return (jnp.tanh(x @ kernel) ** 2).sum()

    x, kernel = _array(32, 64), _array(64, 16)
    program = program_of(jax.grad(loss, argnums=(0, 1)), kernel, x)

    products = [
        each.cost.operations for each in cost_of(program).steps if each.step.primitive == "dot_general"
    ]

    assert products == [2 * 32 * 64 * 16] * 3
