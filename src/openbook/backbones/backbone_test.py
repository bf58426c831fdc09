"""The pretrained networks as they come: against a NumPy network written apart, and on photographs."""

import dataclasses
import runpy

import numpy as np
import pytest
from PIL import Image, ImageOps

import openbook
from openbook.backbones import Backbone, backbone_names, imagenet_names, load_backbone
from openbook.backbones.efficientnet_lite0 import EFFICIENTNET_LITE0
from openbook.backbones.inverted_residuals_test import reference_features, reference_logits
from openbook.backbones.mobilenet_v2 import MOBILENET_V2
from openbook.backbones.torch_weights import read_state_dict
from openbook.data.cache import silent
from openbook.data.wheel import WheelOrigin
from openbook.errors import FetchError, UsageError
from openbook.saved_models import load_model

NAMES = ("efficientnet_lite0", "mobilenet_v2")
# Logits run from −10 to 20; float32 against float64 through 53 layers differs by 1.2e-5 where it was measured.
TOLERANCE = 1e-4
PHOTO_SHA256 = {
    "chelsea.png": "596aa1e7cb875eb79f437e310381d26b338a81c2da23439704a73c4651e8c4bb",
    "coffee.png": "cc02f8ca188b167c775a7101b5d767d1e71792cf762c33d6fa15a4599b5a8de7",
    "rocket.jpg": "c2dd0de7c538df8d111e479619b129464d0269d0ae5fd18ca91d33a7fdfea95c",
}
# By number, since the package's names are its own: 281 tabby, 282 tiger cat, 285 Egyptian cat.
CATS, COFFEES, ROCKETS = {281, 282, 285}, {967, 968, 504}, {657, 744, 812}


