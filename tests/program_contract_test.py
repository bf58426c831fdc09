"""The contracts of `openbook.program`, run over every model of the zoo.

The quick ones stand in every test run; the rest is marked slow (`make test-slow`).
"""

import functools
import json
import subprocess
import sys

import jax
import keras
import numpy as np
import pytest
from keras.src.backend.common.dtypes import BIT64_TO_BIT32_DTYPE

import openbook
from openbook.errors import UsageError
from openbook.program.numpy_run import run_numpy
from zoo import ENTRIES, ZooFunction
from zoo.readings import FORWARD, FUNCTION, STEP, TRAINING, kinds, made

# Of these a reading compiles in a second or two.
QUICK = {
    ("mnist_dense", FORWARD),
    ("mnist_dense", STEP),
    ("mnist_convnet", FORWARD),
    ("forecast_lstm", FORWARD),
    ("nested", TRAINING),
    ("transformer_encoder_positions", FORWARD),
    ("grad_cam", FUNCTION),
}
# float32 keeps seven digits; a step's result may lose some of them in long sums.
FLOAT32_TOLERANCE = 1e-5
FLOAT64_TOLERANCE = 1e-9
# What is zero in mathematics, such as the gradient of a key's bias, is rounding noise of numbers around one.
FLOAT32_NOISE, FLOAT64_NOISE = 0.1, 1e-4
# XLA sets results below the smallest normal number to zero, NumPy keeps them.
SMALLEST = float(np.finfo(np.float32).tiny)
# Rounding grows in these until it decides; they are compared step by step, each from captured operands.
STEP_BY_STEP = {
    "circle_loss": "a vector's similarity with itself is 1, more or less by rounding, and a branch is taken on it",
    "geometric_augmentations": "solves linear systems in float32 that are hard to solve",
}
# openbook's own layers choose the precision of their products themselves.
FLOAT32_ONLY = {"openbook_decoder", "openbook_decoder_tied"}
NUM_ELEMENTS, NUM_WALKS, LONGEST_WALK = 2, 5, 20_000

pytestmark = [
    pytest.mark.filterwarnings("ignore:Layer .* was passed an input with a mask:UserWarning"),
    pytest.mark.filterwarnings("ignore:Explicitly requested dtype int64:UserWarning"),
    pytest.mark.filterwarnings("ignore:.*structure of `inputs` doesn't match:UserWarning"),
]
READINGS = [
    pytest.param(
        (entry, kind),
        id=f"{entry.name}-{kind}",
        marks=() if (entry.name, kind) in QUICK else pytest.mark.slow,
    )
    for entry in ENTRIES
    for kind in kinds(entry)
]
SOURCES = [param for param in READINGS if not isinstance(param.values[0][0], ZooFunction)]


@pytest.fixture(scope="module", autouse=True)
def _quick_compiler():
    """Compiling is most of the time, and XLA's expensive passes are not what is tested here."""
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", False)


@functools.lru_cache(maxsize=1)
def _readings(entry, *, dtype="float32"):
    # JAX keeps all that it ever compiled: gigabytes after a hundred models.
    jax.clear_caches()
    return made(entry)


@pytest.fixture(scope="module", params=READINGS)
def trace(request):
    """Each reading of each entry, in float32."""
    entry, kind = request.param
    return _readings(entry).trace(kind)


def test_every_value_agrees_with_numpy(trace):
    check = trace.check()
    wrong = {name: difference for name, difference in check.differences.items() if not difference < 1e-5}
    assert not check.unchecked
    assert not wrong, wrong
    assert check.num_values > 0


def test_formulas_evaluate_to_the_captured_values(trace, rng):
    wrong = []
    for name in _names_with_value(trace):
        array = trace[name]
        # An element of a Fourier transform or of a matrix factor is rounded as the largest of them are.
        largest = float(np.max(np.abs(array[np.isfinite(array)]), initial=0.0))
        for _ in range(min(NUM_ELEMENTS, array.size)):
            index = _random_index(rng, array.shape)
            explanation = trace.explain(name, index)
            scale = max(_scale(explanation), 1e-2 * largest)
            if not _is_close(explanation.evaluate(), explanation.value, scale):
                wrong.append((name, index, explanation.value, explanation.evaluate(), explanation.formula))
            if explanation.kind == "sum":
                total = sum(term.contribution for term in explanation.terms) + explanation.remainder
                if not _is_close(total, explanation.value, scale):
                    wrong.append((name, index, explanation.value, total, "terms and remainder"))
    assert not wrong, f"{len(wrong)} of {len(trace.names())} values, the first: {wrong[:3]}"


