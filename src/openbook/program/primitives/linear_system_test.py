"""Cases of triangular systems, and of what decompositions are put to use by."""

from __future__ import annotations

import itertools

import jax.numpy as jnp
import numpy as np
from jax import lax
from jax._src.lax import linalg as all_linalg
from jax.lax import linalg

from openbook.program.numpy_run import run_numpy
from openbook.program.primitives import linear_system
from openbook.program.primitives.cases_test import Case
from openbook.program.program import program_of

_RNG = np.random.default_rng(36)
A = _RNG.normal(size=(2, 4, 4)).astype(np.float32)
TALL = _RNG.normal(size=(2, 4, 3)).astype(np.float32)
WIDE = TALL.swapaxes(-2, -1).copy()
POSITIVE = (A @ A.swapaxes(-2, -1) + 4 * np.eye(4)).astype(np.float32)
TRIANGLES = tuple(itertools.product((True, False), repeat=3))


def _solve(left: bool, lower: bool, transposed: bool, unit: bool):
    return lambda a, b: linalg.triangular_solve(
        a, b, left_side=left, lower=lower, transpose_a=transposed, unit_diagonal=unit
    )


CASES = (
    Case(
        label="triangles-left",
        function=lambda a, b: [_solve(True, *each)(a, b) for each in TRIANGLES],
        arguments=(POSITIVE, TALL),
        gradient=True,
    ),
    Case(
        label="triangles-right",
        function=lambda a, b: [_solve(False, *each)(a, b) for each in TRIANGLES],
        arguments=(POSITIVE, WIDE),
        gradient=True,
    ),
    Case(
        label="reflections",
        function=lambda x: [*all_linalg.geqrf(x), linalg.householder_product(*all_linalg.geqrf(x))],
        arguments=(TALL,),
    ),
    Case(
        label="exchanges",
        function=lambda pivots: linalg.lu_pivots_to_permutation(pivots, 5),
        arguments=(np.array([[2, 3, 4], [0, 2, 3]], np.int32),),
    ),
    Case(label="system", function=jnp.linalg.solve, arguments=(POSITIVE, TALL), gradient=True),
)


def test_triangular_system_by_hand():
    triangle = np.array([[2.0, 9.0], [1.0, 4.0]])

    x = linear_system.solve_triangular(triangle, np.array([[2.0], [9.0]]))

    # 2 x = 2, then 1 + 4 y = 9; the 9 of the other triangle is not looked at.
    assert x[:, 0].tolist() == [1.0, 2.0]


def test_exchanges_by_hand():
    assert linear_system.rows_after_exchanges(np.array([2, 2], np.int32), 3).tolist() == [2, 0, 1]


def test_iterations_of_a_loop_pass_through_a_system():
    """A system inside a scan is read like any other step."""

    def repeated(a, b):
        return lax.scan(lambda carry, _: (jnp.linalg.solve(a, carry), None), b, length=2)[0]

    program = program_of(repeated, POSITIVE[0], TALL[0])

    values = run_numpy(program, [POSITIVE[0], TALL[0]])

    expected = np.linalg.solve(POSITIVE[0], np.linalg.solve(POSITIVE[0], TALL[0]))
    np.testing.assert_allclose(values[program.outputs[0]], expected, atol=1e-5)
