"""What KERAS_BACKEND=torch means, in a process that has not loaded Keras yet."""

import json
import os
import subprocess
import sys

import pytest

from openbook import training_backend
from openbook.errors import UsageError
from openbook.recipes import make_recipe
from openbook.recipes.text_task import TextData
from openbook.training_backend import check_training_backend, require_training_backend

_ASKING = """
import json, os, sys
import openbook
from openbook.training_backend import settle_backend, wanted_backend
if sys.argv[1:] == ["loaded"]:
    import keras
settle_backend()
print(json.dumps([os.environ["KERAS_BACKEND"], wanted_backend()]))
"""


def settled(backend, *arguments):
    environment = {name: value for name, value in os.environ.items() if name != "KERAS_BACKEND"}
    if backend is not None:
        environment["KERAS_BACKEND"] = backend
    command = [sys.executable, "-c", _ASKING, *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("backend", "expected"),
    [
        (None, ["jax", "jax"]),
        ("jax", ["jax", "jax"]),
        ("torch", ["jax", "torch"]),
        ("numpy", ["numpy", "jax"]),
    ],
)
def test_backend_of_keras_is_a_wish_for_training(backend, expected):
    assert settled(backend) == expected


def test_keras_that_is_loaded_keeps_its_backend():
    assert settled("numpy", "loaded") == ["numpy", "jax"]


def test_backend_that_cannot_be_had_is_refused(monkeypatch):
    with pytest.raises(UsageError, match="must be auto, jax or torch, not 'tensorflow'"):
        check_training_backend("tensorflow")
    monkeypatch.setattr(training_backend.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"pip install torch.*--backend jax"):
        require_training_backend("torch")
    require_training_backend("jax")


def test_settings_of_a_run_are_read_where_its_backend_is_missing(monkeypatch):
    monkeypatch.setattr(training_backend.importlib.util, "find_spec", lambda name: None)
    recipe = make_recipe("text-generator", {"backend": "torch", "size": "tiny"})
    data = TextData(documents=None, train_texts=("text",), held_out_texts=("text",))
    with pytest.raises(UsageError, match="pip install torch"):
        recipe.resolve(data)
    monkeypatch.setenv("OPENBOOK_TRAINING_BACKEND", "torch")
    with pytest.raises(UsageError, match="pip install torch"):
        make_recipe("text-generator", {"size": "tiny"}).resolve(data)