def test_walks_back_end_in_inputs_weights_or_constants(trace, rng):
    names = _names_with_value(trace)
    for name in [names[-1], *rng.choice(names, NUM_WALKS)]:
        if not trace[name].size:
            continue
        explanation = trace.explain(str(name), _random_index(rng, trace[name].shape))
        for _ in range(LONGEST_WALK):
            if explanation.is_leaf:
                break
            operands = [operand for term in explanation.terms for operand in term.operands]
            explanation = operands[rng.integers(len(operands))].explain()
        # What depends on no number at all ("given", such as a position) is a constant too. Only a `while`, which
        # keeps no values of its rounds, ends a walk before that.
        is_loop = explanation.kind == "unknown" and "`while` loop" in explanation.formula
        assert is_loop or explanation.kind in ("input", "weight", "constant", "given"), (name, explanation)


def test_names_are_unique_and_stable(trace, request):
    entry, kind = request.node.callspec.params["trace"]
    names = trace.names()
    assert len(set(names)) == len(names)
    assert trace.outline() is not None
    if (entry.name, kind) in QUICK:
        assert _fresh_names(entry, kind) == _fresh_names(entry, kind)


def _fresh_names(entry, kind):
    """As a new process would name the values: Keras counts the layers that were given no name."""
    keras.utils.clear_session()
    return made(entry).trace(kind).names()


@pytest.mark.parametrize("reading", [each for each in READINGS if each.values[0][0].name not in FLOAT32_ONLY])
def test_values_agree_with_numpy_in_float64(reading, float64):
    # From the inputs on, so that an error anywhere shows in all that follows.
    entry, kind = reading
    trace = _readings(entry, dtype="float64").trace(kind)
    if entry.name in STEP_BY_STEP:
        assert trace.check().largest < FLOAT32_TOLERANCE
        return
    values = run_numpy(trace.program, [trace.array(value_id) for value_id in trace.program.inputs])
    single = _from_single_precision(trace.program)
    wrong = {}
    for value_id, array in values.items():
        name = trace.name_of(value_id)
        if name is None or not trace.program.values[value_id].is_float:
            continue
        is_single = value_id in single
        noise = FLOAT32_NOISE if is_single else FLOAT64_NOISE
        difference = _relative_difference(array, trace[name], noise=noise)
        if not difference < (FLOAT32_TOLERANCE if is_single else FLOAT64_TOLERANCE):
            wrong[name] = difference
    assert not wrong, f"{len(wrong)} values, the first: {list(wrong.items())[:3]}"


@pytest.mark.parametrize("reading", [each for each in SOURCES if not each.id.endswith(TRAINING)])
def test_numpy_source_gives_the_same_results(reading, tmp_path):
    entry, kind = reading
    readings = _readings(entry)
    trace = readings.trace(kind)
    source = tmp_path / "model.py"
    inputs, targets = readings.data
    if kind == STEP:
        text = openbook.to_numpy(readings.model, inputs, targets=targets, step=True, path=source)
    else:
        text = openbook.to_numpy(readings.model, inputs, path=source)
    assert source.read_text(encoding="utf-8") == text
    results = _run_where_only_numpy_is(source, tmp_path)
    assert set(results) >= ({"loss"} if kind == STEP else set())
    expected = {name: trace[name or "output"] for name in results}
    wrong = {}
    for name, array in results.items():
        if array.dtype.kind not in "fc":
            np.testing.assert_array_equal(array, expected[name])
            continue
        where = _more_than_noise(name, expected)
        difference = _relative_difference(array[where], expected[name][where], noise=_noise(name, expected))
        if not difference < FLOAT32_TOLERANCE:
            wrong[name] = difference
    assert not wrong, wrong


_RUNNER = """
import importlib.abc, inspect, json, runpy, sys

class OnlyNumPy(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top != "numpy" and top not in sys.stdlib_module_names:
            raise ImportError(f"{name} is not NumPy")

sys.meta_path.insert(0, OnlyNumPy())
import numpy as np
source, results_path = sys.argv[1:]
module = runpy.run_path(source)
function = module.get("training_step") or module["forward"]
arrays = np.load(source.removesuffix(".py") + ".npz")
groups = {"weights": {}, "optimizer": {}, "inputs": {}}
for key in arrays:
    group, _, name = key.partition("/")
    groups[group][name] = arrays[key]
arguments = [
    groups[name] if name in ("weights", "optimizer") else groups["inputs"][name]
    for name in inspect.signature(function).parameters
]
flat = {}
def flatten(result, path):
    if isinstance(result, dict):
        for key, value in result.items():
            flatten(value, [*path, key])
    else:
        flat["/".join(path)] = np.asarray(result)
flatten(function(*arguments), [])
names = list(flat)
np.savez(results_path, *flat.values())
print(json.dumps(names))
"""


