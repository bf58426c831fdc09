"""The outline: every step once, under its operation, layer and phase."""

import json

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

from openbook.errors import UsageError
from openbook.layers import DecoderBlock
from openbook.program.model import forward_program, step_program
from openbook.program.naming import name_values
from openbook.program.outline import outline
from openbook.program.program import program_of

X = np.ones((2, 6), "float32")
layers = keras.layers


def decoder(num_blocks):
    tokens = keras.Input((8,), dtype="int32", name="tokens")
    hidden = layers.Embedding(50, 16, name="token_embedding")(tokens)
    for number in range(num_blocks):
        block = DecoderBlock(num_heads=2, head_dim=8, feed_forward_units=32, name=f"block_{number + 1}")
        hidden = block(hidden)
    return keras.Model(tokens, layers.Dense(50, name="logits")(layers.RMSNormalization(name="norm")(hidden)))


def outline_of(program, roles):
    return outline(program, name_values(program, roles))


@pytest.fixture(scope="module")
def classifier_step():
    model = keras.Sequential(
        [
            keras.Input((6,)),
            layers.Dense(4, activation="relu", name="hidden"),
            layers.Dense(3, activation="softmax", name="classes"),
        ]
    )
    program, roles, _ = step_program(
        model, X, np.array([0, 1]), loss=keras.losses.SparseCategoricalCrossentropy(), optimizer="adam"
    )
    return program, outline_of(program, roles)


def test_every_step_stands_once(classifier_step):
    program, tree = classifier_step
    steps = [node for node in tree if node.kind == "step"]
    assert len(steps) == len(list(program.all_steps()))
    assert sorted(tree.step_ids) == sorted(step.id for step in program.all_steps())


def test_training_step_has_three_phases(classifier_step):
    _, tree = classifier_step
    assert [child.label for child in tree.children] == ["forward", "backward", "update"]
    assert [child.kind for child in tree.children] == ["phase"] * 3
    forward, backward, update = tree.children
    assert [child.label for child in forward.children][:2] == ["hidden", "classes"]
    assert [child.label for child in backward.children][-2:] == ["classes", "hidden"]
    assert "hidden/kernel" in [child.label for child in update.children]
    assert tree.find("updates/hidden/kernel").label == "adam_update"


def test_blocks_hold_layers_and_layers_hold_operations():
    program, roles, _ = forward_program(decoder(2), np.zeros((2, 8), "int32"))
    tree = outline_of(program, roles)
    assert [child.label for child in tree.children] == [
        "token_embedding",
        "block_1",
        "block_2",
        "norm",
        "logits",
    ]
    block = tree.find("block_1")
    assert (block.kind, block.shapes) == ("block", ((2, 8, 16),))
    attention = tree.find("block_1/attention")
    labels = [child.label for child in attention.children]
    assert {"query", "key", "value", "attention", "output", "rms_norm"} <= set(labels)
    [operation] = [child for child in attention.children if child.label == "attention"]
    assert operation.kind == "operation" and "softmax" in operation.formula
    assert "softmax" in [child.label for child in operation.children]
    assert tree.find("block_1/attention/weights").names == ("block_1/attention/weights",)


def test_text_has_one_line_a_node_and_stops_at_the_depth_asked_for():
    program, roles, _ = forward_program(decoder(1), np.zeros((2, 8), "int32"))
    tree = outline_of(program, roles)
    assert len(str(tree).splitlines()) == len(list(tree))
    shallow = tree.text(depth=1).splitlines()
    assert len(shallow) == 1 + len(tree.children)
    assert "block_1" in shallow[2] and "(2, 8, 16)" in shallow[2]
    assert not any(line.endswith(" ") for line in str(tree).splitlines())


def test_dictionary_is_json(classifier_step):
    _, tree = classifier_step
    fields = json.loads(json.dumps(tree.to_dict()))
    assert fields["kind"] == "program" and fields["num_steps"] == len(tree.step_ids)
    assert fields["children"][0]["children"][0]["path"] == "forward/hidden"


def test_loop_shows_how_often_it_runs():
    model = keras.Sequential([keras.Input((5, 8)), layers.LSTM(3, name="lstm")])
    program, roles, _ = forward_program(model, np.ones((2, 5, 8), "float32"))
    tree = outline_of(program, roles)
    [cell] = [node for node in tree if node.kind == "operation" and node.label == "lstm_cell"]
    assert cell.num_times == 5
    assert "×5" in str(tree)


def test_function_without_layers_has_operations_and_steps():
    def function(x):
        return jax.lax.cond(x.sum() > 0, jnp.sin, jax.nn.softmax, jnp.tanh(x))

    program = program_of(function, X)
    tree = outline(program, name_values(program, None))
    assert {child.kind for child in tree.children} <= {"operation", "step"}
    assert tree.find("softmax").kind == "operation"
    assert "branch_1" in str(tree)


def test_plain_names_will_do():
    program = program_of(lambda x: jnp.exp(x) + 1.0, X)
    tree = outline(program, {program.outputs[0]: "result"})
    assert tree.find("result").label == "add"


def test_unknown_name_gets_a_suggestion(classifier_step):
    _, tree = classifier_step
    with pytest.raises(UsageError, match="hidden"):
        tree.find("hiden/output")


def test_thirty_blocks_are_named_and_outlined():
    program, roles, _ = forward_program(decoder(30), np.zeros((2, 8), "int32"))
    text = outline_of(program, roles).text(depth=2)
    assert len(program.steps) > 3000 and "block_30" in text
