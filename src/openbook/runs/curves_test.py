"""Tests of reading curves out of metrics rows."""

import math

from openbook.runs.curves import held_out_curve, held_out_names, training_curve

ROWS = [
    {"step": 10, "train_s": 1.0, "loss": 5.0, "learning_rate": 0.1, "tokens_per_s": 100.0},
    {"step": 20, "train_s": 2.0, "loss": None},
    {"step": 20, "train_s": 2.0, "held_out": {"loss": 4.5, "accuracy": 0.1}},
    {"step": 30, "loss": 4.0},
    {"step": 40, "train_s": 4.0, "held_out": {"loss": 4.2, "bits_per_byte": 2.0}},
    {"note": "neither"},
    {"step": "50", "loss": 1.0},
    {"step": 60, "held_out": "damaged"},
]


def test_training_and_held_out_rows_are_told_apart_and_gaps_left_out() -> None:
    training = training_curve(ROWS)
    assert training.steps == (10, 30)
    assert training.values == (5.0, 4.0)
    assert training.seconds[0] == 1.0
    assert math.isnan(training.seconds[1])
    held_out = held_out_curve(ROWS, "loss")
    assert (held_out.steps, held_out.seconds, held_out.values) == ((20, 40), (2.0, 4.0), (4.5, 4.2))
    assert held_out_curve(ROWS, "bits_per_byte").steps == (40,)
    assert not held_out_curve(ROWS, "perplexity")


def test_names_come_once_in_order() -> None:
    assert held_out_names(ROWS) == ("loss", "accuracy", "bits_per_byte")
    assert held_out_names([]) == ()
