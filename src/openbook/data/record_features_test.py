"""Features of rows: by hand, frozen, and from what a person types."""

import datetime
import json

import numpy as np
import polars
import pytest

from openbook.data.record_features import apply, fit_features, row_of, row_text
from openbook.errors import UsageError


@pytest.fixture
def frame():
    return polars.DataFrame(
        {
            "size": [1.0, 2.0, 3.0, None],
            "town": ["Rome", "Rome", "Oslo", None],
            "new": [1.0, 0.0, 1.0, 0.0],
            "sold": [datetime.datetime(2024, 1, day) for day in (1, 2, 3, 4)],
        }
    )


KINDS = {"size": "number", "town": "category", "new": "boolean", "sold": "date"}


def fitted(frame, **kinds):
    # Frozen as in a run's folder.
    return json.loads(json.dumps(fit_features(frame, kinds or KINDS)))


def test_numbers_by_hand(frame):
    facts = fitted(frame.select("size"), size="number")
    assert facts["columns"] == ["size", "size (missing)"]
    # The median, 2, stands for the missing one; mean 2, standard deviation √½.
    expected = np.array([[-1, 0], [0, 0], [1, 0], [0, 1]]) * [np.sqrt(2), 1]
    np.testing.assert_allclose(apply(facts, frame), expected, rtol=1e-6)


def test_categories_have_a_feature_each_and_rare_ones_one_together():
    frame = polars.DataFrame({"town": ["Rome"] * 6 + ["Oslo"] * 5 + ["Bern", "Lima"]})
    facts = fitted(frame, town="category")
    assert facts["columns"] == ["town=Rome", "town=Oslo", "town=(other)"]
    rows = polars.DataFrame({"town": ["Rome", "Oslo", "Bern", "Paris", None]})
    np.testing.assert_array_equal(apply(facts, rows), [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 1], [0, 0, 0]])


def test_dates_become_numbers_and_what_is_constant_is_left_out(frame):
    assert fitted(frame)["columns"] == [
        "size",
        "size (missing)",
        "town=(other)",
        "town=(missing)",
        "new",
        "sold weekday",
        "sold seconds",
    ]


def test_every_feature_is_standardised(rng):
    frame = polars.DataFrame({"a": rng.normal(1e6, 3.0, 500), "b": rng.exponential(1e-12, 500)})
    features = apply(fitted(frame, a="number", b="number"), frame).astype(np.float64)
    # float32 keeps 24 bits of each.
    np.testing.assert_allclose(features.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(features.std(axis=0), 1, rtol=1e-6)


def test_huge_numbers_stay_finite():
    frame = polars.DataFrame({"a": [1e300, -1e300, 5e307, 0.0]})
    assert np.isfinite(apply(fitted(frame, a="number"), frame)).all()


def test_fitting_sees_the_training_rows_alone(frame):
    facts = fitted(frame[:3].select("size"), size="number")
    assert facts["columns"] == ["size"]
    assert apply(facts, frame)[3, 0] == 0  # missing where none was: the median


def test_row_from_names_in_any_case_with_what_is_left_out_told(frame):
    facts = fitted(frame)
    row, notes = row_of(facts, {"SIZE": "2,5", "new": "yes", "sold": "2024-01-02"})
    assert row.row(0) == (2.5, "Rome", 1.0, datetime.datetime(2024, 1, 2))
    assert notes == ["not given, so typical values stand for them: town=Rome"]


def test_left_out_is_not_missing_unless_most_rows_miss_it(frame):
    mostly = frame.with_columns(polars.Series("size", [1.0, None, None, None]))
    row, notes = row_of(fitted(mostly), {"town": ""})
    assert row["size"][0] is None
    assert row["town"][0] is None
    assert row["sold"][0] == datetime.datetime(2024, 1, 2, 12)
    assert "size=(missing), new=0.5, sold=2024-01-02 12:00:00" in notes[-1]


def test_row_beyond_what_was_learned_from_is_told(frame):
    _, notes = row_of(fitted(frame), {"size": 99, "town": "Paris", "new": 1, "sold": "2024-01-02"})
    assert any("size=99 lies outside" in note and "1 to 3" in note for note in notes)
    assert any("town=Paris is rare or new" in note for note in notes)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"siz": 1}, "Did you mean size"),
        ({"size": "big"}, "size is a number, not 'big'"),
        ({"new": "perhaps"}, "new is yes or no"),
        ({"sold": "soon"}, "sold is a date"),
    ],
)
def test_row_that_cannot_be_read_says_why(frame, given, message):
    with pytest.raises(UsageError, match=message):
        row_of(fitted(frame), given)


def test_target_and_columns_that_were_left_out_may_be_given(frame):
    facts = {**fitted(frame), "target": "price", "ignored": ["id"]}
    _, notes = row_of(facts, {"size": 1, "price": 3, "ID": 7})
    assert "price was given and is not used" in notes
    assert "ID was given and is not used" in notes


def test_features_are_told_as_a_person_would_write_them(frame):
    facts = fitted(frame)
    features = apply(facts, frame)
    assert row_text(facts, features[2]) == "size=3, town=(other), new=1, sold=2024-01-03"
    assert row_text(facts, features[3]) == "size=(missing), town=(missing), new=0, sold=2024-01-04"
    assert row_text(facts, features[0], num_fields=1) == "size=1, …"
