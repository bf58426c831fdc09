"""The gates of an LSTM or GRU layer over one window: numbers by NumPy from the weights, and a picture file."""

# T = time, D = features of the input, U = units

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from openbook.errors import UsageError
from openbook.lenses.layer_taps import first_example
from openbook.lenses.lens import Lens, Question

__all__ = ["LENS", "Gates", "draw_gates", "gates_in", "gates_of", "recurrent_layers"]

_MAX_TEXT_UNITS = 6


def _sigmoid(x: np.ndarray) -> np.ndarray:
    # tanh overflows nowhere, and exp would.
    half: np.ndarray = 0.5 * (np.tanh(0.5 * x) + 1.0)
    return half


_ACTIVATIONS: Mapping[str, Callable[[np.ndarray], np.ndarray]] = {
    "tanh": np.tanh,
    "sigmoid": _sigmoid,
    "relu": lambda x: np.maximum(x, 0.0),
    "hard_sigmoid": lambda x: np.clip(x / 6.0 + 0.5, 0.0, 1.0),
    "linear": lambda x: x,
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Gates:
    """What a recurrent layer did at each moment of one window, in the order of the window.

    Attributes:
        kind: "LSTM" or "GRU".
        gates: each (T, U), between 0 and 1: forget, input and output of an LSTM; update and reset of a GRU.
        candidate_TU: what the layer would take into its state.
        state_TU: what it carries: the cell state of an LSTM, the hidden state of a GRU.
        output_TU: what the layer gives at each moment.
    """

    kind: str
    layer: str
    gates: Mapping[str, np.ndarray]
    candidate_TU: np.ndarray
    state_TU: np.ndarray
    output_TU: np.ndarray

    def text(self) -> str:
        """For each gate how open it is on average, and its most and least open units, in lines."""
        num_rows, num_units = self.state_TU.shape
        lines = [f"{self.kind} {self.layer}: {num_units} units over {num_rows} rows"]
        for name, open_TU in self.gates.items():
            means_U = open_TU.mean(axis=0)
            order = np.argsort(means_U, kind="stable")
            shown = ", ".join(
                f"{unit} {means_U[unit]:.2f}" for unit in order[-1 : -_MAX_TEXT_UNITS // 2 - 1 : -1]
            )
            lines.append(f"  {name} gate: {means_U.mean():.2f} open on average; most open units {shown}")
        # A unit that keeps the share f of its state for each row has forgotten half after ln 0.5 / ln f rows.
        keeps_TU = self.gates["forget" if self.kind == "LSTM" else "update"]
        kept_U = np.clip(keeps_TU.mean(axis=0), 1e-6, 1 - 1e-6)
        halves_U = np.log(0.5) / np.log(kept_U)
        lines.append(
            f"  half of the state is forgotten after {np.median(halves_U):.1f} rows in the median unit, after "
            f"{halves_U.max():.0f} in the slowest"
        )
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """The numbers as plain lists."""
        return {
            "kind": self.kind,
            "layer": self.layer,
            "gates": {name: values.tolist() for name, values in self.gates.items()},
            "candidate": self.candidate_TU.tolist(),
            "state": self.state_TU.tolist(),
            "output": self.output_TU.tolist(),
        }


def recurrent_layers(model: Any) -> list[str]:
    """Names of the model's LSTM and GRU layers, those inside a Bidirectional by the name of that."""
    return [layer.name for layer in model.layers if _kind(_cell_layer(layer, backward=False)) is not None]


def gates_in(model: Any, window_TD: np.ndarray, *, layer: str | None = None, backward: bool = False) -> Gates:
    """The gates of one layer of a functional model for one window.

    Args:
        window_TD: the model's input without batch axis.
        layer: its name; the first recurrent one when left out.
        backward: of a Bidirectional, the half that reads from the end.
    Raises:
        UsageError: there is no such layer.
    """
    import keras

    names = recurrent_layers(model)
    if not names:
        raise UsageError(f"{model.name} has no LSTM or GRU layer, so there are no gates to look at")
    if layer is not None and layer not in names:
        raise UsageError(f"{model.name} has no recurrent layer {layer!r}. It has: {', '.join(names)}")
    found = model.get_layer(layer or names[0])
    before = keras.Model(model.inputs, found.input)
    inputs_TD = np.asarray(before([window_TD[None]], training=False))[0]
    return gates_of(found, inputs_TD, backward=backward)


def gates_of(layer: Any, inputs_TD: np.ndarray, *, backward: bool = False) -> Gates:
    """The gates of a built Keras layer, from zero state, in float64.

    Args:
        layer: LSTM, GRU or a Bidirectional of one.
        inputs_TD: what the layer is given.
        backward: of a Bidirectional, the half that reads from the end.
    Raises:
        UsageError: the layer is another one, or has an activation that is not known here.
    """
    cell_layer = _cell_layer(layer, backward=backward)
    kind = _kind(cell_layer)
    if kind is None:
        raise UsageError(
            f"{layer.name} is a {type(layer).__name__}; expected an LSTM, a GRU or a Bidirectional"
        )
    weights = [np.asarray(weight, np.float64) for weight in cell_layer.get_weights()]
    activations = _activation(cell_layer.activation), _activation(cell_layer.recurrent_activation)
    rows_TD = np.asarray(inputs_TD, np.float64)
    rows_TD = rows_TD[::-1] if cell_layer.go_backwards else rows_TD
    if kind == "LSTM":
        named = _lstm(rows_TD, weights, *activations)
    else:
        named = _gru(rows_TD, weights, *activations, reset_after=cell_layer.reset_after)
    if cell_layer.go_backwards:
        named = {name: values[::-1] for name, values in named.items()}
    rest = {name: named.pop(name) for name in ("candidate", "state", "output")}
    return Gates(
        kind=kind,
        layer=layer.name,
        gates={name.removesuffix(" gate"): values for name, values in named.items()},
        candidate_TU=rest["candidate"],
        state_TU=rest["state"],
        output_TU=rest["output"],
    )


def _lstm(
    rows_TD: np.ndarray, weights: Sequence[np.ndarray], activation: Any, gate: Any
) -> dict[str, np.ndarray]:
    """Source: Hochreiter and Schmidhuber (1997) with Gers et al. (2000); in Keras' order i, f, candidate, o."""
    kernel_DG, recurrent_UG, *bias = weights
    projected_TG = rows_TD @ kernel_DG + (bias[0] if bias else 0.0)
    num_units = len(recurrent_UG)
    output_U = state_U = np.zeros(num_units)
    kept = []
    for row_G in projected_TG:
        i, f, c, o = np.split(row_G + output_U @ recurrent_UG, 4)
        input_U, forget_U, candidate_U, out_U = gate(i), gate(f), activation(c), gate(o)
        state_U = forget_U * state_U + input_U * candidate_U
        output_U = out_U * activation(state_U)
        kept.append((forget_U, input_U, out_U, candidate_U, state_U, output_U))
    names = ("forget", "input", "output gate", "candidate", "state", "output")
    return {name: np.stack(values) for name, values in zip(names, zip(*kept, strict=True), strict=True)}


def _gru(
    rows_TD: np.ndarray, weights: Sequence[np.ndarray], activation: Any, gate: Any, *, reset_after: bool
) -> dict[str, np.ndarray]:
    """Source: Cho et al. (2014); in Keras' order update, reset, candidate.

    With `reset_after` the reset gate is applied behind the product, as cuDNN does it, and there are two biases.
    """
    kernel_DG, recurrent_UG, *bias = weights
    num_units = len(recurrent_UG)
    if not bias:
        input_bias_G = recurrent_bias_G = np.zeros(3 * num_units)
    elif reset_after:
        input_bias_G, recurrent_bias_G = bias[0]
    else:
        input_bias_G, recurrent_bias_G = bias[0], np.zeros(3 * num_units)
    projected_TG = rows_TD @ kernel_DG + input_bias_G
    state_U = np.zeros(num_units)
    kept = []
    for row_G in projected_TG:
        x_z, x_r, x_h = np.split(row_G, 3)
        if reset_after:
            h_z, h_r, h_h = np.split(state_U @ recurrent_UG + recurrent_bias_G, 3)
            update_U, reset_U = gate(x_z + h_z), gate(x_r + h_r)
            candidate_U = activation(x_h + reset_U * h_h)
        else:
            h_z, h_r = np.split(state_U @ recurrent_UG[:, : 2 * num_units], 2)
            update_U, reset_U = gate(x_z + h_z), gate(x_r + h_r)
            candidate_U = activation(x_h + (reset_U * state_U) @ recurrent_UG[:, 2 * num_units :])
        state_U = update_U * state_U + (1.0 - update_U) * candidate_U
        kept.append((update_U, reset_U, candidate_U, state_U, state_U))
    names = ("update", "reset", "candidate", "state", "output")
    return {name: np.stack(values) for name, values in zip(names, zip(*kept, strict=True), strict=True)}


def draw_gates(gates: Gates, path: Path, *, signal_T: np.ndarray | None = None, label: str = "") -> None:
    """A picture file: each gate, the candidate and the state over time, a line of the picture for each unit.

    Args:
        signal_T: what the window holds of the forecast value, drawn above; left out when None.
    """
    from matplotlib.figure import Figure

    planes = {
        **{f"{name} gate": each for name, each in gates.gates.items()},
        "candidate": gates.candidate_TU,
        "state": gates.state_TU,
    }
    # Units that act alike stand beside each other.
    order = np.argsort(gates.state_TU[-1], kind="stable")
    num_rows = len(planes) + (signal_T is not None)
    figure = Figure(figsize=(10, 1.6 * num_rows), layout="constrained")
    all_axes = figure.subplots(num_rows, 1, sharex=True, squeeze=False)[:, 0]
    if signal_T is not None:
        all_axes[0].plot(signal_T, color="#000000", linewidth=1.4)
        title = all_axes[0].set_title("", loc="left", fontsize=10)
        title.set_parse_math(False)
        title.set_text(label)
        all_axes[0].margins(x=0)
        all_axes = all_axes[1:]
    for axes, (name, values_TU) in zip(all_axes, planes.items(), strict=True):
        is_gate = name.endswith("gate")
        limit = 1.0 if is_gate else max(1e-6, float(np.abs(values_TU).max()))
        image = axes.imshow(
            values_TU[:, order].T,
            aspect="auto",
            interpolation="nearest",
            cmap="viridis" if is_gate else "RdBu_r",
            vmin=0.0 if is_gate else -limit,
            vmax=limit,
        )
        axes.set_title(name, loc="left", fontsize=10)
        axes.set_ylabel("unit")
        figure.colorbar(image, ax=axes)
    all_axes[-1].set_xlabel("row of the window")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)


def _cell_layer(layer: Any, *, backward: bool) -> Any:
    if type(layer).__name__ == "Bidirectional":
        return layer.backward_layer if backward else layer.forward_layer
    return layer


def _kind(layer: Any) -> str | None:
    """By the name of the class or of one it is made from, so that a model of LSTM's children is read as well."""
    names = {each.__name__ for each in type(layer).__mro__}
    return next((kind for kind in ("LSTM", "GRU") if kind in names), None)


def _activation(function: Any) -> Callable[[np.ndarray], np.ndarray]:
    name = getattr(function, "__name__", str(function))
    if name not in _ACTIVATIONS:
        raise UsageError(
            f"the activation {name!r} is not known to the lens; there are {', '.join(_ACTIVATIONS)}"
        )
    return _ACTIVATIONS[name]


def _why_not(model: Any) -> str | None:
    if model is None or not getattr(model, "layers", None) or not recurrent_layers(model):
        return "it has no LSTM or GRU layer"
    if len(model.inputs) != 1:
        return "it takes several inputs, and the gates are read for one"
    return None


def _read(question: Question) -> Gates:
    reason = _why_not(question.model)
    if reason is not None:
        raise UsageError(reason)
    example = first_example(question.model, question.inputs)
    return gates_in(question.model, np.asarray(example[0]), layer=question.layer)


LENS = Lens(
    name="gates",
    title="Gates of a recurrent layer",
    says="what an LSTM or GRU layer keeps, forgets and takes in at each moment of one input",
    source="Hochreiter and Schmidhuber (1997); Gers et al. (2000); Cho et al. (2014)",
    takes=frozenset({"inputs", "layer"}),
    fits=_why_not,
    read=_read,
    draw=draw_gates,
    layers=recurrent_layers,
)
