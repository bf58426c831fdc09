"""The NumPy source of models and training steps runs with NumPy alone, gives their numbers, and can be read."""

import ast
import dataclasses
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

from openbook.errors import ModelError
from openbook.layers import DecoderBlock
from openbook.program.capture import replay
from openbook.program.model import forward_program, step_program
from openbook.program.numpy_source import NumpyProgram, to_source
from openbook.program.program import Program, program_of
from openbook.program.roles import Roles

layers = keras.layers

# Float32 sums in another order differ by a few units in the last of 7 digits.
TOLERANCE = 1e-5
# Some gradients are zero but for rounding (a key's bias); they are compared with the size of the others.
SMALLEST_GRADIENT = 1e-2

RUNNER = """
import sys

class OnlyNumpy:
    allowed = {"numpy", *sys.stdlib_module_names}

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in self.allowed:
            raise ImportError(f"only NumPy may be imported, not {name}")

sys.meta_path.insert(0, OnlyNumpy())
import runpy
import numpy as np

path, output, function, *arguments = sys.argv[1:]
module = runpy.run_path(path)
arrays = np.load(path.removesuffix(".py") + ".npz")
groups = {
    group: {key.removeprefix(group + "/"): arrays[key] for key in arrays if key.startswith(group + "/")}
    for group in ("weights", "optimizer")
}
result = module[function](*(groups[each] if each in groups else arrays["inputs/" + each] for each in arguments))
flat = {}
for key, value in (result if isinstance(result, dict) else {"result": result}).items():
    for name, each in (value if isinstance(value, dict) else {"": value}).items():
        flat[f"{key}/{name}" if name else key] = each
np.savez(output, **flat)
"""


def run_alone(source: NumpyProgram, folder: Path) -> dict[str, np.ndarray]:
    """The results by name, computed in a process that can import nothing but NumPy."""
    path, _ = source.save(folder / "model.py")
    output = folder / "results.npz"
    finished = subprocess.run(
        [sys.executable, "-c", RUNNER, str(path), str(output), source.function, *source.arguments],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert finished.returncode == 0, finished.stderr
    with np.load(output) as arrays:
        results = dict(arrays)
    return {source.results[0]: results["result"]} if "result" in results else results


def run_here(source: NumpyProgram) -> dict[str, np.ndarray]:
    """The results by name, computed in this process."""
    module: dict[str, Any] = {"__name__": "written"}
    exec(compile(source.text, "written", "exec"), module)
    stored = {key.removeprefix("weights/"): array for key, array in source.arrays.items()}
    arguments = [stored if each == "weights" else stored[f"inputs/{each}"] for each in source.arguments]
    result = module[source.function](*arguments)
    if not isinstance(result, dict):
        return {source.results[0]: np.asarray(result)}
    return {
        f"{kind}/{name}": np.asarray(each) for kind, group in result.items() for name, each in group.items()
    }


def assert_same(
    source: NumpyProgram, program: Program, roles: Roles, arrays: list[Any], folder: Path | None = None
) -> None:
    """The results are those of JAX; they are computed in a process of their own where a folder is given."""
    found = run_here(source) if folder is None else run_alone(source, folder)
    outputs, _ = replay(program, arrays, frozenset())
    by_value = {each: np.asarray(value) for each, value in zip(program.outputs, outputs, strict=True)}
    expected = {name: by_value[each] for each, name in roles.outputs.items()}
    weights = {each for each, name in zip(program.inputs, roles.inputs, strict=True) if name in roles.weights}
    expected.update({name: by_value[each] for name, each in roles.aliases.items() if each not in weights})
    assert set(found) == set(expected)
    gradients = [np.linalg.norm(each) for name, each in expected.items() if name.startswith("gradients/")]
    floor = SMALLEST_GRADIENT * max(gradients, default=0.0)
    for name, array in expected.items():
        assert found[name].shape == array.shape, name
        assert found[name].dtype.kind == array.dtype.kind, name
        assert array.dtype.kind != "f" or found[name].dtype == array.dtype, name
        is_gradient = name.startswith(("gradients/", "updates/"))
        scale = max(float(np.linalg.norm(array)), floor if is_gradient else 0.0, 1e-12)
        assert np.linalg.norm(found[name].astype(np.float64) - array) / scale < TOLERANCE, name


def normal(*shape: int, seed: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def mlp() -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((784,)),
            layers.Dense(512, activation="relu", name="hidden"),
            layers.Dense(10, activation="softmax", name="classes"),
        ],
        name="mlp",
    )


def convnet() -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.Conv2D(4, 3, padding="same", use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.MaxPooling2D(),
            layers.Conv2D(5, 3, strides=2, activation="relu"),
            layers.Flatten(),
            layers.Dense(3),
        ]
    )


