"""Series from tables: ways to write times and numbers, grids, gaps, guesses, and each table that is refused."""

import dataclasses
import gzip
import io
import zipfile

import numpy as np
import polars
import pytest

from openbook.data.series import load_series, series_of_frame
from openbook.data.series_catalog import SERIES_CATALOG
from openbook.data.time_split import split_in_time
from openbook.errors import DataError, UsageError

START = np.datetime64("2021-03-01T00:00")


def values(num_rows=200):
    return np.round(10 + 5 * np.sin(np.arange(num_rows) / 4) + np.arange(num_rows) % 7 / 10, 3)


def hours(num_rows=200):
    return [str(START + np.timedelta64(hour, "h")) for hour in range(num_rows)]


def table(header="time,warmth", rows=None, separator=","):
    rows = (
        [separator.join((time, f"{value}")) for time, value in zip(hours(), values(), strict=True)]
        if rows is None
        else rows
    )
    return "\n".join([header, *rows]) + "\n"


@pytest.fixture
def load(tmp_path):
    def load(content, name="table.csv", **options):
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return load_series(str(path), **{"window": 8, "horizon": 2, **options})

    return load


def facts(series, label):
    return " | ".join(text for name, text in series.report.facts if name == label)


# Times.


@pytest.mark.parametrize(
    "form",
    [
        "%Y-%m-%d %H:%M",
        "%Y-%m-%dT%H:%M:%SZ",
        "%Y-%m-%d %H:%M:%S+00:00",
        "%Y-%m-%dT%H:%M:%S.000",
        "%d.%m.%Y %H:%M",
        "%m/%d/%Y %I:%M %p",
        "%d/%m/%y %H:%M:%S",
        "%Y%m%d%H%M%S",
        "%Y%m%d %H%M%S",
        "%d %b %Y %H:%M",
    ],
)
def test_times_are_read_in_many_formats(load, form):
    stamps = [START.item() + np.timedelta64(hour, "h").item() for hour in range(700)]
    rows = [f"{stamp.strftime(form)},{value}" for stamp, value in zip(stamps, values(700), strict=True)]
    series = load(table(rows=rows))
    assert series.step.text == "1 hour"
    np.testing.assert_array_equal(
        series.stamps_T.astype("datetime64[us]"), START + np.arange(700).astype("timedelta64[h]")
    )


@pytest.mark.parametrize(
    ("unit", "factor"), [("seconds", 1), ("milliseconds", 1000), ("microseconds", 10**6)]
)
def test_epochs_are_read(load, unit, factor):
    first = int(START.astype("datetime64[s]").astype(int))
    rows = [f"{(first + 3600 * hour) * factor},{value}" for hour, value in enumerate(values())]
    series = load(table("timestamp,warmth", rows))
    assert facts(series, "Time").startswith(f"timestamp (epoch {unit}")
    assert series.stamps_T[1] - series.stamps_T[0] == 3600 * 10**6


def test_date_beside_time_and_decimal_commas_are_read(load):
    rows = [
        f"{time[8:10]}/{time[5:7]}/{time[:4]};{time[11:13]}.00.00;{value:.3f}".replace(
            f"{value:.3f}", f"{value:.3f}".replace(".", ",")
        )
        for time, value in zip(hours(), values(), strict=True)
    ]
    series = load(table("Date;Time;CO", rows))
    assert series.time_columns == ("Date", "Time")
    np.testing.assert_allclose(series.values_TC[:, 0], values(), rtol=1e-6)


def test_parts_of_the_time_are_put_together(load):
    rows = []
    for time, value in zip(hours(), values(), strict=True):
        rows.append(f"{time[:4]},{int(time[5:7])},{int(time[8:10])},{int(time[11:13])},{value}")
    series = load(table("year,month,day,hour,warmth", rows))
    assert series.time_columns == ("year", "month", "day", "hour")
    assert series.columns == ("warmth",)
    assert series.step.text == "1 hour"


def test_months_are_steps_of_the_calendar(load):
    rows = [f"{1950 + month // 12}-{month % 12 + 1:02d},{value}" for month, value in enumerate(values(144))]
    series = load(table("Month,Passengers", rows), window=12, horizon=1)
    assert series.step.text == "1 month"
    assert series.step.duration(12) == "1 year"
    assert len(series.values_TC) == 144
    assert not series.is_filled_T.any()


