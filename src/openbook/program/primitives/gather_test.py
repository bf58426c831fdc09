"""Cases of looking up windows and rows."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from openbook.program.cost import cost_of
from openbook.program.primitives.cases_test import Case
from openbook.program.primitives.table import Shape, SourceCall, primitives
from openbook.program.program import program_of

_RNG = np.random.default_rng(34)
X = _RNG.normal(size=(4, 5, 3)).astype(np.float32)
KEYS = jax.random.split(jax.random.key(3), 4)
MODES = ("clip", "fill", "promise_in_bounds")


def _integers(*rows) -> np.ndarray:
    return np.array(rows, np.int32)


def _at(mode: str, place):
    return lambda x, *indices: x.at[place(*indices)].get(mode=mode, wrap_negative_indices=False)


WINDOWS = lax.GatherDimensionNumbers(offset_dims=(1, 2), collapsed_slice_dims=(1,), start_index_map=(0, 2))
STACKED = lax.GatherDimensionNumbers(
    offset_dims=(0, 2),
    collapsed_slice_dims=(),
    start_index_map=(1,),
    operand_batching_dims=(0,),
    start_indices_batching_dims=(1,),
)


def _reading(mode: str) -> list[Case]:
    far = _integers([0, 0], [2, 1], [9, 0], [-1, 2])
    starts = _RNG.integers(-1, 6, (3, 4, 1)).astype(np.int32)
    places = _RNG.integers(0, 5, (4, 2, 3)).astype(np.int32)

    def function(x, far, starts):
        return [
            _at(mode, lambda i, j: (i, slice(None), j))(x, far[:, 0], far[:, 1]),
            _at(mode, lambda i, j: (i, j, j))(x, far[:, 0], far[:, 1]),
            lax.gather(x, far, WINDOWS, (2, 1, 2), mode=mode),
            lax.gather(x, starts, STACKED, (1, 2, 3), mode=mode),
        ]

    along = Case(
        label=f"along-{mode}",
        function=lambda x, i: jnp.take_along_axis(x, i, 1, mode=mode),
        arguments=(X, places),
        gradient=True,
    )
    return [Case(label=f"windows-{mode}", function=function, arguments=(X, far, starts)), along]


CASES = (
    *(case for mode in MODES for case in _reading(mode)),
    Case(
        label="embedding", function=lambda x, i: x[i], arguments=(X, _integers([0, 3], [1, 3])), gradient=True
    ),
    Case(
        label="embedding-clipped",
        function=lambda x, i: jnp.take(x, i, axis=0, mode="clip"),
        arguments=(X, _integers([0, 9], [-7, 3])),
    ),
    Case(
        label="embedding-filled",
        function=lambda x, i: jnp.take(x, i, axis=0, mode="fill"),
        arguments=(X, _integers([0, 9], [-7, 3])),
        source=False,  # NumPy's own indexing has no filler: it raises an error
    ),
    Case(
        label="take-columns",
        function=lambda x, i: jnp.take(x, i, axis=1),
        arguments=(X, _integers(1, 0, 4, 1)),
    ),
    Case(label="take-last", function=lambda x, i: x[..., i], arguments=(X, _integers([2, 0], [1, 1]))),
    Case(
        label="fill-integers",
        function=lambda x, i: x.at[i, i].get(mode="fill"),
        arguments=(_RNG.integers(0, 9, (4, 5)).astype(np.int32), _integers(1, 7)),
    ),
    Case(
        label="fill-counts",
        function=lambda x, i: x.at[i, i].get(mode="fill"),
        arguments=(_RNG.integers(0, 9, (4, 5)).astype(np.uint8), _integers(1, 7)),
    ),
    Case(
        label="fill-truth",
        function=lambda x, i: x.at[i, i].get(mode="fill", fill_value=False),
        arguments=(X[0] > 0, _integers(1, 7)),
    ),
    Case(
        label="short-index", function=lambda x, i: x.at[i].get(mode="clip"), arguments=(X, np.uint8([1, 200]))
    ),
    Case(label="one-row", function=lambda x, i: x[i], arguments=(X, np.int32(2)), gradient=True),
    Case(label="one-element", function=lambda x, i: x[i, i, i], arguments=(X, np.int32(2))),
    Case(
        label="keys",
        function=lambda keys, i: [keys[i], lax.dynamic_slice(keys, (i,), (2,)), keys[jnp.array([0, 3])]],
        arguments=(KEYS, np.int32(1)),
    ),
)


def _one_step(function, *arguments):
    program = program_of(function, *arguments)
    step = program.steps[-1]
    shapes = [
        [Shape(shape=program.values[each].shape, dtype=program.values[each].dtype) for each in value_ids]
        for value_ids in (step.inputs, step.outputs)
    ]
    return step, *shapes


@pytest.mark.parametrize(
    ("function", "text"),
    [
        (lambda x, i: jnp.take(x, i, axis=0, mode="fill"), "x[y]"),
        (lambda x, i: jnp.take(x, i, axis=1, mode="clip"), 'np.take(x, y, axis=1, mode="clip")'),
    ],
)
def test_source_reads_like_a_textbook(function, text):
    step, operands, results = _one_step(function, X, _integers([0, 3], [1, 3]))
    call = SourceCall(
        params=step.params, inputs=("x", "y[..., None]"), operands=operands, results=results, helper=str
    )

    assert primitives()["gather"].source(call).text == text


def test_embedding_reads_only_the_rows_it_looks_up():
    table, tokens = np.zeros((49152, 64), np.float32), np.zeros((2, 16), np.int32)
    program = program_of(lambda table, tokens: jnp.take(table, tokens, axis=0), table, tokens)

    [cost] = [each.cost for each in cost_of(program).steps if each.step.primitive == "gather"]

    looked_up = 2 * 16 * 64 * 4
    assert (cost.operations, cost.bytes_read, cost.bytes_written) == (0, looked_up + 2 * 16 * 4, looked_up)
