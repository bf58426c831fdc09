"""What takes the steps of training, where Keras itself runs on JAX as everything else of openbook does.

Keras has one backend in a process. `KERAS_BACKEND=torch` is therefore read as a wish for training: PyTorch takes
the steps, in a process of its own, and this one keeps to JAX, which reads the model, scores it and lets it write.
"""

import importlib.util
import os
import sys

from openbook.errors import UsageError

__all__ = [
    "BACKENDS",
    "check_training_backend",
    "require_training_backend",
    "settle_backend",
    "wanted_backend",
]

BACKENDS = ("jax", "torch")
_KERAS_VARIABLE = "KERAS_BACKEND"
# Outlasts the process that starts itself anew with other settings of the allocator.
_TRAINING_VARIABLE = "OPENBOOK_TRAINING_BACKEND"


def settle_backend() -> None:
    """Take `KERAS_BACKEND=torch` for a wish about training; does nothing once Keras is loaded."""
    if os.environ.get(_KERAS_VARIABLE) == "torch" and "keras" not in sys.modules:
        os.environ[_TRAINING_VARIABLE] = "torch"
        os.environ[_KERAS_VARIABLE] = "jax"


def wanted_backend() -> str:
    """What a person wants to train with, "jax" or "torch"."""
    return "torch" if os.environ.get(_TRAINING_VARIABLE) == "torch" else "jax"


def check_training_backend(backend: str) -> None:
    """Raise UsageError where there is none of that name; a run may be read where its backend is not installed."""
    if backend not in ("auto", *BACKENDS):
        raise UsageError(f"--backend must be auto, {' or '.join(BACKENDS)}, not {backend!r}")


def require_training_backend(backend: str) -> None:
    """Raise UsageError where nothing can be trained with it here."""
    if backend == "torch" and importlib.util.find_spec("torch") is None:
        raise UsageError(
            f"training on PyTorch needs the package torch, which is not installed: {sys.executable} -m pip "
            f"install torch. Or train on JAX: unset KERAS_BACKEND, or --backend jax"
        )
