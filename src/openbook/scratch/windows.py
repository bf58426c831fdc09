"""Layers that slide a window over pictures: the convolution in two ways, and pooling."""

# B = batch, H, W = height and width, R, S = rows and columns of the output, K, L = the window's, C = channels
# F = filters, N = B · R · S positions, P = what the window sees at one of them: K · L · C, in pooling K · L
# mypy: disable-error-code="no-any-return"

import math

import numpy as np

from openbook.scratch.layers import Array, Layer

__all__ = ["AveragePooling", "Convolution", "GlobalAveragePooling", "MaxPooling", "SlidingConvolution"]

Size = tuple[int, ...]


class _Windowed(Layer):
    """A window (K, L), as large as the kernel or `pool_size`, on pictures (B, H, W, C); it stops R × S times.

    `padding` is "valid", inside only, or "same", so much around the picture that R = ⌈H / stride⌉.
    """

    def __init__(self, *, pool_size: Size = (), strides: Size = (), padding: str = "valid", **arrays: Array):
        super().__init__(**arrays)
        self.size = pool_size or arrays["kernel"].shape[:2]
        self.strides, self.padding = strides or pool_size or (1, 1), padding

    def cut(self, x: Array, fill: float = 0.0) -> Array:
        """What the window sees at each of its stops: (B, R, S, K, L, C); `fill` is in the padding."""
        sizes = zip(x.shape[1:3], self.size, self.strides, strict=True)
        missing = [max((-(-n // stride) - 1) * stride + size - n, 0) for n, size, stride in sizes]
        # Where it is odd there is more after the picture than before it, as in Keras.
        margins = [(each // 2, each - each // 2) if self.padding == "same" else (0, 0) for each in missing]
        padded = np.pad(x, ((0, 0), *margins, (0, 0)), constant_values=fill)
        windows_BRSCKL = np.lib.stride_tricks.sliding_window_view(padded, self.size, axis=(1, 2))
        windows_BRSKLC = np.moveaxis(windows_BRSCKL[:, :: self.strides[0], :: self.strides[1]], 3, 5)
        self.shapes = x.shape, padded.shape, windows_BRSKLC.shape
        self.corner = margins[0][0], margins[1][0]
        return windows_BRSKLC

    def put_back(self, windows: Array) -> Array:
        """The adjoint of `cut`: pictures in which windows add up where they overlap."""
        shape, padded_shape, windows_shape = self.shapes
        windows_BRSKLC, padded = windows.reshape(windows_shape), np.zeros(padded_shape, windows.dtype)
        (rows, columns), (down, across), (top, left) = windows_shape[1:3], self.strides, self.corner
        for k, m in np.ndindex(*self.size):
            seen = (slice(k, k + rows * down, down), slice(m, m + columns * across, across))
            padded[:, *seen] += windows_BRSKLC[:, :, :, k, m]
        return padded[:, top : top + shape[1], left : left + shape[2]]


class SlidingConvolution(_Windowed):
    """At each stop the window times each filter, summed; `kernel` (K, L, C, F), if wanted `bias` (F,)."""

    def forward(self, x: Array) -> Array:
        self.windows_BRSKLC, kernel_KLCF = self.cut(x), self.parameters["kernel"]
        output_BRSF = np.zeros((*self.windows_BRSKLC.shape[:3], kernel_KLCF.shape[-1]), x.dtype)
        for r, s in np.ndindex(*output_BRSF.shape[1:3]):
            output_BRSF[:, r, s] = np.einsum("bklc,klcf->bf", self.windows_BRSKLC[:, r, s], kernel_KLCF)
        return output_BRSF + self.parameters.get("bias", 0)

    def backward(self, gradient: Array) -> Array:
        kernel_KLCF = self.parameters["kernel"]
        by_kernel, by_windows = np.zeros_like(kernel_KLCF), np.zeros_like(self.windows_BRSKLC)
        for r, s in np.ndindex(*gradient.shape[1:3]):
            by_kernel += np.einsum("bklc,bf->klcf", self.windows_BRSKLC[:, r, s], gradient[:, r, s])
            by_windows[:, r, s] = np.einsum("bf,klcf->bklc", gradient[:, r, s], kernel_KLCF)
        self.keep(kernel=by_kernel, bias=gradient.sum(axis=(0, 1, 2)))
        return self.put_back(by_windows)


class Convolution(_Windowed):
    """The same as one product: each window a row, each filter a column. Source: Chellapilla et al. (2006)."""

    def forward(self, x: Array) -> Array:
        windows_BRSKLC, kernel_KLCF = self.cut(x), self.parameters["kernel"]
        self.windows_NP = windows_BRSKLC.reshape(-1, kernel_KLCF[..., 0].size)
        output_NF = self.windows_NP @ kernel_KLCF.reshape(-1, kernel_KLCF.shape[-1])
        return output_NF.reshape(*windows_BRSKLC.shape[:3], -1) + self.parameters.get("bias", 0)

    def backward(self, gradient: Array) -> Array:
        kernel_KLCF = self.parameters["kernel"]
        gradient_NF = gradient.reshape(-1, kernel_KLCF.shape[-1])
        by_kernel_PF = self.windows_NP.T @ gradient_NF
        self.keep(kernel=by_kernel_PF.reshape(kernel_KLCF.shape), bias=gradient_NF.sum(axis=0))
        return self.put_back(gradient_NF @ kernel_KLCF.reshape(-1, kernel_KLCF.shape[-1]).T)


class MaxPooling(_Windowed):
    """The largest number in each window; the first of them where several are equal, as JAX does."""

    def forward(self, x: Array) -> Array:
        windows_BRSKLC = self.cut(x, fill=-np.inf)
        self.flat_BRSPC = windows_BRSKLC.reshape(*windows_BRSKLC.shape[:3], -1, x.shape[-1])
        self.largest_BRS1C = self.flat_BRSPC.argmax(axis=3, keepdims=True)
        return np.take_along_axis(self.flat_BRSPC, self.largest_BRS1C, axis=3)[:, :, :, 0]

    def backward(self, gradient: Array) -> Array:
        by_flat_BRSPC = np.zeros_like(self.flat_BRSPC)
        np.put_along_axis(by_flat_BRSPC, self.largest_BRS1C, gradient[:, :, :, None], axis=3)
        return self.put_back(by_flat_BRSPC)


class AveragePooling(_Windowed):
    """The mean of each window; the padding around the picture does not count."""

    def forward(self, x: Array) -> Array:
        windows_BRSKLC = self.cut(x)
        self.counts_BRSC = self.cut(np.ones_like(x)).sum(axis=(3, 4))
        return windows_BRSKLC.sum(axis=(3, 4)) / self.counts_BRSC

    def backward(self, gradient: Array) -> Array:
        shares_BRS11C = (gradient / self.counts_BRSC)[:, :, :, None, None]
        return self.put_back(np.broadcast_to(shares_BRS11C, self.shapes[-1]))


class GlobalAveragePooling(Layer):
    """The mean over all axes but the batch and the channels: (B, …, C) → (B, C)."""

    def forward(self, x: Array) -> Array:
        self.shape = x.shape
        return x.mean(axis=tuple(range(1, x.ndim - 1)))

    def backward(self, gradient: Array) -> Array:
        by_position = np.expand_dims(gradient, tuple(range(1, len(self.shape) - 1)))
        return np.broadcast_to(by_position, self.shape) / math.prod(self.shape[1:-1])