@pytest.fixture(scope="module")
def fetched_once(package_index, tmp_path_factory):
    """A cache of this file's own, filled through the configured index."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENBOOK_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def photos(fetched_once):
    """Photographs of scikit-image, cropped to their centre: float32 (3, 224, 224, 3), 0…255."""
    arrays = []
    for file, sha256 in PHOTO_SHA256.items():
        origin = WheelOrigin(
            package="scikit-image",
            version="0.26.0",
            file=f"skimage/data/{file}",
            sha256=sha256,
            download_bytes=13_711_217,
        )
        picture = Image.open(origin.obtain(max_bytes=1 << 20, progress=silent)).convert("RGB")
        arrays.append(np.asarray(ImageOps.fit(picture, (224, 224), method=Image.Resampling.BICUBIC)))
    return np.stack(arrays).astype(np.float32)


@pytest.fixture(scope="module", params=NAMES)
def backbone(request, fetched_once):
    return load_backbone(request.param, with_top=True)


@pytest.fixture(scope="module")
def logits(backbone, photos):
    return np.asarray(backbone.model(photos))


def expected_logits(name: str, pictures_NHWC: np.ndarray) -> np.ndarray:
    """The logits of the network written apart, its blocks read off the names in the state dict."""
    if name == "efficientnet_lite0":
        weights = read_state_dict(EFFICIENTNET_LITE0.origin.find())
        strides = [2, *(1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1), 1]
        pairs = [("_expand_conv", "_bn0"), ("_depthwise_conv", "_bn1"), ("_project_conv", "_bn2")]
        blocks = [
            [(f"_blocks.{number}.{one}", f"_blocks.{number}.{two}") for one, two in pairs[number == 0 :]]
            for number in range(16)
        ]
        ends = [("_conv_stem", "_bn0")], [("_conv_head", "_bn1")]
        standardized, padding, classifier = (pictures_NHWC - 127.0) / 128.0, "same", "_fc"
    else:
        weights = read_state_dict(MOBILENET_V2.origin.find())
        strides = [2, *(1, 2, 1, 2, 1, 1, 2, 1, 1, 1, 1, 1, 1, 2, 1, 1, 1), 1]
        pairs = [("0.0", "0.1"), ("1.0", "1.1"), ("2", "3")]
        blocks = [
            [(f"features.{number}.conv.{one}", f"features.{number}.conv.{two}") for one, two in pairs]
            for number in range(2, 18)
        ]
        first = [
            ("features.1.conv.0.0", "features.1.conv.0.1"),
            ("features.1.conv.1", "features.1.conv.2"),
        ]
        blocks = [first, *blocks]
        ends = [("features.0.0", "features.0.1")], [("features.18.0", "features.18.1")]
        standardized = (pictures_NHWC / 255.0 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
        padding, classifier = "symmetric", "classifier.1"
    features = reference_features(
        weights,
        standardized.transpose(0, 3, 1, 2).astype(np.float64),
        pairs=[ends[0], *blocks, ends[1]],
        strides=strides,
        padding=padding,
    )
    return reference_logits(weights, features, classifier)


@pytest.mark.network
@pytest.mark.long
def test_logits_are_those_of_a_network_written_apart_in_numpy(backbone, photos, logits):
    expected = expected_logits(backbone.model.name, photos[:1])
    assert np.abs(logits[:1] - expected).max() < TOLERANCE


@pytest.mark.network
@pytest.mark.long
def test_photographs_are_recognised(backbone, logits):
    cat, coffee, rocket = np.argsort(-logits, axis=-1)
    assert cat[0] in CATS and set(cat[:5]) >= CATS
    assert coffee[0] in COFFEES and len(COFFEES & set(coffee[:5])) == 3
    assert ROCKETS & set(rocket[:3])
    assert backbone.names[coffee[0]] == "espresso"
    if backbone.model.name == "efficientnet_lite0":
        assert rocket[0] == 657 and backbone.names[657] == "missile"


@pytest.mark.network
@pytest.mark.long
def test_every_value_of_one_picture_is_traced(backbone, photos, logits):
    trace = openbook.trace(backbone.model, photos[:1])
    assert np.abs(trace["output"] - logits[:1]).max() < TOLERANCE
    assert trace["block_2_depthwise_relu6/output"].shape == (1, 56, 56, 96)
    assert trace["standardized_pictures/output"].shape == (1, 224, 224, 3)


@pytest.mark.network
@pytest.mark.long
def test_the_network_is_written_as_numpy_and_runs_as_such(backbone, photos, logits, tmp_path):
    openbook.to_numpy(backbone.model, photos[:1], path=tmp_path / "network.py")
    forward = runpy.run_path(str(tmp_path / "network.py"))["forward"]
    with np.load(tmp_path / "network.npz") as arrays:
        weights = {key.removeprefix("weights/"): arrays[key] for key in arrays if key.startswith("weights/")}
    assert np.abs(forward(photos[:1], weights) - logits[:1]).max() < TOLERANCE


@pytest.mark.network
@pytest.mark.long
def test_a_saved_network_says_the_same_in_safe_mode(backbone, photos, logits, tmp_path):
    backbone.model.save(tmp_path / "network.keras")
    assert np.abs(np.asarray(load_model(tmp_path / "network.keras")(photos)) - logits).max() < TOLERANCE


@pytest.mark.network
@pytest.mark.long
def test_features_are_what_the_classifier_sees_and_need_no_network_again(
    backbone, photos, logits, monkeypatch, tmp_path
):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    features = load_backbone(backbone.model.name, with_top=False)
    assert features.names is None
    assert features.model.output_shape == (None, 7, 7, 1280)
    kernel, bias = (np.asarray(weight) for weight in backbone.model.get_layer("logits").weights)
    pooled = np.asarray(features.model(photos)).mean(axis=(1, 2))
    assert np.abs(pooled @ kernel + bias - logits).max() < TOLERANCE


@pytest.mark.network
@pytest.mark.long
def test_the_names_are_in_the_order_of_the_classes(fetched_once):
    names = imagenet_names()
    assert len(names) == 1000
    assert (names[0], names[281], names[967], names[999]) == (
        "tench",
        "tabby cat",
        "espresso",
        "toilet paper",
    )


def test_what_cannot_be_fetched_is_named_with_a_way_out(tmp_path, monkeypatch):
    monkeypatch.setenv("OPENBOOK_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    for get, what in [
        (lambda: load_backbone("mobilenet_v2", with_top=False), "The weights of mobilenet_v2"),
        (imagenet_names, "The names of ImageNet's classes"),
    ]:
        with pytest.raises(FetchError, match=f"{what}: could not be fetched") as caught:
            get()
        assert "Connect to the network, or to an index that has" in str(caught.value)


def test_an_unknown_name_is_answered_with_the_known():
    with pytest.raises(
        UsageError, match=r"no backbone 'xception'; choose one of: efficientnet_lite0.*Xception"
    ):
        load_backbone("xception", with_top=True)


def test_the_names_are_distinct_and_a_backbone_stays_as_it_is():
    names = backbone_names()
    assert names[:2] == NAMES
    assert len(set(names)) == len(names)
    backbone = Backbone(model=None, input_size=224, names=None)
    with pytest.raises(dataclasses.FrozenInstanceError):
        backbone.input_size = 1