def lstm() -> keras.Model:
    return keras.Sequential([keras.Input((5, 3)), layers.LSTM(4, name="lstm"), layers.Dense(1)])


def masked_gru() -> keras.Model:
    return keras.Sequential(
        [keras.Input((5,)), layers.Embedding(7, 3, mask_zero=True), layers.GRU(4), layers.Dense(2)]
    )


def norms() -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((8,)),
            layers.LayerNormalization(),
            layers.Dense(6, activation="gelu"),
            layers.BatchNormalization(),
            layers.Dropout(0.5),
            layers.Dense(3),
        ]
    )


def transformer_block() -> keras.Model:
    tokens = keras.Input((6, 16))
    normed = layers.LayerNormalization(name="norm_1")(tokens)
    attention = layers.MultiHeadAttention(2, 8, name="attention")(normed, normed, use_causal_mask=True)
    residual = layers.Add(name="residual_1")([tokens, attention])
    hidden = layers.LayerNormalization(name="norm_2")(residual)
    hidden = layers.Dense(32, activation="gelu", name="expand")(hidden)
    hidden = layers.Dense(16, name="contract")(hidden)
    return keras.Model(tokens, layers.Add(name="residual_2")([residual, hidden]))


def decoder() -> keras.Model:
    tokens = keras.Input((6, 16))
    block = DecoderBlock(num_heads=4, head_dim=4, feed_forward_units=24, name="block_1")
    return keras.Model(tokens, block(tokens))


MODELS: dict[str, tuple[Callable[[], keras.Model], np.ndarray, tuple[int, ...]]] = {
    "mlp": (mlp, normal(4, 784), (4, 10)),
    "convnet": (convnet, normal(2, 8, 8, 3), (2, 3)),
    "lstm": (lstm, normal(2, 5, 3), (2, 1)),
    "masked_gru": (masked_gru, np.asarray([[1, 2, 0, 3, 0], [4, 5, 6, 0, 0]], np.int32), (2, 2)),
    "norms": (norms, normal(5, 8), (5, 3)),
    "transformer_block": (transformer_block, normal(2, 6, 16), (2, 6, 16)),
    "decoder": (decoder, normal(2, 6, 16), (2, 6, 16)),
}


def step_source(name: str, optimizer: Any) -> tuple[NumpyProgram, Program, Roles, list[Any]]:
    build, inputs, shape = MODELS[name]
    targets = normal(*shape, seed=4)
    keras.utils.set_random_seed(1)
    program, roles, arrays = step_program(build(), inputs, targets, loss="mse", optimizer=optimizer)
    return to_source(program, roles, arrays, title=name), program, roles, arrays


def mlp_step(optimizer: Any) -> tuple[NumpyProgram, Program, Roles, list[Any]]:
    keras.utils.set_random_seed(1)
    targets = np.arange(4, dtype=np.int32)
    program, roles, arrays = step_program(
        mlp(), normal(4, 784), targets, loss="sparse_categorical_crossentropy", optimizer=optimizer
    )
    return to_source(program, roles, arrays, title="mlp"), program, roles, arrays


def arithmetic(source: NumpyProgram) -> list[str]:
    """The lines of the function's body that are neither empty nor comments."""
    text = re.search(rf"def {source.function}\(.*?(?=\n\n\nif __name__)", source.text, re.DOTALL)
    assert text is not None
    lines = [line.strip() for line in text.group().splitlines()[1:]]
    return [line for line in lines if line and not line.startswith("#")]


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("name", MODELS)
def test_forward_source_gives_the_models_outputs(name: str, training: bool, tmp_path: Path) -> None:
    build, inputs, _ = MODELS[name]
    keras.utils.set_random_seed(1)
    program, roles, arrays = forward_program(build(), inputs, training=training)
    assert_same(to_source(program, roles, arrays, title=name), program, roles, arrays, tmp_path)


@pytest.mark.parametrize("name", MODELS)
def test_training_step_source_gives_loss_gradients_and_updates(name: str, tmp_path: Path) -> None:
    assert_same(*step_source(name, "sgd"), tmp_path)


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "rmsprop", "lion", "adafactor"])
def test_every_optimizers_step_is_written(optimizer: str, tmp_path: Path) -> None:
    assert_same(*mlp_step(optimizer), tmp_path)


@pytest.mark.parametrize(
    "make",
    [
        keras.optimizers.Lamb,
        lambda: keras.optimizers.Adam(gradient_accumulation_steps=2),
        lambda: keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam()),
        lambda: keras.optimizers.SGD(0.1, loss_scale_factor=8.0, global_clipnorm=0.5),
    ],
    ids=["lamb", "accumulation", "loss scale", "scale and clipping"],
)
def test_step_in_which_an_update_needs_its_own_norm_or_a_scale_is_written(make: Any, tmp_path: Path) -> None:
    assert_same(*mlp_step(make()), tmp_path)


