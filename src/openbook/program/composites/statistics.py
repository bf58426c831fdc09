"""Mean and variance."""

from __future__ import annotations

from openbook.program.composites.composite import Rule

RULES = (
    Rule(
        name="mean",
        formula="mean(x) = Σ x / n",
        pattern="output = mean(x)",
        axes_of="output",
    ),
    Rule(
        name="variance",
        formula="variance(x) = Σ (x − mean x)² / n",
        pattern="""
            mean = mean(x)
            deviations = x - mean
            squares = square(deviations) | integer_pow(deviations, y=2) | deviations * deviations
            output = mean(squares)
        """,
        axes_of="output",
    ),
    Rule(
        name="standard_deviation",
        formula="standard_deviation(x) = √(Σ (x − mean x)² / n)",
        pattern="output = sqrt(variance(x))",
    ),
    Rule(
        name="l2_normalize",
        formula="l2_normalize(x) = x / √(Σ x²)",
        pattern="""
            sum_of_squares = reduce_sum(square(x) | integer_pow(x, y=2) | x * x)
            norm = sqrt(sum_of_squares)
            inverse_norm = rsqrt(sum_of_squares | max(sum_of_squares, constant(epsilon)))
            output = x * inverse_norm | x * min(inverse_norm, constant(limit)) | x / norm
        """,
        axes_of="sum_of_squares",
    ),
)
