"""The networks of keras.applications: their pictures are prepared as Keras would, and what is missing is said."""

import importlib
import inspect

import h5py
import keras
import numpy as np
import pytest
from keras.src.legacy.saving.legacy_h5_format import save_weights_to_hdf5_group
from keras.src.utils import file_utils

from openbook.backbones.backbone import load_backbone
from openbook.backbones.keras_applications import KERAS_APPLICATIONS, load_keras_application, preprocessed
from openbook.data.cache import silent
from openbook.errors import FetchError
from openbook.saved_models import load_model


def test_every_network_of_keras_is_known():
    networks = {name for name, thing in vars(keras.applications).items() if inspect.isfunction(thing)}
    assert set(KERAS_APPLICATIONS) == networks


@pytest.mark.parametrize("name", KERAS_APPLICATIONS)
def test_pictures_are_prepared_as_keras_would(name, rng):
    pictures = rng.uniform(0, 255, (1, 2, 2, 3)).astype(np.float32)
    module = importlib.import_module(getattr(keras.applications, name).__module__)
    expected = module.preprocess_input(pictures.copy())
    # Numbers up to 150 in float32, computed as (x − mean) / std here and in another order there.
    ours = np.asarray(preprocessed(pictures, KERAS_APPLICATIONS[name].preprocessing))
    assert ours == pytest.approx(expected, rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("preprocessing", ["minus one to one", "standardized", "BGR without mean"])
def test_the_preprocessing_can_be_saved_and_loaded_in_safe_mode(preprocessing, rng, tmp_path):
    inputs = keras.Input((4, 4, 3))
    model = keras.Model(inputs, preprocessed(inputs, preprocessing))
    model.save(tmp_path / "prepared.keras")
    pictures = rng.uniform(0, 255, (2, 4, 4, 3)).astype(np.float32)
    assert np.array_equal(load_model(tmp_path / "prepared.keras")(pictures), model(pictures))


@pytest.fixture
def small_xception(monkeypatch):
    """A small network that is built and filled as Keras does it with Xception, in a tenth of a second."""

    def network(*, include_top, weights, input_tensor, input_shape=None, classifier_activation="softmax"):
        features = keras.layers.Conv2D(4, 3, strides=2, activation="relu", name="block1")(input_tensor)
        features = keras.layers.BatchNormalization(name="block1_bn")(features)
        outputs = features
        if include_top:
            pooled = keras.layers.GlobalAveragePooling2D()(features)
            outputs = keras.layers.Dense(1000, activation=classifier_activation, name="predictions")(pooled)
        model = keras.Model(keras.utils.get_source_inputs(input_tensor), outputs)
        if weights == "imagenet":
            model.load_weights(file_utils.get_file("xception.h5", "https://weights.example/xception.h5"))
        return model

    monkeypatch.setattr(keras.applications, "Xception", network)
    return network


def test_the_weights_that_keras_fetches_are_used_behind_the_preprocessing(
    small_xception, monkeypatch, tmp_path, rng
):
    theirs = small_xception(
        include_top=True, weights=None, input_tensor=keras.Input((299, 299, 3)), classifier_activation=None
    )
    with h5py.File(tmp_path / "weights.h5", "w") as file:
        save_weights_to_hdf5_group(file, theirs)
    monkeypatch.setattr(file_utils, "get_file", lambda *_: str(tmp_path / "weights.h5"))
    said = []
    ours = load_keras_application("Xception", with_top=True, progress=said.append)
    pictures = rng.uniform(0, 255, (1, 299, 299, 3)).astype(np.float32)
    expected = np.asarray(theirs([keras.applications.xception.preprocess_input(pictures.copy())]))
    # Float32 sums of 20,000 places in the mean.
    assert np.asarray(ours(pictures)) == pytest.approx(expected, abs=1e-5)
    assert said == ["Fetching the weights of Xception with Keras, unless they are on this machine"]


def test_when_keras_cannot_fetch_them_the_ways_out_are_named(small_xception, monkeypatch):
    def unreachable(file_name, origin):
        raise Exception(f"URL fetch failure on {origin}: None -- unreachable")

    monkeypatch.setattr(file_utils, "get_file", unreachable)
    with pytest.raises(FetchError) as caught:
        load_backbone("Xception", with_top=False)
    message = str(caught.value)
    assert "The weights of Xception: could not be fetched" in message
    assert "https://weights.example/xception.h5: None -- unreachable" in message
    assert "~/.keras/models" in message
    assert "choose efficientnet_lite0 or mobilenet_v2" in message


def test_weights_that_cannot_be_read_are_an_error_of_ours(small_xception, monkeypatch, tmp_path):
    (tmp_path / "weights.h5").write_bytes(b"no weights")
    monkeypatch.setattr(file_utils, "get_file", lambda *_: str(tmp_path / "weights.h5"))
    with pytest.raises(FetchError, match="could not be fetched or read by Keras"):
        load_keras_application("Xception", with_top=False, progress=silent)
