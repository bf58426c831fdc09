"""Softmax and its relatives."""

from __future__ import annotations

from openbook.program.composites.composite import Rule

RULES = (
    Rule(
        name="softmax",
        formula="softmax(x)_i = exp(x_i − max x) / Σ_j exp(x_j − max x)",
        pattern="""
            maximum = reduce_max(x)
            exponentials = exp(x - maximum) | exp(x)
            sum = reduce_sum(exponentials)
            output = exponentials / sum | exp(x - maximum) / sum | exp(x) / sum
        """,
        axes_of="sum",
    ),
    Rule(
        name="log_softmax",
        formula="log_softmax(x)_i = x_i − max x − log Σ_j exp(x_j − max x)",
        pattern="""
            maximum = reduce_max(x)
            shifted = x - maximum
            exponentials = exp(shifted)
            sum = reduce_sum(exponentials)
            output = shifted - log(sum)
        """,
        axes_of="sum",
    ),
    Rule(
        name="logsumexp",
        formula="logsumexp(x) = max x + log Σ_j exp(x_j − max x)",
        pattern="""
            maximum = reduce_max(x)
            exponentials = exp(x - maximum)
            sum = reduce_sum(exponentials)
            output = log(sum | abs(sum)) + maximum
        """,
        axes_of="sum",
    ),
)