def _noise(name, expected):
    """Rounding in one result is as large as in the largest of its kind: a gradient that is zero in mathematics."""
    kind = name.partition("/")[0]
    norms = [np.linalg.norm(array) for other, array in expected.items() if other.partition("/")[0] == kind]
    return max(0.1 * max(norms), SMALLEST)


def _more_than_noise(name, expected):
    """Where a weight's gradient is rounding only, a step of RMSprop or Adam makes that as large as any other."""
    gradient = expected.get(name.replace("updates/", "gradients/", 1))
    if not name.startswith("updates/") or gradient is None:
        return ...
    largest = max(np.max(np.abs(each)) for other, each in expected.items() if other.startswith("gradients/"))
    return np.abs(gradient) > 1e-5 * largest


def _run_where_only_numpy_is(source, folder):
    """Results by name, of a process in which nothing but NumPy can be imported; "" for a single result."""
    path = folder / "results.npz"
    done = subprocess.run(
        [sys.executable, "-I", "-c", _RUNNER, str(source), str(path)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    names = json.loads(done.stdout.splitlines()[-1])
    with np.load(path) as arrays:
        return {name: arrays[f"arr_{number}"] for number, name in enumerate(names)}


@pytest.fixture
def float64(monkeypatch):
    """Keras and JAX in double precision."""
    # On JAX, Keras turns results of mixed types, and of many functions, into float32 even in double precision.
    for name in ("float64", "complex128"):
        monkeypatch.setitem(BIT64_TO_BIT32_DTYPE, name, name)
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    jax.config.update("jax_enable_x64", True)
    yield
    keras.config.set_floatx("float32")
    keras.config.set_dtype_policy("float32")
    jax.config.update("jax_enable_x64", False)


def _names_with_value(trace):
    names = []
    for name in trace.names():
        try:
            trace[name]
        except UsageError as error:
            if "not taken" not in str(error):
                raise
        else:
            names.append(name)
    return names


def _random_index(rng, shape):
    return tuple(int(rng.integers(size)) for size in shape)


def _scale(explanation):
    """Where terms cancel, the value may be all rounding: it is measured against its terms, shown and unshown."""
    if explanation.kind != "sum" or not explanation.terms:
        return 0.0
    sizes = [abs(term.contribution) for term in explanation.terms]
    return sum(sizes) + (explanation.num_terms - len(sizes)) * min(sizes)


def _is_close(one, other, scale):
    one, other = complex(np.asarray(one)), complex(np.asarray(other))
    if not (np.isfinite(one) and np.isfinite(other)):
        return np.array_equal(one, other, equal_nan=True)
    return abs(one - other) <= FLOAT32_TOLERANCE * max(abs(other), scale) + SMALLEST


def _from_single_precision(program):
    """Values that float32 numbers went into: a few layers of Keras compute in float32 whatever is asked."""

    def is_single(value_id):
        return str(program.values[value_id].dtype) in ("float32", "complex64", "bfloat16", "float16")

    found = {value_id for value_id in program.values if is_single(value_id)}
    num_before = -1
    while len(found) > num_before:
        num_before = len(found)
        for step in program.all_steps():
            inside = [*step.inputs, *(each for body in step.bodies for each in body.outputs)]
            if found.intersection(inside):
                found.update(step.outputs)
                found.update(each for body in step.bodies for each in body.inputs)
    return found


def _relative_difference(one, other, *, noise=SMALLEST):
    assert one.shape == other.shape, f"{one.shape} and {other.shape}"
    one, other = one.astype(np.complex128), other.astype(np.complex128)
    is_finite = np.isfinite(one) & np.isfinite(other)
    if not np.array_equal(one[~is_finite], other[~is_finite], equal_nan=True):
        return float("inf")
    difference = np.linalg.norm(one[is_finite] - other[is_finite])
    return float(difference / max(np.linalg.norm(other[is_finite]), noise)) if difference else 0.0
