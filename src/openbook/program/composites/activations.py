"""Activations: what a layer does to each of its numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from openbook.program.composites.composite import Rule
from openbook.program.composites.matching import Match


def _below_one(match: Match) -> Mapping[str, Any] | None:
    return {} if 0.0 < match.numbers["slope"] < 1.0 else None


RULES = (
    Rule(name="relu", formula="relu(x) = max(x, 0)", pattern="output = max(x, 0.0)"),
    Rule(name="relu6", formula="relu6(x) = min(max(x, 0), 6)", pattern="output = min(max(x, 0.0), 6.0)"),
    Rule(
        name="squared_relu",
        formula="squared_relu(x) = max(x, 0)²",
        pattern="rectified = max(x, 0.0)\noutput = square(rectified) | integer_pow(rectified, y=2)",
    ),
    Rule(
        name="leaky_relu",
        formula="leaky_relu(x) = x where x ≥ 0, slope·x elsewhere",
        pattern="""
            output = select_n(ge(x, 0.0) | gt(x, 0.0), x * constant(slope), x) | max(x, x * constant(slope))
        """,
        params=_below_one,
    ),
    Rule(
        name="elu",
        formula="elu(x) = x where x > 0, α·(exp x − 1) elsewhere",
        pattern="""
            negative = select_n(gt(x, 0.0), x, 0.0)
            output = select_n(gt(x, 0.0), expm1(negative) * constant(alpha) | expm1(negative), x)
        """,
    ),
    Rule(
        name="selu",
        formula="selu(x) = scale·x where x > 0, scale·α·(exp x − 1) elsewhere",
        pattern="output = elu(x) * 1.0507009873554805",
    ),
    Rule(
        name="sigmoid",
        formula="σ(x) = 1 / (1 + exp(−x))",
        pattern="output = logistic(x) | 1.0 / (1.0 + exp(-x))",
    ),
    Rule(
        name="silu",
        formula="silu(x) = x·σ(x)",
        pattern="output = x * sigmoid(x)",
    ),
    Rule(
        name="hard_sigmoid",
        formula="hard_sigmoid(x) = min(max(x + 3, 0), 6) / 6",
        pattern="output = min(max(x + 3.0, 0.0), 6.0) / 6.0",
    ),
    Rule(
        name="hard_silu",
        formula="hard_silu(x) = x·min(max(x + 3, 0), 6) / 6",
        pattern="output = x * hard_sigmoid(x)",
    ),
    Rule(
        name="softplus",
        formula="softplus(x) = log(1 + exp x)",
        pattern="""
            difference = x - 0.0
            larger = max(x, 0.0)
            safe = larger + log1p(exp(-abs(difference)))
            output = select_n(ne(difference, difference), safe, x + 0.0) | log1p(exp(x)) | log(exp(x) + 1.0)
        """,
    ),
    Rule(
        name="log_sigmoid",
        formula="log σ(x) = −log(1 + exp(−x))",
        pattern="output = -softplus(-x)",
    ),
    Rule(
        name="mish",
        formula="mish(x) = x·tanh(softplus(x))",
        pattern="output = x * tanh(softplus(x))",
    ),
    Rule(
        name="softsign",
        formula="softsign(x) = x / (1 + |x|)",
        pattern="output = x / (abs(x) + 1.0)",
    ),
    Rule(
        name="gelu",
        formula="gelu(x) = x·Φ(x) = x/2·(1 + erf(x/√2))",
        pattern="""
            scaled = x * 0.7071067811865476 | x / 1.4142135623730951
            bell = erfc((-x) * 0.7071067811865476) | erfc(-scaled) | erf(scaled) + 1.0
            output = (x * 0.5) * bell | x * (bell * 0.5) | (x * bell) * 0.5
        """,
    ),
    Rule(
        name="gelu_tanh",
        formula="gelu(x) ≈ x/2·(1 + tanh(√(2/π)·(x + 0.044715·x³)))",
        pattern="""
            cube = integer_pow(x, y=3) | (x * x) * x
            bent = tanh((x + cube * 0.044715) * 0.7978845608028654)
            output = x * ((bent + 1.0) * 0.5) | (x * 0.5) * (bent + 1.0)
        """,
    ),
)
