"""Operations that are known by the name of the JAX function they were written as."""

from __future__ import annotations

from collections.abc import Mapping

# JAX's name: (textbook name, formula).
NAMED_CALLS: Mapping[str, tuple[str, str]] = {
    "relu": ("relu", "relu(x) = max(x, 0)"),
    "celu": ("celu", "celu(x) = x where x > 0, α·(exp(x/α) − 1) elsewhere"),
    "elu": ("elu", "elu(x) = x where x > 0, α·(exp x − 1) elsewhere"),
    "selu": ("selu", "selu(x) = scale·elu(x)"),
    "silu": ("silu", "silu(x) = x·σ(x)"),
    "gelu": ("gelu", "gelu(x) = x·Φ(x)"),
    "glu": ("glu", "glu(a, b) = a·σ(b)"),
    "hard_tanh": ("hard_tanh", "hard_tanh(x) = min(max(x, −1), 1)"),
    "sparse_plus": ("sparse_plus", "sparse_plus(x) = 0, (x + 1)²/4 or x, by x below −1, between and above 1"),
    "sparse_sigmoid": ("sparse_sigmoid", "sparse_sigmoid(x) = min(max((x + 1)/2, 0), 1)"),
    "squareplus": ("squareplus", "squareplus(x) = (x + √(x² + b)) / 2"),
    "log_softmax": ("log_softmax", "log_softmax(x)_i = x_i − log Σ_j exp x_j"),
    "softmax": ("softmax", "softmax(x)_i = exp x_i / Σ_j exp x_j"),
    "logsumexp": ("logsumexp", "logsumexp(x) = log Σ_j exp x_j"),
    "_var": ("variance", "variance(x) = Σ (x − mean x)² / n"),
    "_std": ("standard_deviation", "standard_deviation(x) = √ variance(x)"),
    "clip": ("clip", "clip(x) = min(max(x, low), high)"),
    "_one_hot": ("one_hot", "one_hot(labels)_c = 1 where c = label, 0 elsewhere"),
    "_take": ("looked_up", "looked_up(table, i) = row i of the table; negative i count from the end"),
    "take_along_axis": (
        "take_along_axis",
        "take_along_axis(x, i)_k = x at i_k; negative i count from the end",
    ),
    "_uniform": ("uniform", "uniform numbers from random bits"),
    "_bernoulli": ("bernoulli", "true with the given probability: uniform number < probability"),
    "_normal_real": ("normal", "normal numbers: √2·erf⁻¹ of uniform numbers between −1 and 1"),
    "_truncated_normal": ("truncated_normal", "normal numbers between two bounds"),
    "_gumbel": ("gumbel", "Gumbel numbers: −log(−log uniform)"),
    "norm": ("norm", "norm(x) = √ Σ x²"),
    "tril": ("lower_triangle", "lower_triangle(x) = x on and below the diagonal, 0 above"),
    "triu": ("upper_triangle", "upper_triangle(x) = x on and above the diagonal, 0 below"),
    "floor_divide": ("floor_divide", "floor_divide(a, b) = ⌊a / b⌋"),
    "remainder": ("remainder", "remainder(a, b) = a − b·⌊a / b⌋"),
    "_roll_static": ("roll", "roll(x) moves elements along an axis, those beyond the end to the start"),
    "_flip": ("flip", "flip(x) turns the order along an axis around"),
}
