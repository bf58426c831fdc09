"""The contract of projects: each recipe's runs become one that needs no openbook and comes to the run's score."""

import contextlib
import importlib.abc
import io
import json
import os
import random
import re
import runpy
import subprocess
import sys

import keras
import pytest

from openbook.errors import DataError
from openbook.projects.pieces import GOALS
from openbook.projects.starting import RECIPES, start_project
from openbook.recipes import all_recipes, image_classifier, make_recipe
from openbook.recipes.forecasting import MODELS as FORECASTERS
from openbook.recipes.session import train
from openbook.training.reporter import Reporter
from recipe_samples import SAMPLES

NUM_STEPS = 8
RULES = ("--select", "E,F,I,B,W,UP")
SCRIPTS = ("data", "model", "train")

# Recipe, the settings that differ from the sample's first ones, and the goal that is scored.
QUICK = {
    "digits": ({}, "classification"),
    "regression": ({"num_folds": 0}, "regression"),
    "text-classifier": ({}, "classification"),
    "forecasting": ({"model": "dense"}, "regression"),
    "image-classifier": ({}, "classification"),
    "segmentation": ({}, "segmentation"),
    "text-generator": ({}, "tokens"),
}
VARIANTS = [
    ("digits", {}),
    ("digits", {"model": "convnet", "num_filters": 4, "schedule": "cosine"}),
    ("regression", {"num_folds": 2}),
    ("regression", {"model": "linear", "num_folds": 0, "schedule": "constant"}),
    ("text-classifier", {"ngrams": 1, "tf_idf": False, "hidden_units": 4}),
    ("text-classifier", {"model": "lstm", "hidden_units": 4}),
    ("text-classifier", {"model": "transformer", "hidden_units": 8}),
    ("text-classifier", {"target": "labels"}),
    *(("forecasting", {"model": model}) for model in FORECASTERS),
    ("image-classifier", {"model": "convnet"}),
    ("image-classifier", {"model": "xception", "augmentation": False}),
    ("segmentation", {"model": "unet"}),
    ("segmentation", {"model": "encoder-decoder"}),
    ("text-generator", {}),
    ("text-generator", {"optimizer": "adamw", "tied_output": True}),
]


