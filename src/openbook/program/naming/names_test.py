"""Names: textbook terms under layer paths, unique, and the same in every reading."""

import re

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

from openbook.layers import DecoderBlock
from openbook.program.model import forward_program, step_program
from openbook.program.naming import axis_names, name_values
from openbook.program.program import program_of
from openbook.recipes.text_generator import TextGenerator
from openbook.recipes.text_scratch import build_decoder

X = np.linspace(-2.0, 2.0, 12, dtype="float32").reshape(2, 6)
SEQUENCE = np.linspace(-1.0, 1.0, 80, dtype="float32").reshape(2, 5, 8)
IMAGES = np.linspace(-1.0, 1.0, 512, dtype="float32").reshape(2, 8, 8, 4)
layers = keras.layers


def named(model, inputs, **options):
    program, roles, _ = forward_program(model, inputs, **options)
    return program, name_values(program, roles)


def all_names(names):
    return {*names.values(), *names.aliases}


def sequence_model(*stack):
    return keras.Sequential([keras.Input((5, 8)), *stack])


def test_text_generator_has_its_attention_weights_by_name():
    recipe = TextGenerator(
        num_blocks=2, width=16, num_heads=2, feed_forward_units=32, context_length=6, vocabulary_size=257,
        precision="float32",
    )  # fmt: skip
    model = build_decoder(recipe, vocabulary_size=257)
    program, names = named(model, np.zeros((3, 6), "int32"))
    weights = names.id_of("block_1/attention/weights")
    assert names[weights] == "block_1/attention/weights"
    assert program.values[weights].shape == (3, 2, 6, 6)
    assert axis_names(names, "block_1/attention/weights") == (
        "batch",
        "head",
        "query position",
        "key position",
    )
    for part in ("queries", "keys", "values", "scores", "masked_scores", "weights", "output"):
        assert f"block_2/attention/{part}" in all_names(names)
    assert axis_names(names, "block_2/attention/values") == ("batch", "key position", "head", "feature")


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(
    "build",
    [
        lambda x: layers.MultiHeadAttention(2, 4, name="attention")(x, x),
        lambda x: layers.MultiHeadAttention(2, 4, dropout=0.2, name="attention")(x, x, use_causal_mask=True),
        lambda x: layers.GroupQueryAttention(4, 4, 2, name="attention")(x, x),
        lambda x: layers.Attention(name="attention")([x, x]),
        lambda x: layers.AdditiveAttention(name="attention")([x, x]),
    ],
)
def test_attention_layer_has_its_parts_by_name(build, training):
    inputs = keras.Input((5, 8), name="x")
    _, names = named(keras.Model(inputs, build(inputs)), SEQUENCE, training=training)
    for part in ("queries", "keys", "values", "scores", "masked_scores", "weights", "output"):
        assert f"attention/{part}" in all_names(names)
    axes = axis_names(names, "attention/weights")
    assert axes[-1] == "key position" and axes[-2] == "query position" and "batch" in axes


def test_attention_written_by_hand_in_a_layer_has_its_parts_by_name():
    @keras.saving.register_keras_serializable(package="names_test")
    class Mixer(layers.Layer):
        def __init__(self, **options):
            super().__init__(**options)
            self.inner = [layers.Dense(4, name=name) for name in ("one", "two", "three")]

        def call(self, x):
            one, two, three = (layer(x) for layer in self.inner)
            scores = keras.ops.matmul(one, keras.ops.transpose(two, (0, 2, 1))) / 2.0
            return keras.ops.matmul(keras.ops.softmax(scores), three)

    _, names = named(sequence_model(Mixer(name="mixer")), SEQUENCE)
    assert {"mixer/weights", "mixer/scores", "mixer/softmax/maximum", "mixer/output"} <= all_names(names)
    assert axis_names(names, "mixer/weights") == ("batch", "query position", "key position")


def test_dense_convolution_pooling_and_embedding():
    model = keras.Sequential(
        [
            keras.Input((8, 8, 4)),
            layers.Conv2D(3, 3, activation="relu", name="convolution"),
            layers.MaxPooling2D(name="pooling"),
            layers.GlobalAveragePooling2D(name="average"),
            layers.Dense(3, activation="softmax", name="classes"),
        ]
    )
    _, names = named(model, IMAGES)
    assert {
        "convolution/product",
        "convolution/pre_activation",
        "convolution/output",
        "pooling/output",
        "average/output",
        "classes/product",
        "classes/pre_activation",
        "classes/softmax/maximum",
        "classes/softmax/exponentials",
        "classes/softmax/sum",
        "classes/output",
    } <= all_names(names)
    assert names.id_of("output") == names.id_of("classes/output")
    assert axis_names(names, "convolution/output") == ("batch", "height", "width", "channel")
    embedding = keras.Sequential([keras.Input((4,), dtype="int32"), layers.Embedding(9, 5, name="words")])
    _, names = named(embedding, np.zeros((2, 4), "int32"))
    assert {"words/looked_up", "words/output"} <= all_names(names)


