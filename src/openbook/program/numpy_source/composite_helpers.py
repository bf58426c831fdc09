"""Textbook functions that groups of steps are written as."""

from __future__ import annotations

from typing import Any

import numpy as np

from openbook.program.primitives.special import erfc
from openbook.program.primitives.transcendental import sigmoid

_Array = Any


def softmax(x: _Array, axis: int = -1) -> _Array:
    """Positive shares that sum to 1; subtracting the maximum keeps exp finite."""
    exponentials = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return exponentials / np.sum(exponentials, axis=axis, keepdims=True)


def softmax_gradient(shares: _Array, d_shares: _Array, axis: int = -1) -> _Array:
    """Gradient by the scores, from the softmax's result and the gradient by it."""
    return shares * (d_shares - np.sum(d_shares * shares, axis=axis, keepdims=True))


def logsumexp(x: _Array, axis: int = -1) -> _Array:
    """log(sum(exp(x))), kept finite by taking the maximum out."""
    largest = np.max(x, axis=axis, keepdims=True)
    return np.log(np.sum(np.exp(x - largest), axis=axis, keepdims=True)) + largest


def log_softmax(x: _Array, axis: int = -1) -> _Array:
    """Logarithm of the softmax."""
    shifted = x - np.max(x, axis=axis, keepdims=True)
    return shifted - np.log(np.sum(np.exp(shifted), axis=axis, keepdims=True))


def log_softmax_gradient(x: _Array, d_logarithms: _Array, axis: int = -1) -> _Array:
    """Gradient by the scores, from the scores and the gradient by the log-softmax."""
    return d_logarithms - softmax(x, axis) * np.sum(d_logarithms, axis=axis, keepdims=True)


def layer_norm(x: _Array, scale: _Array, offset: _Array, epsilon: float) -> _Array:
    """Each row with mean 0 and variance 1, then scaled and moved."""
    mean = np.mean(x, axis=-1, keepdims=True)
    variance = np.var(x, axis=-1, keepdims=True)
    return (x - mean) / np.sqrt(variance + epsilon) * scale + offset


def layer_norm_gradient(x: _Array, scale: _Array, d_normed: _Array, epsilon: float) -> _Array:
    """Gradients by the input, the scale and the offset."""
    deviation = np.sqrt(np.var(x, axis=-1, keepdims=True) + epsilon)
    normed = (x - np.mean(x, axis=-1, keepdims=True)) / deviation
    d = d_normed * scale
    d_x = d - np.mean(d, axis=-1, keepdims=True) - normed * np.mean(d * normed, axis=-1, keepdims=True)
    rows = tuple(range(x.ndim - 1))
    return d_x / deviation, np.sum(d_normed * normed, axis=rows), np.sum(d_normed, axis=rows)


def rms_norm(x: _Array, scale: _Array, epsilon: float) -> _Array:
    """Each row divided by its root mean square, then scaled."""
    return x / np.sqrt(np.mean(x**2, axis=-1, keepdims=True) + epsilon) * scale


def rms_norm_gradient(x: _Array, scale: _Array, d_normed: _Array, epsilon: float) -> _Array:
    """Gradients by the input and the scale."""
    inverse = 1 / np.sqrt(np.mean(x**2, axis=-1, keepdims=True) + epsilon)
    d = d_normed * scale
    d_x = inverse * (d - x * inverse**2 * np.mean(d * x, axis=-1, keepdims=True))
    return d_x, np.sum(d_normed * x * inverse, axis=tuple(range(x.ndim - 1)))


def layer_norm_weight_gradients(x: _Array, d_normed: _Array, epsilon: float) -> _Array:
    """Gradients by the scale and the offset."""
    normed = layer_norm(x, 1, 0, epsilon)
    rows = tuple(range(x.ndim - 1))
    return np.sum(d_normed * normed, axis=rows), np.sum(d_normed, axis=rows)


def batch_norm(
    x: _Array, scale: _Array, offset: _Array, mean: _Array, variance: _Array, epsilon: float
) -> _Array:
    """Each feature moved and scaled to mean 0 and variance 1, then scaled and moved."""
    return (x - mean) / np.sqrt(variance + epsilon) * scale + offset


