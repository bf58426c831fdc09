"""Losses of one example, before the mean over the batch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from openbook.program.composites.composite import Rule
from openbook.program.composites.matching import Match


def _of_one_shape(match: Match) -> Mapping[str, Any] | None:
    """A target for each prediction; a difference from a mean is no error."""
    shape = match.graph.shape
    return {} if shape(match.values["target"]) == shape(match.values["predicted"]) else None


RULES = (
    Rule(
        name="one_hot",
        formula="one_hot(labels)_c = 1 where c = label, 0 elsewhere",
        pattern="classes = iota()\noutput = eq(labels, classes)",
    ),
    Rule(
        name="cross_entropy",
        formula="cross_entropy = −Σ_c target_c · log_softmax(logits)_c",
        pattern="""
            log_probabilities = log_softmax(logits)
            output = -reduce_sum(targets * log_probabilities) | reduce_sum(-(targets * log_probabilities))
        """,
    ),
    Rule(
        name="cross_entropy",
        formula="cross_entropy = −Σ_c target_c · log p_c",
        pattern="""
            probabilities = x / reduce_sum(x)
            clipped = min(max(probabilities | x, constant(smallest)), constant(largest))
            log_probabilities = log(clipped | probabilities | x)
            output = -reduce_sum(targets * log_probabilities) | reduce_sum(-(targets * log_probabilities))
        """,
    ),
    Rule(
        name="cross_entropy",
        formula="cross_entropy = logsumexp(logits) − logit of the target",
        pattern="""
            normalizer = logsumexp(logits)
            target_logit = gather(logits, targets)
            output = normalizer - target_logit
        """,
    ),
    Rule(
        name="binary_cross_entropy",
        formula="binary_cross_entropy = −(target · log p + (1 − target) · log(1 − p))",
        pattern="""
            clipped = min(max(probability, constant(smallest)), constant(largest))
            output = -(target * log(clipped) + (1.0 - target) * log(1.0 - clipped))
        """,
    ),
    Rule(
        name="binary_cross_entropy",
        formula="binary_cross_entropy = −(target · log σ(logit) + (1 − target) · log σ(−logit))",
        pattern="""
            output = (target * -1.0) * log_sigmoid(logit) - (1.0 - target) * log_sigmoid(-logit)
        """,
    ),
    Rule(
        name="mean_squared_error",
        formula="mean_squared_error = Σ (target − predicted)² / n",
        pattern="""
            error = target - predicted
            output = mean(square(error) | integer_pow(error, y=2) | error * error)
        """,
        params=_of_one_shape,
        axes_of="output",
    ),
    Rule(
        name="mean_absolute_error",
        formula="mean_absolute_error = Σ |target − predicted| / n",
        pattern="""
            error = target - predicted
            output = mean(abs(error))
        """,
        params=_of_one_shape,
        axes_of="output",
    ),
    Rule(
        name="huber",
        formula="huber = ½·e² where |e| ≤ δ, δ·|e| − ½·δ² elsewhere; e = predicted − target",
        pattern="""
            error = predicted - target
            size = abs(error)
            near = square(error) * 0.5
            output = select_n(le(size, constant(delta)), size * constant(delta) - constant(_half), near)
        """,
    ),
    Rule(
        name="kl_divergence",
        formula="kl_divergence = Σ target · log(target / predicted)",
        pattern="""
            clipped_target = min(max(target, constant(smallest)), constant(largest))
            clipped = min(max(predicted, constant(smallest)), constant(largest))
            output = reduce_sum(clipped_target * log(clipped_target / clipped))
        """,
    ),
    Rule(
        name="gaussian_kl",
        formula="kl = −½ · (1 + log variance − mean² − variance)",
        pattern="""
            variance = exp(log_variance)
            output = (((log_variance + 1.0) - square(mean)) - variance) * -0.5
        """,
    ),
)
