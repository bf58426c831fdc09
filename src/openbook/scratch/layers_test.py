"""What every scratch layer promises: its gradients are right, and it computes what Keras on JAX computes.

`CASES` is the registry. A layer without a case fails `test_every_layer_has_a_case`.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass

import jax
import keras
import numpy as np
import pytest

import openbook
from openbook.scratch import layers, sequences, windows
from openbook.scratch.conversion import from_keras
from openbook.scratch.initialisation import glorot

K = keras.layers
# Of central differences in float64: the step is off by about STEP² = 1e-12, rounding by 1e-16 / STEP = 1e-10.
STEP = 1e-6


@dataclass(frozen=True)
class Case:
    """A scratch layer, what Keras calls the same, and the shape it is tried on."""

    make: Callable[[np.random.Generator], object]
    keras_layer: Callable[[], object]
    shape: tuple[int, ...]
    vocabulary_size: int | None = None  # of whole numbers as input
    num_inputs: int = 1


def parameters(rng, **shapes):
    return {name: glorot((1, *shape), rng)[0] for name, shape in shapes.items()}


CONVOLUTION = {"kernel": (3, 2, 3, 4), "bias": (4,)}
RNN = {"kernel": (3, 4), "recurrent_kernel": (4, 4), "bias": (4,)}
GATES = {"kernel": (3, 16), "recurrent_kernel": (4, 16), "bias": (16,)}


class KerasAttention(keras.layers.Layer):
    """The function behind MultiHeadAttention, for one head."""

    def __init__(self, *, is_causal: bool) -> None:
        super().__init__()
        self.is_causal = is_causal

    def build(self, *shapes):
        pass

    def call(self, query, key, value):
        heads = [keras.ops.expand_dims(each, 2) for each in (query, key, value)]
        attended = keras.ops.dot_product_attention(*heads, is_causal=self.is_causal, flash_attention=False)
        return keras.ops.squeeze(attended, 2)


def convolution_case(kind, strides, padding):
    return Case(
        lambda rng: kind(strides=strides, padding=padding, **parameters(rng, **CONVOLUTION)),
        lambda: K.Conv2D(4, (3, 2), strides=strides, padding=padding),
        (2, 7, 6, 3),
    )


def pooling_case(kind, keras_kind, padding):
    return Case(
        lambda rng: kind(pool_size=(3, 2), strides=(2, 2), padding=padding),
        lambda: keras_kind((3, 2), strides=(2, 2), padding=padding),
        (2, 6, 5, 3),
    )


CASES = {
    "linear": Case(
        lambda rng: layers.Linear(**parameters(rng, kernel=(5, 4), bias=(4,))), lambda: K.Dense(4), (3, 5)
    ),
    "linear over time, no bias": Case(
        lambda rng: layers.Linear(**parameters(rng, kernel=(5, 4))),
        lambda: K.Dense(4, use_bias=False),
        (2, 3, 5),
    ),
    "embedding": Case(
        lambda rng: layers.Embedding(**parameters(rng, embeddings=(6, 4))),
        lambda: K.Embedding(6, 4),
        (3, 5),
        vocabulary_size=6,
    ),
    "layer norm": Case(
        lambda rng: layers.LayerNorm(**parameters(rng, gamma=(5,), beta=(5,))),
        K.LayerNormalization,
        (2, 3, 5),
    ),
    "layer norm without parameters": Case(
        lambda rng: layers.LayerNorm(epsilon=0.1),
        lambda: K.LayerNormalization(epsilon=0.1, center=False, scale=False),
        (3, 5),
    ),
    "flatten": Case(lambda rng: layers.Flatten(), K.Flatten, (2, 3, 4)),
    "rescaling": Case(lambda rng: layers.Rescaling(0.5, -1.0), lambda: K.Rescaling(0.5, -1.0), (2, 3)),
    "relu": Case(lambda rng: layers.ReLU(), K.ReLU, (3, 5)),
    "sigmoid": Case(lambda rng: layers.Sigmoid(), lambda: K.Activation("sigmoid"), (3, 5)),
    "tanh": Case(lambda rng: layers.Tanh(), lambda: K.Activation("tanh"), (3, 5)),
    "softmax": Case(lambda rng: layers.Softmax(), K.Softmax, (2, 3, 5)),
    "sliding convolution": convolution_case(windows.SlidingConvolution, (2, 1), "same"),
    "sliding convolution inside": convolution_case(windows.SlidingConvolution, (1, 2), "valid"),
    "convolution": convolution_case(windows.Convolution, (2, 1), "same"),
    "convolution inside": convolution_case(windows.Convolution, (1, 2), "valid"),
    "max pooling": pooling_case(windows.MaxPooling, K.MaxPooling2D, "valid"),
    "max pooling with padding": pooling_case(windows.MaxPooling, K.MaxPooling2D, "same"),
    "average pooling": pooling_case(windows.AveragePooling, K.AveragePooling2D, "valid"),
    "average pooling with padding": pooling_case(windows.AveragePooling, K.AveragePooling2D, "same"),
    "global average": Case(
        lambda rng: windows.GlobalAveragePooling(), K.GlobalAveragePooling2D, (2, 4, 3, 5)
    ),
    "global average over time": Case(
        lambda rng: windows.GlobalAveragePooling(), K.GlobalAveragePooling1D, (2, 4, 5)
    ),
    "simple rnn": Case(
        lambda rng: sequences.SimpleRNN(**parameters(rng, **RNN)), lambda: K.SimpleRNN(4), (2, 5, 3)
    ),
    "simple rnn, all states": Case(
        lambda rng: sequences.SimpleRNN(return_sequences=True, **parameters(rng, **RNN)),
        lambda: K.SimpleRNN(4, return_sequences=True),
        (2, 5, 3),
    ),
    "lstm": Case(lambda rng: sequences.LSTM(**parameters(rng, **GATES)), lambda: K.LSTM(4), (2, 5, 3)),
    "lstm, all states": Case(
        lambda rng: sequences.LSTM(return_sequences=True, **parameters(rng, **GATES)),
        lambda: K.LSTM(4, return_sequences=True),
        (2, 5, 3),
    ),
    "attention": Case(
        lambda rng: sequences.Attention(),
        lambda: KerasAttention(is_causal=False),
        (2, 4, 6),
        num_inputs=3,
    ),
    "causal attention": Case(
        lambda rng: sequences.Attention(is_causal=True),
        lambda: KerasAttention(is_causal=True),
        (2, 4, 6),
        num_inputs=3,
    ),
}


def inputs_of(case, rng):
    if case.vocabulary_size is not None:
        return [rng.integers(case.vocabulary_size, size=case.shape)]
    # Numbers at least 0.1 away from 0 and from each other: no kink is near.
    size = int(np.prod(case.shape))
    numbers = 0.1 * np.concatenate([np.arange(1, size // 2 + 1), -np.arange(1, size - size // 2 + 1)])
    return [rng.permutation(numbers).reshape(case.shape) * 20 / size for _ in range(case.num_inputs)]


def gradients_of(layer, inputs, rng):
    """The gradients of sum(probe · output) by inputs and by parameters; a plain sum would hide errors."""
    output = layer.forward(*inputs)
    probe = rng.normal(size=output.shape).astype(output.dtype)
    passed_on = layer.backward(probe)
    by_inputs = list(passed_on) if isinstance(passed_on, tuple) else [passed_on]
    return probe, by_inputs, dict(getattr(layer, "gradients", {}))


def numeric_gradient(compute, array, probe):
    """By central differences, one element moved at a time."""
    gradient = np.zeros_like(array)
    for index in np.ndindex(array.shape):
        kept = array[index]
        array[index] = kept + STEP
        above = compute().copy()  # Flatten's output is a view of its input
        array[index] = kept - STEP
        gradient[index] = (probe * (above - compute())).sum() / (2 * STEP)
        array[index] = kept
    return gradient


def assert_close(found, expected, tolerance):
    """By the largest element, so that elements near 0 are not asked for digits they cannot have."""
    found, expected = np.asarray(found), np.asarray(expected)
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() <= tolerance * max(np.abs(expected).max(), 1e-3)


def test_every_layer_has_a_case(rng):
    tried = {type(case.make(rng)) for case in CASES.values()}
    defined = {
        found
        for module in (layers, sequences, windows)
        for found in vars(module).values()
        if inspect.isclass(found) and hasattr(found, "backward") and not inspect.isabstract(found)
        if found.__name__ in module.__all__
    }
    assert defined - tried == {layers.MeanSquaredError, layers.CrossEntropy}  # losses_test.py


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("is_zero", [False, True], ids=["", "at zero"])
def test_gradients_are_those_of_central_differences(name, is_zero, rng):
    case = CASES[name]
    layer, inputs = case.make(rng), inputs_of(case, rng)
    if is_zero:
        if name == "relu" or name.startswith("max pooling"):
            pytest.skip("a kink; test_at_a_kink_the_gradient_is_that_of_jax")
        inputs = [np.zeros_like(each) for each in inputs]
    probe, by_inputs, by_parameters = gradients_of(layer, inputs, rng)
    if case.vocabulary_size is None:
        for array, found in zip(inputs, by_inputs, strict=True):
            expected = numeric_gradient(lambda: layer.forward(*inputs), array, probe)
            assert_close(found, expected, 1e-7)
    assert by_parameters.keys() == getattr(layer, "parameters", {}).keys()
    for parameter, found in by_parameters.items():
        array = layer.parameters[parameter]
        expected = numeric_gradient(lambda: layer.forward(*inputs), array, probe)
        assert_close(found, expected, 1e-7)


def in_float32(layer):
    for parameter, array in getattr(layer, "parameters", {}).items():
        layer.parameters[parameter] = array.astype("float32")
    return layer


def without_draws(keras_layer):
    """The same layer that starts from zeros: each random initializer is compiled for each shape."""
    config = keras_layer.get_config()
    zeros = {setting: "zeros" for setting in config if setting.endswith("_initializer")}
    return type(keras_layer).from_config(config | zeros) if zeros else keras_layer


def keras_gradients(keras_layer, layer, inputs, probe):
    """Output and gradients of the layer of Keras with the same weights, by inputs and by parameters."""
    keras_layer = without_draws(keras_layer)
    with jax.default_matmul_precision("float32"):
        keras_layer.build(*[each.shape for each in inputs])
        for variable in keras_layer.weights:
            variable.assign(layer.parameters[variable.name])
        weights = [variable.value for variable in keras_layer.trainable_variables]
        others = [variable.value for variable in keras_layer.non_trainable_variables]

        def compute(weights, *inputs):
            return keras_layer.stateless_call(weights, others, *inputs)[0]

        @jax.jit  # compiled at once, which is quicker than operation by operation
        def output_and_gradients(weights, *inputs):
            output, backward = jax.vjp(compute, weights, *inputs)
            return output, backward(probe)

        output, (by_weights, *by_inputs) = output_and_gradients(weights, *inputs)
    names = [variable.name for variable in keras_layer.trainable_variables]
    return output, by_inputs, dict(zip(names, by_weights, strict=True))


@pytest.mark.parametrize("name", CASES)
def test_output_and_gradients_are_those_of_keras(name, rng):
    case = CASES[name]
    layer = in_float32(case.make(rng))
    inputs = [each.astype("int32" if case.vocabulary_size else "float32") for each in inputs_of(case, rng)]
    probe, by_inputs, by_parameters = gradients_of(layer, inputs, rng)
    output, keras_by_inputs, keras_by_parameters = keras_gradients(case.keras_layer(), layer, inputs, probe)
    # Both in float32: a few units of rounding, 6e-8 each, over sums of some dozens.
    assert_close(layer.forward(*inputs), output, 1e-5)
    assert layer.forward(*inputs).dtype == np.float32
    if case.vocabulary_size is None:
        for found, expected in zip(by_inputs, keras_by_inputs, strict=True):
            assert_close(found, expected, 1e-5)
    assert by_parameters.keys() == keras_by_parameters.keys()
    for parameter, expected in keras_by_parameters.items():
        assert_close(by_parameters[parameter], expected, 1e-5)


@pytest.mark.parametrize("name", ["relu", "max pooling", "max pooling with padding"])
def test_at_a_kink_the_gradient_is_that_of_jax(name, rng):
    case = CASES[name]
    layer, inputs = case.make(rng), [np.zeros(case.shape, "float32")]
    probe, by_inputs, _ = gradients_of(layer, inputs, rng)
    _, keras_by_inputs, _ = keras_gradients(case.keras_layer(), layer, inputs, probe)
    assert_close(by_inputs[0], keras_by_inputs[0], 1e-5)


def test_the_two_convolutions_agree(rng):
    arrays = parameters(rng, **CONVOLUTION)
    x = rng.normal(size=(2, 7, 6, 3))
    kinds = (windows.SlidingConvolution, windows.Convolution)
    both = [kind(strides=(2, 1), padding="same", **arrays) for kind in kinds]
    probe = rng.normal(size=both[0].forward(x).shape)
    # float64, sums in another order.
    assert_close(both[0].forward(x), both[1].forward(x), 1e-13)
    assert_close(both[0].backward(probe), both[1].backward(probe), 1e-13)
    for parameter in arrays:
        assert_close(both[0].gradients[parameter], both[1].gradients[parameter], 1e-13)


def test_putting_windows_back_is_the_adjoint_of_cutting(rng):
    convolution = windows.Convolution(strides=(2, 1), padding="same", kernel=np.zeros((3, 2, 3, 4)))
    x = rng.normal(size=(2, 7, 6, 3))
    cut = convolution.cut(x)
    other = rng.normal(size=cut.shape)
    # ⟨cut x, y⟩ = ⟨x, put_back y⟩, up to rounding in float64.
    assert np.isclose((cut * other).sum(), (x * convolution.put_back(other)).sum(), rtol=1e-12)


def test_softmax_sums_to_one_and_large_scores_stay_finite():
    shares = layers.Softmax().forward(np.array([[1000.0, 1001.0, -1000.0]]))
    assert shares.sum() == pytest.approx(1)
    assert np.isfinite(shares).all()


def test_causal_attention_sees_no_future(rng):
    query, key, value = rng.normal(size=(3, 4, 6))
    attention = sequences.Attention(is_causal=True)
    before = attention.forward(query, key, value)
    key[3], value[3] = 7.0, 7.0
    after = attention.forward(query, key, value)
    assert np.array_equal(before[:3], after[:3])
    assert not np.allclose(before[3], after[3])


@pytest.mark.long
def test_every_value_and_gradient_is_that_of_the_traced_program(rng):
    model = keras.Sequential(
        [
            keras.Input((6, 6, 2)),
            K.Conv2D(3, 3, padding="same", name="convolution"),
            K.ReLU(name="rectified"),
            K.MaxPooling2D(2, name="pooled"),
            K.Flatten(name="flat"),
            K.LayerNormalization(name="normalised"),
            K.Dense(4, name="predicted"),
        ]
    )
    x, targets = rng.normal(size=(2, 6, 6, 2)).astype("float32"), rng.normal(size=(2, 4)).astype("float32")
    scratch, trace = from_keras(model), openbook.trace(model, x)
    value = x
    for layer, name in zip(scratch.layers, [each.name for each in model.layers], strict=True):
        value = layer.forward(value)
        traced = trace["output" if name == "predicted" else f"{name}/output"]
        assert_close(value, traced, 1e-5)
    step = openbook.trace_step(model, x, targets, loss="mean_squared_error", optimizer="sgd")
    loss = layers.MeanSquaredError()
    assert loss.forward(value, targets) == pytest.approx(float(step["loss"]), rel=1e-5)
    scratch.backward(loss.backward())
    for layer, name in zip(scratch.layers, [each.name for each in model.layers], strict=True):
        for parameter, gradient in layer.gradients.items():
            assert_close(gradient, step[f"gradients/{name}/{parameter}"], 1e-5)


@pytest.mark.long
def test_gates_of_the_lstm_are_those_of_the_traced_program(rng):
    model = keras.Sequential([keras.Input((5, 3)), K.LSTM(4, name="memory")])
    x = rng.normal(size=(2, 5, 3)).astype("float32")
    scratch, trace = from_keras(model), openbook.trace(model, x)
    assert_close(scratch.forward(x), trace["output"], 1e-5)
    forget_gate = np.stack([gates[1] for gates in scratch.layers[0].gates])
    assert_close(forget_gate, trace["memory/forget_gate"], 1e-5)
