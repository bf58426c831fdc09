"""Tests of this project: run them with `python -m pytest` in this folder."""

import pytest

import data
import train


@pytest.fixture(scope="module")
def splits() -> data.Splits:
    """The data, read once."""
    return data.load()


def test_data_is_what_the_run_was_trained_on() -> None:
    assert data.fingerprint() == data.FINGERPRINT


def test_no_picture_is_on_two_sides(splits: data.Splits) -> None:
    sides = [{picture.tobytes() for picture in side.pictures} for side in splits]
    assert sum(map(len, sides)) == len(set().union(*sides))


def test_output_has_one_number_for_each_class(splits: data.Splits) -> None:
    assert train.build_model()(splits.train.pictures[:2]).shape == (2, len(data.CLASSES))


def test_one_step_lowers_the_loss(splits: data.Splits) -> None:
    model = train.compiled_model()
    for layer in model.layers:
        if isinstance(layer, train.keras.layers.Dropout):
            layer.rate = 0.0  # what is left out by chance would hide the step
    inputs, targets = splits.train.pictures[:64], splits.train.labels[:64]
    before, after = (float(model.train_on_batch(inputs, targets)[0]) for _ in range(2))
    assert after < before
