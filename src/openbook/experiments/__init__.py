"""Classic experiments of chapter 5, found by their place: every module here with an `EXPERIMENT` is one."""

from __future__ import annotations

import functools
import types
from collections.abc import Mapping

from openbook.experiments.experiment import Experiment
from openbook.registry import modules_in, named

__all__ = ["all_experiments", "experiment_named"]


@functools.cache
def all_experiments() -> Mapping[str, Experiment]:
    """Experiments by name."""
    found: dict[str, Experiment] = {}
    for module in modules_in(__name__, __path__):
        experiment = getattr(module, "EXPERIMENT", None)
        if isinstance(experiment, Experiment):
            found[module.__name__.rpartition(".")[2].replace("_", "-")] = experiment
    return types.MappingProxyType(dict(sorted(found.items())))


def experiment_named(name: str) -> Experiment:
    """The experiment of this name.

    Raises:
        UsageError: there is none.
    """
    return named(name, all_experiments(), what="experiment")
