"""JAX set up for training: the compilation cache on disk, and a check of the backend."""

from __future__ import annotations

import os
from pathlib import Path

from openbook.errors import ModelError
from openbook.runs.machine import peak_memory_bytes


def prepare_jax(cache: Path) -> None:
    """Keep compiled programs on disk, so that a second run or a resumed one starts sooner.

    Raises:
        ModelError: Keras runs on another backend than JAX.
    """
    import keras

    if keras.backend.backend() != "jax":
        raise ModelError(
            f"this process has loaded Keras with {keras.backend.backend()!r}, and openbook runs on JAX. Unset "
            f"KERAS_BACKEND, or set KERAS_BACKEND=jax, before anything imports keras; PyTorch takes the steps of "
            f"training with backend='torch'"
        )
    import jax

    if os.environ.get("JAX_COMPILATION_CACHE_DIR"):
        return  # JAX's own variable: somebody has chosen a folder for it
    folder = cache / "compiled"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return  # training works without, only slower to start; JAX would complain at each program
    if not os.access(folder, os.W_OK):
        return
    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.05)


def peak_memory() -> int:
    """The most memory used so far, in bytes: of the accelerator where there is one, else of this process."""
    import jax

    statistics = (jax.devices()[0].memory_stats() if has_accelerator() else None) or {}
    return int(statistics.get("peak_bytes_in_use") or peak_memory_bytes())


def has_accelerator() -> bool:
    """Whether training runs on something else than the processor."""
    import jax

    return bool(jax.default_backend() != "cpu")
