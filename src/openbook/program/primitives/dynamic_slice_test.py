"""Cases of one window, read and written."""

from __future__ import annotations

import jax
import numpy as np
from jax import lax

from openbook.program.primitives.cases_test import Case

_RNG = np.random.default_rng(34)
X = _RNG.normal(size=(4, 5, 3)).astype(np.float32)
KEYS = jax.random.split(jax.random.key(3), 4)


def _array(*shape: int) -> np.ndarray:
    return _RNG.normal(size=shape).astype(np.float32)


CASES = (
    *(
        Case(
            label=f"dynamic-slice-{label}",
            function=lambda x, i, j: [
                lax.dynamic_slice(x, (i, j, np.int32(0)), (2, 3, 3)),
                lax.dynamic_slice(x[0, 0], (i,), (2,)),
            ],
            arguments=(X, *start),
        )
        for label, start in (("inside", (np.int32(1), np.int32(2))), ("outside", (np.int32(9), np.int32(-3))))
    ),
    *(
        Case(
            label=f"dynamic-update-{label}",
            function=lambda x, update, i, j: lax.dynamic_update_slice(x, update, (i, j, np.int32(0))),
            arguments=(X, _array(2, 3, 3), *start),
            gradient=True,
        )
        for label, start in (("inside", (np.int32(1), np.int32(2))), ("outside", (np.int32(9), np.int32(-3))))
    ),
)