@pytest.mark.parametrize("training", [True, False])
def test_normalizations(training):
    model = keras.Sequential(
        [
            keras.Input((6,)),
            layers.LayerNormalization(name="layer_norm"),
            layers.BatchNormalization(name="batch_norm"),
            layers.RMSNormalization(name="rms_norm"),
        ]
    )
    _, names = named(model, X, training=training)
    expected = {"layer_norm/mean", "layer_norm/variance", "rms_norm/mean_square", "rms_norm/normalized"}
    if training:
        expected |= {"batch_norm/mean", "batch_norm/variance"}
    assert expected <= all_names(names)
    assert {f"{name}/output" for name in ("layer_norm", "batch_norm", "rms_norm")} <= all_names(names)


LSTM_PARTS = ("input_gate", "forget_gate", "cell_candidate", "output_gate", "cell_state", "hidden_state")
GRU_PARTS = ("update_gate", "reset_gate", "candidate", "hidden_state")


@pytest.mark.parametrize(
    ("layer", "prefixes", "parts"),
    [
        (layers.LSTM(3, name="memory"), ["memory"], LSTM_PARTS),
        (layers.LSTM(3, name="memory", go_backwards=True, return_sequences=True), ["memory"], LSTM_PARTS),
        (layers.GRU(3, name="memory"), ["memory"], GRU_PARTS),
        (layers.GRU(3, name="memory", reset_after=False), ["memory"], GRU_PARTS),
        (
            layers.Bidirectional(layers.LSTM(3, name="memory"), name="both"),
            ["both/forward_memory", "both/backward_memory"],
            LSTM_PARTS,
        ),
        (
            layers.RNN([layers.LSTMCell(3, name="first"), layers.LSTMCell(3, name="second")], name="stack"),
            ["stack/stacked_rnn_cells/first", "stack/stacked_rnn_cells/second"],
            LSTM_PARTS,
        ),
        (layers.SimpleRNN(3, name="memory"), ["memory"], ("hidden_state",)),
    ],
)
def test_recurrent_layers_have_gates_by_name(layer, prefixes, parts):
    program, names = named(sequence_model(layer), SEQUENCE)
    for prefix in prefixes:
        for part in parts:
            value_id = names.id_of(f"{prefix}/{part}")
            assert value_id is not None, f"{prefix}/{part}"
            assert program.values[value_id].loops
            assert program.values[value_id].shape == (2, 3)


def test_split_gates_are_told_apart_by_what_they_do(rng):
    model = sequence_model(layers.LSTM(3, name="lstm"))
    program, names = named(model, SEQUENCE)
    [split] = [step for step in program.all_steps() if step.primitive == "split"]
    order = ["input", "forget", "cell_candidate", "output"]
    expected = [
        f"lstm/{each}_pre_activation" if "cell" in each else f"lstm/{each}_gate_pre_activation"
        for each in order
    ]
    assert [names[value_id] for value_id in split.outputs] == expected


def test_masked_lstm_still_has_its_gates():
    model = keras.Sequential(
        [
            keras.Input((4,), dtype="int32"),
            layers.Embedding(9, 5, mask_zero=True, name="words"),
            layers.LSTM(3, name="lstm"),
        ]
    )
    _, names = named(model, np.array([[1, 2, 0, 0]], "int32"))
    assert {f"lstm/{part}" for part in LSTM_PARTS} <= all_names(names)
    assert {"lstm/final_hidden_state", "lstm/final_cell_state"} <= all_names(names)


def test_convolutional_lstm_has_gates():
    model = keras.Sequential([keras.Input((3, 6, 6, 2)), layers.ConvLSTM2D(3, 3, name="film")])
    _, names = named(model, np.zeros((1, 3, 6, 6, 2), "float32"))
    assert {f"film/{part}" for part in LSTM_PARTS} <= all_names(names)
    assert axis_names(names, "film/input_gate") == ("time step", "batch", "height", "width", "unit")


def test_shared_layers_and_shared_models_are_numbered_by_call():
    encoder = keras.Sequential(
        [layers.Dense(6, name="one"), layers.Dense(6, activation="relu", name="two")], name="encoder"
    )
    last = layers.Dense(3, name="last")
    left, right = keras.Input((6,), name="left"), keras.Input((6,), name="right")
    model = keras.Model([left, right], layers.Add(name="sum")([last(encoder(left)), last(encoder(right))]))
    _, names = named(model, [X, X])
    assert {
        "encoder/one/output", "encoder/two/pre_activation", "encoder/output", "encoder@2/one/output",
        "encoder@2/two/pre_activation", "encoder@2/output", "last/output", "last@2/output", "sum/output",
    } <= all_names(names)  # fmt: skip
    assert not any("@3" in name or "one@" in name for name in all_names(names))


def test_layer_called_again_later_is_numbered_and_two_layers_alike_are_not():
    shared = layers.Dense(6, name="shared")
    inputs = keras.Input((6,))
    hidden = layers.Dense(6, name="between")(shared(inputs))
    _, names = named(keras.Model(inputs, shared(hidden)), X)
    assert {"shared/output", "between/output", "shared@2/output"} <= all_names(names)


