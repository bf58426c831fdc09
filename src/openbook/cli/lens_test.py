"""`openbook lens` on a model in a file: the list, a picture, and what is refused."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from openbook.cli.app import app
from openbook.errors import UsageError


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    import keras
    from PIL import Image

    folder = tmp_path_factory.mktemp("lens")
    inner = keras.Input((8, 8, 3))
    backbone = keras.Model(inner, keras.layers.Conv2D(3, 3, name="convolution")(inner), name="backbone")
    pictures = keras.Input((8, 8, 3))
    hidden = keras.layers.GlobalAveragePooling2D()(backbone(pictures))
    keras.Model(pictures, keras.layers.Dense(2)(hidden)).save(folder / "model.keras")
    Image.new("RGB", (20, 12), (200, 40, 90)).save(folder / "photo.png")
    np.save(folder / "arrays.npy", np.ones((1, 8, 8, 3), np.float32))
    return folder


def lens(folder, *arguments):
    names = [folder / each if "." in each else each for each in arguments]
    return CliRunner().invoke(
        app, ["lens", str(folder / "model.keras"), *map(str, names)], catch_exceptions=False
    )


def test_lenses_that_fit_are_listed(folder):
    listed = json.loads(lens(folder, "--json").stdout)["lenses"]
    assert {name for name, each in listed.items() if each["fits"]} == {
        "activations",
        "filters",
        "grad-cam",
        "pixel-gradients",
    }
    assert listed["learning-curves"]["why"] == "it comes from no run"


@pytest.mark.parametrize("given", ["photo.png", "arrays.npy"])
def test_picture_and_numbers_of_a_nested_model(folder, given):
    done = lens(folder, "grad-cam", given, "--class", "1", "--output", "cam.png", "--json")
    found = json.loads(done.stdout)
    assert found["layer"] == "backbone/convolution"
    assert found["class_index"] == 1
    assert (folder / "cam.png").stat().st_size > 2000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["permuted-columns"], "no single table"),
        (["learning-curves"], "comes from no run"),
        (["grad-cam"], "needs an input"),
        (["filters", "--class", "1"], "has no --class"),
        (["filters", "photo.png"], "takes no input"),
        (["grad-cam", "nowhere.png"], "there is no file"),
    ],
)
def test_what_would_do_nothing_is_refused(folder, arguments, message):
    with pytest.raises(UsageError, match=message):
        lens(folder, *arguments)