@pytest.fixture
def own_folders(tmp_path, monkeypatch):
    monkeypatch.setenv("OPENBOOK_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("OPENBOOK_CACHE", str(tmp_path / "cache"))


def several_labels(folder):
    texts = random.Random(0)
    rows = ["text,labels"]
    for _ in range(60):
        labels = texts.sample(["bad", "good", "odd"], texts.randint(1, 2))
        rows.append(f"{' '.join(texts.choices(['the', 'film', 'was', *labels], k=12))},{';'.join(labels)}")
    (folder / "labels.csv").write_text("\n".join(rows))
    return folder / "labels.csv"


def trained(name, folder, settings):
    sample = SAMPLES[name](folder)
    data = str(several_labels(folder)) if settings.get("target") == "labels" else str(sample.data)
    whole = {**sample.settings[0], "data": data, "steps": NUM_STEPS, **settings}
    return train(make_recipe(name, whole), reporter=Reporter()).run, sample


class NoOpenbook(importlib.abc.MetaPathFinder):
    """A machine that has never heard of openbook."""

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "openbook":
            raise ImportError("a project needs no openbook")


@contextlib.contextmanager
def without_openbook(folder):
    """The project's scripts can be imported, and openbook cannot."""
    hidden = [name for name in sys.modules if name.partition(".")[0] == "openbook" or name in SCRIPTS]
    kept = {name: sys.modules.pop(name) for name in hidden}
    sys.path.insert(0, str(folder))
    sys.meta_path.insert(0, NoOpenbook())
    try:
        yield
    finally:
        del sys.meta_path[0], sys.path[0]
        for name in SCRIPTS:
            sys.modules.pop(name, None)
        sys.modules.update(kept)


def said_by(folder, script, *arguments):
    """What a script of a project prints, run in this process: importing Keras again would take seconds."""
    said = io.StringIO()
    with without_openbook(folder), contextlib.redirect_stdout(said), pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", [script, *arguments])
        runpy.run_path(str(folder / script), run_name="__main__")
    return said.getvalue()


def run_python(folder, *arguments):
    """A script in a process of its own in which openbook cannot be imported."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OPENBOOK")}
    (folder.parent / "blocked").mkdir(exist_ok=True)
    (folder.parent / "blocked" / "openbook.py").write_text("raise ImportError('a project needs no openbook')")
    environment["PYTHONPATH"] = str(folder.parent / "blocked")
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def held_out_score(run, names):
    score = run.section("score")
    return {name: score.get(f"held_out_{name}", score[name]) for name in names}


def test_every_recipe_has_a_project():
    assert set(RECIPES) == set(QUICK) == set(all_recipes())


@pytest.mark.long
@pytest.mark.usefixtures("own_folders")
@pytest.mark.parametrize("name", list(QUICK))
def test_weights_of_the_run_have_its_score_in_the_project(name, tmp_path):
    settings, goal = QUICK[name]
    run, sample = trained(name, tmp_path, settings)
    project = start_project(run, tmp_path / "project")
    expected = held_out_score(run, GOALS[goal].score)
    [line] = re.findall(r"run\.keras: (.*)", said_by(project.folder, "evaluate.py"))
    score = {key: float(value) for key, value in (part.rsplit(" ", 1) for part in line.split(", "))}
    # Four digits are printed.
    assert score == pytest.approx(expected, rel=1e-3, abs=1e-4)
    assert said_by(project.folder, "predict.py", sample.given).strip()


@pytest.mark.long
@pytest.mark.usefixtures("own_folders")
def test_data_that_changed_or_is_gone_is_told_with_a_way_out(tmp_path):
    run, sample = trained("regression", tmp_path, {"num_folds": 0})
    sample.data.write_text("\n".join(sample.data.read_text().splitlines()[:-5]), encoding="utf-8")
    with pytest.raises(DataError, match=r"is not what .* was trained on\. Put the earlier data back"):
        start_project(run, tmp_path / "project")
    sample.data.unlink()
    with pytest.raises(DataError, match=r"no longer there.* Put it back, or train anew"):
        start_project(run, tmp_path / "project")
    assert not (tmp_path / "project").exists()


@pytest.fixture
def tiny_backbone(monkeypatch):
    """A frozen network of one convolution and a normalization in the place of a pretrained one."""

    def backbone(name, side):
        initializer = keras.initializers.GlorotUniform(seed=1)
        pictures = keras.Input((side, side, 3))
        hidden = keras.layers.Conv2D(5, 3, strides=4, kernel_initializer=initializer)(pictures)
        model = keras.Model(pictures, keras.layers.BatchNormalization()(hidden))
        model.trainable = False
        return model

    image_classifier._feature_function.cache_clear()
    monkeypatch.setattr(image_classifier, "_frozen_backbone", backbone)
    yield
    image_classifier._feature_function.cache_clear()


@pytest.mark.long
@pytest.mark.usefixtures("own_folders", "tiny_backbone")
@pytest.mark.parametrize("settings", [{}, {"augmentation": True}, {"fine_tune": True}], ids=str)
def test_project_takes_its_pretrained_backbone_along(settings, tmp_path):
    run, sample = trained("image-classifier", tmp_path, {"model": "pretrained", **settings})
    project = start_project(run, tmp_path / "project")
    said = said_by(project.folder, "evaluate.py")
    assert "within" in said
    assert f"loss {run.section('score')['loss']:.4g}"[:9] in said
    assert (project.folder / "backbone.keras").exists()
    assert said_by(project.folder, "predict.py", sample.given).strip()
    # The end begins with other weights than the run's, so the score is near and not the same.
    assert "held-out" in said_by(project.folder, "train.py")
    assert (project.folder / "score.json").exists()


@pytest.mark.slow
@pytest.mark.usefixtures("own_folders")
@pytest.mark.parametrize(("name", "settings"), VARIANTS, ids=str)
def test_project_trains_to_the_score_of_the_run(name, settings, tmp_path):
    run, sample = trained(name, tmp_path, settings)
    project = start_project(run, tmp_path / "project")
    said = run_python(project.folder, "train.py")
    assert "outside" not in said
    score = json.loads((project.folder / "score.json").read_text())
    expected = held_out_score(run, [key for key in score if not key.endswith("_of_folds")])
    # Same first weights, batches and dropout: float32 sums in another order are all that differs. A
    # recurrent layer draws what it leaves out while it is scored as well, so later it is something else.
    tolerance = 2e-2 if settings.get("model") in ("lstm", "gru", "bidirectional") else 1e-3
    assert {key: score[key] for key in expected} == pytest.approx(expected, rel=tolerance, abs=1e-5)
    for key in ("mae_of_folds", "rmse_of_folds"):
        if key in score:
            assert score[key] == pytest.approx(run.section("score")[key.removesuffix("_of_folds")], rel=1e-3)
    assert " passed" in run_python(project.folder, "-m", "pytest", "-q", "-p", "no:cacheprovider")
    assert run_python(project.folder, "predict.py", sample.given).strip()
    # Docstrings of openbook's layers, which a project takes over, may have a few characters more.
    run_python(project.folder, "-m", "ruff", "check", "--isolated", "--line-length", "115", *RULES, ".")
    run_python(project.folder, "-m", "ruff", "format", "--check", "--isolated", "--line-length", "110", ".")
    assert "openbook" not in "".join(path.read_text() for path in project.folder.glob("*.py")).replace(
        "openbook run", ""
    )
