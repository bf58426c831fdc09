"""Stories made from outlines: a few stages in the order of computation, with values that are there."""

import keras
import numpy as np
import pytest

import openbook
from openbook.looking import subject_of
from openbook.page.traces import Library
from page_types import check_type

L = keras.layers


def dense_tower(num_layers):
    hidden = inputs = keras.Input((4,), name="numbers")
    for number in range(num_layers):
        hidden = L.Dense(4, activation="relu", name=f"dense_{number}")(hidden)
    return keras.Model(inputs, hidden, name="tower")


def nested():
    inner = keras.Sequential(
        [keras.Input((4,)), L.Dense(3, name="one"), L.Dense(2, name="two")], name="inner"
    )
    inputs = keras.Input((4,), name="numbers")
    return keras.Model(inputs, inner(inputs), name="outer")


@pytest.mark.parametrize(
    ("model", "num_stages"),
    [(dense_tower(1), 2), (dense_tower(5), 6), (dense_tower(40), 8), (nested(), 3)],
    ids=["one layer", "five", "forty", "nested"],
)
def test_layers_become_a_few_stages(model, num_stages):
    library = Library([subject_of(model)])
    story = library.story(model.name)
    check_type(story, "Story")
    assert len(story["stages"]) == num_stages
    trace = openbook.trace(model, np.zeros((1, 4), np.float32))
    shown = [name for stage in story["stages"] for name in stage["values"]]
    assert shown[0] == "input/numbers"
    assert shown[-1] == "output"
    names = trace.names()
    order = [names.index(name) for name in shown]
    assert order == sorted(order)
    for stage in story["stages"]:
        assert stage["explanation"].endswith(".")