def test_momentum_step_is_written(tmp_path: Path) -> None:
    assert_same(*mlp_step(keras.optimizers.SGD(0.1, momentum=0.9, nesterov=True)), tmp_path)


def test_forward_of_a_two_layer_net_reads_like_a_textbook() -> None:
    keras.utils.set_random_seed(1)
    program, roles, arrays = forward_program(mlp(), normal(4, 784))
    source = to_source(program, roles, arrays, title="mlp")
    assert arithmetic(source) == [
        'hidden = np.maximum(x @ weights["hidden/kernel"] + weights["hidden/bias"], 0)',
        'return softmax(hidden @ weights["classes/kernel"] + weights["classes/bias"])',
    ]
    assert "    # hidden\n    hidden = " in source.text


@pytest.mark.parametrize("optimizer", ["sgd", "rmsprop", "adam", "adamw"])
def test_training_step_of_a_two_layer_net_fits_on_two_pages(optimizer: str) -> None:
    source, *_ = mlp_step(optimizer)
    assert source.text.count("\n") <= 120
    assert "d_classes_logits = softmax_gradient(output, d_output)" in source.text
    assert "d_hidden_kernel = x.T @ d_hidden_linear" in source.text


def test_attention_is_written_with_its_textbook_names() -> None:
    keras.utils.set_random_seed(1)
    program, roles, arrays = forward_program(transformer_block(), normal(2, 6, 16))
    text = to_source(program, roles, arrays, title="block").text
    for expected in (
        "# attention\n",
        'np.einsum("bthd,bshd->bhts", query, key, optimize=True)',
        "softmax(attention_scores)",
        'layer_norm(x, weights["norm_1/gamma"], weights["norm_1/beta"], epsilon=0.001)',
        'expand = gelu(norm_2 @ weights["expand/kernel"] + weights["expand/bias"])',
    ):
        assert expected in text


def test_recurrent_layer_becomes_a_loop_over_time_with_named_gates() -> None:
    keras.utils.set_random_seed(1)
    program, roles, arrays = forward_program(lstm(), normal(2, 5, 3))
    lines = arithmetic(to_source(program, roles, arrays, title="lstm"))
    assert "for t in range(5):" in lines
    assert "input_gate, forget_gate, candidate, output_gate = np.split(lstm_cell_sum, 4, axis=-1)" in lines
    assert "lstm_hidden = sigmoid(output_gate) * np.tanh(lstm_cell)" in lines


@pytest.mark.parametrize("name", ["mlp", "transformer_block", "masked_gru"])
def test_names_are_unique_and_stable_and_lines_are_short(name: str) -> None:
    texts = []
    for _ in range(2):
        keras.utils.clear_session()
        texts.append(step_source(name, "adam")[0].text)
    first, second = texts
    assert first == second
    imported = [node for node in ast.walk(ast.parse(first)) if isinstance(node, ast.Import | ast.ImportFrom)]
    assert [alias.name for node in imported for alias in node.names] == ["numpy"]
    assert max(len(line) for line in first.splitlines()) <= 120


def source_of(
    function: Callable[..., Any], *arguments: Any
) -> tuple[NumpyProgram, Program, Roles, list[Any]]:
    program = program_of(function, *arguments)
    names = tuple(f"input/{number + 1}" for number in range(len(arguments)))
    outputs = [f"output/{number + 1}" for number in range(len(program.outputs))]
    roles = Roles.of(program, inputs=names, outputs=outputs)
    return to_source(program, roles, list(arguments), title="function"), program, roles, list(arguments)


X = np.asarray([[0.5, -1.5, 2.0], [1.0, 0.25, -0.75]], np.float32)


def _long_condition(x: Any) -> Any:
    return jnp.linalg.norm(x - jnp.sin(x)) / jnp.max(jnp.abs(x)) > 0.01 * jnp.mean(x**2) + 0.001


def _nested_scan(x: Any) -> Any:
    def row_step(carry: Any, row: Any) -> Any:
        return jax.lax.scan(lambda inner, element: (inner * 0.5 + element, inner), carry, row)

    return jax.lax.scan(row_step, jnp.float32(1), x)


def _spread(x: Any) -> Any:
    return jnp.ones((2, 3)) * 4, jnp.broadcast_to(x[0], (4, 3)), jnp.arange(3.0)


