"""Fixtures of the contracts."""

import numpy as np
import pytest

import openbook  # noqa: F401 - chooses the backend, so it stands before any test's Keras


@pytest.fixture
def rng():
    """A generator with a fixed seed."""
    return np.random.default_rng(0)
