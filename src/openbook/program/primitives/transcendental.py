"""Exponentials, logarithms, trigonometric and hyperbolic functions, element by element.

Each counts as one operation by definition, whatever a processor needs for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from openbook.program.primitives.elementwise import Reading, elementwise, elementwise_by_kind
from openbook.program.primitives.table import ATOM, PRODUCT, Params, Primitive


def sigmoid(x: np.ndarray) -> Any:
    """1 / (1 + exp(-x)), without overflow."""
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1, small) / (1 + small)


def _read_logistic(params: Params, operands: Sequence[Any]) -> Reading:
    formula = "1 / (1 + exp(−{0}))"
    if np.dtype(operands[0].dtype).kind == "c":
        source = "1 / (1 + np.exp(-{0}))"
        return Reading(compute=_complex_sigmoid, formula=formula, source=source, binding=PRODUCT)
    return Reading(compute=sigmoid, formula=formula, source="<sigmoid>({0})", binding=ATOM)


def _complex_sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def _named(name: str, function: np.ufunc, formula: str) -> Primitive:
    """An entry for a function that NumPy has under a name of its own."""
    return elementwise(name, function, formula=formula, source=f"np.{function.__name__}({{0}})")


PRIMITIVES = (
    _named("exp", np.exp, "exp({0})"),
    _named("exp2", np.exp2, "2 ^ {0}"),
    _named("expm1", np.expm1, "exp({0}) − 1"),
    _named("log", np.log, "ln {0}"),
    _named("log1p", np.log1p, "ln(1 + {0})"),
    elementwise_by_kind("logistic", _read_logistic),
    _named("sin", np.sin, "sin {0}"),
    _named("cos", np.cos, "cos {0}"),
    _named("tan", np.tan, "tan {0}"),
    _named("asin", np.arcsin, "arcsin {0}"),
    _named("acos", np.arccos, "arccos {0}"),
    _named("atan", np.arctan, "arctan {0}"),
    elementwise("atan2", np.arctan2, formula="angle of the point ({1}, {0})", source="np.arctan2({0}, {1})"),
    _named("sinh", np.sinh, "sinh {0}"),
    _named("cosh", np.cosh, "cosh {0}"),
    _named("tanh", np.tanh, "tanh {0}"),
    _named("asinh", np.arcsinh, "arsinh {0}"),
    _named("acosh", np.arccosh, "arcosh {0}"),
    _named("atanh", np.arctanh, "artanh {0}"),
)

HELPERS = {"sigmoid": sigmoid}
