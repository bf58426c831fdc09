"""JAX set up for training: the compilation cache on disk, and a check of the backend."""

from __future__ import annotations

import os
from pathlib import Path

from openbook.errors import ModelError


def prepare_jax(cache: Path) -> None:
    """Keep compiled programs on disk, so that a second run or a resumed one starts sooner.

    Raises:
        ModelError: Keras runs on another backend than JAX.
    """
    import keras

    if keras.backend.backend() != "jax":
        raise ModelError(
            f"training runs on Keras' JAX backend, but this process uses {keras.backend.backend()!r}. "
            f"Unset KERAS_BACKEND or set KERAS_BACKEND=jax"
        )
    import jax

    folder = cache / "compiled"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return  # training works without, only slower to start; JAX would complain at each program
    if not os.access(folder, os.W_OK):
        return
    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.3)
