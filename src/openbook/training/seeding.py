"""Seeding without global random state."""

import contextlib
import random
from collections.abc import Iterator


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
