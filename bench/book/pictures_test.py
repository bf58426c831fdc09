"""The book's networks for pictures: their size, and that a picture's answer depends on that picture alone."""

import numpy as np
import pytest

from bench.book import image_classifier, segmentation
from bench.segmentation import mean_iou
from openbook.supervised.goals import Segmentation

pytestmark = pytest.mark.long

SIDE = 80


@pytest.fixture(scope="module")
def pictures():
    return np.random.default_rng(0).integers(0, 256, (2, SIDE, SIDE, 3)).astype(np.float32)


@pytest.fixture(scope="module", params=["convnet", "xception", "segmentation"])
def model(request):
    if request.param == "segmentation":
        return segmentation.build(side=SIDE, num_classes=3)
    return image_classifier.build(request.param, side=SIDE, num_classes=3)


@pytest.mark.parametrize("name", image_classifier.MODELS)
def test_classifiers_have_the_published_number_of_parameters(name):
    network = image_classifier.build(name, side=image_classifier.PUBLISHED_SIDE, num_classes=1)
    assert network.count_params() == image_classifier.NUM_PARAMETERS[name]


def test_segmentation_has_the_published_number_of_parameters():
    assert segmentation.build(side=SIDE, num_classes=3).count_params() == segmentation.NUM_PARAMETERS


def test_answers_are_probabilities_of_a_picture_or_of_each_pixel(model, pictures):
    answers = np.asarray(model(pictures, training=False))
    assert answers.shape in ((2, 3), (2, SIDE, SIDE, 3))
    # Float32 sums of three numbers.
    np.testing.assert_allclose(answers.sum(axis=-1), 1.0, atol=1e-6)


def test_a_picture_does_not_see_its_neighbour(model, pictures):
    other = pictures.copy()
    other[1] = 255 - other[1]
    before, after = (np.asarray(model(each, training=False)) for each in (pictures, other))
    np.testing.assert_allclose(before[0], after[0], atol=1e-6)
    assert np.abs(before[1] - after[1]).max() > 1e-6


def test_pictures_are_changed_in_training_alone(pictures):
    layer = image_classifier.augmentation()
    np.testing.assert_array_equal(layer(pictures, training=False), pictures)
    assert np.abs(np.asarray(layer(pictures, training=True)) - pictures).max() > 1.0


def test_files_give_each_picture_once_an_epoch_with_its_label(tmp_path):
    from PIL import Image

    paths = []
    for number in range(40):
        paths.append(tmp_path / f"{number}.png")
        Image.new("RGB", (8, 8), (number, 0, 0)).save(paths[-1])
    files = image_classifier.from_files(paths, np.arange(40), side=8, seed=0)
    orders = []
    for _ in range(2):
        batches = [files[index] for index in range(len(files))]
        pictures, labels = (np.concatenate(each) for each in zip(*batches, strict=True))
        assert pictures.shape == (40, 8, 8, 3)
        np.testing.assert_array_equal(pictures[:, 0, 0, 0], labels)
        orders.append(labels.tolist())
        files.on_epoch_end()
    assert sorted(orders[0]) == sorted(orders[1]) == list(range(40))
    assert orders[0] != orders[1]


def test_mean_iou_of_a_picture_half_right():
    targets_NHW = np.array([[[0, 0], [1, 1]]])
    said_NHWC = np.eye(2, dtype=np.float32)[np.array([[[0, 0], [0, 1]]])]
    # The first class: 2 of 3 pixels; the second: 1 of 2.
    assert mean_iou(Segmentation(classes=("a", "b")), said_NHWC, targets_NHW) == pytest.approx(
        (2 / 3 + 1 / 2) / 2
    )
