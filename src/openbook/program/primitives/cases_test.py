"""The form of the cases that the contract test runs over, and where they stand.

A family's test file (`<family>_test.py`) holds them in its tuple `CASES`; they are found by their place.
Each primitive of the family occurs in at least one. The contract test reads a case's function as a program
and checks every step of it (not only the family's own), so a case may be any small function that JAX can
trace.
"""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
from collections.abc import Callable
from typing import Any

import openbook.program.primitives as package


@dataclasses.dataclass(frozen=True, kw_only=True)
class Case:
    """One call of one small function.

    Attributes:
        label: what it shows; unique in its family.
        function: a function of the arguments that JAX can trace.
        arguments: NumPy arrays. Float32 arrays are run in float32 and, as float64, in float64; other dtypes
            are left as they are. Small ones, of a few dozen elements: each contract looks at single elements.
        gradient: whether the gradient by all float arguments is compared with central differences; arguments
            then stay off kinks and ties by more than 1e-4.
        in_float64: whether it is run in float64 too.
        source: whether the source text is run; not where NumPy leaves the result open, such as of NaN as a
            whole number.
    """

    label: str
    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    gradient: bool = False
    in_float64: bool = True
    source: bool = True


def all_cases() -> dict[str, Case]:
    """The cases of all families by "family/label"."""
    found: dict[str, Case] = {}
    for info in pkgutil.iter_modules(package.__path__):
        if not info.name.endswith("_test") or info.name in ("cases_test", "contract_test"):
            continue
        module = importlib.import_module(f"{package.__name__}.{info.name}")
        for case in getattr(module, "CASES", ()):
            key = f"{info.name.removesuffix('_test')}/{case.label}"
            assert key not in found, f"two cases {key}"
            found[key] = case
    return found
