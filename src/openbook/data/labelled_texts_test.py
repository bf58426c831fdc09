"""Texts with labels: every way to give them, and what is wrong with those that cannot be learned from."""

import json
import zipfile

import numpy as np
import polars
import pytest

from openbook.data.class_labels import MAX_CLASSES
from openbook.data.labelled_texts import load_labelled_texts
from openbook.data.split import split_by_content
from openbook.errors import DataError, UsageError

ROWS = [
    (f"{word} film number {number}", label)
    for number in range(5)
    for word, label in (("good", "pos"), ("bad", "neg"), ("odd", "mixed"))
]


def write(path, rows=ROWS, names=("text", "label")):
    """A table of the kind that the path's ending says."""
    columns = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
    match path.suffix:
        case ".csv" | ".tsv":
            polars.DataFrame(columns).write_csv(path, separator="\t" if path.suffix == ".tsv" else ",")
        case ".parquet":
            polars.DataFrame(columns).write_parquet(path)
        case ".json":
            path.write_text(json.dumps([dict(zip(names, row, strict=True)) for row in rows]))
        case ".jsonl":
            path.write_text("\n".join(json.dumps(dict(zip(names, row, strict=True))) for row in rows))
    return str(path)


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".json", ".jsonl", ".parquet"])
def test_table_is_read_with_its_columns_guessed_and_told(tmp_path, suffix):
    found = load_labelled_texts(write(tmp_path / f"texts{suffix}"))
    assert found.classes == ("mixed", "neg", "pos")
    assert len(found.texts) == 15
    assert found.labels.dtype == np.int32
    assert [found.classes[label] for label in found.labels[:3]] == ["pos", "neg", "mixed"]
    told = " ".join(text for _, text in found.report.rows())
    assert "--text-column" in told and "--target" in told
    assert found.report.numbers["classes"] == {"mixed": 5, "neg": 5, "pos": 5}


@pytest.mark.parametrize("suffix", [".json", ".parquet"])
def test_numbers_and_truth_values_are_classes(tmp_path, suffix):
    rows = [(f"text number {number}", number % 3) for number in range(9)]
    assert load_labelled_texts(write(tmp_path / f"numbers{suffix}", rows)).classes == ("0", "1", "2")
    rows = [(f"text number {number}", number % 2 == 0) for number in range(9)]
    assert load_labelled_texts(write(tmp_path / f"truth{suffix}", rows)).classes == ("false", "true")


