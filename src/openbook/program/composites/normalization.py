"""Normalisations: numbers brought to mean 0 and variance 1, then scaled and shifted by weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from openbook.program.composites.composite import Rule
from openbook.program.composites.matching import Match


def _if_kind(kind: str) -> Callable[[Match], Mapping[str, Any] | None]:
    def check(match: Match) -> Mapping[str, Any] | None:
        return {} if _kind(match) == kind and has_weights_beside(match) else None

    return check


def _kind(match: Match) -> str:
    """Which normalisation, by the axes that its statistics are taken over."""
    step = match.reduction_of("mean")
    axes, rank = sorted(step.params["axes"]), len(match.graph.shape(step.inputs[0]))
    if 0 in axes:
        return "batch_norm"
    return "layer_norm" if axes == list(range(axes[0], rank)) else "group_norm"


def _if_given(match: Match) -> Mapping[str, Any] | None:
    """The statistics come from outside: they are weights or constants."""
    graph = match.graph
    is_given = all(graph.is_given(match.values[name]) for name in ("mean", "variance"))
    return {} if is_given and has_weights_beside(match) else None


def has_weights_beside(match: Match) -> bool:
    """Whether scale and offset are smaller than x: a product or sum with something else is no part of it."""
    graph = match.graph
    largest = graph.shape(match.values["x"])
    return all(
        graph.shape(match.values[name]) != largest for name in ("scale", "offset") if name in match.values
    )


# The many ways in which x is shifted and scaled by its statistics.
_FORMS = """
    inverse_deviation = rsqrt(variance + constant(epsilon))
    deviation = sqrt(variance + constant(epsilon))
    centred = x - mean
    normalized = centred * inverse_deviation | centred / deviation
    factor = inverse_deviation * scale
    _textbook = normalized * scale + offset | normalized * scale | normalized + offset
    _with_scale = x * factor + (offset - mean * factor) | x * factor + (offset + (-mean) * factor)
    _with_scale_only = x * factor + (-mean) * factor | centred * factor | centred * factor + offset
    _without_scale = x * inverse_deviation + (offset + (-mean) * inverse_deviation)
    _plain = x * inverse_deviation + (-mean) * inverse_deviation
    output = _textbook | _with_scale | _with_scale_only | _without_scale | _plain | normalized
"""
_STATISTICS = "mean = mean(x)\nvariance = variance(x)\n"


def _norm(name: str, formula: str) -> Rule:
    return Rule(
        name=name, formula=formula, pattern=_STATISTICS + _FORMS, params=_if_kind(name), axes_of="mean"
    )


RULES = (
    _norm("layer_norm", "layer_norm(x) = (x − mean x) / √(variance x + ε) · scale + offset"),
    _norm("batch_norm", "batch_norm(x) = (x − batch mean) / √(batch variance + ε) · scale + offset"),
    _norm("group_norm", "group_norm(x) = (x − group mean) / √(group variance + ε) · scale + offset"),
    Rule(
        name="rms_norm",
        formula="rms_norm(x) = x / √(mean x² + ε) · scale",
        pattern="""
            squares = square(x) | integer_pow(x, y=2) | x * x
            mean_square = mean(squares)
            inverse_root = rsqrt(mean_square + constant(epsilon))
            normalized = x * inverse_root | x / sqrt(mean_square + constant(epsilon))
            output = normalized * scale | x * (inverse_root * scale) | normalized
        """,
        params=lambda match: {} if has_weights_beside(match) else None,
        axes_of="mean_square",
    ),
    Rule(
        name="batch_norm",
        formula="batch_norm(x) = (x − moving mean) / √(moving variance + ε) · scale + offset",
        pattern=_FORMS,
        params=_if_given,
    ),
)
