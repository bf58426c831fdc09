"""The curves of a run for TensorBoard, written without TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from openbook.training.callback import Callback

_INTERVAL_STEPS = 10


class TensorBoardCallback(Callback):
    """Writes loss, learning rate and held-out scores as event files into a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writer: Any = None

    def on_begin(self, step: int) -> None:
        from tensorboardX import SummaryWriter

        # What an earlier process wrote after its last checkpoint is taken back.
        self._writer = SummaryWriter(str(self._folder), purge_step=step + 1 if step else None)

    def on_step(self, step: int, loss: float, learning_rate: float) -> None:
        if step % _INTERVAL_STEPS == 0 or step == 1:
            self._writer.add_scalar("training/loss", loss, step)
            self._writer.add_scalar("training/learning_rate", learning_rate, step)

    def on_evaluation(self, step: int, score: Mapping[str, float]) -> None:
        for name, value in score.items():
            self._writer.add_scalar(f"held_out/{name}", value, step)
        self._writer.flush()

    def on_end(self, score: Mapping[str, float]) -> None:
        self._writer.close()
