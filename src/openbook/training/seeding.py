"""Seeding without global random state, and the drawing of first weights."""

import contextlib
import random
from collections.abc import Iterator

_QUICK_SETTING = "jax_disable_most_optimizations"


@contextlib.contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Within this scope new Keras initializers and seed generators depend on `seed` alone.

    Keras draws the seed of each initializer from Python's `random` module when none is given; its state is
    put back afterwards, so nothing outside the scope changes.
    """
    state = random.getstate()
    random.seed(seed)
    try:
        yield
    finally:
        random.setstate(state)


@contextlib.contextmanager
def first_weights(seed: int) -> Iterator[None]:
    """As `seeded`, for building a model: each shape of a weight is a program that is compiled, and run once.

    So it is compiled as quickly as can be, which makes its drawing slower, but no less exact.
    """
    import jax

    before = jax.config.values[_QUICK_SETTING]
    jax.config.update(_QUICK_SETTING, True)
    try:
        with seeded(seed):
            yield
    finally:
        jax.config.update(_QUICK_SETTING, before)
