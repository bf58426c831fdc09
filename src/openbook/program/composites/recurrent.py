"""Cells of recurrent layers: one time step."""

from __future__ import annotations

from openbook.program.composites.composite import Rule

_GATE = "{name} = sigmoid({pre}) | hard_sigmoid({pre})"
_LSTM = "\n".join(
    [
        *(
            _GATE.format(name=f"{gate}_gate", pre=f"{gate}_gate_pre_activation")
            for gate in ("input", "forget", "output")
        ),
        "cell_candidate = tanh(cell_candidate_pre_activation) | max(cell_candidate_pre_activation, 0.0)",
        "cell_state = forget_gate * previous_cell_state + input_gate * cell_candidate",
        "cell_activation = tanh(cell_state) | max(cell_state, 0.0)",
        "hidden_state = output_gate * cell_activation",
    ]
)
_GRU = "\n".join(
    [
        *(
            _GATE.format(name=f"{gate}_gate", pre=f"{gate}_gate_pre_activation")
            for gate in ("update", "reset")
        ),
        "reset_state = reset_gate * previous_hidden_state",
        "reset_part = reset_gate * recurrent_part | dot_general(reset_state, recurrent_kernel)",
        "candidate_pre_activation = input_part + reset_part",
        "candidate = tanh(candidate_pre_activation) | max(candidate_pre_activation, 0.0)",
        "hidden_state = update_gate * previous_hidden_state + (1.0 - update_gate) * candidate",
    ]
)

RULES = (
    Rule(
        name="lstm_cell",
        formula="c = forget gate · c₋₁ + input gate · candidate; h = output gate · tanh(c)",
        pattern=_LSTM,
    ),
    Rule(
        name="gru_cell",
        formula="h = update gate · h₋₁ + (1 − update gate) · candidate",
        pattern=_GRU,
    ),
)