def zoo():
    inputs = keras.Input((5, 8))
    transformer = layers.Dense(4)(
        layers.LSTM(4)(DecoderBlock(num_heads=2, head_dim=4, feed_forward_units=16, name="block_1")(inputs))
    )
    yield "transformer", keras.Model(inputs, transformer), SEQUENCE
    yield (
        "mlp",
        keras.Sequential(
            [
                keras.Input((6,)),
                layers.Dense(4, activation="gelu"),
                layers.BatchNormalization(),
                layers.Dropout(0.5),
                layers.Dense(4),
            ]
        ),
        X,
    )


@pytest.mark.parametrize(
    ("kind", "model", "inputs"), list(zoo()), ids=lambda each: each if isinstance(each, str) else ""
)
@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd", "rmsprop", "lion", "muon"])
def test_names_of_a_training_step_are_unique_complete_and_stable(kind, model, inputs, optimizer):
    targets = np.array([0, 1])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    readings = [
        step_program(model, inputs, targets, loss=loss, optimizer=keras.optimizers.get(optimizer))
        for _ in range(2)
    ]
    one, other = (name_values(program, roles) for program, roles, _ in readings)
    program, roles, _ = readings[0]
    # Keras numbers its optimizers from run to run; what they compute is named by the weight.
    assert list(one.values()) == [
        re.sub(rf"updates/{optimizer}\w*/", lambda found: found[0], name) for name in other.values()
    ]
    assert len(set(one.values())) == len(one)
    assert not set(one.values()) & one.aliases.keys()
    for step in program.all_steps():
        assert all(value_id in one for value_id in step.outputs)
    for value_id, name in roles.outputs.items():
        assert one[value_id] == name
    # In the order of computation: nothing stands before what it is computed from.
    places = {value_id: place for place, value_id in enumerate(one)}
    for step in program.steps:
        known = [places[value_id] for value_id in step.inputs if value_id in places]
        assert all(place < places[step.outputs[0]] for place in known)


@pytest.mark.parametrize(
    ("kind", "model", "inputs"), list(zoo()), ids=lambda each: each if isinstance(each, str) else ""
)
def test_forward_names_are_the_same_in_a_training_step(kind, model, inputs):
    program, roles, _ = forward_program(model, inputs, training=True)
    forward = name_values(program, roles)
    program, roles, _ = step_program(model, inputs, np.zeros((2, 4), "float32"), loss="mse", optimizer="sgd")
    step = name_values(program, roles)
    missing = {name for name in forward.values() if name not in all_names(step)}
    telling = {
        name for name in missing if not re.search(r"/(broadcast|add|multiply|cast|constant)(_\d+)?$", name)
    }
    assert not {name for name in telling if not name.startswith(("output", "new/", "input"))}


def test_phases_of_a_training_step_have_their_names():
    model = keras.Sequential(
        [keras.Input((6,)), layers.Dense(4, activation="relu", name="hidden"), layers.Dense(3, name="logits")]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    program, roles, _ = step_program(model, X, np.array([0, 1]), loss=loss, optimizer="adam")
    names = name_values(program, roles)
    assert {"loss", "gradients/hidden/kernel", "updates/hidden/kernel"} <= set(names.values())
    assert {
        "gradients/logits/output", "gradients/hidden/output", "gradients/hidden/pre_activation",
    } <= all_names(names)  # fmt: skip
    assert {"updates/hidden/kernel/step", "updates/hidden/kernel/corrected_rate"} <= all_names(names)
    assert "hidden/for_gradient/greater" in set(names.values())
    backward = [step for step in program.steps if step.scope.phase == "backward"]
    assert all(names[value_id].startswith("gradients/") for step in backward for value_id in step.outputs)


def test_functions_without_layers_are_named_too():
    def function(x, weight):
        return jax.nn.softmax(jnp.tanh(x @ weight), axis=-1)

    program = program_of(function, X, np.ones((6, 3), "float32"))
    names = name_values(program, None)
    assert {"input/1", "input/2", "product", "tanh", "softmax", "softmax/maximum"} <= set(names.values())
    names = name_values(program, {program.inputs[0]: "x", program.outputs[0]: "probabilities"})
    assert names[program.inputs[0]] == "x" and names[program.outputs[0]] == "probabilities"
    assert names.id_of("softmax") == program.outputs[0]
    assert names.id_of("nothing") is None and axis_names(names, "nothing") == ()


def test_branches_and_loops_have_names():
    def function(x):
        x = jax.lax.cond(x.sum() > 0, jnp.sin, jnp.cos, x)
        return jax.lax.while_loop(lambda v: v.sum() < 10.0, lambda v: v * 2.0 + 1.0, x)

    program = program_of(function, X)
    names = name_values(program, None)
    assert len(set(names.values())) == len(names)
    assert all(value_id in names for step in program.all_steps() for value_id in step.outputs)