def test_days_and_months_that_could_change_places_are_told(load):
    rows = [
        f"0{day}/0{month}/2020,{value}"
        for month in range(1, 10)
        for day, value in zip(range(1, 10), values(9), strict=True)
    ]
    series = load(table("date,warmth", rows), window=2, horizon=1)
    assert any("could be read as" in warning for warning in series.report.warnings)


# Grids, gaps and numbers.


def test_unsorted_rows_and_duplicates_come_in_order(load):
    rows = [f"{time},{value}" for time, value in zip(hours(), values(), strict=True)]
    mixed = [*rows[100:], *rows[:100], f"{hours()[5]},{values()[5] + 2}"]
    series = load(table(rows=mixed))
    assert facts(series, "Sorted")
    assert "1 row of a time" in facts(series, "Cleaned")
    assert series.values_TC[5, 0] == pytest.approx(values()[5] + 1)
    np.testing.assert_allclose(np.delete(series.values_TC[:, 0], 5), np.delete(values(), 5), rtol=1e-6)


def test_rows_in_any_order_have_one_fingerprint(load):
    rows = [f"{time},{value}" for time, value in zip(hours(), values(), strict=True)]
    whole = load(table(rows=rows))
    assert load(table(rows=rows[::-1])).fingerprint == whole.fingerprint
    assert load(table(rows=[*rows[:-1], f"{hours()[-1]},99"])).fingerprint != whole.fingerprint


def test_irregular_times_are_moved_to_the_median_step(load):
    rng = np.random.default_rng(0)
    stamps = [START + np.timedelta64(600 * row + int(rng.integers(-60, 60)), "s") for row in range(1, 200)]
    series = load(table(rows=[f"{stamp},{value}" for stamp, value in zip(stamps, values(199), strict=True)]))
    assert abs(series.step.seconds - 600) < 10
    assert "were moved" in facts(series, "Grid")


def test_short_gaps_are_filled_and_windows_over_long_ones_left_out(load):
    rows = []
    for number, (time, value) in enumerate(zip(hours(), values(), strict=True)):
        if not 100 <= number < 120:
            rows.append(
                f"{time},{'NA' if number in (10, 11) else value},{'' if number == 30 else number % 5}"
            )
    series = load(table("time,warmth,other", rows), target="warmth")
    expected = np.interp([10, 11], [9, 12], values()[[9, 12]])
    np.testing.assert_allclose(series.values_TC[10:12, 0], expected, rtol=1e-6)
    assert series.values_TC[30, 1] == 29 % 5  # with what was known then
    assert list(np.flatnonzero(series.is_filled_T)) == [10, 11, 30, *range(100, 120)]
    assert list(np.flatnonzero(~series.is_usable_T)) == list(range(100, 120))
    starts = split_in_time(series, window=8, horizon=2, held_out_share=0.25)
    for start in np.r_[starts.train_N, starts.validation_N, starts.test_N]:
        assert series.is_usable_T[start : start + 10].all()
        assert series.is_measured_T[start + 7] and series.is_measured_T[start + 9]


def test_several_series_are_found_by_the_column_that_tells_them_apart(load):
    rows = [
        f"{place},{time},{value + shift}"
        for place, shift in (("north", 0), ("south", 9))
        for time, value in zip(hours(), values(), strict=True)
    ]
    series = load(table("place,time,warmth", rows))
    assert series.names == ("north", "south")
    assert series.bounds == ((0, 200), (200, 400))
    assert "place (guessed" in facts(series, "Series")
    starts = split_in_time(series, window=8, horizon=2, held_out_share=0.25)
    for start in np.r_[starts.train_N, starts.validation_N, starts.test_N]:
        assert start // 200 == (start + 9) // 200


def test_columns_that_tell_nothing_are_left_out_and_named(load):
    rows = [
        f"{number},{time},{value},7,{'' if number % 2 else 1},dry"
        for number, (time, value) in enumerate(zip(hours(), values(), strict=True))
    ]
    series = load(table("No,time,warmth,same,sparse,words", rows), target="warmth")
    assert series.columns == ("warmth",)
    left_out = facts(series, "Left out")
    assert "No: a row number" in left_out
    assert "same, sparse: constant" in left_out
    assert "words: text" in left_out


