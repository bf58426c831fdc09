"""Cases and sources of what only moves elements."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax
from jax._src.lax.lax import empty2

from openbook.program.primitives.cases_test import Case
from openbook.program.primitives.table import Element, Shape, SourceCall, primitives
from openbook.program.program import program_of

_RNG = np.random.default_rng(32)
X = _RNG.normal(size=(2, 3, 4)).astype(np.float32)
KEYS = jax.random.split(jax.random.key(3), 4)


def _case(label: str, *functions, x=X, gradient: bool = True) -> Case:
    return Case(
        label=label,
        function=lambda x: [function(x) for function in functions],
        arguments=(x,),
        gradient=gradient,
    )


CASES = (
    _case(
        "reshape",
        lambda x: x.reshape(2, 12),
        lambda x: x.reshape(-1),
        lambda x: x.reshape(6, 4),
        lambda x: x.reshape(2, 3, 2, 2),
        lambda x: x.reshape(2, 1, 3, 4, 1),
        lambda x: x.reshape(8, 3),
    ),
    _case("reshape-in-other-order", lambda x: lax.reshape(x, (4, 6), (2, 0, 1))),
    _case("reshape-one", lambda x: x.reshape(()), lambda x: lax.reshape(x, (1, 1, 1)), x=X[:1, 0, 0]),
    _case(
        "reshape-none", lambda x: x.reshape(0, 3), lambda x: x.reshape(2, 0), x=X[:, 0, :0], gradient=False
    ),
    _case("squeeze", lambda x: x.squeeze(1), lambda x: x.squeeze((1, 3)), x=X.reshape(2, 1, 12, 1)),
    _case(
        "transpose",
        lambda x: x.transpose(0, 2, 1),
        lambda x: x.transpose(2, 1, 0),
        lambda x: x.transpose(1, 2, 0),
        lambda x: x[0].T,
    ),
    _case("rev", lambda x: x[::-1], lambda x: jnp.flip(x, (0, 2))),
    _case(
        "broadcast",
        lambda x: jnp.broadcast_to(x, (2, 2, 3, 4)),
        lambda x: lax.broadcast_in_dim(x[:, :, 0], (2, 3, 2), (0, 1)),
        lambda x: lax.broadcast_in_dim(x[:, 0], (2, 3, 4), (0, 2)),
        lambda x: lax.broadcast_in_dim(x[:1, 0], (5, 3, 4), (1, 2)),
        lambda x: lax.broadcast_in_dim(x[:, 0], (2, 1, 4), (0, 2)),
        lambda x: jnp.full((2, 3), x[0, 0, 0]),
    ),
    _case("tile", lambda x: jnp.tile(x, (1, 2, 3))),
    Case(
        label="iota",
        function=lambda: [
            lax.iota(np.int32, 5),
            lax.iota(np.float32, 5),
            lax.broadcasted_iota(np.float32, (2, 3, 4), 1),
            lax.broadcasted_iota(np.uint32, (2, 3), 0),
            lax.broadcasted_iota(np.int32, (2, 3), 1),
        ],
        arguments=(),
    ),
    Case(
        label="empty2",
        function=lambda x: x + empty2(np.dtype(np.float32), memory_space=jax.memory.Space.Device),
        arguments=(X,),
        in_float64=False,
    ),
    Case(
        label="keys",
        function=lambda keys: [
            keys[1],
            keys[::-1],
            keys.reshape(2, 2).T,
            jnp.stack([keys, keys]),
            jnp.concatenate([keys, keys[:1]]),
            jnp.broadcast_to(keys, (3, 4)),
            jnp.split(keys, 2),
        ],
        arguments=(KEYS,),
    ),
)


def _source(function, *arguments) -> str:
    program = program_of(function, *arguments)
    step = program.steps[-1]
    shapes = [
        [Shape(shape=program.values[each].shape, dtype=program.values[each].dtype) for each in value_ids]
        for value_ids in (step.inputs, step.outputs)
    ]
    names = ("x", "y", "z")[: len(step.inputs)]
    call = SourceCall(
        params=step.params, inputs=names, operands=shapes[0], results=shapes[1], helper=lambda name: name
    )
    return primitives()[step.primitive].source(call).text


@pytest.mark.parametrize(
    ("function", "text"),
    [
        (lambda x: x.reshape(2, 12), "x.reshape(2, -1)"),
        (lambda x: x.reshape(-1), "x.reshape(-1)"),
        (lambda x: x.reshape(2, 3, 2, 2), "x.reshape(2, 3, 2, 2)"),
        (lambda x: x[:, None], "x[:, None]"),
        (lambda x: x[..., None], "x[..., None]"),
        (lambda x: x.transpose(0, 2, 1), "x.swapaxes(-2, -1)"),
        (lambda x: x.transpose(1, 2, 0), "x.transpose(1, 2, 0)"),
        (lambda x: x[..., ::-1], "x[..., ::-1]"),
        (lambda x: x[:, :2], "x[:, :2]"),
        (lambda x: jnp.concatenate([x, x], -1), "np.concatenate([x, y], axis=-1)"),
        (lambda x: jnp.split(x, 2, -1), "np.split(x, 2, axis=-1)"),
        (lambda x: jnp.tile(x, (1, 1, 2)), "np.tile(x, (1, 1, 2))"),
    ],
)
def test_source_reads_like_a_textbook(function, text):
    assert _source(function, X) == text


def test_explanations_of_a_large_array_do_not_copy_it():
    # A view of one number: any copy of it would take 110 GB.
    x = np.broadcast_to(np.float32(1), (49152, 576, 1000))
    result = Shape(shape=(576, 49152, 1000), dtype=x.dtype)
    element = Element(
        params={"permutation": (1, 0, 2)}, operands=(x,), results=(result,), output=0, index=(5, 4000, 9)
    )

    reason = primitives()["transpose"].explain(element)

    assert reason.chosen == (0, (4000, 5, 9))
