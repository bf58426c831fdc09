"""Attention: scores of queries against keys, their softmax, and the values weighted by it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from openbook.program.composites.composite import Rule
from openbook.program.composites.matching import Match


def _is_attention(match: Match) -> Mapping[str, Any] | None:
    """The weights are over what is weighted: their softmax runs along the axis that meets the values."""
    graph = match.graph
    output = match.step_of("attended")
    side = 0 if graph.root(output.inputs[0]) != graph.root(match.values["values"]) else 1
    (contracted, _) = output.params["dimension_numbers"]
    operand = output.inputs[side]
    if len(contracted[side]) != 1:
        return None
    # Two layers with a softmax in between, over weights of their own, are no attention.
    is_batched = bool(output.params["dimension_numbers"][1][0])
    keys, values = match.values["keys"], match.values["values"]
    is_two_layers = all(map(graph.is_given, (keys, values))) and graph.root(keys) != graph.root(values)
    if not is_batched and is_two_layers:
        return None
    return {"key_axis": int(contracted[side][0]) - len(graph.shape(operand))}


_WEIGHTING = """
    weights = softmax(masked_scores)
    cleared = select_n(mask, 0.0, weights)
    kept = (cleared | weights) / constant(keep_share)
    dropped = select_n(dropout_mask, 0.0, kept)
    _used = dropped | cleared | weights
    attended = dot_general(_used, values) | dot_general(values, _used)
    output = attended
"""
_SCORES = """
    {product}
    scores = product * constant(scale) | product / constant(root) | product * learned_scale | product
    _hiding = constant(filler) | scores - constant(penalty)
    _hidden = select_n(mask, scores, _hiding) | select_n(mask, _hiding, scores)
    masked_scores = _hidden | scores + bias | scores - bias | scores
"""


def _attention(product: str, formula: str) -> Rule:
    return Rule(
        name="attention",
        formula=formula,
        pattern=_SCORES.format(product=product) + _WEIGHTING,
        params=_is_attention,
    )


RULES = (
    Rule(
        name="dropout",
        formula="dropout(x) = x / keep share where kept, 0 elsewhere",
        pattern="""
            kept = x / constant(keep_share)
            output = select_n(mask, 0.0, kept)
        """,
    ),
    _attention(
        "product = dot_general(queries, keys)",
        "attention = softmax(queries · keysᵀ / √d, masked) · values",
    ),
    _attention(
        "product = reduce_sum(score_weights * tanh(queries + keys)) | reduce_sum(tanh(queries + keys))",
        "attention = softmax(Σ scale · tanh(queries + keys), masked) · values",
    ),
)
