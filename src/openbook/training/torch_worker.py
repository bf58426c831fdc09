"""The process that `torch_process` starts: Keras on PyTorch takes the steps that it is asked for.

Requests come as pickled tuples over standard input, each with one answer over standard output, which is kept from
everything that prints. It ends when its input does.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO

import numpy as np


class Worker:
    """A model with its optimizer and loss, as it is given; one method for each request."""

    def start(
        self, model_path: str, optimizer: Mapping[str, Any], undecayed: list[int], loss: Callable[..., Any]
    ) -> None:
        """Load a model and make an optimizer for it.

        Args:
            model_path: `.keras` file.
            optimizer: as `keras.optimizers.serialize` gives it.
            undecayed: places of the trainable weights that do not decay.
            loss: (outputs, targets) -> scalar, of Keras or PyTorch operations.
        """
        import keras

        from openbook.saved_models import load_model

        self._model = load_model(model_path)
        self._optimizer = keras.optimizers.deserialize(dict(optimizer))
        weights = self._model.trainable_variables
        if undecayed:
            self._optimizer.exclude_from_weight_decay(var_list=[weights[index] for index in undecayed])
        self._optimizer.build(weights)
        self._loss = loss

    def step(self, inputs: Any, targets: Any, learning_rate: float) -> float:
        """One step; changes nothing where the loss or a gradient is not finite.

        Returns:
            the loss; NaN then.
        """
        import torch
        from keras.tree import map_structure

        from openbook.layers.fusing import fused_attention

        weights = self._model.trainable_variables
        self._model.zero_grad()
        others = [variable.value.clone() for variable in self._model.non_trainable_variables]
        with fused_attention(is_wanted=torch.cuda.is_available()):
            outputs = self._model(map_structure(_as_tensor, inputs), training=True)
        loss = self._loss(outputs, map_structure(_as_tensor, targets)) + sum(self._model.losses)
        loss.backward()
        gradients = [
            torch.zeros_like(weight.value) if weight.value.grad is None else weight.value.grad
            for weight in weights
        ]
        with torch.no_grad():
            squares = torch.stack([torch.sum(torch.square(gradient)) for gradient in gradients])
            if not bool(torch.isfinite(loss) & torch.all(torch.isfinite(squares))):
                for variable, value in zip(self._model.non_trainable_variables, others, strict=True):
                    variable.assign(value)
                return float("nan")
            self._optimizer.learning_rate = learning_rate
            self._optimizer.apply(gradients, weights)
        return float(loss)

    def load(self, arrays: Mapping[str, list[np.ndarray]]) -> None:
        """Take the values of all variables, in Keras' order, by the names of `TrainingState`."""
        import torch

        with torch.no_grad():
            for name, variables in self._variables().items():
                for variable, value in zip(variables, arrays[name], strict=True):
                    variable.assign(value)

    def state(self) -> dict[str, list[np.ndarray]]:
        """The values of all variables, as `load` takes them."""
        import keras

        return {
            name: [np.array(keras.ops.convert_to_numpy(variable.value)) for variable in variables]
            for name, variables in self._variables().items()
        }

    def speeds(self, rows: int, width: int, units: int) -> dict[str, float]:
        """GFLOP/s of a training-like product (rows, width) @ (width, units) in each precision; medians."""
        import torch

        from openbook.layers.product import product
        from openbook.training.precision import measured_speeds

        inputs = _as_tensor(np.ones((rows, width), np.float32)).requires_grad_()
        kernel = _as_tensor(np.full((width, units), 0.5, np.float32)).requires_grad_()

        def run(precision: str) -> None:
            inputs.grad = kernel.grad = None
            torch.sum(torch.square(product(inputs, kernel, precision=precision))).backward()
            if inputs.is_cuda:
                torch.cuda.synchronize()

        return measured_speeds(run, num_operations=3 * 2 * rows * width * units)

    def peak_bytes(self) -> int:
        """The most memory used so far: of the accelerator where there is one, else of this process."""
        import torch

        from openbook.runs.machine import peak_memory_bytes

        return int(torch.cuda.max_memory_allocated()) if torch.cuda.is_available() else peak_memory_bytes()

    def _variables(self) -> dict[str, list[Any]]:
        return {
            "trainable": self._model.trainable_variables,
            "non_trainable": self._model.non_trainable_variables,
            "optimizer": self._optimizer.variables,
        }


def answer_requests(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer until there is nothing more to read."""
    worker = Worker()
    while True:
        try:
            name, arguments = pickle.load(requests)
        except EOFError:
            return
        try:
            answer: tuple[str, Any] = ("done", getattr(worker, name)(*arguments))
        except Exception as error:  # noqa: BLE001 - whatever it is, the other process tells of it
            said = next(iter(str(error).splitlines()), "")
            is_short = isinstance(error, MemoryError) or "memory" in f"{type(error).__name__} {said}".lower()
            answer = ("memory" if is_short else "error", f"{type(error).__name__}: {said}")
        pickle.dump(answer, answers, protocol=pickle.HIGHEST_PROTOCOL)
        answers.flush()


def _as_tensor(array: Any) -> Any:
    import keras

    return keras.ops.convert_to_tensor(array)


def main() -> None:
    """Answer requests of the process that started this one."""
    # Ctrl-C is for that one, which ends this one when everything is saved.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    answer_requests(sys.stdin.buffer, answers)


if __name__ == "__main__":
    main()
