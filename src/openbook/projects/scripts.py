"""A project's own scripts, run in this process: what is written is tried before it is handed over."""

from __future__ import annotations

import contextlib
import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

_NAMES = ("data", "model")


@contextlib.contextmanager
def importable(folder: Path) -> Iterator[None]:
    """In this scope `data` and `model` are the project's; modules of these names that were there come back."""
    kept = {name: sys.modules.pop(name) for name in _NAMES if name in sys.modules}
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        for name in _NAMES:
            sys.modules.pop(name, None)
        sys.modules.update(kept)
