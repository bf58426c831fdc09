"""A bidirectional LSTM that keeps its state where there is padding; both directions advance in the same step."""

# B = batch, T = time, E = features, H = hidden units, R = 2 directions, G = 4H, all gates

from typing import Any

import keras


@keras.saving.register_keras_serializable(package="openbook")
class BidirectionalLSTM(keras.layers.Layer):
    """Two LSTMs, one reading from the front and one from the back, side by side.

    The inputs' part of all gates is one product before the loop, and the two directions are one batched product
    inside, so that a step of the loop is as small as it can be.

    Args:
        units: H, of each direction.
    Shapes: [(B, T, E), (B, T)] → (B, T, 2H); at padding the state of the last word read before.
    Source: Hochreiter and Schmidhuber (1997), with the forget gate of Gers et al. (2000).
    """

    def __init__(self, units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape: Any) -> None:
        (_, _, features), _ = input_shape
        units = self.units
        self.kernel = self.add_weight(
            name="kernel", shape=(features, 8 * units), initializer="glorot_uniform"
        )
        self.recurrent_kernel = self.add_weight(
            name="recurrent_kernel", shape=(2, units, 4 * units), initializer=_orthogonal
        )
        self.bias = self.add_weight(name="bias", shape=(2, 4 * units), initializer=_open_forget_gate)

    def call(self, inputs: Any) -> Any:
        ops = keras.ops
        features_BTE, is_token_BT = inputs
        batch, time = ops.shape(features_BTE)[:2]
        parts_BTRG = ops.reshape(
            ops.matmul(features_BTE, self.kernel), (batch, time, 2, 4 * self.units)
        ) + ops.convert_to_tensor(self.bias)
        parts_TRBG = _both_ways(ops.transpose(parts_BTRG, (1, 2, 0, 3)))
        is_token_TB = ops.transpose(is_token_BT)
        is_token_TRB = _both_ways(ops.stack([is_token_TB, is_token_TB], axis=1))
        recurrent_kernel_RHG = ops.convert_to_tensor(self.recurrent_kernel)

        def advance(states: Any, at_step: Any) -> Any:
            hidden_RBH, cell_RBH = states
            part_RBG, is_token_RB = at_step
            gates_RBG = part_RBG + ops.matmul(hidden_RBH, recurrent_kernel_RHG)
            input_gate, forget_gate, candidate, output_gate = ops.split(gates_RBG, 4, axis=-1)
            new_cell_RBH = ops.sigmoid(forget_gate) * cell_RBH + ops.sigmoid(input_gate) * ops.tanh(candidate)
            new_hidden_RBH = ops.sigmoid(output_gate) * ops.tanh(new_cell_RBH)
            is_token_RB1 = is_token_RB[..., None]
            hidden_RBH = ops.where(is_token_RB1, new_hidden_RBH, hidden_RBH)
            cell_RBH = ops.where(is_token_RB1, new_cell_RBH, cell_RBH)
            return (hidden_RBH, cell_RBH), hidden_RBH

        zeros_RBH = ops.zeros((2, batch, self.units), dtype=features_BTE.dtype)
        _, hidden_TRBH = ops.scan(advance, (zeros_RBH, zeros_RBH), (parts_TRBG, is_token_TRB))
        hidden_BTRH = ops.transpose(_both_ways(hidden_TRBH), (2, 0, 1, 3))
        return ops.reshape(hidden_BTRH, (batch, time, 2 * self.units))

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        (batch, time, _), _ = input_shape
        return (batch, time, 2 * self.units)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units}


def _both_ways(values_TR: Any) -> Any:
    """The second direction's values turned round in time."""
    ops = keras.ops
    return ops.stack([values_TR[:, 0], ops.flip(values_TR[:, 1], axis=0)], axis=1)


def _orthogonal(shape: tuple[int, ...], dtype: Any = None) -> Any:
    initializer = keras.initializers.Orthogonal()
    return keras.ops.stack([initializer(shape[1:], dtype=dtype) for _ in range(shape[0])])


def _open_forget_gate(shape: tuple[int, ...], dtype: Any = None) -> Any:
    """Ones for the forget gate, so that a new LSTM remembers; zeros for the rest."""
    ops = keras.ops
    units = shape[1] // 4
    is_forget_gate = (ops.arange(shape[1]) >= units) & (ops.arange(shape[1]) < 2 * units)
    return ops.broadcast_to(ops.cast(is_forget_gate, dtype or "float32"), shape)
