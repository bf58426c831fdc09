"""The report says everything, fits a narrow terminal, and is safe to print."""

import io
import json
from dataclasses import replace

import pytest

from openbook.data.report import SkippedFiles, TextReport
from openbook.data.split import SplitSizes

REPORT = TextReport(
    source="reviews",
    origin="folder /home/reader/a/rather/long/path/of/many/folders/to/the/very/reviews",
    inferred=("3 text files, each a document", "encoding: UTF-8 in 2 files, cp1252 (guessed) in 1 file"),
    num_documents=1234,
    num_bytes=5 << 20,
    num_words=900_000,
    median_document_bytes=900,
    longest_document_bytes=90_000,
    scripts=(
        ("Latin", 0.9),
        ("Greek", 0.05),
        ("Han", 0.02),
        ("Thai", 0.01),
        ("Arabic", 0.01),
        ("Hebrew", 0.01),
    ),
    num_duplicates=1,
    num_empty=2,
    num_malformed_rows=0,
    num_control_characters=7,
    skipped=(
        SkippedFiles(reason="binary, not text", number=9, examples=("a[red].png (it is a PNG picture)",)),
    ),
    limits=("at most 1.0 GiB are read; 1 file left out (--max-bytes)",),
    split=SplitSizes(
        held_out_share=0.1,
        num_training=1110,
        num_held_out=124,
        training_bytes=4 << 20,
        held_out_bytes=1 << 20,
    ),
    examples=("The first one. " * 10, "[bold]second[/bold]", "日本語のとても長い文章です" * 6),
    fingerprint="0123456789abcdef" * 4,
)


def rendered(report: TextReport, width: int) -> str:
    from rich.console import Console

    output = io.StringIO()
    report.render(Console(file=output, width=width, color_system=None))
    return output.getvalue()


@pytest.mark.parametrize("width", [40, 60, 100])
def test_no_line_is_wider_than_the_terminal(width):
    from rich.cells import cell_len

    lines = rendered(REPORT, width).splitlines()
    assert {cell_len(line) for line in lines} == {width}


def test_everything_is_said():
    text = " ".join(rendered(REPORT, 200).split())
    for said in (
        "reviews, from folder",
        "3 text files",
        "cp1252 (guessed) in 1 file",
        "1,234",
        "5.0 MiB, 900,000 words",
        "half are under 900 bytes, the longest has 87.9 KiB",
        "Latin 90.0%, Greek 5.0%, Han 2.0%, Thai 1.0%, Arabic 1.0% and 1 more",
        "1 duplicate, 2 empty documents, 7 control characters",
        "9 files, binary, not text: a[red].png (it is a PNG picture) and 8 more",
        "at most 1.0 GiB are read",
        "1,110 to train on (4.0 MiB), 124 held out (1.0 MiB)",
        "0123456789abcdef",
        "[bold]second[/bold]",
    ):
        assert said in text
    assert "Title" not in text


def test_a_known_data_set_says_its_title_and_licence():
    text = rendered(replace(REPORT, title="Film reviews", licence="CC0"), 100)
    assert "Film reviews" in text
    assert "CC0" in text


def test_the_dictionary_is_plain_and_whole():
    plain = REPORT.to_dict()
    assert json.loads(json.dumps(plain)) == plain
    assert plain["scripts"][0] == ["Latin", 0.9]
    assert plain["split"]["num_held_out"] == 124
    assert plain["skipped"][0]["number"] == 9