def _count_up(x: Any) -> Any:
    return jax.lax.while_loop(lambda c: c[0].sum() < 40, lambda c: (c[0] * 1.5 + c[1], c[1] + 1), (x, 0))


FUNCTIONS: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "while": (_count_up, (X,)),
    "times a complex number": (lambda x: jnp.real(jnp.fft.fft(x) * jnp.complex64(2 + 1j)), (X,)),
    "while with a long condition": (
        lambda x: jax.lax.while_loop(_long_condition, lambda c: c * 0.9, x),
        (X,),
    ),
    "swapped carries": (lambda x: jax.lax.fori_loop(0, 3, lambda i, c: (c[1], c[0] + i), (x, 2 * x)), (X,)),
    "cond": (
        lambda x: jax.lax.cond(x.sum() > 0, lambda x: (x * 2, x.sum()), lambda x: (x - 1, x.max()), x),
        (X,),
    ),
    "switch": (
        lambda x, i: jax.lax.switch(i, [lambda x: x, lambda x: x * 2, lambda x: -x], x),
        (X, np.int32(5)),
    ),
    "reversed scan": (
        lambda x: jax.lax.scan(lambda c, row: (c + row, c * row), jnp.zeros(3), x, reverse=True),
        (X,),
    ),
    "nested scan": (_nested_scan, (X,)),
    "broadcasts": (lambda x: (x[:, None, :] - x[None, :, :]) / jnp.sum(x, axis=0), (X,)),
    "outputs that are broadcast": (_spread, (X,)),
    "scalars only": (lambda x: jnp.where(x > 0, 1.0, 0.5), (X,)),
    "integers": (lambda x: (x.astype(jnp.int32) * 2 + 1, jnp.sum(x > 0), jnp.argmax(x, axis=1)), (X,)),
    "same value twice": (lambda x: (x + 1, x + 1, x), (X,)),
    "softmax over columns": (lambda x: jax.nn.softmax(x, axis=0), (X,)),
    "products of vectors": (lambda x: (x[0] @ x[1], jnp.outer(x[0], x[1]), x[:, :1] @ x[:1]), (X,)),
    "large constant": (lambda x: x @ jnp.asarray(np.arange(60, dtype=np.float32).reshape(3, 20)), (X,)),
    "random": (lambda x: jax.random.normal(jax.random.key(3), (2, 3)) + x, (X,)),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_source_of_a_function_gives_its_values(name: str) -> None:
    function, arguments = FUNCTIONS[name]
    assert_same(*source_of(function, *arguments))


def test_loops_and_branches_are_written_as_such() -> None:
    texts = {
        name: source_of(FUNCTIONS[name][0], *FUNCTIONS[name][1])[0].text
        for name in ("while", "cond", "reversed scan")
    }
    assert "    while np.sum(carried) < 40:" in texts["while"]
    assert "    if total > 0:" in texts["cond"]
    assert "in reversed(range(2)):" in texts["reversed scan"]
    assert "[::-1])" in texts["reversed scan"]


def test_large_constant_stands_among_the_arrays() -> None:
    source, *_ = source_of(*[FUNCTIONS["large constant"][0], X])
    assert source.arrays["weights/constant_1"].shape == (3, 20)
    assert 'x @ weights["constant_1"]' in source.text


def test_saved_module_runs_by_itself(tmp_path: Path) -> None:
    source, *_ = mlp_step("adam")
    path, arrays_path = source.save(tmp_path / "step.py")
    assert arrays_path.name == "step.npz"
    finished = subprocess.run([sys.executable, str(path)], capture_output=True, text=True, timeout=120)
    assert finished.returncode == 0, finished.stderr
    assert "loss" in finished.stdout


def test_unknown_primitive_is_named_with_its_layer() -> None:
    program = program_of(lambda x: x + 1, X)
    [step] = program.steps
    strange = dataclasses.replace(
        step, primitive="sparkle", scope=dataclasses.replace(step.scope, path=("block_1", "dense"))
    )
    changed = dataclasses.replace(program, steps=(strange,))
    roles = Roles(inputs=("input",), outputs={program.outputs[0]: "output"})
    with pytest.raises(ModelError, match=r"'sparkle' in block_1/dense"):
        to_source(changed, roles, [X], title="strange")


@pytest.mark.slow
def test_mobilenet_is_written_in_five_seconds() -> None:
    model = keras.applications.MobileNetV2(weights=None, input_shape=(96, 96, 3))
    program, roles, arrays = forward_program(model, np.zeros((1, 96, 96, 3), np.float32))
    start = time.perf_counter()
    text = to_source(program, roles, arrays, title="mobilenet").text
    # It takes about half a second; the limit is the one promised to users.
    assert time.perf_counter() - start < 5
    assert "batch_norm(" in text
