"""Models that have the shapes of weights and no values, so that one of any size is built at once."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator


@contextlib.contextmanager
def without_weights() -> Iterator[None]:
    """Keras variables that are made inside have a shape and no value, and never get one."""
    import keras
    from keras.src.backend.common import global_state

    # Keras keeps a list of variables to draw later; ours are to be forgotten.
    others = list(global_state.get_global_attribute("uninitialized_variables", []) or [])
    try:
        with keras.StatelessScope(initialize_variables=False):
            yield
    finally:
        global_state.set_global_attribute("uninitialized_variables", others)
