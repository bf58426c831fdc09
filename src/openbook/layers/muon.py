"""Muon: steps of a matrix whose directions are all of one size; Adam for what is no matrix of a layer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import keras

from openbook.layers.product import product

# Coefficients of the quintic that brings singular values near 1 fastest; from the source below.
_A, _B, _C = 3.4445, -4.7750, 2.0315


@keras.saving.register_keras_serializable(package="openbook")
class Muon(keras.optimizers.Muon):
    """Keras' Muon with a learning rate for each kind of weight, and products in a chosen precision.

    A matrix moves by the learning rate times the orthogonal factor of its averaged gradient, larger where it
    has more outputs than inputs; every other weight takes a step of Adam.

    Args:
        learning_rate: of the matrices.
        rates: for Adam, by a pattern that is searched for in a weight's path: its learning rate as a multiple of
            `learning_rate`. The first pattern that is found counts; a matrix whose path has one takes Adam too.
        precision: operand type of the products that orthogonalise, "float32" or "bfloat16".
        num_iterations: of Newton and Schulz; three leave singular values less alike than the source's five do, and
            train as well.
    Source: Jordan et al. (2024), "Muon: an optimizer for hidden layers in neural networks".
    """

    def __init__(
        self,
        learning_rate: float = 0.02,
        *,
        rates: Mapping[str, float],
        precision: str = "float32",
        num_iterations: int = 3,
        momentum: float = 0.95,
        adam_beta_1: float = 0.9,
        adam_beta_2: float = 0.95,
        weight_decay: float | None = None,
        **settings: Any,
    ) -> None:
        settings = {
            **settings,
            "exclude_layers": list(rates),
            "adam_weight_decay": None,
            "ns_steps": num_iterations,
            "rms_rate": None,
        }
        super().__init__(
            learning_rate,
            momentum=momentum,
            adam_beta_1=adam_beta_1,
            adam_beta_2=adam_beta_2,
            weight_decay=weight_decay,
            **settings,
        )
        self.rates = dict(rates)
        self.precision = precision

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        index = self._get_variable_index(variable)
        momentum, velocity = self.momentums[index], self.adam_velocities[index]
        if velocity is None:
            self._muon_update_step(gradient, variable, learning_rate, momentum)
            return
        ratios = [ratio for pattern, ratio in self.rates.items() if re.search(pattern, variable.path)]
        ratio = ratios[0] if ratios else 1.0
        self._adamw_update_step(gradient, variable, learning_rate * ratio, momentum, velocity)

    def lr_adjust(self, x: Any) -> Any:
        # Kernels are (inputs, outputs).
        return x * max(1.0, x.shape[1] / x.shape[0]) ** 0.5

    def zeropower_via_newtonschulz5(self, x: Any, steps: int) -> Any:
        ops = keras.ops
        is_tall = x.shape[0] > x.shape[1]
        matrix = ops.transpose(x) if is_tall else x
        matrix = matrix / (ops.sqrt(ops.sum(ops.square(matrix))) + 1e-7)
        if 2 * matrix.shape[0] <= matrix.shape[1]:
            matrix = self._orthogonalised_by_gram(matrix, steps)
        else:
            for _ in range(steps):
                gram = self._product(matrix, ops.transpose(matrix))
                matrix = _A * matrix + self._product(_B * gram + _C * self._product(gram, gram), matrix)
        return ops.transpose(matrix) if is_tall else matrix

    def _orthogonalised_by_gram(self, matrix: Any, steps: int) -> Any:
        """The same for a wide matrix, with all iterations on the small square of it, which commute."""
        ops = keras.ops
        gram = self._product(matrix, ops.transpose(matrix))
        identity = ops.eye(matrix.shape[0])
        polynomials = identity
        for number in range(steps):
            polynomial = _A * identity + _B * gram + _C * self._product(gram, gram)
            polynomials = polynomial if number == 0 else self._product(polynomial, polynomials)
            if number < steps - 1:
                gram = self._product(polynomial, self._product(gram, polynomial))
        return self._product(polynomials, matrix)

    def _product(self, left: Any, right: Any) -> Any:
        return product(left, right, precision=self.precision)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        for name in ("exclude_layers", "adam_weight_decay", "ns_steps", "rms_rate"):
            config.pop(name)
        return {
            **config,
            "rates": self.rates,
            "precision": self.precision,
            "num_iterations": self.ns_steps,
        }
