"""Layers that treat each example, or each position of it, by itself; losses; and what a layer is."""

# B = batch, C = features in, F = features out, V = vocabulary, N = all leading axes taken as one
# mypy: disable-error-code="no-any-return"
# NumPy's own types say Any of what a sum or a maximum along an axis returns.

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Array", "CrossEntropy", "Embedding", "Flatten", "Layer", "LayerNorm", "Linear", "Loss"]
__all__ += ["MeanSquaredError", "ReLU", "Rescaling", "Sigmoid", "Softmax", "Tanh", "sigmoid"]

Array = NDArray[np.floating[Any]]


class Layer(ABC):
    """One step of a model. It is made from its `parameters`, arrays by their textbook names.

    `forward` keeps what `backward` will need; after `backward`, `gradients` holds that of each parameter.
    """

    def __init__(self, **arrays: Array) -> None:
        self.parameters = arrays
        self.gradients: dict[str, Array] = {}

    @abstractmethod
    def forward(self, x: Array) -> Array:
        """The layer's output for a batch, which is the first axis."""

    @abstractmethod
    def backward(self, gradient: Array) -> Array:
        """From the loss's gradient by the output that by the input; those by the parameters are kept."""

    def keep(self, **gradients: Array) -> None:
        """Set `gradients`, without those of parameters that this layer was made without."""
        self.gradients = {name: gradients[name] for name in self.parameters}


class Linear(Layer):
    """x W + b: (…, C) → (…, F) with `kernel` (C, F) and, if wanted, `bias` (F,)."""

    def forward(self, x: Array) -> Array:
        self.x = x
        return x @ self.parameters["kernel"] + self.parameters.get("bias", 0)

    def backward(self, gradient: Array) -> Array:
        kernel_CF = self.parameters["kernel"]
        x_NC, gradient_NF = self.x.reshape(-1, len(kernel_CF)), gradient.reshape(-1, kernel_CF.shape[1])
        self.keep(kernel=x_NC.T @ gradient_NF, bias=gradient_NF.sum(axis=0))
        return gradient @ kernel_CF.T


class Embedding(Layer):
    """Each token's row of a table: whole numbers (…) → (…, F) with `embeddings` (V, F)."""

    def forward(self, x: Array) -> Array:
        self.tokens = x.astype(int)
        return self.parameters["embeddings"][self.tokens]

    def backward(self, gradient: Array) -> Array:
        gradient_VF = np.zeros_like(self.parameters["embeddings"])
        # A token that occurs twice collects both gradients; `gradient_VF[tokens] += …` would keep one.
        np.add.at(gradient_VF, self.tokens, gradient)
        self.keep(embeddings=gradient_VF)
        # A token is a name and cannot be moved a little: there is nothing to pass on.
        return np.zeros(self.tokens.shape, gradient.dtype)


class LayerNorm(Layer):
    """(x − mean) / √(variance + ε) · `gamma` + `beta` over the last axis. Source: Ba et al. (2016), eq. 4."""

    def __init__(self, *, epsilon: float = 1e-3, **arrays: Array) -> None:
        super().__init__(**arrays)
        self.epsilon = epsilon

    def forward(self, x: Array) -> Array:
        centred = x - x.mean(axis=-1, keepdims=True)
        self.deviation = np.sqrt((centred**2).mean(axis=-1, keepdims=True) + self.epsilon)
        self.normalised = centred / self.deviation
        return self.normalised * self.parameters.get("gamma", 1) + self.parameters.get("beta", 0)

    def backward(self, gradient: Array) -> Array:
        leading = tuple(range(gradient.ndim - 1))
        self.keep(gamma=(gradient * self.normalised).sum(axis=leading), beta=gradient.sum(axis=leading))
        gradient = gradient * self.parameters.get("gamma", 1)
        # Mean and deviation depend on x too: what would only shift or stretch the whole row has no effect.
        shift = gradient.mean(axis=-1, keepdims=True)
        stretch = self.normalised * (gradient * self.normalised).mean(axis=-1, keepdims=True)
        return (gradient - shift - stretch) / self.deviation


class Flatten(Layer):
    """All axes but the batch as one: (B, …) → (B, C)."""

    def forward(self, x: Array) -> Array:
        self.shape = x.shape
        return x.reshape(len(x), -1)

    def backward(self, gradient: Array) -> Array:
        return gradient.reshape(self.shape)


class Rescaling(Layer):
    """x · scale + offset, neither of them learned; 1/255 takes pixels to 0…1."""

    def __init__(self, scale: float, offset: float = 0.0) -> None:
        super().__init__()
        self.scale, self.offset = scale, offset

    def forward(self, x: Array) -> Array:
        return x * self.scale + self.offset

    def backward(self, gradient: Array) -> Array:
        return gradient * self.scale


class ReLU(Layer):
    """max(x, 0). At the kink, x = 0, the slope is taken as 0, as JAX does."""

    def forward(self, x: Array) -> Array:
        self.is_positive = x > 0
        return np.maximum(x, 0)

    def backward(self, gradient: Array) -> Array:
        return gradient * self.is_positive


class Sigmoid(Layer):
    """1 / (1 + exp(−x))."""

    def forward(self, x: Array) -> Array:
        self.output = sigmoid(x)
        return self.output

    def backward(self, gradient: Array) -> Array:
        return gradient * self.output * (1 - self.output)


class Tanh(Layer):
    """The hyperbolic tangent."""

    def forward(self, x: Array) -> Array:
        self.output = np.tanh(x)
        return self.output

    def backward(self, gradient: Array) -> Array:
        return gradient * (1 - self.output**2)


class Softmax(Layer):
    """exp(x_i) / Σ_j exp(x_j) over the last axis: scores as positive shares that sum to 1."""

    def forward(self, x: Array) -> Array:
        # Subtracting the row maximum leaves softmax unchanged and keeps exp finite.
        exponentials = np.exp(x - x.max(axis=-1, keepdims=True))
        self.shares = exponentials / exponentials.sum(axis=-1, keepdims=True)
        return self.shares

    def backward(self, gradient: Array) -> Array:
        # One share grows only at the cost of the others: what is the same for all of them cancels.
        return self.shares * (gradient - (gradient * self.shares).sum(axis=-1, keepdims=True))


class MeanSquaredError:
    """The mean of (predicted − target)² over all elements; both of one shape."""

    def forward(self, predicted: Array, targets: Array) -> float:
        self.error = predicted - targets.reshape(predicted.shape)
        return float((self.error**2).mean())

    def backward(self) -> Array:
        return 2 * self.error / self.error.size


class CrossEntropy:
    """The mean of −log of the right class's share; shares (…, C) as from `Softmax`, classes (…) as numbers."""

    def forward(self, predicted: Array, targets: Array) -> float:
        self.shares, self.classes = predicted, targets.astype(int)[..., None]
        # A share of 0 would be an infinite loss, from which nothing can be learned.
        self.right = np.maximum(np.take_along_axis(predicted, self.classes, axis=-1), 1e-30)
        return float(-np.log(self.right).mean())

    def backward(self) -> Array:
        by_shares = np.zeros_like(self.shares)
        np.put_along_axis(by_shares, self.classes, -1 / (self.right * self.right.size), axis=-1)
        return by_shares


Loss = MeanSquaredError | CrossEntropy


def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(−x)), written with tanh, which never overflows."""
    return (np.tanh(x / 2) + 1) / 2
