"""`openbook score-text` on a small run."""

import json

import pytest
from typer.testing import CliRunner

from openbook.cli.app import app
from openbook.errors import UsageError
from openbook.recipes.text_quality import cut_alike, order_told


def run_command(*arguments):
    result = CliRunner().invoke(app, ["score-text", *arguments, "-q"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_people_s_texts_are_cut_to_the_length_of_the_samples():
    assert cut_alike(["one two three four", "five  six", "seven"], ["a b", "a b c"]) == [
        "one two",
        "five  six",
    ]
    assert cut_alike(["one two"], [""]) == [""]


def test_samples_are_measured_beside_people_s_texts(small_run):
    found = json.loads(run_command(str(small_run.path), "--samples", "12", "--max-tokens", "24", "--json"))
    assert len(found["samples"]) == found["written"]["num_texts"] == 12
    # After eight steps it does not write words yet.
    assert found["written"]["unknown_words"] > found["human"]["unknown_words"] == 0.0
    assert 0 < found["human"]["distinct_2"] <= 1
    assert found["human"]["longest_copy"] >= 2
    again = json.loads(run_command(str(small_run.path), "--samples", "12", "--max-tokens", "24", "--json"))
    assert again == found
    printed = run_command(str(small_run.path), "--samples", "2", "--max-tokens", "8")
    assert "people" in printed
    assert "longest copy" in printed


def test_order_needs_sentences(small_run):
    assert order_told(small_run, ["one two. three"], seed=0) == (None, 0)
    share, number = order_told(small_run, ["the film. was a plot. is good. not bad."] * 3, seed=0)
    assert number == 3
    assert 0.0 <= share <= 1.0


def test_what_cannot_be_measured_is_said(small_run):
    with pytest.raises(UsageError, match="--samples must be 1 or more"):
        CliRunner().invoke(app, ["score-text", str(small_run.path), "--samples", "0"], catch_exceptions=False)
