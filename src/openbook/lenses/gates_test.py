"""Gates by NumPy against the layers' own outputs."""

import keras
import numpy as np
import pytest

from openbook.errors import UsageError
from openbook.lenses.gates import draw_gates, gates_in, gates_of, recurrent_layers

WINDOW_TD = np.random.default_rng(0).normal(size=(12, 3)).astype("float32")


def built(layer):
    layer.build((None, 12, 3))
    rng = np.random.default_rng(1)
    layer.set_weights([rng.normal(0, 0.5, weight.shape) for weight in layer.get_weights()])
    return layer


@pytest.mark.parametrize(
    "layer",
    [
        keras.layers.LSTM(5, return_sequences=True),
        keras.layers.LSTM(5, return_sequences=True, use_bias=False, go_backwards=True),
        keras.layers.GRU(5, return_sequences=True),
        keras.layers.GRU(5, return_sequences=True, reset_after=False),
        keras.layers.GRU(5, return_sequences=True, use_bias=False, activation="relu"),
    ],
    ids=["lstm", "lstm backwards", "gru", "gru reset before", "gru without bias"],
)
def test_output_is_that_of_the_layer(layer):
    expected_TU = np.asarray(built(layer)(WINDOW_TD[None]))[0]
    found = gates_of(layer, WINDOW_TD)
    output_TU = found.output_TU[::-1] if layer.go_backwards else found.output_TU
    # float64 here against float32 there, twelve steps deep.
    np.testing.assert_allclose(output_TU, expected_TU, atol=2e-6)
    assert all(gate.min() >= 0 and gate.max() <= 1 for gate in found.gates.values())


def test_cell_state_is_that_of_the_lstm():
    layer = built(keras.layers.LSTM(4, return_state=True))
    _, _, state_U = layer(WINDOW_TD[None])
    np.testing.assert_allclose(gates_of(layer, WINDOW_TD).state_TU[-1], np.asarray(state_U)[0], atol=2e-6)


def test_forget_gate_that_is_open_keeps_the_state():
    layer = built(keras.layers.LSTM(1))
    kernel, recurrent, _ = layer.get_weights()
    # Keras' order: input shut, forget open, candidate, output.
    layer.set_weights([0 * kernel, 0 * recurrent, np.array([-50.0, 50.0, 0.0, 0.0])])
    found = gates_of(layer, WINDOW_TD)
    np.testing.assert_allclose(found.gates["forget"], 1.0)
    np.testing.assert_allclose(found.gates["output"], 0.5)
    np.testing.assert_allclose(found.state_TU, 0.0, atol=1e-12)


def test_both_halves_of_a_bidirectional_layer_are_read():
    layer = keras.layers.Bidirectional(keras.layers.LSTM(4, return_sequences=True))
    expected_TU = np.asarray(layer(WINDOW_TD[None]))[0]
    np.testing.assert_allclose(gates_of(layer, WINDOW_TD).output_TU, expected_TU[:, :4], atol=2e-6)
    np.testing.assert_allclose(
        gates_of(layer, WINDOW_TD, backward=True).output_TU, expected_TU[:, 4:], atol=2e-6
    )


def test_layer_of_a_model_is_given_what_the_layers_before_it_make(tmp_path):
    rows = keras.Input((12, 3))
    lower = keras.layers.GRU(4, return_sequences=True, name="lower")(rows)
    model = keras.Model(rows, keras.layers.LSTM(3, name="upper")(lower))
    assert recurrent_layers(model) == ["lower", "upper"]
    found = gates_in(model, WINDOW_TD, layer="upper")
    np.testing.assert_allclose(found.output_TU[-1], np.asarray(model(WINDOW_TD[None]))[0], atol=2e-6)
    assert "LSTM upper: 3 units over 12 rows" in found.text()
    assert set(found.to_dict()["gates"]) == {"forget", "input", "output"}
    draw_gates(found, tmp_path / "gates.png", signal_T=WINDOW_TD[:, 0], label="a $ sign")
    assert (tmp_path / "gates.png").stat().st_size > 5000


def test_model_and_layer_without_gates_are_refused():
    rows = keras.Input((12, 3))
    model = keras.Model(rows, keras.layers.Dense(1)(rows))
    with pytest.raises(UsageError, match="no LSTM or GRU"):
        gates_in(model, WINDOW_TD)
    with pytest.raises(UsageError, match="expected an LSTM"):
        gates_of(model.layers[-1], WINDOW_TD)
    with pytest.raises(UsageError, match="activation 'gelu'"):
        gates_of(built(keras.layers.LSTM(2, activation="gelu")), WINDOW_TD)


def test_gates_of_a_sequential_model_that_was_saved(tmp_path, rng):
    model = keras.Sequential([keras.Input((6, 2)), keras.layers.LSTM(3), keras.layers.Dense(1)])
    model.save(tmp_path / "series.keras")
    read = keras.saving.load_model(tmp_path / "series.keras")
    window_TD = rng.normal(size=(6, 2)).astype(np.float32)
    expected = gates_in(model, window_TD)
    np.testing.assert_allclose(gates_in(read, window_TD).state_TU, expected.state_TU, rtol=1e-5)
