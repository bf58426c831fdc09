"""Where training begins: naive, Glorot's and He's random kernels, and what each does to a deep net."""

# B = batch, U = units, L = layers; a kernel's last two axes are inputs and outputs

import math
from collections.abc import Callable

import numpy as np

from openbook.scratch.layers import Array

__all__ = ["activation_spread", "glorot", "he", "naive"]

Initialiser = Callable[[tuple[int, ...], np.random.Generator], Array]


def naive(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """Standard normal numbers, whatever the size of the layer."""
    return rng.standard_normal(shape)


def glorot(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """Variance 2 / (inputs + outputs): keeps signal and gradient of a linear net. Glorot and Bengio (2010)."""
    return rng.standard_normal(shape) * math.sqrt(2 / (math.prod(shape[:-2]) * (shape[-2] + shape[-1])))


def he(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """Variance 2 / inputs: the 2 makes up for the half that ReLU takes away. He et al. (2015), eq. 10."""
    return rng.standard_normal(shape) * math.sqrt(2 / math.prod(shape[:-1]))


def activation_spread(
    initialise: Initialiser, *, num_layers: int = 50, is_linear: bool = False, seed: int = 0
) -> Array:
    """The standard deviation of the activations after each layer of an untrained net, (L,).

    Source: fastai (2020), chapter 17, with its 100 units and 200 examples; linear is without ReLU.
    """
    rng, spread_L = np.random.default_rng(seed), np.zeros(num_layers)
    activations_BU = rng.standard_normal((200, 100))
    for number in range(num_layers):
        activations_BU = activations_BU @ initialise((100, 100), rng)
        activations_BU = activations_BU if is_linear else np.maximum(activations_BU, 0)
        spread_L[number] = activations_BU.std()
    return spread_L
