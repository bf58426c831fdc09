"""openbook: train every model of a deep-learning textbook on your own data, and open it like a book."""

import importlib
import os
from typing import Any

# Keras reads its backend once, when it is first imported; openbook's reading of models is on JAX.
os.environ.setdefault("KERAS_BACKEND", "jax")

__version__ = "0.1.0"

# Public names and where they are defined; imported when first used, so that `import openbook` is quick.
_PUBLIC = dict.fromkeys(
    ("forecast", "load_run", "look", "to_numpy", "trace", "trace_step", "train"), "openbook.api"
)

__all__ = ["forecast", "load_run", "look", "to_numpy", "trace", "trace_step", "train"]


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        return getattr(importlib.import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module 'openbook' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
