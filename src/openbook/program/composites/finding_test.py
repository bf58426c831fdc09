"""Composites are found where the textbook's operation stands, whatever JAX made of it."""

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

from openbook.program.composites import find_composites
from openbook.program.model import forward_program, step_program
from openbook.program.program import program_of
from openbook.training.losses import next_token_loss

X = np.linspace(-2.0, 2.0, 12, dtype="float32").reshape(2, 6)
SEQUENCE = np.linspace(-1.0, 1.0, 80, dtype="float32").reshape(2, 5, 8)
IMAGES = np.linspace(-1.0, 1.0, 512, dtype="float32").reshape(2, 8, 8, 4)
layers, activations, losses = keras.layers, keras.activations, keras.losses

FUNCTIONS = {
    "relu": activations.relu,
    "relu6": activations.relu6,
    "leaky_relu": activations.leaky_relu,
    "elu": activations.elu,
    "selu": activations.selu,
    "celu": activations.celu,
    "sigmoid": activations.sigmoid,
    "silu": activations.silu,
    "hard_sigmoid": activations.hard_sigmoid,
    "hard_silu": activations.hard_silu,
    "softplus": activations.softplus,
    "log_sigmoid": activations.log_sigmoid,
    "mish": activations.mish,
    "softsign": activations.softsign,
    "gelu": activations.gelu,
    "gelu_tanh": lambda x: activations.gelu(x, approximate=True),
    "squared_relu": lambda x: jnp.square(jax.nn.relu(x)),
    "softmax": activations.softmax,
    "log_softmax": activations.log_softmax,
    "logsumexp": lambda x: jax.nn.logsumexp(x, axis=-1),
    "mean": lambda x: jnp.mean(x, axis=0),
    "variance": lambda x: jnp.var(x, axis=1),
    "standard_deviation": lambda x: jnp.std(x, axis=1),
    "l2_normalize": keras.ops.normalize,
}
# The same operations as somebody writes them by hand.
BY_HAND = {
    "silu": lambda x: x * (1 / (1 + jnp.exp(-x))),
    "softmax": lambda x: jnp.exp(x) / jnp.exp(x).sum(axis=-1, keepdims=True),
    "gelu": lambda x: 0.5 * x * (1 + jax.scipy.special.erf(x / np.sqrt(2))),
    "variance": lambda x: jnp.mean((x - jnp.mean(x, axis=1, keepdims=True)) ** 2, axis=1),
    "softplus": lambda x: jnp.log1p(jnp.exp(x)),
    "layer_norm": lambda x: (
        (x - x.mean(axis=-1, keepdims=True)) / jnp.sqrt(x.var(axis=-1, keepdims=True) + 1e-5)
    ),
    "rms_norm": lambda x: x / jnp.sqrt(jnp.mean(x**2, axis=-1, keepdims=True) + 1e-5),
}


def outermost(program):
    """Names of the composites that lie in no other."""
    found = find_composites(program)
    return [each.name for each in found if not any(set(each.steps) < set(other.steps) for other in found)]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_function_is_one_composite_of_its_input(name):
    program = program_of(FUNCTIONS[name], X)
    [composite] = [each for each in find_composites(program) if each.output == program.outputs[0]][:1] or [
        next(each for each in find_composites(program) if each.name == name)
    ]
    assert composite.name == name
    assert composite.inputs == {"x": program.inputs[0]}
    assert composite.formula


@pytest.mark.parametrize("name", BY_HAND)
def test_function_by_hand_is_recognised(name):
    assert outermost(program_of(BY_HAND[name], X))[-1] == name


@pytest.mark.parametrize("name", FUNCTIONS)
def test_function_is_recognised_in_the_forward_part_of_a_gradient(name):
    program = program_of(jax.value_and_grad(lambda x: jnp.sum(jnp.cos(FUNCTIONS[name](x)))), X)
    assert name in [each.name for each in find_composites(program)]