@pytest.mark.parametrize("is_archive", [False, True])
def test_folder_or_zip_with_a_folder_per_class(tmp_path, is_archive):
    for number, (text, label) in enumerate(ROWS):
        (tmp_path / "texts" / label).mkdir(parents=True, exist_ok=True)
        (tmp_path / "texts" / label / f"{number}.txt").write_text(text)
    (tmp_path / "texts" / "readme.txt").write_text("not in a folder of a class")
    (tmp_path / "texts" / "pos" / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0")
    source = tmp_path / "texts"
    if is_archive:
        source = tmp_path / "texts.zip"
        with zipfile.ZipFile(source, "w") as archive:
            for path in (tmp_path / "texts").rglob("*.*"):
                archive.write(path, path.relative_to(tmp_path))
    found = load_labelled_texts(str(source))
    assert set(found.classes) >= {"mixed", "neg", "pos"}
    assert len(found.texts) == 15
    skipped = " ".join(text for label, text in found.report.rows() if label == "Skipped")
    assert "picture.png" in skipped


@pytest.mark.parametrize("form", ["list", "text list", "|", ";"])
def test_several_labels_a_text_are_found_out_and_told(tmp_path, form):
    own = [["a", "b"], ["b"], ["a"], ["a", "c"], ["c", "b"], ["c"]] * 2
    rows = [
        (
            f"text number {number}",
            labels if form == "list" else json.dumps(labels) if form == "text list" else form.join(labels),
        )
        for number, labels in enumerate(own)
    ]
    found = load_labelled_texts(write(tmp_path / ("t.json" if form == "list" else "t.csv"), rows))
    assert found.is_multi_label
    assert found.classes == ("a", "b", "c")
    np.testing.assert_array_equal(found.labels[0], [1, 1, 0])
    assert any("several labels" in text or "list of labels" in text for _, text in found.report.rows())


def test_separator_inside_a_label_is_no_separator(tmp_path):
    rows = [(f"text {number}", ("rock; hard", "jazz")[number % 2]) for number in range(8)]
    found = load_labelled_texts(write(tmp_path / "t.csv", rows))
    assert not found.is_multi_label
    assert found.classes == ("jazz", "rock; hard")


def test_same_text_is_kept_once_so_it_is_on_one_side(tmp_path):
    rows = [*ROWS, *ROWS, (ROWS[0][0], "neg")]
    found = load_labelled_texts(write(tmp_path / "t.csv", rows))
    assert len(found.texts) == 15
    assert any("other labels" in warning for warning in found.report.warnings)
    assert any("16 duplicates" in text for _, text in found.report.rows())
    sides = split_by_content(found.hashes, held_out_share=0.2)
    assert sorted(index for side in sides for index in side) == list(range(15))


def test_fingerprint_depends_on_texts_and_labels_and_not_on_their_order(tmp_path):
    one = load_labelled_texts(write(tmp_path / "1.csv")).fingerprint
    assert load_labelled_texts(write(tmp_path / "2.csv", ROWS[::-1])).fingerprint == one
    other = [(ROWS[0][0], "neg"), *ROWS[1:]]
    assert load_labelled_texts(write(tmp_path / "3.csv", other)).fingerprint != one


def test_empty_texts_and_missing_labels_are_left_out_and_counted(tmp_path):
    rows = [*ROWS, ("  ", "pos"), ("without a label", None)]
    cleaned = dict(load_labelled_texts(write(tmp_path / "t.csv", rows)).report.rows())["Cleaned"]
    assert "1 empty text" in cleaned and "1 text without a label" in cleaned


def test_class_with_one_text_is_left_out_and_told(tmp_path):
    found = load_labelled_texts(write(tmp_path / "t.csv", [*ROWS, ("alone", "lone")]))
    assert "lone" not in found.classes
    assert len(found.texts) == 15
    assert any("lone" in warning for warning in found.report.warnings)


def test_one_class_is_refused(tmp_path):
    rows = [(text, "pos") for text, _ in ROWS]
    with pytest.raises(DataError, match=r"one class \('pos'\).*needs two or more.*--target"):
        load_labelled_texts(write(tmp_path / "t.csv", rows))


def test_label_column_of_thousands_of_values_is_refused(tmp_path):
    rows = [(f"text number {number}", f"id {number // 2}") for number in range(2 * MAX_CLASSES + 20)]
    with pytest.raises(DataError, match="Is another column the label"):
        load_labelled_texts(write(tmp_path / "t.csv", rows))
    rows = [(f"text number {number}", f"id {number}") for number in range(100)]
    with pytest.raises(DataError, match=r"100 different labels.*Is another column the label"):
        load_labelled_texts(write(tmp_path / "u.csv", rows))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"target": "lable"}, "no column 'lable', did you mean 'label'"),
        ({"text_column": "txet"}, "no column 'txet', did you mean 'text'"),
        ({"target": "text", "text_column": "text"}, "both text and label"),
    ],
)
def test_missing_column_names_what_is_near(tmp_path, given, message):
    with pytest.raises(DataError, match=message):
        load_labelled_texts(write(tmp_path / "t.csv"), **given)


def test_chosen_columns_go_before_what_would_be_guessed(tmp_path):
    rows = [
        (text, label, f"{text} in short, and longer", "xy"[n % 2]) for n, (text, label) in enumerate(ROWS)
    ]
    path = write(tmp_path / "t.csv", rows, ("short", "label", "long", "other"))
    assert load_labelled_texts(path).texts[0].endswith("longer")
    chosen = load_labelled_texts(path, text_column="short", target="other")
    assert chosen.texts[0] == ROWS[0][0]
    assert chosen.classes == ("x", "y")


def test_all_texts_empty_is_refused(tmp_path):
    rows = [(" ", label) for _, label in ROWS]
    with pytest.raises(DataError, match=r"empty|no text|holds no"):
        load_labelled_texts(write(tmp_path / "t.json", rows), text_column="text", target="label")


def test_table_without_labels_is_refused(tmp_path):
    with pytest.raises(DataError, match="no column besides the texts"):
        load_labelled_texts(write(tmp_path / "t.csv", [(text,) for text, _ in ROWS], ("text",)))


@pytest.mark.parametrize("name", ["t.parquet", "t.zip", "t.csv"])
def test_unreadable_file_says_what_is_wrong(tmp_path, name):
    (tmp_path / name).write_bytes(b"\x00\x01\x02damaged" * 20)
    with pytest.raises(DataError) as told:
        load_labelled_texts(str(tmp_path / name))
    assert name in str(told.value)


def test_missing_path_names_data_sets_that_are_near():
    with pytest.raises(DataError, match="imdb"):
        load_labelled_texts("imbd")


def test_columns_of_a_known_data_set_are_not_chosen():
    with pytest.raises(UsageError, match="known"):
        load_labelled_texts("imdb", target="label")
