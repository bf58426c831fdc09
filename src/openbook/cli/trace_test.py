"""`openbook trace`, `explain` and `export --to numpy` on files."""

import dataclasses
import json
import subprocess
import sys

import numpy as np
import pytest
from typer.testing import CliRunner

from openbook.cli.app import app
from openbook.errors import OpenbookError


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder with a saved model and an input for it."""
    import keras

    folder = tmp_path_factory.mktemp("read")
    model = keras.Sequential(
        [
            keras.Input((6,)),
            keras.layers.Dense(4, activation="relu", name="hidden"),
            keras.layers.Dense(3, activation="softmax", name="classes"),
        ]
    )
    model.save(folder / "model.keras")
    inputs = np.random.default_rng(0).normal(size=(2, 6)).astype("float32")
    np.save(folder / "input.npy", inputs)
    np.save(folder / "output.npy", np.asarray(model(inputs)))
    return folder


@dataclasses.dataclass
class Done:
    """What a command printed and how it ended."""

    returncode: int
    stdout: str
    stderr: str


def openbook(home, *arguments):
    """Run a command in this process, which has Keras loaded already."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        patch.setenv("OPENBOOK_RUNS", str(home / "runs"))
        result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if isinstance(result.exception, OpenbookError):
        return Done(result.exception.exit_code, result.stdout, str(result.exception))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return Done(result.exit_code, result.stdout, result.stderr)


def test_trace_lists_values_and_checks_them(home):
    done = openbook(
        home, "trace", "model.keras", "--input", "input.npy", "--check", "--json", "--save", "all.npz"
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert {"name": "output", "shape": [2, 3], "dtype": "float32"} in answer["values"]
    assert answer["check"]["largest"] < 1e-5
    with np.load(home / "all.npz") as saved:
        np.testing.assert_allclose(saved["output"], np.load(home / "output.npy"), rtol=1e-5)
    assert "hidden" in openbook(home, "trace", "model.keras", "--input", "input.npy").stdout


def test_explain_walks_back(home):
    answer = json.loads(
        openbook(
            home, "explain", "model.keras", "output", "1,2", "--input", "input.npy", "--depth", "30", "--json"
        ).stdout
    )
    assert answer["value"] == pytest.approx(float(np.load(home / "output.npy")[1, 2]), rel=1e-5)
    assert answer["evaluated"] == pytest.approx(answer["value"], rel=1e-5)
    assert answer["walk"][-1]["terms"] == []


@pytest.mark.long
def test_numpy_program_runs_with_numpy_alone(home):
    done = openbook(home, "export", "model.keras", "--to", "numpy", "--input", "input.npy", "--json")
    assert done.returncode == 0, done.stderr
    path = json.loads(done.stdout)["path"]
    code = (
        "import sys, runpy; sys.modules.update(dict.fromkeys(['keras', 'jax', 'openbook', 'scipy']));"
        f"runpy.run_path({path!r}, run_name='__main__')"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=home, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    printed = np.array([float(word) for word in ran.stdout.replace("[", " ").replace("]", " ").split()])
    np.testing.assert_allclose(printed.reshape(2, 3), np.load(home / "output.npy"), rtol=1e-4)


@pytest.mark.parametrize(
    ("arguments", "exit_code", "words"),
    [
        (["trace", "nowhere.keras"], 1, "no such file"),
        (["trace", "model.keras", "--input", "[[1, 2]]"], 1, "(any, 6)"),
        (["trace", "model.keras", "--input", "hello"], 2, "--input"),
        (["explain", "model.keras", "outputt", "0,0"], 2, "Did you mean output"),
        (["explain", "model.keras", "output", "0,9"], 2, "axis 1"),
        (["explain", "model.keras", "output", "a,b"], 2, "whole numbers"),
    ],
)
def test_wrong_use_is_a_clear_message(home, arguments, exit_code, words):
    done = openbook(home, *arguments)
    assert done.returncode == exit_code, done.stderr
    assert words in done.stderr
