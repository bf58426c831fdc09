"""Layers over time: SimpleRNN and LSTM, which go through it step by step, and attention, which sees all of it."""

# B = batch, T = time, S = time of the keys, C = features in, U = units, G = units of all gates (U, or 4 U)
# D = features of a query or key, E = of a value; in attention the batch, and heads, are leading axes

import numpy as np

from openbook.scratch.layers import Array, Layer, Softmax, sigmoid

__all__ = ["LSTM", "Attention", "SimpleRNN"]


class _Recurrent(Layer):
    """(B, T, C) → all states (B, T, U) or the last; `kernel` (C, G), `recurrent_kernel` (U, G), `bias` (G,)."""

    def __init__(self, *, return_sequences: bool = False, **arrays: Array) -> None:
        super().__init__(**arrays)
        self.return_sequences = return_sequences

    def begin(self, x_BTC: Array) -> Array:
        """Keep x; zeros (T + 1, B, U) for the states: the first is before all times, the others after each."""
        self.x_BTC = x_BTC
        num_units = len(self.parameters["recurrent_kernel"])
        return np.zeros((x_BTC.shape[1] + 1, len(x_BTC), num_units), x_BTC.dtype)

    def pre_activation(self, t: int, hidden_BU: Array) -> Array:
        """x_t W + h U + b, (B, G), with h the state before time t."""
        kernel, recurrent_kernel = self.parameters["kernel"], self.parameters["recurrent_kernel"]
        return self.x_BTC[:, t] @ kernel + hidden_BU @ recurrent_kernel + self.parameters.get("bias", 0)

    def over_time(self, gradient: Array) -> Array:
        """The output's gradient by the state after each time, (T, B, U)."""
        if self.return_sequences:
            return gradient.swapaxes(0, 1)
        return np.stack([*[np.zeros_like(gradient)] * (self.x_BTC.shape[1] - 1), gradient])

    def finish(self, by_pre_activation_TBG: Array, hidden: Array) -> Array:
        """Keep the gradients of the weights, which are the same at all times, so that they add up over time."""
        self.keep(
            kernel=np.einsum("btc,tbg->cg", self.x_BTC, by_pre_activation_TBG),
            recurrent_kernel=np.einsum("tbu,tbg->ug", hidden[:-1], by_pre_activation_TBG),
            bias=by_pre_activation_TBG.sum(axis=(0, 1)),
        )
        return by_pre_activation_TBG.swapaxes(0, 1) @ self.parameters["kernel"].T


class SimpleRNN(_Recurrent):
    """h_t = tanh(x_t W + h_{t−1} U + b). Source: Elman (1990), "Finding structure in time"."""

    def forward(self, x: Array) -> Array:
        self.hidden = self.begin(x)
        for t in range(x.shape[1]):
            self.hidden[t + 1] = np.tanh(self.pre_activation(t, self.hidden[t]))
        return self.hidden[1:].swapaxes(0, 1) if self.return_sequences else self.hidden[-1]

    def backward(self, gradient: Array) -> Array:
        by_hidden_TBU = self.over_time(gradient)
        by_pre_activation_TBU, from_later = np.zeros_like(by_hidden_TBU), np.zeros_like(by_hidden_TBU[0])
        for t in reversed(range(len(by_hidden_TBU))):
            by_pre_activation_TBU[t] = (by_hidden_TBU[t] + from_later) * (1 - self.hidden[t + 1] ** 2)
            from_later = by_pre_activation_TBU[t] @ self.parameters["recurrent_kernel"].T
        return self.finish(by_pre_activation_TBU, self.hidden)


class LSTM(_Recurrent):
    """G is input gate, forget gate, candidate and output gate. Source: Hochreiter and Schmidhuber (1997)."""

    def forward(self, x: Array) -> Array:
        self.hidden, self.cell, self.gates = self.begin(x), self.begin(x), []
        for t in range(x.shape[1]):
            i, f, c, o = np.split(self.pre_activation(t, self.hidden[t]), 4, axis=-1)
            input_gate, forget_gate, candidate, output_gate = sigmoid(i), sigmoid(f), np.tanh(c), sigmoid(o)
            self.cell[t + 1] = forget_gate * self.cell[t] + input_gate * candidate
            self.hidden[t + 1] = output_gate * np.tanh(self.cell[t + 1])
            self.gates.append((input_gate, forget_gate, candidate, output_gate))
        return self.hidden[1:].swapaxes(0, 1) if self.return_sequences else self.hidden[-1]

    def backward(self, gradient: Array) -> Array:
        by_pre_activation, by_hidden_TBU = [], self.over_time(gradient)
        from_later = by_cell = np.zeros_like(by_hidden_TBU[0])
        for t in reversed(range(len(self.gates))):
            input_gate, forget_gate, candidate, output_gate = self.gates[t]
            by_hidden, tanh_cell = by_hidden_TBU[t] + from_later, np.tanh(self.cell[t + 1])
            by_cell = by_cell + by_hidden * output_gate * (1 - tanh_cell**2)
            by_gates = [
                by_cell * candidate * input_gate * (1 - input_gate),
                by_cell * self.cell[t] * forget_gate * (1 - forget_gate),
                by_cell * input_gate * (1 - candidate**2),
                by_hidden * tanh_cell * output_gate * (1 - output_gate),
            ]
            by_pre_activation.append(np.concatenate(by_gates, axis=-1))
            from_later = by_pre_activation[-1] @ self.parameters["recurrent_kernel"].T
            # Along the cell the gradient meets the forget gate only, no weights and no tanh: that is the idea.
            by_cell = by_cell * forget_gate
        return self.finish(np.stack(by_pre_activation[::-1]), self.hidden)


class Attention:
    """softmax(q kᵀ / √D) v: each query's mean of the values, weighted by how well their keys fit.

    Like a `Layer`, but from three arrays and without parameters; causal hides the keys after a query's own time.
    Source: Vaswani et al. (2017), "Attention is all you need", eq. 1.
    """

    def __init__(self, *, is_causal: bool = False) -> None:
        self.is_causal, self.softmax = is_causal, Softmax()

    def forward(self, query_TD: Array, key_SD: Array, value_SE: Array) -> Array:
        self.query_TD, self.key_SD, self.value_SE = query_TD, key_SD, value_SE
        scores_TS = query_TD @ key_SD.swapaxes(-1, -2) / query_TD.shape[-1] ** 0.5
        if self.is_causal:
            scores_TS = np.where(np.tri(*scores_TS.shape[-2:]) == 1, scores_TS, -np.inf)
        self.weights_TS = self.softmax.forward(scores_TS)
        return self.weights_TS @ value_SE

    def backward(self, gradient: Array) -> tuple[Array, Array, Array]:
        """The gradients by query, key and value."""
        # Where a score was hidden its weight is 0, and so is what softmax passes back to it.
        by_scores_TS = self.softmax.backward(gradient @ self.value_SE.swapaxes(-1, -2))
        by_scores_TS = by_scores_TS / self.query_TD.shape[-1] ** 0.5
        by_query_TD, by_key_SD = by_scores_TS @ self.key_SD, by_scores_TS.swapaxes(-1, -2) @ self.query_TD
        return by_query_TD, by_key_SD, self.weights_TS.swapaxes(-1, -2) @ gradient
