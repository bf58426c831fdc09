"""What a run with some settings consists of, as a recipe says it before anything is trained."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from openbook.training.length import Length


@dataclasses.dataclass(frozen=True, kw_only=True)
class ForwardWork:
    """Work that runs the model forward only.

    Attributes:
        batches: of the size of a training batch.
        passes: of a single position, one after another, as in writing a text.
        num_traced: programs that JAX reads anew each time.
        num_kept: programs that it reads the first time and keeps.
        num_compiled: how many of these are compiled the first time, each as large as the forward part of a step.
    """

    batches: int
    passes: int = 0
    num_traced: int = 1
    num_kept: int = 0
    num_compiled: int = 1


@dataclasses.dataclass(frozen=True, kw_only=True)
class Workload:
    """The parts of a run that take time or memory.

    Attributes:
        recipe: name of the recipe.
        settings: those that decide what a step costs, such as sizes; runs that agree in them take the same steps.
        length: how long to train.
        checkpoint_interval_s: seconds between checkpoints.
        build: makes the model, untrained.
        optimizer: makes its optimizer.
        loss: (outputs, targets) -> scalar, as in training.
        batch_at: inputs and targets of a step, from the part of the data that was prepared for the forecast.
        steps_per_epoch: of the whole data.
        unit, units_per_step: what is counted for the speed, and how many of it one step takes.
        prepare_s: what preparing the whole data takes, extrapolated from the part.
        data_bytes: what the whole data occupies in memory beyond what is held now.
        num_evaluations: held-out scores while training, the last one included.
        evaluation: what one of these computes.
        final: what is computed after training: the score, samples.
        preprocessing_bytes: what the run's folder holds beside the model and the checkpoints.
    """

    recipe: str
    settings: Mapping[str, Any]
    length: Length
    checkpoint_interval_s: float
    build: Callable[[], Any]
    optimizer: Callable[[], Any]
    loss: Callable[[Any, Any], Any]
    batch_at: Callable[[int], tuple[Any, Any]]
    steps_per_epoch: int
    unit: str
    units_per_step: int
    prepare_s: float
    data_bytes: int
    num_evaluations: int
    evaluation: ForwardWork
    final: ForwardWork
    preprocessing_bytes: int