@pytest.mark.parametrize(
    ("loss", "expected", "roles"),
    [
        (losses.MeanSquaredError(), "mean_squared_error", {"target", "predicted"}),
        (losses.MeanAbsoluteError(), "mean_absolute_error", {"target", "predicted"}),
        (losses.Huber(), "huber", {"target", "predicted"}),
        (losses.KLDivergence(), "kl_divergence", {"target", "predicted"}),
        (losses.BinaryCrossentropy(), "binary_cross_entropy", {"target", "probability"}),
        (losses.BinaryCrossentropy(from_logits=True), "binary_cross_entropy", {"target", "logit"}),
        (losses.CategoricalCrossentropy(), "cross_entropy", {"targets", "x"}),
        (losses.CategoricalCrossentropy(from_logits=True), "cross_entropy", {"targets", "logits"}),
    ],
)
def test_loss_is_recognised_with_its_roles(loss, expected, roles):
    found = find_composites(program_of(loss, X, X))
    assert expected in [each.name for each in found]
    assert next(each for each in found if each.name == expected).inputs.keys() == roles


@pytest.mark.parametrize(
    "loss", [losses.SparseCategoricalCrossentropy(), losses.SparseCategoricalCrossentropy(from_logits=True)]
)
def test_loss_of_labels_is_a_cross_entropy_with_one_hot_targets(loss):
    names = [each.name for each in find_composites(program_of(loss, np.array([1, 2]), X))]
    assert "cross_entropy" in names and "one_hot" in names


def test_gathered_cross_entropy_is_recognised():
    composites = find_composites(program_of(next_token_loss, X, np.array([1, 2])))
    assert {"cross_entropy", "logsumexp", "mean"} <= {each.name for each in composites}


@pytest.mark.parametrize(
    ("layer", "inputs", "expected", "axis"),
    [
        (layers.LayerNormalization(), X, "layer_norm", (-1,)),
        (layers.LayerNormalization(scale=False), X, "layer_norm", (-1,)),
        (layers.LayerNormalization(center=False), X, "layer_norm", (-1,)),
        (layers.LayerNormalization(center=False, scale=False), X, "layer_norm", (-1,)),
        (layers.RMSNormalization(), X, "rms_norm", (-1,)),
        (layers.GroupNormalization(2), IMAGES, "group_norm", (-4, -3, -1)),
    ],
)
def test_normalization_is_one_composite(layer, inputs, expected, axis):
    model = keras.Sequential([keras.Input(inputs.shape[1:]), layer])
    program, _, _ = forward_program(model, inputs)
    [composite] = [each for each in find_composites(program) if each.name == expected]
    assert composite.params["axis"] == axis
    assert composite.params["epsilon"] > 0
    assert len(composite.steps) >= len(program.steps) - 4


@pytest.mark.parametrize("training", [True, False])
def test_batch_norm_takes_the_statistics_of_the_batch_only_when_training(training):
    model = keras.Sequential([keras.Input((6,)), layers.BatchNormalization()])
    program, _, _ = forward_program(model, X, training=training)
    [composite] = [each for each in find_composites(program) if each.name == "batch_norm"]
    assert ("mean" in composite.parts) == training
    assert ("mean" in composite.inputs) == (not training)
    assert {"x", "scale", "offset"} <= composite.inputs.keys()


def test_residual_sum_after_a_norm_is_no_offset():
    inputs = keras.Input((6,))
    normalized = layers.LayerNormalization(scale=False, center=False)(inputs)
    program, _, _ = forward_program(keras.Model(inputs, layers.Add()([normalized, inputs])), X)
    [composite] = [each for each in find_composites(program) if each.name == "layer_norm"]
    assert composite.output != program.outputs[0]
    assert "offset" not in composite.inputs


def attention_program(build, **options):
    inputs = keras.Input((5, 8))
    return forward_program(keras.Model(inputs, build(inputs)), SEQUENCE, **options)[0]


@pytest.mark.parametrize(
    "build",
    [
        lambda x: layers.MultiHeadAttention(2, 4)(x, x),
        lambda x: layers.MultiHeadAttention(2, 4)(x, x, use_causal_mask=True),
        lambda x: layers.MultiHeadAttention(2, 4)(x, x, return_attention_scores=True)[0],
        lambda x: layers.MultiHeadAttention(2, 4, dropout=0.5)(x, x, training=True),
        lambda x: layers.GroupQueryAttention(4, 4, 2)(x, x),
        lambda x: layers.Attention()([x, x]),
        lambda x: layers.Attention(use_scale=True)([x, x], use_causal_mask=True),
        lambda x: layers.AdditiveAttention()([x, x]),
    ],
)
def test_attention_layer_is_recognised(build):
    [composite] = [each for each in find_composites(attention_program(build)) if each.name == "attention"]
    assert {"queries", "keys", "values"} <= composite.inputs.keys()
    assert {"scores", "masked_scores", "weights", "attended"} <= composite.parts.keys()


