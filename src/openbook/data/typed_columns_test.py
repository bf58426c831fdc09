"""Columns typed from texts: every way of writing numbers, dates, yes and no, and nothing."""

import datetime

import polars
import pytest

from openbook.data.typed_columns import as_numbers, has_decimal_commas, typed_column


@pytest.mark.parametrize(
    ("texts", "numbers", "note"),
    [
        (["1", "2.5", "-3e2", " 4 "], [1, 2.5, -300, 4], ""),
        (["1,5", "2,25", "3"], [1.5, 2.25, 3], "decimal commas"),
        (["1.234,5", "2.000.000,25", "7"], [1234.5, 2000000.25, 7], "decimal commas"),
        (["1,234", "2,000,000.5", "7"], [1234, 2000000.5, 7], "thousands separated by a comma"),
        (["1 234,5", "2\u00a0000", "3\u202f000"], [1234.5, 2000, 3000], "decimal commas"),
        (["1'234.5", "2’000"], [1234.5, 2000], ""),
        (["$1,200.50", "€3", "12 €"], [1200.5, 3, 12], "thousands separated by a comma"),
        (["12%", "3.5 %"], [12, 3.5], ""),
        (["1", "n/a", "", "-", "?", "NaN", None, "2"], [1, *[None] * 6, 2], ""),
    ],
)
def test_numbers_as_people_write_them(texts, numbers, note):
    column = typed_column(texts)
    assert column.kind == "number"
    assert column.values.to_list() == numbers
    assert column.note == note
    assert column.num_odd == 0


def test_what_other_columns_say_decides_what_one_comma_or_dot_means():
    assert typed_column(["1,234", "5,678"]).values.to_list() == [1234, 5678]
    assert typed_column(["1,234", "5,678"], decimal_commas=True).values.to_list() == [1.234, 5.678]
    assert typed_column(["1.234", "12"]).values.to_list() == [1.234, 12]
    assert typed_column(["1.234", "12"], decimal_commas=True).values.to_list() == [1234, 12]
    assert has_decimal_commas(["0,5", "12"])
    assert not has_decimal_commas(["1,234", "12"])
    assert not has_decimal_commas(["a,5", "b"])


def test_few_odd_values_count_as_missing_and_are_told():
    column = typed_column([*map(str, range(40)), "broken", "1e999"])
    assert column.kind == "number"
    assert column.values.to_list()[-2:] == [None, None]
    assert (column.num_odd, column.odd) == (2, ("broken", "1e999"))


def test_texts_in_most_rows_are_categories():
    column = typed_column(["1", "2", "red", "green"])
    assert column.kind == "category"
    assert as_numbers(column.values).num_odd == 2


def test_codes_with_leading_zeros_are_no_numbers():
    assert typed_column(["01067", "80331", "10115"]).kind == "category"


@pytest.mark.parametrize(
    ("texts", "first"),
    [
        (["2024-05-31", "1999-01-02"], datetime.datetime(2024, 5, 31)),
        (["31.05.2024", "02.01.1999"], datetime.datetime(2024, 5, 31)),
        (["05/31/2024", "01/02/1999"], datetime.datetime(2024, 5, 31)),
        (["31/05/2024", "02/01/1999"], datetime.datetime(2024, 5, 31)),
        (["2024-05-31T13:45:10.123Z", "1999-01-02T00:00:00Z"], datetime.datetime(2024, 5, 31, 13, 45, 10)),
        (
            ["2024-05-31 13:45:10+02:00", "1999-01-02 00:00:00+01:00"],
            datetime.datetime(2024, 5, 31, 13, 45, 10),
        ),
        (["31.05.2024 13:45", None], datetime.datetime(2024, 5, 31, 13, 45)),
        (["May 31, 2024", "Jan 2, 1999"], datetime.datetime(2024, 5, 31)),
    ],
)
def test_dates_as_people_write_them(texts, first):
    column = typed_column(texts)
    assert column.kind == "date"
    assert column.values[0] == first


def test_date_that_can_be_read_two_ways_is_told():
    assert "month/day" in typed_column(["01/02/2024", "03/04/2024"]).note
    assert not typed_column(["01/31/2024", "03/04/2024"]).note


def test_two_words_for_yes_and_no_are_numbers():
    column = typed_column(["Yes", "no", None, "YES"])
    assert column.kind == "boolean"
    assert column.values.to_list() == [1, 0, None, 1]


def test_values_that_are_typed_already():
    assert typed_column(polars.Series([1, 2, None])).values.to_list() == [1.0, 2.0, None]
    assert typed_column(polars.Series([1.0, float("nan"), float("inf")])).values.to_list() == [
        1.0,
        None,
        None,
    ]
    assert typed_column([True, False]).kind == "boolean"
    assert typed_column([1, 2.5, None]).kind == "number"
    assert typed_column([10**400, 1]).values.to_list() == [None, 1.0]
    assert typed_column([1, "2", None]).kind == "number"
    assert typed_column([[1], [2]]).kind == "nested"
    assert typed_column([{"a": 1}]).kind == "nested"
    assert typed_column([None, None]).kind == "empty"
    assert typed_column(polars.Series([datetime.date(2024, 5, 31)])).kind == "date"
    assert typed_column(polars.Series(["a"], dtype=polars.Categorical)).kind == "category"
