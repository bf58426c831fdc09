"""Cases of joining and cutting."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from jax import lax

from openbook.program.primitives.cases_test import Case
from openbook.program.primitives.joining import pad

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
        "concatenate",
        lambda x: jnp.concatenate([x, x[:, :2], x], 1),
        lambda x: jnp.concatenate([x, 2 * x], -1),
        lambda x: jnp.concatenate([x, x[:0], x]),
    ),
    _case("stack", *(lambda x, axis=axis: jnp.stack([x, 2 * x], axis) for axis in (0, 1, -1))),
    _case("unstack", jnp.unstack, lambda x: jnp.unstack(x, axis=1)),
    _case("split", lambda x: jnp.split(x, 2, -1), lambda x: jnp.split(x, [1, 1], 1)),
    _case("slice", lambda x: x[:, 1:3], lambda x: x[..., ::2], lambda x: x[1:, 0:3:2, 1:]),
    _case(
        "pad",
        lambda x: jnp.pad(x, 1, constant_values=2.0),
        lambda x: lax.pad(x, x[0, 0, 0], ((0, 0, 0), (1, 2, 0), (0, 0, 0))),
        lambda x: lax.pad(x, jnp.zeros((), x.dtype), ((0, 0, 0), (-1, 2, 1), (2, -1, 3))),
        lambda x: lax.pad(x, jnp.zeros((), x.dtype), ((0, 0, 0), (-1, -1, 0), (0, 0, 0))),
        lambda x: lax.pad(x, jnp.zeros((), x.dtype), ((0, 0, 0), (-9, 5, 2), (0, 0, 0))),
        lambda x: jnp.pad(x[0, 0], 2),
    ),
)


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_any_padding_agrees_with_jax(data):
    shape = data.draw(st.lists(st.integers(1, 4), min_size=1, max_size=3))
    ends = st.integers(-3, 3)
    config = [(data.draw(ends), data.draw(ends), data.draw(st.integers(0, 2))) for _ in shape]
    whole = [size + sum(each) + (size - 2) * each[2] for size, each in zip(shape, config, strict=True)]
    if min(whole) < 0:
        return
    x = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)

    np.testing.assert_array_equal(pad(x, -1, config), lax.pad(x, np.float32(-1), config))