def test_no_window_crosses_a_border(load):
    series = load(table())
    starts = split_in_time(series, window=8, horizon=2, held_out_share=0.25)
    first, second = starts.borders
    assert series.stamps_T[starts.train_N + 9].max() < first
    assert series.stamps_T[starts.validation_N].min() >= first
    assert series.stamps_T[starts.validation_N + 9].max() < second
    assert series.stamps_T[starts.test_N].min() >= second
    assert len(starts.train_N) == pytest.approx(100 - 9, abs=1)


# Files.


def test_tables_are_read_from_parquet_gzip_zip_and_json(load):
    expected = load(table()).fingerprint
    frame = polars.DataFrame(
        {"time": [START.item() + np.timedelta64(hour, "h").item() for hour in range(200)], "warmth": values()}
    )
    parquet, archive = io.BytesIO(), io.BytesIO()
    frame.write_parquet(parquet)
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("inner.csv", table())
    assert load(parquet.getvalue(), "table.parquet").fingerprint == expected
    assert load(gzip.compress(table().encode()), "table.csv.gz").fingerprint == expected
    assert load(archive.getvalue(), "table.zip").fingerprint == expected
    assert load(frame.write_json(), "table.json").fingerprint == expected


def test_catalog_pins_what_it_can():
    origin = SERIES_CATALOG["weather"].source.origins[0]
    assert len(origin.sha256) == 64
    assert str(SERIES_CATALOG["jena"].source.origins[0]).endswith("jena_climate_2009_2016.csv.zip")


def test_frame_for_one_forecast_needs_the_same_columns():
    frame = polars.DataFrame({"time": hours(20), "warmth": [str(value) for value in values(20)]})
    asked = {"target": "warmth", "time_columns": ("time",), "series_column": None}
    assert len(series_of_frame(frame, "x", columns=("warmth",), window=20, **asked).values_TC) == 20
    with pytest.raises(DataError, match="lacks the column pressure"):
        series_of_frame(frame, "x", columns=("warmth", "pressure"), window=20, **asked)
    with pytest.raises(DataError, match="looks at the last 21"):
        series_of_frame(frame, "x", columns=("warmth",), window=21, **asked)


# What is refused.


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        ("warmth,words\n1,a\n2,b\n3,c\n", {}, "none of its columns can be read as times: warmth, words"),
        (table(), {"target": "warmht"}, "no column 'warmht'. Did you mean warmth\\?"),
        (table(), {"time_column": "tiem"}, "no column 'tiem'. Did you mean time\\?"),
        (table(), {"series_column": "place"}, "no column 'place'"),
        (table(), {"time_column": "warmth"}, "cannot be read as times"),
        (
            table(rows=[f"{time},dry" for time in hours()]),
            {"target": "warmth"},
            "no column of numbers; it holds 'dry'",
        ),
        (table(rows=[f"{time},dry" for time in hours()]), {}, "no column of numbers to forecast"),
        (table(rows=[f"{time},3" for time in hours()]), {"target": "warmth"}, "is 3 in all 200 rows"),
        (table(), {"window": 500}, "need at least 2,008.*--window 48"),
        (table(rows=["2020-01-01,1", "2020-01-02,2", "2020-01-03,4", "1620-01-01,4"]), {}, "steps of 1 day"),
        (
            table(rows=["2020-01-01,1", "2020-01-01,2"]),
            {"time_column": "time"},
            "fewer than three different times",
        ),
        ("time,warmth\n", {}, "a header and no rows"),
        ("", {}, "empty"),
    ],
)
def test_table_that_teaches_nothing_is_refused_with_a_way_out(load, content, options, message):
    with pytest.raises(DataError, match=message):
        load(content, **options)


def test_unknown_name_and_nothing_are_refused():
    with pytest.raises(DataError, match="Did you mean weather"):
        load_series("wether", window=8, horizon=2)
    with pytest.raises(UsageError, match="weather, jena"):
        load_series(" ", window=8, horizon=2)


def test_gaps_that_leave_no_window_are_told(load):
    series = load(table())
    with pytest.raises(DataError, match="test part holds no window"):
        split_in_time(
            dataclasses.replace(series, is_usable_T=series.stamps_T < series.stamps_T[150]),
            window=8,
            horizon=2,
            held_out_share=0.25,
        )
