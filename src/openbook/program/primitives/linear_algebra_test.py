"""Cases of decompositions, and what holds of them whatever signs LAPACK chooses."""

from __future__ import annotations

import itertools

import jax.numpy as jnp
import keras
import numpy as np
import pytest
from jax.lax import linalg

from openbook.program.numpy_run import run_numpy
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
    Case(label="cholesky", function=linalg.cholesky, arguments=(POSITIVE,)),
    Case(
        label="cholesky-of-none",
        function=linalg.cholesky,
        arguments=(np.stack([POSITIVE[0], -POSITIVE[0]]),),
        source=False,  # NumPy raises an error
    ),
    Case(
        label="qr",
        function=lambda x: [*linalg.qr(x, full_matrices=False), *linalg.qr(x, full_matrices=True)],
        arguments=(TALL,),
    ),
    Case(label="qr-wide", function=lambda x: linalg.qr(x, full_matrices=False), arguments=(WIDE,)),
    Case(label="lu", function=lambda *each: [linalg.lu(x) for x in each], arguments=(A, TALL, WIDE)),
    Case(label="lu-of-zeros", function=linalg.lu, arguments=(np.zeros((3, 3), np.float32),)),
    # One row and column: no sign is open.
    Case(label="eigh", function=linalg.eigh, arguments=(np.float32([[[3.0]], [[-2.0]]]),)),
    Case(label="svd-values", function=lambda x: linalg.svd(x, compute_uv=False), arguments=(TALL,)),
    Case(
        label="eig-values",
        function=lambda x: linalg.eig(x, compute_left_eigenvectors=False, compute_right_eigenvectors=False),
        arguments=(POSITIVE,),
    ),
    Case(label="inverse", function=jnp.linalg.inv, arguments=(POSITIVE,)),
    Case(label="determinant", function=jnp.linalg.det, arguments=(A,)),
    Case(
        label="empty",
        function=lambda x: linalg.qr(x, full_matrices=False),
        arguments=(np.zeros((0, 3, 2), "f"),),
    ),
)


@pytest.mark.parametrize("full", [True, False])
@pytest.mark.parametrize("x", [TALL, WIDE, _RNG.normal(size=(40, 24))], ids=["tall", "wide", "large"])
def test_singular_vectors_are_orthogonal_and_give_the_matrix_back(x, full):
    x = np.asarray(x, np.float32)
    program = program_of(lambda x: linalg.svd(x, full_matrices=full), x)

    values = run_numpy(program, [x])

    left, singular, right = (values[value_id] for value_id in program.outputs)
    num = singular.shape[-1]
    np.testing.assert_allclose((left[..., :num] * singular[..., None, :]) @ right[..., :num, :], x, atol=1e-4)
    np.testing.assert_allclose(
        left.swapaxes(-2, -1) @ left, np.eye(left.shape[-1]) + 0 * left[..., :1, :1], atol=1e-4
    )
    np.testing.assert_allclose(singular, linalg.svd(x, compute_uv=False), rtol=1e-4)


@pytest.mark.parametrize("lower", [True, False])
def test_eigenvectors_of_a_symmetric_matrix_are_scaled_by_it(lower):
    program = program_of(lambda x: linalg.eigh(x, lower=lower), POSITIVE)

    values = run_numpy(program, [POSITIVE])

    vectors, scales = (values[value_id] for value_id in program.outputs)
    np.testing.assert_allclose(POSITIVE @ vectors, vectors * scales[..., None, :], atol=1e-4)


def test_left_and_right_eigenvectors_are_scaled_by_their_matrix():
    program = program_of(linalg.eig, A)

    values = run_numpy(program, [A])

    scales, left, right = (values[value_id] for value_id in program.outputs)
    np.testing.assert_allclose(A @ right, right * scales[..., None, :], atol=1e-4)
    np.testing.assert_allclose(
        left.conj().swapaxes(-2, -1) @ A, scales[..., None] * left.conj().swapaxes(-2, -1), atol=1e-4
    )
    np.testing.assert_allclose(np.linalg.norm(left, axis=-2), 1, atol=1e-5)


def test_orthogonal_initializer_is_read_to_its_last_step():
    def initial(scale):
        return keras.initializers.Orthogonal(seed=1)((6, 4)) * scale

    program = program_of(initial, np.float32(1))

    values = run_numpy(program, [np.float32(1)])

    [output] = program.outputs
    np.testing.assert_allclose(values[output], initial(np.float32(1)), atol=1e-5)
