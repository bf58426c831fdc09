"""Tests of numbers in words and of sparklines."""

import math

import pytest

from openbook.runs.readable import (
    bin_means,
    headline_score,
    plain_text,
    readable_duration,
    readable_score,
    readable_size,
    readable_value,
    score_text,
    sparkline,
)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.00 s"),
        (0.4242, "0.42 s"),
        (1.26, "1.3 s"),
        (59.94, "59.9 s"),
        (59.96, "1 min 00 s"),
        (90.4, "1 min 30 s"),
        (3599.6, "1 h 00 min"),
        (7500, "2 h 05 min"),
        (None, "–"),
        (-1, "–"),
        (math.nan, "–"),
        (math.inf, "–"),
        (True, "–"),
        ("3", "–"),
    ],
)
def test_durations(seconds: object, text: str) -> None:
    assert readable_duration(seconds) == text


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (999_600, "1.0 MB"),
        (13_100_000, "13.1 MB"),
        (5e15, "5000.0 TB"),
    ],
)
def test_sizes(size_bytes: int, text: str) -> None:
    assert readable_size(size_bytes) == text


def test_scores() -> None:
    assert readable_score("accuracy", 0.3125) == "31.2 %"
    assert readable_score("bits_per_byte", 1.88) == "1.880"
    assert readable_score("perplexity", 1234.0) == "1234"
    assert readable_score("perplexity", 123456.0) == "1.235e+05"
    assert readable_score("num_tokens", 12345) == "12,345"
    assert readable_score("loss", 4) == "4.000"
    assert readable_score("loss", None) == "–"
    assert readable_score("other", math.nan) == "–"


def test_headline_is_the_most_comparable_score_that_is_known() -> None:
    assert headline_score({"loss": 4.0, "accuracy": 0.5, "bits_per_byte": 2.0}) == ("bits_per_byte", 2.0)
    assert headline_score({"loss": 4.0, "accuracy": 0.5, "bits_per_byte": None}) == ("accuracy", 0.5)
    assert headline_score({"mean_iou": 0.5, "loss": math.nan}) == ("mean_iou", 0.5)
    assert headline_score({}) is None
    assert score_text({"mean_iou": 0.5}) == "0.5000 mean iou"
    assert score_text({}) == "–"


def test_values_fit_one_line() -> None:
    assert readable_value(0.1 + 0.2) == "0.3"
    assert readable_value([1, 2.5, None, True]) == "1, 2.5, –, yes"
    assert readable_value({"a": 1}) == "a=1"
    assert readable_value("two\nlines") == "two lines"


def test_control_characters_do_not_reach_the_terminal() -> None:
    assert plain_text("a\x1b[31mred\x07\u202e\tb\nc") == "a·[31mred··    b\nc"


def test_bins_are_means_of_equal_groups() -> None:
    assert bin_means([1, 2, 3, 4, 5, 6], 3) == [1.5, 3.5, 5.5]
    assert bin_means([1, 2], 40) == [1, 2]
    assert bin_means([1, None, math.nan, 3], 2) == [1, 3]
    assert bin_means([None, None, 3, 5], 2) == [4]
    assert bin_means([], 5) == []


def test_sparkline_goes_from_the_lowest_to_the_highest_bar() -> None:
    assert sparkline([8, 4, 2, 1]) == "█▄▂▁"
    assert sparkline([8, 4, 2, 1], ascii_only=True) == "#=._"
    assert sparkline(range(1000), width=8) == "▁▂▃▄▅▆▇█"
    assert sparkline([3.0, 3.0]) == "▅▅"
    assert sparkline([]) == ""
    assert sparkline([None, math.nan]) == ""
    assert sparkline([-1e308, 1e308]) == "▁█"
