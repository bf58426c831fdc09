"""Training steps that a process with PyTorch takes, for the same loop as JAX's."""

from __future__ import annotations

import collections
import functools
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from openbook.saved_models import save_model
from openbook.training.state import TrainingState
from openbook.training.torch_process import TorchProcess


class TorchStep:
    """Takes steps as `compile_train_step`'s function does; `close` ends the process.

    The state stays in the process. What a step returns stands for it: its arrays are fetched when somebody asks
    for them, which must be before the next step.

    Args:
        model: a built Keras model, which can be saved.
        optimizer: a Keras optimizer, built for the model's trainable variables.
        loss: a function of a module, (outputs, targets) -> scalar, that PyTorch can follow.
    Raises:
        TrainingError: PyTorch cannot load it.
    """

    def __init__(self, model: Any, optimizer: Any, loss: Callable[[Any, Any], Any]) -> None:
        import keras

        self._process = TorchProcess()
        self._state: TrainingState | None = None
        self._unread: collections.deque[_Loss] = collections.deque()
        # An optimizer's settings do not say which weights it leaves from decaying.
        undecayed = [
            index
            for index, variable in enumerate(model.trainable_variables)
            if not optimizer._use_weight_decay(variable)
        ]
        settings = keras.optimizers.serialize(optimizer)
        try:
            with tempfile.TemporaryDirectory(prefix="openbook-") as folder:
                path = Path(folder) / "model.keras"
                save_model(model, path)
                self._process.ask("start", str(path), settings, undecayed, loss)
        except BaseException:
            self._process.close()
            raise

    def __call__(
        self, state: TrainingState, inputs: Any, targets: Any, learning_rate: float
    ) -> tuple[TrainingState, Any]:
        if state is not self._state:
            self._ask(
                "load", {name: [np.asarray(each) for each in group] for name, group in state.groups().items()}
            )
        self._process.send("step", inputs, targets, float(learning_rate))
        loss = _Loss(self._read_until)
        self._unread.append(loss)
        self._state = RemoteState(self._fetch)
        return self._state, loss

    def peak_bytes(self) -> int:
        """The most memory that the process, or its accelerator, has used so far."""
        return int(self._ask("peak_bytes"))

    def close(self) -> None:
        """End the process."""
        self._process.close()

    def _fetch(self, asking: RemoteState) -> dict[str, list[np.ndarray]]:
        if asking is not self._state:
            raise RuntimeError("the arrays of a step must be asked for before the next one")
        arrays: dict[str, list[np.ndarray]] = self._ask("state")
        return arrays

    def _ask(self, name: str, *arguments: Any) -> Any:
        if self._unread:
            self._read_until(self._unread[-1])
        return self._process.ask(name, *arguments)

    def _read_until(self, wanted: _Loss) -> None:
        while wanted.value is None:
            self._unread[0].value = float(self._process.receive())
            self._unread.popleft()


class RemoteState(TrainingState):
    """A state whose arrays are fetched once, when they are asked for."""

    def __init__(self, fetch: Callable[[RemoteState], dict[str, list[np.ndarray]]]) -> None:
        object.__setattr__(self, "_fetch", fetch)

    @functools.cached_property
    def _arrays(self) -> dict[str, list[np.ndarray]]:
        fetch: Callable[[RemoteState], dict[str, list[np.ndarray]]] = self.__dict__["_fetch"]
        return fetch(self)

    @property
    def trainable(self) -> list[Any]:
        return self._arrays["trainable"]

    @property
    def non_trainable(self) -> list[Any]:
        return self._arrays["non_trainable"]

    @property
    def optimizer(self) -> list[Any]:
        return self._arrays["optimizer"]


class _Loss:
    """The loss of a step in flight: a number when it is needed as one."""

    def __init__(self, read_until: Callable[[_Loss], None]) -> None:
        self._read_until = read_until
        self.value: float | None = None

    def __float__(self) -> float:
        self._read_until(self)
        assert self.value is not None
        return self.value
