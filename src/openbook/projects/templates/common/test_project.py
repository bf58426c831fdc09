"""Tests of this project: run them with `python -m pytest` in this folder."""

from pathlib import Path

import pytest

import data
import train


@pytest.fixture(scope="module")
def splits() -> data.Splits:
    """The data, read once."""
    return data.load()


# Of the run's own data; leave it out when you have put in yours.
def test_data_is_what_the_run_was_trained_on() -> None:
    assert data.fingerprint() == data.FINGERPRINT


#: if examples
def test_no_example_is_on_two_sides(splits: data.Splits) -> None:
    rows = [row for side in splits for row in side.rows.tolist()]
    assert len(rows) == len(set(rows))


#: end
# Of the run's own network and data; leave it out when you have changed them.
def test_weights_of_the_run_have_its_score(splits: data.Splits) -> None:
    path = Path(__file__).parent / "run.keras"
    numbers = train.score(train.keras.saving.load_model(path, compile=False), splits.test)
    # Sums of float32 in another order are all that differs.
    assert numbers == pytest.approx(train.RUN_SCORE, rel=2e-3, abs=1e-6)


#: if trained
def test_some_steps_on_one_batch_lower_the_loss(splits: data.Splits) -> None:
    model = train.compiled_model()
    for layer in model.layers:
        if isinstance(layer, train.keras.layers.Dropout):
            layer.rate = 0.0  # what is left out by chance would hide the steps
    batch = splits.train.batch_at(0, train.BATCH_SIZE, train.SEED)
    losses = [float(model.train_on_batch(*batch)) for _ in range(6)]
    assert min(losses[1:]) < losses[0]
    #: end
