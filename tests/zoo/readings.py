"""What is read of a zoo entry: forward, forward in training mode, a whole training step."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

import openbook
from openbook.program.trace import Trace
from zoo.entry import ZooFunction, ZooModel, numpy_initializers

FORWARD, TRAINING, STEP, FUNCTION = "forward", "training", "step", "function"


def kinds(entry: ZooModel | ZooFunction) -> tuple[str, ...]:
    """The readings that an entry has."""
    if isinstance(entry, ZooFunction):
        return (FUNCTION,)
    return (FORWARD, TRAINING, STEP) if entry.trains else (FORWARD, TRAINING)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Made:
    """An entry made ready to be read.

    Attributes:
        model: the compiled model, or the function.
        data: inputs and targets of the model, or the function's arguments.
    """

    model: Any
    data: tuple[Any, ...]

    def trace(self, kind: str) -> Trace:
        """One reading, through the public calls."""
        if kind == FUNCTION:
            return openbook.trace(self.model, *self.data)
        inputs, targets = self.data
        if kind == STEP:
            return openbook.trace_step(self.model, inputs, targets)
        return openbook.trace(self.model, inputs, training=kind == TRAINING)


def made(entry: ZooModel | ZooFunction) -> Made:
    """Build an entry."""
    import keras

    if isinstance(entry, ZooModel):
        return Made(model=entry.make(), data=entry.data())
    keras.utils.clear_session(free_memory=False)
    with numpy_initializers(np.random.default_rng(1)):
        function, arguments = entry.make()
    return Made(model=function, data=arguments)
