"""Updates of weights by their gradients, as Keras' optimizers write them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from openbook.program.composites.composite import Rule
from openbook.program.composites.matching import Match
from openbook.program.program import UPDATE


def _is_update(match: Match) -> Mapping[str, Any] | None:
    """The weight is given, the learning rate is one number, and it happens where weights are updated."""
    graph = match.graph
    values = match.values
    if "weight" in values and graph.root(values["weight"]) not in graph.inputs:
        return None
    if "learning_rate" in values and graph.shape(graph.root(values["learning_rate"])):
        return None
    return {}


# Weight decay apart from the gradient comes before the update itself.
_DECAYED = "decayed_weight = weight - (weight * constant(weight_decay)) * learning_rate\n"
_ADAM_MOMENTS = """
    momentum = old_momentum + (gradient - old_momentum) * constant(one_minus_beta_1)
    velocity = old_velocity + (square(gradient) - old_velocity) * constant(one_minus_beta_2)
"""

_RULES = (
    Rule(
        name="adam_update",
        formula=(
            "m ← m + (g − m)·(1 − β₁); v ← v + (g² − v)·(1 − β₂); w ← w − α·m / (√v + ε), "
            "α = learning rate·√(1 − β₂ᵗ) / (1 − β₁ᵗ)"
        ),
        pattern=_DECAYED
        + _ADAM_MOMENTS
        + """
            count = iterations + 1.0
            first_power = pow(constant(beta_1), count)
            second_power = pow(constant(beta_2), count)
            corrected_rate = (learning_rate * sqrt(1.0 - second_power)) / (1.0 - first_power)
            largest_velocity = max(old_largest_velocity, velocity)
            step = (momentum * corrected_rate) / (sqrt(largest_velocity | velocity) + constant(epsilon))
            output = decayed_weight - step | weight - step
        """,
    ),
    Rule(
        name="nadam_update",
        formula="w ← w − α·(look-ahead of m) / (√v + ε), m and v as in Adam",
        pattern=_DECAYED
        + _ADAM_MOMENTS
        + """
            ahead = (momentum_weight * momentum) / momentum_rest
            direct = (gradient_weight * gradient) / gradient_rest
            corrected_velocity = velocity / velocity_rest
            step = ((ahead + direct) * learning_rate) / (sqrt(corrected_velocity) + constant(epsilon))
            output = decayed_weight - step | weight - step
        """,
    ),
    Rule(
        name="adamax_update",
        formula="m ← m + (g − m)·(1 − β₁); u ← max(β₂·u, |g|); w ← w − α·m / ((1 − β₁ᵗ)·(u + ε))",
        pattern=_DECAYED
        + """
            momentum = old_momentum + (gradient - old_momentum) * constant(one_minus_beta_1)
            largest_gradient = max(old_largest_gradient * constant(beta_2), abs(gradient))
            correction = 1.0 - pow(constant(beta_1), iterations + 1.0)
            step = (learning_rate * momentum) / (correction * (largest_gradient + constant(epsilon)))
            output = decayed_weight - step | weight - step
        """,
    ),
    Rule(
        name="lion_update",
        formula="w ← w − learning rate·sign(β₁·m + (1 − β₁)·g); m ← β₂·m + (1 − β₂)·g",
        pattern=_DECAYED
        + """
            mixed = old_momentum * constant(beta_1) + gradient * constant(one_minus_beta_1)
            step = learning_rate * sign(mixed)
            output = decayed_weight - step | weight - step
        """,
    ),
    Rule(
        name="rmsprop_update",
        formula="v ← ρ·v + (1 − ρ)·g²; w ← w − learning rate·g / √(v + ε)",
        pattern=_DECAYED
        + """
            velocity = old_velocity * constant(rho) + square(gradient) * constant(one_minus_rho)
            average_gradient = old_average * constant(rho) + gradient * constant(one_minus_rho)
            centred_velocity = velocity - square(average_gradient)
            root = sqrt((centred_velocity | velocity) + constant(epsilon))
            increment = (learning_rate * gradient) / root
            momentum = old_momentum * constant(momentum_share) + increment
            output = decayed_weight - (momentum | increment) | weight - (momentum | increment)
        """,
    ),
    Rule(
        name="adagrad_update",
        formula="v ← v + g²; w ← w − learning rate·g / √(v + ε)",
        pattern=_DECAYED
        + """
            accumulator = old_accumulator + square(gradient)
            step = (learning_rate * gradient) / sqrt(accumulator + constant(epsilon))
            output = decayed_weight - step | weight - step
        """,
    ),
    Rule(
        name="adadelta_update",
        formula="w ← w − learning rate·g·√(d + ε) / √(v + ε), d and v running means of steps² and g²",
        pattern=_DECAYED
        + """
            velocity = old_velocity * constant(rho) + square(gradient) * constant(one_minus_rho)
            root = sqrt(velocity + constant(epsilon))
            step = -((sqrt(old_delta + constant(epsilon)) * gradient) / root)
            output = decayed_weight + learning_rate * step | weight + learning_rate * step
        """,
    ),
    Rule(
        name="newton_schulz",
        formula="x ← a·x + (b·xxᵀ + c·(xxᵀ)²)·x brings the singular values of x near 1",
        pattern="""
            gram = dot_general(x, x)
            polynomial = gram * constant(b) + dot_general(gram * constant(c), gram)
            output = x * constant(a) + dot_general(polynomial, x)
        """,
    ),
    Rule(
        name="muon_update",
        formula="m ← m + (g − m)·(1 − β); w ← w − learning rate·orthogonal(g + β·m)",
        pattern=_DECAYED
        + """
            momentum = old_momentum + (gradient + old_momentum * constant(minus_one_minus_beta))
            mixed = gradient + momentum * constant(beta)
            norm = sqrt(reduce_sum(mixed * mixed))
            scaled = mixed / (norm + constant(epsilon))
            orthogonal = newton_schulz(newton_schulz(newton_schulz(newton_schulz(newton_schulz(scaled)))))
            step = ((learning_rate * orthogonal) * constant(_size)) * constant(_match)
            output = decayed_weight - step | weight - step
        """,
    ),
    Rule(
        name="sgd_momentum_update",
        formula="v ← momentum·v − learning rate·g; w ← w + v",
        pattern=_DECAYED
        + """
            momentum = old_momentum * constant(momentum_share) - gradient * (learning_rate | constant(rate))
            ahead = momentum * constant(momentum_share) - gradient * (learning_rate | constant(rate))
            output = decayed_weight + (ahead | momentum) | weight + (ahead | momentum)
        """,
    ),
    Rule(
        name="sgd_update",
        formula="w ← w − learning rate·g",
        pattern=_DECAYED
        + """
            step = gradient * (learning_rate | constant(rate))
            output = decayed_weight - step | weight - step
        """,
    ),
    Rule(
        name="clip_by_norm",
        formula="clip_by_norm(g) = g·limit / max(‖g‖, limit)",
        pattern="""
            sum_of_squares = reduce_sum(square(gradient))
            safe = select_n(gt(sum_of_squares, 0.0), 1.0, sum_of_squares)
            norm = select_n(gt(sum_of_squares, 0.0), sum_of_squares, sqrt(safe))
            output = (gradient * constant(limit)) / max(norm, constant(limit))
        """,
    ),
)

RULES = tuple(dataclasses.replace(rule, params=_is_update, phase=UPDATE) for rule in _RULES)
