"""The server of the page: on this machine only, on a free port, with a token in its address."""

from __future__ import annotations

import contextlib
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import uvicorn

from openbook.errors import UsageError
from openbook.page.app import make_app
from openbook.page.guard import Guard
from openbook.page.subject import Subject
from openbook.page.traces import Library

_HOST = "127.0.0.1"
_START_LIMIT_S = 10.0


class PageServer:
    """Serves some models until it is stopped.

    Args:
        port: 0 for a free one.
        is_in_notebook: whether a local notebook may show the page in a frame.
    Raises:
        UsageError: the port is taken.
    """

    def __init__(self, subjects: Sequence[Subject], *, port: int = 0, is_in_notebook: bool = False) -> None:
        self.library = Library(subjects)
        self._socket = _listening_socket(port)
        self.port = int(self._socket.getsockname()[1])
        self.token = secrets.token_urlsafe(24)
        guarded = Guard(
            make_app(self.library), token=self.token, port=self.port, is_in_notebook=is_in_notebook
        )
        config = uvicorn.Config(
            guarded,
            log_level="warning",
            access_log=False,
            lifespan="off",
            server_header=False,
            # An open stream of events must not hold up the end.
            timeout_graceful_shutdown=1,
            ws="none",
        )
        self._server = uvicorn.Server(config)
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"http://{_HOST}:{self.port}/{self.token}/"

    def serve(self, on_ready: Callable[[str], Any]) -> None:
        """Serve until Ctrl-C.

        Args:
            on_ready: called with the address once the server listens.
        """
        threading.Thread(target=self._announce, args=(on_ready,), daemon=True).start()
        self._warm_up()
        with contextlib.suppress(KeyboardInterrupt), self._open_socket():
            self._server.run(sockets=[self._socket])

    def start(self) -> None:
        """Serve in a thread, which ends with the process."""
        self._thread = threading.Thread(target=self._run, daemon=True, name="openbook-page")
        self._thread.start()
        self._wait_until_started()
        self._warm_up()

    def close(self) -> None:
        """End; what is still being sent is given a second."""
        self._server.should_exit = True
        if self._thread is not None:
            self._thread.join(timeout=5)

    def _warm_up(self) -> None:
        """Compile while the browser opens."""
        threading.Thread(target=self.library.warm_up, daemon=True, name="openbook-warm-up").start()

    def _run(self) -> None:
        with self._open_socket():
            self._server.run(sockets=[self._socket])

    def _announce(self, on_ready: Callable[[str], Any]) -> None:
        self._wait_until_started()
        on_ready(self.url)

    def _wait_until_started(self) -> None:
        limit_s = time.monotonic() + _START_LIMIT_S
        while not self._server.started and time.monotonic() < limit_s:
            time.sleep(0.005)

    @contextlib.contextmanager
    def _open_socket(self) -> Iterator[None]:
        try:
            yield
        finally:
            self._socket.close()


def _listening_socket(port: int) -> socket.socket:
    if not 0 <= port < 2**16:
        raise UsageError(f"a port is a number from 0 to 65535, not {port}")
    # asyncio sends without delay only where the protocol is named: an answer of two parts would wait 40 ms.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.bind((_HOST, port))
    except OSError as error:
        listening.close()
        raise UsageError(
            f"port {port} cannot be used ({error.strerror}). Choose another with --port, or leave it out"
        ) from error
    return listening
