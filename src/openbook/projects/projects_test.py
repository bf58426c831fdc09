"""A project from a run: it needs no openbook, reads the same data, and comes to the run's score."""

import json
import os
import struct
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image, ImageDraw

import openbook
from openbook.errors import DataError, UsageError
from openbook.projects import starting
from openbook.projects.starting import start_project

_SIDE = 12


def shapes(number=60):
    """Bright circles and squares on black as uint8 (N, 12, 12), with labels 0 and 1."""
    rng = np.random.default_rng(0)
    images, labels = [], []
    for index in range(number):
        picture = Image.new("L", (_SIDE, _SIDE))
        left, top, size = (int(value) for value in rng.integers([1, 1, 5], [5, 5, 7]))
        box = [left, top, left + size, top + size]
        drawing = ImageDraw.Draw(picture)
        (drawing.ellipse if index % 2 else drawing.rectangle)(box, fill=int(rng.integers(60, 256)))
        images.append(np.asarray(picture))
        labels.append(index % 2)
    return np.stack(images), np.array(labels, np.uint8)


def write_folder(folder):
    for index, (image, label) in enumerate(zip(*shapes(), strict=True)):
        (folder / f"class {label}").mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).resize((30, 30)).save(folder / f"class {label}" / f"{index}.png")
    return folder


def write_npz(folder):
    folder.mkdir()
    images, labels = shapes()
    np.savez(
        folder / "all.npz", x_train=images[:40], y_train=labels[:40], x_test=images[40:], y_test=labels[40:]
    )
    return folder / "all.npz"


def write_idx(folder):
    folder.mkdir()
    images, labels = shapes()
    head = struct.pack(">BBBB", 0, 0, 8, 3) + struct.pack(">3I", *images.shape)
    (folder / "train-images-idx3-ubyte").write_bytes(head + images.tobytes())
    head = struct.pack(">BBBB", 0, 0, 8, 1) + struct.pack(">I", len(labels))
    (folder / "train-labels-idx1-ubyte").write_bytes(head + labels.tobytes())
    return folder


def write_pixels(folder):
    folder.mkdir()
    images, labels = shapes()
    names = ",".join(["digit", *(f"pixel_{index}" for index in range(_SIDE**2))])
    rows = [",".join(map(str, [label, *image.ravel()])) for image, label in zip(images, labels, strict=True)]
    (folder / "pixels.csv").write_text("\n".join([names, *rows]) + "\n")
    return folder / "pixels.csv"


def write_paths(folder):
    write_folder(folder)
    rows = [f"{path.relative_to(folder)},{path.parent.name}" for path in sorted(folder.rglob("*.png"))]
    (folder / "table.csv").write_text("\n".join(["file,label", *rows]) + "\n")
    return folder / "table.csv"


@pytest.fixture
def own_folders(tmp_path, monkeypatch):
    monkeypatch.setenv("OPENBOOK_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("OPENBOOK_CACHE", str(tmp_path / "cache"))


def trained(data, **settings):
    small = {"model": "dense", "hidden_units": 8, "batch_size": 8, "steps": 8, "side": _SIDE}
    return openbook.train("digits", data=str(data), quiet=True, **{**small, **settings})


def run_python(folder, *arguments):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OPENBOOK")}
    # An installation in place makes openbook importable everywhere; this script's import of it fails.
    (folder.parent / "blocked").mkdir(exist_ok=True)
    (folder.parent / "blocked" / "openbook.py").write_text("raise ImportError('a project needs no openbook')")
    environment["PYTHONPATH"] = str(folder.parent / "blocked")
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.long
@pytest.mark.usefixtures("own_folders")
@pytest.mark.parametrize(
    "settings",
    [
        {},
        # Its script compiles for more than a minute.
        pytest.param({"model": "convnet", "num_filters": 4, "schedule": "cosine"}, marks=pytest.mark.slow),
        {"patience": 1, "schedule": "step"},
    ],
    ids=["dense", "convnet", "patience"],
)
def test_project_without_openbook_comes_to_the_score_of_the_run(tmp_path, settings):
    run = trained(write_folder(tmp_path / "shapes"), **settings)
    project = start_project(run, tmp_path / "project")
    assert "outside" not in run_python(project.folder, "train.py")
    score = json.loads((project.folder / "score.json").read_text())
    # Same first weights, batches and dropout: float32 sums in another order are all that differs.
    assert score["loss"] == pytest.approx(run.section("score")["loss"], rel=1e-3)
    assert score["accuracy"] == pytest.approx(run.section("score")["accuracy"], abs=1e-6)
    assert "4 passed" in run_python(project.folder, "-m", "pytest", "-q", "-p", "no:cacheprovider")


@pytest.mark.long
@pytest.mark.usefixtures("own_folders")
@pytest.mark.parametrize(
    "write", [write_folder, write_npz, write_idx, write_pixels, write_paths], ids=lambda each: each.__name__
)
def test_every_kind_of_data_is_read_as_the_run_read_it(tmp_path, write):
    run = trained(write(tmp_path / "shapes"))
    project = start_project(run, tmp_path / "project")
    # Starting it compared the fingerprints; what is left is that the sources are clean.
    names = [path.name for path in project.folder.glob("*.py")]
    command = [sys.executable, "-m", "ruff"]
    for action in (["check", "--select", "E,F,I,B,W,UP"], ["format", "--check"]):
        checked = subprocess.run(
            [*command, *action, "--isolated", "--line-length", "110", *names],
            cwd=project.folder,
            capture_output=True,
            text=True,
        )
        assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.long
@pytest.mark.usefixtures("own_folders")
def test_what_cannot_become_a_project_is_said(tmp_path, small_run, monkeypatch):
    # As a recipe of a person's own would be.
    monkeypatch.delitem(starting._MODULES, small_run.recipe)
    data = write_npz(tmp_path / "shapes")
    run = trained(data)
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "file").write_text("mine")
    with pytest.raises(UsageError, match="not empty"):
        start_project(run, tmp_path / "used")
    with pytest.raises(UsageError, match="projects can be started from runs of"):
        start_project(small_run, tmp_path / "project")
    images, labels = shapes(50)
    np.savez(data, x=images, y=labels)
    with pytest.raises(DataError, match="other pictures or classes"):
        start_project(run, tmp_path / "project")
    data.unlink()
    with pytest.raises(DataError, match="no longer there"):
        start_project(run, tmp_path / "project")
    assert not (tmp_path / "project").exists()
    assert not list(tmp_path.glob(".project*"))
