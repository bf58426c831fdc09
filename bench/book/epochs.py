"""How the book trains: Keras `fit`, here one epoch at a time, with a held-out score after each."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any


def scored_epochs(
    network: Any, *train_arrays: Any, score: Callable[[], float], num_epochs: int, **fit_settings: Any
) -> Iterator[tuple[int, float, float]]:
    """Epoch, seconds of training until its end (compilation included), and the score, which is not timed.

    Args:
        network: compiled.
        train_arrays: as `fit` takes them: inputs and targets, or a data set.
    """
    passed_s = 0.0
    for epoch in range(1, num_epochs + 1):
        begin_s = time.perf_counter()
        network.fit(*train_arrays, epochs=1, verbose=0, **fit_settings)
        passed_s += time.perf_counter() - begin_s
        yield epoch, passed_s, score()
