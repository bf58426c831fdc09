"""Traces that pages look at, up to some bytes; the least recently used go first."""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable

from openbook.page.answers import NoSuchThing
from openbook.page.looked import Looked


class TraceStore:
    """Keeps traces by id.

    Args:
        limit_bytes: of all values together; the newest trace is kept however large it is.
        forget: called with the id of each trace that goes.
    """

    def __init__(self, limit_bytes: int, forget: Callable[[str], None]) -> None:
        self._limit_bytes = limit_bytes
        self._forget = forget
        self._traces: OrderedDict[str, Looked] = OrderedDict()
        self._lock = threading.Lock()

    def add(self, looked: Looked) -> str:
        """Keep a trace; returns its id."""
        with self._lock:
            # Not counted: a page of a server that has ended must not find a trace of this one.
            trace_id = secrets.token_hex(8)
            self._traces[trace_id] = looked
            total = sum(each.trace.size_bytes for each in self._traces.values())
            gone = []
            while total > self._limit_bytes and len(self._traces) > 1:
                old_id, old = self._traces.popitem(last=False)
                total -= old.trace.size_bytes
                gone.append(old_id)
        for old_id in gone:
            self._forget(old_id)
        return trace_id

    def get(self, trace_id: str) -> Looked:
        """A trace that is still there.

        Raises:
            NoSuchThing: it has gone, or never was.
        """
        with self._lock:
            if trace_id not in self._traces:
                raise NoSuchThing("This trace has gone from memory; trace the input again.")
            self._traces.move_to_end(trace_id)
            return self._traces[trace_id]
