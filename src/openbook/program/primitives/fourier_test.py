"""Cases of Fourier transforms."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jax.numpy import fft

from openbook.program.cost import cost_of
from openbook.program.primitives.cases_test import Case
from openbook.program.program import program_of

_RNG = np.random.default_rng(35)
X = _RNG.normal(size=(2, 4, 6)).astype(np.float32)
Z = (_RNG.normal(size=(2, 3, 5)) + 1j * _RNG.normal(size=(2, 3, 5))).astype(np.complex64)
HALF = Z[:, :, :4]

CASES = (
    Case(label="complex", function=lambda z: [fft.fft(z), fft.ifft(z)], arguments=(Z,), in_float64=False),
    Case(
        label="complex-several-axes",
        function=lambda z: [fft.fft2(z), fft.ifft2(z), fft.fftn(z)],
        arguments=(Z,),
        in_float64=False,
    ),
    Case(label="real", function=lambda x: [fft.rfft(x), fft.rfft2(x)], arguments=(X,)),
    Case(
        label="to-real",
        function=lambda z: [
            fft.irfft(z, n=6),
            fft.irfft(z, n=7),
            fft.irfft2(z, s=(3, 6)),
            fft.irfft2(z, s=(3, 7)),
        ],
        arguments=(HALF,),
        in_float64=False,
    ),
    Case(label="none", function=fft.fft, arguments=(Z[:0],), in_float64=False),
    Case(
        label="gradient",
        function=jax.grad(lambda x: (jnp.abs(fft.rfft(x)) ** 3).sum()),
        arguments=(X[0],),
    ),
)


def test_transform_costs_five_n_log_n():
    program = program_of(fft.fft, np.zeros((3, 64), np.complex64))

    assert cost_of(program).operations == 3 * 5 * 64 * 6
