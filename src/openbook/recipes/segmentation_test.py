"""Segmentation on a few tiny pictures: both networks, the mask that is written, and inputs that are none."""

import numpy as np
import pytest
from PIL import Image

from openbook.errors import DataError, UsageError
from openbook.recipes import make_recipe
from openbook.recipes.segmentation import SegmentationRecipe
from openbook.recipes.session import train
from openbook.training.reporter import Reporter

SMALL = {"side": 16, "num_filters": 2, "batch_size": 4, "steps": 3}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A bright square somewhere on noise, twelve times."""
    rng = np.random.default_rng(0)
    folder = tmp_path_factory.mktemp("here") / "masked"
    folder.mkdir()
    for number in range(12):
        pixels, mask = rng.integers(0, 120, (24, 30, 3), dtype=np.uint8), np.zeros((24, 30), np.uint8)
        top, left = rng.integers(0, 12, 2)
        pixels[top : top + 9, left : left + 9] = 230
        mask[top : top + 9, left : left + 9] = 255
        Image.fromarray(pixels).save(folder / f"{number}.png")
        Image.fromarray(mask).save(folder / f"{number}_mask.png")
    return folder


@pytest.fixture(autouse=True)
def runs_folder(tmp_path, folder, monkeypatch):
    monkeypatch.setenv("OPENBOOK_RUNS", str(tmp_path / "runs"))
    # One cache for all tests: the machine is measured once.
    monkeypatch.setenv("OPENBOOK_CACHE", str(folder.parent / "cache"))


@pytest.mark.parametrize("model", ["unet", pytest.param("encoder-decoder", marks=pytest.mark.slow)])
def test_network_trains_and_writes_a_mask_of_the_picture_s_size(folder, tmp_path, model):
    recipe = make_recipe("segmentation", {**SMALL, "model": model, "data": str(folder)})
    result = train(recipe, reporter=Reporter())
    assert set(result.score) >= {"iou", "accuracy", "loss"}
    assert (result.run.samples_folder / "masks.png").exists()
    given = tmp_path / "mine.png"
    given.write_bytes((folder / "1.png").read_bytes())
    answer = SegmentationRecipe.answer(result.run, str(given))
    assert sum(answer["shares"].values()) == pytest.approx(1, abs=1e-5)
    assert not (tmp_path / "mine_predicted_mask.png").exists()
    said = "".join(SegmentationRecipe.use(result.run, str(given)))
    assert "mine_predicted_mask.png" in said
    with Image.open(tmp_path / "mine_predicted_mask.png") as mask:
        assert mask.size == (30, 24)
        share = np.mean(np.asarray(mask) == 1)
    # The mask was predicted at 16 × 16, so that its borders are a pixel off at most.
    assert share == pytest.approx(answer["shares"]["object"], abs=0.1)


def test_square_on_noise_is_learned(folder):
    recipe = make_recipe(
        "segmentation", {**SMALL, "num_filters": 4, "data": str(folder), "steps": 60, "learning_rate": 0.02}
    )
    result = train(recipe, reporter=Reporter())
    assert result.score["iou"] > 0.7  # a bright square is told by brightness alone


@pytest.mark.parametrize("content", [b"", b"no picture", None])
def test_input_that_is_no_picture_is_refused(tmp_path, content):
    path = tmp_path / "picture.png"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError, match="picture"):
        SegmentationRecipe.read_input({"shape": [16, 16, 3], "crop": "whole", "invert": "no"}, {}, str(path))


def test_pictures_without_masks_are_refused(tmp_path):
    Image.new("RGB", (9, 9)).save(tmp_path / "1.png")
    with pytest.raises(DataError, match=r"x_mask\.png"):
        make_recipe("segmentation", {**SMALL, "data": str(tmp_path)}).load_data(Reporter())


@pytest.mark.parametrize("settings", [{"model": "fcn"}, {"side": 20}, {"side": 8}, {"num_filters": 0}])
def test_settings_that_cannot_be_are_refused(settings):
    with pytest.raises(UsageError, match=f"--{next(iter(settings)).replace('_', '-')}"):
        make_recipe("segmentation", settings)