def test_attention_by_hand_is_recognised_and_two_layers_with_a_softmax_are_not():
    def attention(x, query, key, value):
        scores = (x @ query) @ (x @ key).swapaxes(-1, -2) / np.sqrt(3.0)
        return jax.nn.softmax(scores) @ (x @ value)

    weights = [np.ones((8, 3), "float32")] * 3
    assert "attention" in outermost(program_of(attention, SEQUENCE, *weights))
    assert "attention" in outermost(program_of(attention, SEQUENCE[0], *weights))
    two_layers = program_of(
        lambda x, one, two: jax.nn.softmax(x @ one) @ two, X, np.ones((6, 3)), np.ones((3, 2))
    )
    assert outermost(two_layers) == ["softmax"]


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (layers.LSTM(3), "lstm_cell"),
        (layers.LSTM(3, recurrent_activation="hard_sigmoid"), "lstm_cell"),
        (layers.GRU(3), "gru_cell"),
        (layers.GRU(3, reset_after=False), "gru_cell"),
    ],
)
def test_cell_is_recognised_inside_the_loop(layer, expected):
    composites = find_composites(attention_program(layer))
    assert expected in [each.name for each in composites]


OPTIMIZERS = {
    "sgd_update": lambda: keras.optimizers.SGD(0.1),
    "sgd_momentum_update": lambda: keras.optimizers.SGD(0.1, momentum=0.9),
    "sgd_momentum_update (Nesterov)": lambda: keras.optimizers.SGD(0.1, momentum=0.9, nesterov=True),
    "rmsprop_update": keras.optimizers.RMSprop,
    "rmsprop_update (centred)": lambda: keras.optimizers.RMSprop(centered=True, momentum=0.9),
    "adam_update": keras.optimizers.Adam,
    "adam_update (AMSGrad)": lambda: keras.optimizers.Adam(amsgrad=True),
    "adam_update (AdamW)": lambda: keras.optimizers.AdamW(clipnorm=1.0),
    "lion_update": keras.optimizers.Lion,
    "adagrad_update": keras.optimizers.Adagrad,
    "adadelta_update": keras.optimizers.Adadelta,
    "adamax_update": keras.optimizers.Adamax,
    "nadam_update": keras.optimizers.Nadam,
    "muon_update": keras.optimizers.Muon,
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_update_of_each_weight_is_recognised(name):
    model = keras.Sequential(
        [keras.Input((6,)), layers.Dense(4, use_bias=False), layers.Dense(2, use_bias=False)]
    )
    program, roles, _ = step_program(
        model, X, np.ones((2, 2), "float32"), loss="mse", optimizer=OPTIMIZERS[name]()
    )
    found = [each for each in find_composites(program) if each.name == name.split()[0]]
    assert [roles.outputs[each.output] for each in found] == [f"updates/{name}" for name in roles.inputs[:2]]
    assert {program.inputs.index(each.inputs["weight"]) for each in found} == {0, 1}


def test_composites_never_overlap_in_part():
    inputs = keras.Input((5, 8))
    hidden = layers.LayerNormalization()(layers.MultiHeadAttention(2, 4)(inputs, inputs) + inputs)
    hidden = layers.BatchNormalization()(layers.GRU(4)(layers.Dense(8, activation="gelu")(hidden)))
    model = keras.Model(inputs, layers.Dense(3, activation="softmax")(hidden))
    program, _, _ = step_program(
        model, SEQUENCE, np.array([0, 1]), loss="sparse_categorical_crossentropy", optimizer="adam"
    )
    sets = [set(each.steps) for each in find_composites(program)]
    for position, one in enumerate(sets):
        for other in sets[position + 1 :]:
            assert one.isdisjoint(other) or one < other or other < one
    known = {step.id for step in program.all_steps()}
    assert all(one <= known for one in sets)


def test_rotation_is_no_update():
    program = program_of(lambda x, y, rate: x - y * rate, X, X, np.float32(0.1))
    assert find_composites(program) == []


def test_composite_of_a_noncommutative_difference_is_not_mirrored():
    assert outermost(program_of(lambda x: (1.0 + jnp.abs(x)) / x, X)) == []
