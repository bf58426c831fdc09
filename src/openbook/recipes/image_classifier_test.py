"""The image classifier on a few tiny pictures: its networks, cached features, and inputs that are none."""

import io

import numpy as np
import pytest
from PIL import Image

from openbook.errors import DataError, Interrupted, UsageError
from openbook.recipes import image_classifier, make_recipe
from openbook.recipes.image_classifier import ImageClassifier
from openbook.recipes.session import resume, train
from openbook.runs import find_run
from openbook.saved_models import load_model
from openbook.training.checkpoint import load_latest
from openbook.training.reporter import Reporter

SMALL = {"side": 16, "num_filters": 2, "batch_size": 4, "steps": 4}


class StopsAt(Reporter):
    """Somebody presses Ctrl-C after a step."""

    def __init__(self, step):
        self.stop_step = step

    def step(self, progress):
        if progress.step == self.stop_step:
            raise KeyboardInterrupt


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Reddish and bluish noise, twelve pictures each."""
    rng = np.random.default_rng(0)
    folder = tmp_path_factory.mktemp("here") / "pictures"
    folder.mkdir()
    for position, name in ((0, "red"), (2, "blue")):
        (folder / name).mkdir()
        for number in range(12):
            pixels = rng.integers(0, 120, (20, 24, 3), dtype=np.uint8)
            pixels[..., position] += 120
            Image.fromarray(pixels).save(folder / name / f"{number}.png")
    return folder


@pytest.fixture(autouse=True)
def runs_folder(tmp_path, folder, monkeypatch):
    monkeypatch.setenv("OPENBOOK_RUNS", str(tmp_path / "runs"))
    # One cache for all tests: the machine is measured once.
    monkeypatch.setenv("OPENBOOK_CACHE", str(folder.parent / "cache"))


@pytest.fixture
def tiny_backbone(monkeypatch):
    """A frozen network of one convolution and a normalization in the place of a pretrained one."""

    def backbone(name, side):
        import keras

        initializer = keras.initializers.GlorotUniform(seed=1)
        pictures = keras.Input((side, side, 3), name="pictures")
        hidden = keras.layers.Conv2D(
            5, 3, strides=4, kernel_initializer=initializer, name="backbone_convolution"
        )(pictures)
        hidden = keras.layers.BatchNormalization(name="backbone_normalization")(hidden)
        model = keras.Model(pictures, hidden)
        model.trainable = False
        return model

    image_classifier._feature_function.cache_clear()
    monkeypatch.setattr(image_classifier, "_frozen_backbone", backbone)
    yield
    image_classifier._feature_function.cache_clear()


def trained(folder, **settings):
    recipe = make_recipe("image-classifier", {**SMALL, **settings, "data": str(folder)})
    return train(recipe, reporter=Reporter())


@pytest.mark.parametrize("model", ["convnet", pytest.param("xception", marks=pytest.mark.slow)])
def test_network_trains_answers_and_draws_its_mistakes(folder, model):
    result = trained(folder, model=model)
    assert result.run.is_complete
    assert 0 <= result.score["accuracy"] <= 1
    assert (result.run.samples_folder / "confusion.png").exists()
    answer = ImageClassifier.answer(result.run, str(folder / "red" / "1.png"))
    assert answer["answer"] in ("red", "blue")
    assert sum(answer["probabilities"].values()) == pytest.approx(1, abs=1e-5)


def test_augmentation_changes_pictures_in_training_only(folder):
    recipe = make_recipe("image-classifier", {**SMALL, "data": str(folder)})
    recipe = recipe.resolve(recipe.load_data(Reporter()))
    assert recipe.augmentation
    model = recipe.build_model({"classes": ["a", "b"], "shape": [16, 16, 3]})
    view = model.get_layer("random_view")
    pictures = np.random.default_rng(0).random((3, 16, 16, 3), np.float32)
    assert np.array_equal(view(pictures, training=False), pictures)
    seen = np.asarray(view(pictures, training=True))
    assert seen.shape == pictures.shape and not np.allclose(seen, pictures)


def test_view_that_may_change_nothing_changes_nothing(rng):
    from openbook.layers import RandomView

    pictures = rng.random((2, 7, 9, 3)).astype(np.float32)
    still = RandomView(mirrors=False, max_turn=0, max_zoom=0, max_shift=0, seed=1)
    np.testing.assert_allclose(still(pictures, training=True), pictures, atol=1e-6)
    mirrored = np.asarray(RandomView(max_turn=0, max_zoom=0, max_shift=0, seed=1)(pictures, training=True))
    for picture, seen in zip(pictures, mirrored, strict=True):
        # Float32 positions are a few millionths of a pixel off.
        assert np.allclose(seen, picture, atol=1e-4) or np.allclose(seen, picture[:, ::-1], atol=1e-4)


def test_cached_features_train_the_head_and_leave_the_backbone(folder, tiny_backbone):
    result = trained(folder, model="pretrained", steps=30, learning_rate=0.05)
    model = load_model(result.run.model_path)
    expected = image_classifier._frozen_backbone("", 16).get_layer("backbone_convolution")
    np.testing.assert_array_equal(model.get_layer("backbone_convolution").kernel, expected.kernel)
    assert result.score["accuracy"] == 1.0  # red and blue noise differ in their means
    answer = ImageClassifier.answer(result.run, str(folder / "red" / "1.png"))
    assert answer["answer"] == "red"
    # A checkpoint of the head fits the whole model, as the page loads it.
    arrays, _ = load_latest(result.run.checkpoints)
    assert [array.shape for array in arrays["trainable"]] == [
        weight.shape for weight in model.trainable_weights
    ]
    shapes = [tuple(variable.shape) for variable in model.non_trainable_variables]
    assert [array.shape for array in arrays["non_trainable"]] == shapes


def test_interrupted_run_of_cached_features_ends_as_one_that_was_not(folder, tiny_backbone):
    whole = trained(folder, model="pretrained", steps=6)
    recipe = make_recipe(
        "image-classifier", {**SMALL, "model": "pretrained", "data": str(folder), "steps": 6}
    )
    with pytest.raises(Interrupted):
        train(recipe, reporter=StopsAt(2), name="stopped")
    result = resume(find_run("stopped"), reporter=Reporter())
    assert result.score == whole.score


def test_fine_tuning_moves_the_last_layers_and_no_statistics(folder, tiny_backbone):
    result = trained(folder, model="pretrained", fine_tune=True, augmentation=False)
    assert result.run.section("settings")["learning_rate"] < 1e-3
    normalization = load_model(result.run.model_path).get_layer("backbone_normalization")
    assert not np.asarray(normalization.moving_mean).any()


def test_no_more_of_a_class_than_was_asked_for_is_read(folder):
    recipe = make_recipe("image-classifier", {**SMALL, "data": str(folder), "max_per_class": 5})
    data = recipe.load_data(Reporter())
    assert len(data.labels_N) == 10
    assert any("14 pictures; 5 of each class" in text for _, text in data.report.rows())


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("TIFF", {"mode": "CMYK"}),
        ("PNG", {"mode": "RGBA"}),
        ("PNG", {"mode": "I;16"}),
        ("GIF", {"moves": True}),
    ],
)
def test_input_may_be_a_picture_of_any_kind(tmp_path, kind, options):
    picture = Image.new("RGB", (30, 20), (200, 10, 10))
    mode = options.get("mode", "RGB")
    picture = picture.convert("L").convert("I;16") if mode == "I;16" else picture.convert(mode)
    more = {"save_all": True, "append_images": [Image.new("RGB", (30, 20))]} if "moves" in options else {}
    path = tmp_path / "picture.bin"
    picture.save(path, kind, **more)
    facts = {"shape": [16, 16, 3], "crop": "centre", "invert": "no"}
    array = ImageClassifier.read_input(facts, {}, str(path))
    assert array.shape == (1, 16, 16, 3) and array.dtype == np.float32


@pytest.mark.parametrize("content", [b"", b"no picture", None])
def test_input_that_is_no_picture_is_refused(tmp_path, content):
    path = tmp_path / "picture.png"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError, match="picture"):
        ImageClassifier.read_input({"shape": [16, 16, 3], "crop": "centre", "invert": "no"}, {}, str(path))


def test_one_picture_and_one_class_are_refused(tmp_path):
    buffer = io.BytesIO()
    Image.new("RGB", (9, 9)).save(buffer, "PNG")
    (tmp_path / "only").mkdir()
    (tmp_path / "only" / "1.png").write_bytes(buffer.getvalue())
    with pytest.raises(DataError, match="two or more"):
        make_recipe("image-classifier", {**SMALL, "data": str(tmp_path)}).load_data(Reporter())


@pytest.mark.parametrize(
    "settings",
    [
        {"model": "vgg"},
        {"side": 8},
        {"side": 500},
        {"dropout": 1.0},
        {"num_filters": 0},
        {"max_per_class": 1},
        {"fine_tune": True},
    ],
)
def test_settings_that_cannot_be_are_refused(settings):
    with pytest.raises(UsageError, match=f"--{next(iter(settings)).replace('_', '-')}"):
        make_recipe("image-classifier", settings)
