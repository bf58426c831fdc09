"""All places of a small grid, which sums over several axes run through."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np


def grid(sizes: Sequence[int]) -> np.ndarray:
    """Integer array (number of axes, number of places): every place of a grid, in order."""
    return np.indices(sizes).reshape(len(sizes), math.prod(sizes))
