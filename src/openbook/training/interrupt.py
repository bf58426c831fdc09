"""Ctrl-C while training: the first asks the loop to stop after its step, the second stops at once."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator


class StopRequest:
    """Tells whether somebody asked the work to stop."""

    def __init__(self) -> None:
        self.is_made = False


@contextlib.contextmanager
def stop_on_signal() -> Iterator[StopRequest]:
    """Within this scope Ctrl-C and SIGTERM set `is_made`; a second one interrupts as usual.

    Outside the main thread signals cannot be caught, and the request is never made.
    """
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return

    def ask(signum: int, frame: object) -> None:
        if request.is_made:
            raise KeyboardInterrupt
        request.is_made = True

    earlier = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield request
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)
