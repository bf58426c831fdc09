"""Long work in a thread of its own, told as server-sent events, and given up when nobody listens."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

from starlette.responses import StreamingResponse

from openbook.errors import OpenbookError
from openbook.page.answers import NoSuchThing
from openbook.page.inputs.reading import Json
from openbook.page.programs import Report

_TICK_S = 0.25
_log = logging.getLogger(__name__)


class Cancelled(Exception):
    """Nobody waits for this work any more."""


class Job:
    """Work that reports its stages; `cancel` ends it at the next one.

    What JAX compiles cannot be stopped half-way. It is finished in the background and kept, so that the next
    request for the same program finds it done.
    """

    def __init__(self, work: Callable[[Report], Json]) -> None:
        self._work = work
        self._is_cancelled = threading.Event()
        self._begin_s = time.monotonic()
        self._stage = ("reading", "Reading the input …")
        self.result: Json | None = None
        self.error: str | None = None
        self._thread = threading.Thread(target=self._run, daemon=True, name="openbook-trace")

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def cancel(self) -> None:
        """Give up at the next stage."""
        self._is_cancelled.set()

    @property
    def is_done(self) -> bool:
        return not self._thread.is_alive()

    @property
    def progress(self) -> Json:
        """`Progress` of docs/page-protocol.md."""
        stage, message = self._stage
        return {"stage": stage, "message": message, "elapsed_s": round(time.monotonic() - self._begin_s, 3)}

    def report(self, stage: str, message: str) -> None:
        """What the work does next.

        Raises:
            Cancelled: nobody waits for it.
        """
        if self._is_cancelled.is_set():
            raise Cancelled
        self._stage = (stage, message)

    def _run(self) -> None:
        try:
            self.result = self._work(self.report)
        except Cancelled:
            self.error = "cancelled"
        except (OpenbookError, NoSuchThing) as error:
            self.error = str(error)
        except MemoryError:
            self.error = "There is not enough memory for all values of this model. Try a shorter input."
        except Exception:  # noqa: BLE001 - the page must be told, whatever it was; the terminal gets the details
            _log.exception("a trace failed")
            self.error = (
                "This could not be computed, which is openbook's fault. The terminal shows the details."
            )


def event(name: str, content: Any) -> bytes:
    """One server-sent event."""
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return f"event: {name}\ndata: {text}\n\n".encode("utf-8", "replace")


def event_stream(events: AsyncIterator[bytes]) -> StreamingResponse:
    """An answer that goes on."""
    return StreamingResponse(events, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


async def job_events(job: Job) -> AsyncIterator[bytes]:
    """`progress` at each stage and while it lasts, then `done` or `failed`."""
    job.start()
    told: Json = {}
    try:
        while not job.is_done:
            progress = job.progress
            if progress["stage"] != told.get("stage") or progress["elapsed_s"] - told["elapsed_s"] >= _TICK_S:
                told = progress
                yield event("progress", progress)
            await asyncio.sleep(0.005 if progress["elapsed_s"] < 1.0 else 0.05)
        if job.error is not None:
            yield event("failed", {"error": job.error})
        else:
            yield event("done", job.result)
    finally:
        # The connection was closed, or all is said.
        job.cancel()