def gelu(x: _Array) -> _Array:
    """The input times the share of a normal distribution below x."""
    return 0.5 * x * erfc(-x / 2**0.5)


def gelu_tanh(x: _Array) -> _Array:
    """GELU, with the normal distribution approximated by tanh."""
    return 0.5 * x * (1 + np.tanh((2 / np.pi) ** 0.5 * (x + 0.044715 * x**3)))


def gelu_gradient(x: _Array, d_y: _Array) -> _Array:
    """Gradient of GELU: the share below x, plus x times the density at x."""
    share = 0.5 * erfc(-x / 2**0.5)
    return d_y * (share + x * np.exp(-(x**2) / 2) / (2 * np.pi) ** 0.5)


def gelu_tanh_gradient(x: _Array, d_y: _Array) -> _Array:
    """Gradient of GELU in its tanh form."""
    factor = (2 / np.pi) ** 0.5
    tanh = np.tanh(factor * (x + 0.044715 * x**3))
    return d_y * (0.5 * (1 + tanh) + 0.5 * x * (1 - tanh**2) * factor * (1 + 3 * 0.044715 * x**2))


def silu(x: _Array) -> _Array:
    """The input times its sigmoid, also called swish."""
    return x * sigmoid(x)


def silu_gradient(x: _Array, d_y: _Array) -> _Array:
    """Gradient of silu."""
    gate = sigmoid(x)
    return d_y * gate * (1 + x * (1 - gate))


def one_hot(classes: _Array, num_classes: int) -> _Array:
    """A row of zeros for each class number, with a one at its place."""
    return (classes[..., None] == np.arange(num_classes)).astype(np.float32)


def cross_entropy(targets: _Array, probabilities: _Array) -> _Array:
    """-sum(targets * log(probabilities)), the probabilities kept away from 0 and 1."""
    probabilities = probabilities / np.sum(probabilities, axis=-1, keepdims=True)
    return -np.sum(targets * np.log(np.clip(probabilities, 1e-7, 1 - 1e-7)), axis=-1)


def cross_entropy_gradient(targets: _Array, probabilities: _Array, d_loss: _Array) -> _Array:
    """Gradient of the cross-entropy by the probabilities; 0 where they were clipped."""
    total = np.sum(probabilities, axis=-1, keepdims=True)
    shares = probabilities / total
    d_shares = -targets / np.clip(shares, 1e-7, 1 - 1e-7) * np.asarray(d_loss, targets.dtype)[..., None]
    d_shares = clip_gradient(shares, d_shares, 1e-7, 1 - 1e-7)
    return (d_shares - np.sum(d_shares * shares, axis=-1, keepdims=True)) / total


def binary_cross_entropy(targets: _Array, probabilities: _Array) -> _Array:
    """-log of the probability given to what is true, the probabilities kept away from 0 and 1."""
    p = np.clip(probabilities, 1e-7, 1 - 1e-7)
    return -(targets * np.log(p) + (1 - targets) * np.log(1 - p))


def clip_gradient(x: _Array, d_clipped: _Array, low: float, high: float) -> _Array:
    """Gradient of np.clip: passed on inside, 0 outside, half on a bound."""
    return d_clipped * np.heaviside(x - np.float32(low), 0.5) * np.heaviside(np.float32(high) - x, 0.5)


HELPERS = {
    function.__name__: function
    for function in (
        softmax,
        softmax_gradient,
        logsumexp,
        log_softmax,
        log_softmax_gradient,
        layer_norm,
        layer_norm_gradient,
        rms_norm,
        rms_norm_gradient,
        layer_norm_weight_gradients,
        batch_norm,
        gelu,
        gelu_gradient,
        gelu_tanh,
        gelu_tanh_gradient,
        silu,
        silu_gradient,
        one_hot,
        cross_entropy,
        cross_entropy_gradient,
        binary_cross_entropy,
        clip_gradient,
    )
}
