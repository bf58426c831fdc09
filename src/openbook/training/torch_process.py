"""A process in which Keras runs on PyTorch, and the questions that this one, with JAX, asks it."""

from __future__ import annotations

import contextlib
import os
import pickle
import subprocess
import sys
from typing import Any

from openbook.errors import TrainingError


class TorchProcess:
    """Starts the process; `close` ends it.

    What is sent is answered in order; a question that is not asked back for keeps its answer waiting.
    """

    def __init__(self) -> None:
        environment = {**os.environ, "KERAS_BACKEND": "torch"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "openbook.training.torch_worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
        )

    def send(self, name: str, *arguments: Any) -> None:
        """Ask something, without waiting for the answer."""
        assert self._process.stdin is not None
        try:
            pickle.dump((name, arguments), self._process.stdin, protocol=pickle.HIGHEST_PROTOCOL)
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise self._ended() from error

    def receive(self) -> Any:
        """The oldest answer that was not received.

        Raises:
            MemoryError: the process has not enough.
            TrainingError: it failed or ended; what it said of it.
        """
        assert self._process.stdout is not None
        try:
            # From our own process, over a pipe that nothing else holds.
            kind, answer = pickle.load(self._process.stdout)
        except (EOFError, pickle.UnpicklingError) as error:
            raise self._ended() from error
        if kind == "memory":
            raise MemoryError(answer)
        if kind == "error":
            raise TrainingError(f"the training step failed on PyTorch: {answer}. Train on JAX: --backend jax")
        return answer

    def ask(self, name: str, *arguments: Any) -> Any:
        """Ask something and wait; nothing else may be unanswered."""
        self.send(name, *arguments)
        return self.receive()

    def close(self) -> None:
        """End the process."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):  # it ended before us, with something unread
                    pipe.close()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _ended(self) -> TrainingError:
        code = self._process.wait()
        return TrainingError(
            f"the process that trains on PyTorch ended unexpectedly (exit code {code}); perhaps memory ran out. "
            f"What was saved before is intact"
        )
