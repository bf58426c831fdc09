"""Classic experiments of chapter 5, found by their place: every module here with an `EXPERIMENT` is one."""

from __future__ import annotations

import difflib
import functools
import importlib
import pkgutil
import types
from collections.abc import Mapping

from openbook.errors import UsageError
from openbook.experiments.experiment import Experiment

__all__ = ["all_experiments", "experiment_named"]


@functools.cache
def all_experiments() -> Mapping[str, Experiment]:
    """Experiments by name."""
    found: dict[str, Experiment] = {}
    for module_info in pkgutil.iter_modules(__path__):
        if not module_info.name.endswith("_test"):
            module = importlib.import_module(f"{__name__}.{module_info.name}")
            experiment = getattr(module, "EXPERIMENT", None)
            if isinstance(experiment, Experiment):
                found[module_info.name.replace("_", "-")] = experiment
    return types.MappingProxyType(dict(sorted(found.items())))


def experiment_named(name: str) -> Experiment:
    """The experiment of this name.

    Raises:
        UsageError: there is none.
    """
    known = all_experiments()
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"Did you mean {near[0]}?" if near else f"There are: {', '.join(known)}"
        raise UsageError(f"there is no experiment called {name!r}. {hint}")
    return known[name]
