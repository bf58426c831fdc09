"""The words of the names: what operations and parts are called. Data, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping

# What a step's result is called when it is nothing more special. Others are called as JAX calls them.
OPERATION_WORDS: Mapping[str, str] = {
    "add": "add",
    "add_any": "add",
    "and": "and",
    "argmax": "argmax",
    "argmin": "argmin",
    "broadcast_in_dim": "broadcast",
    "clamp": "clip",
    "concatenate": "concatenate",
    "conv_general_dilated": "product",
    "convert_element_type": "cast",
    "copy": "copy",
    "cumsum": "cumulative_sum",
    "div": "divide",
    "dot_general": "product",
    "dynamic_slice": "slice",
    "dynamic_update_slice": "slice_update",
    "eq": "equal",
    "gather": "looked_up",
    "ge": "greater_equal",
    "gt": "greater",
    "integer_pow": "power",
    "iota": "positions",
    "is_finite": "is_finite",
    "le": "less_equal",
    "logistic": "sigmoid",
    "lt": "less",
    "max": "maximum",
    "min": "minimum",
    "mul": "multiply",
    "ne": "not_equal",
    "neg": "negative",
    "pow": "power",
    "random_bits": "random_bits",
    "reduce_and": "all",
    "reduce_max": "maximum",
    "reduce_min": "minimum",
    "reduce_or": "any",
    "reduce_prod": "product",
    "reduce_sum": "sum",
    "reduce_window_max": "window_maximum",
    "reduce_window_min": "window_minimum",
    "reduce_window_sum": "window_sum",
    "rem": "remainder",
    "rev": "flip",
    "rsqrt": "inverse_root",
    "scatter": "scatter",
    "scatter-add": "scatter_add",
    "select_and_scatter_add": "scatter_to_maximum",
    "select_n": "select",
    "shift_left": "shift_left",
    "shift_right_logical": "shift_right",
    "sqrt": "root",
    "squeeze": "squeeze",
    "sub": "subtract",
}

# Composites whose parts stand directly under their layer: they are what the layer does.
WHOLE_LAYER = frozenset({"attention", "lstm_cell", "gru_cell"})
# These do so where their result is the layer's output.
OWN_LAYER = frozenset({"layer_norm", "batch_norm", "group_norm", "rms_norm"})
RECURRENT_CELLS = frozenset({"lstm_cell", "gru_cell"})

# Inputs of a composite that get a name by it, too.
NAMED_INPUTS: Mapping[str, tuple[str, ...]] = {
    "attention": ("queries", "keys", "values", "mask"),
    "lstm_cell": (
        "input_gate_pre_activation",
        "forget_gate_pre_activation",
        "cell_candidate_pre_activation",
        "output_gate_pre_activation",
    ),
    "gru_cell": ("update_gate_pre_activation", "reset_gate_pre_activation"),
    "cross_entropy": ("targets",),
    "dropout": ("mask",),
}
# Where one value is several parts, the earlier of these is its name.
BEST_PARTS = ("weights", "scores", "masked_scores", "hidden_state", "queries", "values", "keys", "normalized")

# What a recurrent layer carries from one time step to the next.
STATES = ("hidden_state", "cell_state")

FOR_GRADIENT = "for_gradient"
GRADIENTS = "gradients"
UPDATES = "updates"
OUTPUT = "output"
