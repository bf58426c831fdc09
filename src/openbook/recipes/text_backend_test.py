"""The text generator trained on PyTorch: as good as on JAX, and read there; skipped without torch."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

import openbook
from openbook.errors import UsageError
from openbook.recipes import make_recipe
from openbook.recipes.session import train
from openbook.training.reporter import Reporter

pytest.importorskip("torch", reason="PyTorch is not installed: make environment-torch")

pytestmark = pytest.mark.long
SETTINGS = {
    "size": "tiny",
    "width": 32,
    "num_blocks": 2,
    "vocabulary_size": 400,
    "context_length": 16,
    "batch_size": 8,
    "steps": 150,
}
WORDS = ["red", "green", "blue", "old", "new", "cold", "warm"]


@pytest.fixture(scope="module")
def texts(tmp_path_factory):
    rng = np.random.default_rng(1)
    path = tmp_path_factory.mktemp("texts") / "sentences.txt"
    lines = []
    for _ in range(400):
        first, second = rng.choice(WORDS, 2, replace=False)
        lines.append(f"the {first} house {rng.integers(1000)} near the {second} tree is a {first} house")
    path.write_text("\n\n".join(lines), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def runs(texts, tmp_path_factory):
    """A run on each backend, with the same settings."""
    folder = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENBOOK_RUNS", str(folder / "runs"))
        patch.setenv("OPENBOOK_CACHE", str(folder / "cache"))
        found = {}
        for backend in ("jax", "torch"):
            settings = {**SETTINGS, "precision": "float32", "data": str(texts), "backend": backend}
            found[backend] = train(
                make_recipe("text-generator", settings), reporter=Reporter(), name=backend
            ).run
        yield found


def losses(run):
    return [row["loss"] for row in run.metrics() if "loss" in row]


def test_both_backends_train_alike(runs):
    on_jax, on_torch = losses(runs["jax"]), losses(runs["torch"])
    # The same weights and batches; the last digits of float32 drift apart with the steps.
    assert on_torch[0] == pytest.approx(on_jax[0], rel=1e-5)
    np.testing.assert_allclose(on_torch, on_jax, rtol=0.03)
    scores = [runs[backend].section("score")["bits_per_byte"] for backend in ("jax", "torch")]
    assert scores[1] == pytest.approx(scores[0], rel=0.03)
    assert on_torch[-1] < 0.6 * on_torch[0]


def test_run_says_what_took_its_steps(runs):
    assert runs["torch"].section("settings")["backend"] == "torch"
    assert runs["jax"].section("settings")["backend"] == "jax"
    actual = {backend: run.section("actual") for backend, run in runs.items()}
    # A process with PyTorch stands beside this one.
    assert actual["torch"]["memory_bytes"] is None or actual["torch"]["memory_bytes"] > 200_000_000


def test_run_opens_in_the_reader(runs):
    run = runs["torch"]
    trace = openbook.trace(run.model_path, np.array([[1, 2, 3, 4]], np.int32))
    np.testing.assert_allclose(trace["block_1/attention/weights"].sum(-1), 1.0, rtol=1e-5)
    assert trace.explain("block_1/attention/weights", (0, 0, 3, 2))


def test_command_reads_the_backend_of_keras(texts, tmp_path):
    environment = {
        **os.environ,
        "KERAS_BACKEND": "torch",
        "OPENBOOK_RUNS": str(tmp_path / "runs"),
        "OPENBOOK_CACHE": str(tmp_path / "cache"),
        "OPENBOOK_NO_RELAUNCH": "",
    }
    flags = [f"--{name.replace('_', '-')}={value}" for name, value in {**SETTINGS, "steps": 30}.items()]
    command = [sys.executable, "-m", "openbook", "train", "text-generator", f"--data={texts}", *flags]
    done = subprocess.run(
        [*command, "--json", "--quiet"], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    record = json.loads((tmp_path / "runs" / "text-generator-1" / "run.json").read_text("utf-8"))
    assert record["settings"]["backend"] == "torch"
    assert record["settings"]["precision"] in ("float32", "bfloat16")
    # What comes after training runs on JAX, whatever the variable says.
    wrote = subprocess.run(
        [sys.executable, "-m", "openbook", "try", "last", "the red"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert wrote.returncode == 0, wrote.stderr
    assert wrote.stdout.strip()


def test_pretrained_start_is_not_for_pytorch(texts):
    with pytest.raises(UsageError, match="fine-tuned on JAX"):
        make_recipe("text-generator", {"data": str(texts), "start": "smollm2", "backend": "torch"})
