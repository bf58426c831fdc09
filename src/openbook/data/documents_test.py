"""Loading texts: every kind of source gives documents, every kind of bad input a clear error or a count."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from openbook.data.archive_test import tar_bytes, zip_bytes
from openbook.data.documents import load_texts
from openbook.data.local import too_large_error
from openbook.errors import DataError, UsageError

TEXTS = ("One text about cats.", "Another text, about dogs.", "A third one about birds.")
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x01\x00"


def put(folder: Path, files: dict[str, bytes | str]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def csv_of(texts: tuple[str, ...]) -> str:
    return "id,body\n" + "".join(f'{number},"{text}"\n' for number, text in enumerate(texts))


def skipped(documents) -> dict[str, int]:
    return {group.reason: group.number for group in documents.report.skipped}


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.txt", "\n\n".join(TEXTS) + "\n", "blank lines separate the documents"),
        ("a.txt", "\r\n \r\n\r\n".join(TEXTS), "blank lines separate the documents"),
        ("a.md", "\n".join(TEXTS), "each line is a document"),
        ("a", "\n".join(TEXTS), "each line is a document"),
        ("a.csv", csv_of(TEXTS), "texts from column 'body' (guessed"),
        ("a.tsv", "body\tid\n" + "".join(f"{text}\t1\n" for text in TEXTS), "separated by tab"),
        ("a.jsonl", "".join(f'{{"body": "{text}"}}\n' for text in TEXTS), "JSON lines, 1 column"),
        ("a.zip", zip_bytes({f"{n}.txt": text.encode() for n, text in enumerate(TEXTS)}), "each a document"),
        ("a.zip", zip_bytes({"inner/a.csv": csv_of(TEXTS).encode()}), "texts from column 'body'"),
        ("a.zip", zip_bytes({"only.txt": "\n\n".join(TEXTS).encode()}), "blank lines separate"),
        (
            "a.tar.gz",
            tar_bytes({f"{n}.txt": text.encode() for n, text in enumerate(TEXTS)}),
            "each a document",
        ),
    ],
)
def test_every_kind_of_file_gives_the_same_documents(tmp_path, name, content, said):
    documents = load_texts(put(tmp_path, {name: content}) / name)
    assert documents.texts == TEXTS
    assert any(said in inferred for inferred in documents.report.inferred)
    assert documents.origin["kind"] == "file"
    assert len(documents.origin["sha256"]) == 64


def test_a_folder_gives_each_file_as_a_document_by_name(tmp_path):
    put(tmp_path / "texts", {"b/2.txt": TEXTS[2], "a.txt": TEXTS[0], "b/1.md": TEXTS[1], ".git/x": "hidden"})
    documents = load_texts(str(tmp_path / "texts"))
    assert documents.texts == TEXTS
    assert documents.origin["kind"] == "folder"
    assert skipped(documents) == {"hidden": 1}


def test_a_folder_may_hold_tables_and_texts(tmp_path):
    put(tmp_path / "texts", {"a.csv": csv_of(TEXTS[:2]), "b.txt": TEXTS[2], "c.jsonl": '"One more text."\n'})
    documents = load_texts(tmp_path / "texts")
    assert documents.texts == (*TEXTS, "One more text.")
    assert "a.csv: CSV, separated by comma, 2 columns" in documents.report.inferred[0]
    assert load_texts(tmp_path / "texts", text_column="body").texts == TEXTS


def test_duplicates_and_empty_documents_are_removed_and_counted(tmp_path):
    rows = (*TEXTS, TEXTS[0], "", "   ", TEXTS[0], "control\x07character")
    documents = load_texts(put(tmp_path, {"a.csv": csv_of(rows)}) / "a.csv")
    assert documents.texts == (*TEXTS, "controlcharacter")
    report = documents.report
    assert (report.num_duplicates, report.num_empty, report.num_control_characters) == (2, 2, 1)
    assert report.num_words == sum(len(text.split()) for text in documents.texts)
    assert report.num_bytes == sum(len(text.encode()) for text in documents.texts)
    assert report.scripts == (("Latin", 1.0),)
    assert len(report.examples) == 3


def test_mixed_encodings_are_read_file_by_file(tmp_path):
    russian = "Это первый текст на русском языке"
    files = {
        "1.txt": "Grüße in UTF-8".encode(),
        "2.txt": "Grüße mit Marke".encode("utf-8-sig"),
        "3.txt": "Grüße in UTF-16".encode("utf-16"),
        "4.txt": "Schöne Grüße aus einem alten Programm".encode("cp1252"),
        "5.txt": russian.encode(),
        "6.txt": russian.encode("cp1251"),
        "7.txt": b"",
        "8.png": PNG,
        "9.txt": b"\x00" * 100,
    }
    documents = load_texts(put(tmp_path / "texts", files))
    assert documents.texts == (
        "Grüße in UTF-8",
        "Grüße mit Marke",
        "Grüße in UTF-16",
        "Schöne Grüße aus einem alten Programm",
        russian,
    )
    assert skipped(documents) == {"undecodable": 1, "empty": 1, "binary, not text": 2}
    assert "UTF-8 in 3 files, UTF-16 in 1 file, cp1252 (guessed) in 1 file" in documents.report.inferred[-1]


def test_the_fingerprint_does_not_depend_on_order_or_container(tmp_path):
    put(tmp_path, {"a.txt": "\n".join(TEXTS), "b.txt": "\n".join(reversed(TEXTS)), "c.csv": csv_of(TEXTS)})
    fingerprints = {load_texts(tmp_path / name).fingerprint for name in ("a.txt", "b.txt", "c.csv")}
    assert len(fingerprints) == 1
    put(tmp_path, {"d.txt": "\n".join(TEXTS[:2])})
    assert load_texts(tmp_path / "d.txt").fingerprint not in fingerprints


def test_the_split_keeps_documents_on_their_side(tmp_path):
    lines = [f"This is line number {number}." for number in range(500)]
    put(tmp_path, {"a.txt": "\n".join(lines), "b.txt": "\n".join(reversed(lines[::2]))})
    documents = load_texts(tmp_path / "a.txt", held_out_share=0.2)
    training, held_out = documents.split()
    assert sorted(training + held_out) == sorted(lines)
    assert [line for line in lines if line in set(training)] == list(training)
    split = documents.report.split
    assert (split.held_out_share, split.num_training, split.num_held_out) == (
        0.2,
        len(training),
        len(held_out),
    )
    assert split.held_out_bytes == sum(map(len, held_out))
    assert set(load_texts(tmp_path / "b.txt").split(0.2)[1]) == set(held_out) & set(lines[::2])
    assert len(documents.split(held_out_share=0.1)[1]) < len(held_out)


def test_two_documents_are_one_on_each_side(tmp_path):
    for number in range(20):
        path = put(tmp_path, {"a.txt": f"text {number}\nanother {number}"}) / "a.txt"
        assert [len(side) for side in load_texts(path).split()] == [1, 1]


BAD_FILES = [
    ("empty.txt", b"", r"empty\.txt: empty: 0 bytes"),
    ("blank.txt", b" \n\n \t\n", r"blank\.txt: holds no text besides 1 empty one"),
    ("one.txt", b"only one document", r"one\.txt: holds only one document.*Expected two documents or more"),
    ("same.txt", b"same\nsame\nsame", r"only one document besides 2 duplicates"),
    ("photo.png", PNG, r"photo\.png: binary, not text: it is a PNG picture\. Give plain text"),
    ("photo.txt", PNG, r"it is a PNG picture"),
    ("nul.txt", b"\x00" * 1000, r"binary, not text: many NUL bytes"),
    ("nul.csv", b"text\n" + b"\x00" * 1000, r"binary, not text: many NUL bytes"),
    (
        "russian.txt",
        "русский текст в кодировке".encode("cp1251"),
        r"undecodable: not UTF-8.*Save it as UTF-8",
    ),
    ("null.csv", b"id,text\n1,\n2,\n", r"no usable text column.*columns: id, text\. Choose a column"),
    ("numbers.csv", b"a,b\n1,2\n3,4\n", r"none of its columns holds text"),
    ("bad.jsonl", b"{\n{\n{\n", r"damaged: 3 of 3 rows are not JSON objects"),
    ("bad.parquet", b"hello", r"damaged: not a complete Parquet file"),
    ("bad.zip", b"hello", r"bad\.zip: the archive is damaged"),
    ("empty.zip", zip_bytes({}), r"the archive holds no files"),
    ("up.zip", zip_bytes({"../up.txt": b"a\nb"}), r"up\.txt: unsafe name in an archive\. Unpack the archive"),
    ("png.zip", zip_bytes({"a.png": PNG}), r"png\.zip: a\.png: binary, not text: it is a PNG"),
    (
        "nested.zip",
        zip_bytes({"a.zip": zip_bytes({"a.txt": b"a"})}),
        r"archive inside a folder or an archive",
    ),
    ("cut.zip", zip_bytes({"a.txt": b"a\nb"})[:-5], r"cut\.zip: the archive is damaged"),
    ("bomb.zip", zip_bytes({"a.txt": b"0" * (20 << 20)}), r"as a zip bomb does; refused"),
    ("report.docx", b"PK\x03\x04\x14\x00\x06\x00" + bytes(50), r"a zip archive or an office document"),
    ("esc\x1b[31m.txt", b"", r"esc\\x1b\[31m\.txt: empty"),
]


@pytest.mark.parametrize(("name", "content", "said"), BAD_FILES, ids=[repr(name) for name, _, _ in BAD_FILES])
def test_a_bad_file_is_a_clear_error_and_alone_in_a_folder_too(tmp_path, name, content, said):
    folder = put(tmp_path / "folder", {name: content})
    with pytest.raises(DataError, match=said) as caught:
        load_texts(folder / name)
    assert "\x1b" not in str(caught.value)
    with pytest.raises(DataError) as caught:
        load_texts(folder)
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize(("name", "content", "said"), BAD_FILES, ids=[repr(name) for name, _, _ in BAD_FILES])
def test_a_bad_file_among_good_ones_is_counted(tmp_path, name, content, said):
    folder = put(tmp_path / "folder", {"good/1.txt": TEXTS[0], "good/2.txt": TEXTS[1], name: content})
    documents = load_texts(folder)
    assert set(documents.texts) >= set(TEXTS[:2])
    report = documents.report
    num_odd = sum(group.number for group in report.skipped) + report.num_empty
    assert num_odd == 1 or name in ("one.txt", "same.txt")
    assert "\x1b" not in repr(report.to_dict())


def test_a_missing_path_suggests_what_is_near(tmp_path, monkeypatch):
    put(tmp_path, {"reviews.csv": csv_of(TEXTS)})
    monkeypatch.chdir(tmp_path)
    for wrong, said in (
        ("review.csv", r"review\.csv: no such file or folder\. Did you mean reviews\.csv\?"),
        ("Reviews.CSV.", r"Did you mean reviews\.csv"),
        ("imbd", r"Did you mean imdb\?"),
        ("IMDB-FULL", r"Did you mean imdb-full"),
        ("nothing/like/it.txt", r"\(there is no nothing\)"),
        ("reviews.csv/inside.txt", r"reviews\.csv/inside\.txt"),
        ("zzzzzz", r"or a data set by name: imdb, imdb-full"),
        ("nul\x00byte", r"nul\\x00byte"),
        ("x" * 5000, r"too long"),
    ):
        with pytest.raises(DataError, match=said):
            load_texts(wrong)
    with pytest.raises(UsageError, match="Expected a path"):
        load_texts(" ")


def test_a_wrong_column_suggests_the_nearest(tmp_path):
    path = put(tmp_path, {"texts/a.csv": csv_of(TEXTS)}) / "texts" / "a.csv"
    for source in (path, path.parent):
        with pytest.raises(
            DataError, match=r"a\.csv: no column 'bod', did you mean 'body'\? columns: id, body"
        ):
            load_texts(source, text_column="bod")
    with pytest.raises(DataError, match=r"column 'id' holds numbers \(0, 1\); columns with text: body"):
        load_texts(path, text_column="id")


def test_a_column_where_there_is_none_is_wrong_use(tmp_path):
    path = put(tmp_path, {"a.txt": "\n".join(TEXTS)}) / "a.txt"
    with pytest.raises(UsageError, match="plain text has no columns"):
        load_texts(path, text_column="body")
    with pytest.raises(UsageError, match="Leave --text-column out"):
        load_texts("imdb", text_column="body")


@pytest.mark.parametrize("settings", [{"max_bytes": 0}, {"held_out_share": 0.0}, {"held_out_share": 1.0}])
def test_impossible_settings_are_wrong_use(tmp_path, settings):
    path = put(tmp_path, {"a.txt": "\n".join(TEXTS)}) / "a.txt"
    with pytest.raises(UsageError, match=r"expected .*, got"):
        load_texts(path, **settings)


def test_a_file_of_3_gigabytes_is_refused_before_it_is_read(tmp_path, monkeypatch):
    path = tmp_path / "large.txt"
    with path.open("wb") as file:
        file.truncate(3 << 30)
    real_open = Path.open

    def open_small(path: Path, *args, **settings):
        assert path.name != "large.txt", "it must not even be opened"
        return real_open(path, *args, **settings)

    monkeypatch.setattr(Path, "open", open_small)
    with pytest.raises(DataError, match=r"is 3\.0 GiB, the limit is 1\.0 GiB.*--max-bytes 3221225472"):
        load_texts(path)
    put(tmp_path, {"1.txt": TEXTS[0], "2.txt": TEXTS[1]})
    documents = load_texts(tmp_path)
    assert documents.texts == TEXTS[:2]
    assert skipped(documents) == {"too large": 1}
    assert documents.report.limits == ("at most 1.0 GiB are read; 1 file left out (--max-bytes)",)
    assert "--max-bytes" in str(too_large_error(path, size_bytes=10, max_bytes=5))


def test_a_folder_over_the_limit_is_read_up_to_it(tmp_path):
    put(tmp_path / "texts", {f"{number}.txt": f"{number} " * 20 for number in range(9)})
    documents = load_texts(tmp_path / "texts", max_bytes=100)
    assert len(documents.texts) == 2
    assert skipped(documents) == {"beyond the limit of all files together": 7}


needs_links = pytest.mark.skipif(sys.platform == "win32", reason="links and pipes need rights on Windows")


@needs_links
def test_links_are_followed_to_files_and_never_in_circles(tmp_path):
    folder = put(tmp_path / "texts", {"1.txt": TEXTS[0], "inner/2.txt": TEXTS[1]})
    put(tmp_path, {"outside.txt": TEXTS[2]})
    (folder / "3.txt").symlink_to(tmp_path / "outside.txt")
    (folder / "inner" / "loop").symlink_to(folder)
    (folder / "self").symlink_to("self")
    (folder / "ping").symlink_to("pong")
    (folder / "pong").symlink_to("ping")
    (folder / "gone").symlink_to("nowhere")
    documents = load_texts(folder)
    assert set(documents.texts) == set(TEXTS)
    assert skipped(documents) == {"link that was not followed": 5}
    with pytest.raises(DataError, match=r"self: .*(levels of symbolic links|loop)"):
        load_texts(folder / "self")
    with pytest.raises(DataError, match="is a link to something that is not there"):
        load_texts(folder / "gone")


@needs_links
def test_a_pipe_is_refused_and_never_waited_for(tmp_path):
    folder = put(tmp_path / "texts", {"1.txt": TEXTS[0], "2.txt": TEXTS[1]})
    os.mkfifo(folder / "pipe.txt")
    assert skipped(load_texts(folder)) == {"pipe, socket or device": 1}
    with pytest.raises(DataError, match="expected a file or a folder, got a pipe or a device"):
        load_texts(folder / "pipe.txt")
    with pytest.raises(DataError, match="got a pipe or a device"):
        load_texts("/dev/null")


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="needs permissions of files")
def test_what_may_not_be_read_is_skipped_or_named(tmp_path, monkeypatch):
    folder = put(
        tmp_path / "texts", {"1.txt": TEXTS[0], "2.txt": TEXTS[1], "secret.txt": "x", "locked/a.txt": "y"}
    )
    if os.geteuid() == 0:  # permissions mean nothing to root, so the refusal is played
        real_open, real_scandir = Path.open, os.scandir

        def refuse(path) -> None:
            if Path(path).name in ("secret.txt", "locked"):
                raise PermissionError(13, "Permission denied", str(path))

        monkeypatch.setattr(
            Path, "open", lambda path, *args, **kw: refuse(path) or real_open(path, *args, **kw)
        )
        monkeypatch.setattr(os, "scandir", lambda path: refuse(path) or real_scandir(path))
        monkeypatch.setattr(os, "access", lambda path, mode: Path(path).name != "secret.txt")
    else:
        (folder / "secret.txt").chmod(0)
        (folder / "locked").chmod(0)
    documents = load_texts(folder)
    assert documents.texts == TEXTS[:2]
    assert skipped(documents) == {"unreadable": 2}
    with pytest.raises(DataError, match=r"secret\.txt: may not be read"):
        load_texts(folder / "secret.txt")
    if os.geteuid() != 0:
        (folder / "locked").chmod(0o700)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not allow such names")
def test_names_that_are_not_utf8_can_be_reported(tmp_path):
    folder = put(tmp_path / "texts", {"1.txt": TEXTS[0], "2.txt": TEXTS[1]})
    Path(os.fsdecode(os.fsencode(folder) + b"/\xff.png")).write_bytes(PNG)
    report = load_texts(folder).report
    assert report.skipped[0].examples == ("\\udcff.png (it is a PNG picture)",)
    repr(report.to_dict()).encode()


def test_an_empty_folder_and_one_of_hidden_files(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"the folder is empty\. Expected texts"):
        load_texts(tmp_path / "empty")
    with pytest.raises(DataError, match=r"no file in it can be used \(1 hidden: \.a\.txt\)"):
        load_texts(put(tmp_path / "hidden", {".a.txt": "a\nb"}))


def test_ten_thousand_small_files_are_read(tmp_path):
    folder = tmp_path / "texts"
    folder.mkdir()
    for number in range(10_000):
        (folder / f"{number}.txt").write_bytes(b"text %d" % number)
    assert load_texts(folder).report.num_documents == 10_000


def test_a_name_goes_before_a_path_and_the_path_can_still_be_meant(tmp_path, monkeypatch):
    put(tmp_path, {"imdb": "\n".join(TEXTS)})
    monkeypatch.chdir(tmp_path)
    assert load_texts("./imdb").texts == TEXTS
    assert load_texts(Path("imdb")).texts == TEXTS


def test_importing_the_package_imports_nothing_heavy():
    heavy = "keras", "jax", "polars", "matplotlib", "rich", "numpy", "tokenizers"
    code = f"import sys, openbook.data; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_public_names_are_sorted():
    import openbook.data

    names = openbook.data.__all__
    assert names == sorted(names, key=lambda name: (not name.isupper(), name[0].islower(), name))
    assert all(hasattr(openbook.data, name) for name in names)
