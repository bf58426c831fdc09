"""Whether attention may run as one fused operation, whose weights nobody can see.

Training on an accelerator asks for it; whatever reads a model does not, so that each weight is there to look at.
"""

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar

_is_wanted = ContextVar("openbook_fused_attention", default=False)


def is_attention_fused() -> bool:
    """Whether it is wanted here."""
    return _is_wanted.get()


@contextlib.contextmanager
def fused_attention(*, is_wanted: bool = True) -> Iterator[None]:
    """Within this scope layers that are called, or traced, attend by one fused operation."""
    token = _is_wanted.set(is_wanted)
    try:
        yield
    finally:
        _is_wanted.reset(token)
