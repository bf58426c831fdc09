"""Overlap of masks by hand, and masks as files."""

import dataclasses

import numpy as np
import pytest
from PIL import Image

from openbook.lenses.masks import draw_masks, ious_of, mask_picture, masks_of


def test_overlap_by_hand():
    truth = np.array([[[0, 0], [1, 1]], [[0, 0], [0, 0]]])
    answer = np.array([[[0, 1], [1, 1]], [[0, 0], [0, 0]]])
    # First picture: class 0 has 1 of 2 pixels, class 1 has 2 of 3. Second: class 1 is nowhere and does not count.
    assert ious_of(answer, truth, num_classes=2) == pytest.approx([(1 / 2 + 2 / 3) / 2, 1.0])


def test_mask_file_holds_classes_as_numbers(tmp_path):
    classes = np.array([[0, 1, 2], [2, 1, 0]])
    mask_picture(classes).save(tmp_path / "mask.png")
    with Image.open(tmp_path / "mask.png") as picture:
        assert np.array_equal(np.asarray(picture), classes)
    assert mask_picture(classes, size=(30, 20)).size == (30, 20)


def test_examples_are_drawn(tmp_path, rng):
    targets = rng.integers(0, 2, (2, 8, 8))
    masks = masks_of(np.eye(2)[targets], targets, ("a", "b"))
    assert masks.ious_N == pytest.approx([1.0, 1.0])
    path = tmp_path / "samples" / "masks.png"
    draw_masks(dataclasses.replace(masks, pictures_NHWC=rng.random((2, 8, 8, 3))), path)
    with Image.open(path) as picture:
        assert picture.size[0] > 100
