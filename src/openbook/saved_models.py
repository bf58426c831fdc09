"""Keras models in files: written atomically, read in safe mode."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from openbook.errors import ModelError
from openbook.runs.atomic import atomic_replace


def save_model(model: Any, path: Path) -> None:
    """Save a Keras model.

    Raises:
        RunError: it could not be written; an earlier file is intact.
    """
    with atomic_replace(path) as temporary:
        model.save(temporary)


def load_model(path: str | os.PathLike[str]) -> Any:
    """Load a Keras model; layers of openbook's own are known, code in the file is never run.

    Raises:
        ModelError: no such file, no Keras model, or one with code of its own.
    """
    import keras

    import openbook.layers  # registers openbook's layers  # noqa: F401

    path = Path(path)
    if not path.exists():
        raise ModelError(f"{path}: there is no such file; expected a Keras model saved as .keras")
    try:
        return keras.saving.load_model(path, safe_mode=True)
    except Exception as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise ModelError(
            f"{path}: cannot be read as a Keras model ({reason}). Expected a .keras file made by model.save; "
            f"layers with code of their own must be registered with keras.saving first"
        ) from error
