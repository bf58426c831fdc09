"""Tables of every kind give the same texts, and damage is counted or named."""

import io
import json

import pytest

from openbook.data.files import Reason, UnusableFileError
from openbook.data.tables import read_table

# "quoted", a separator, a line end and letters of several scripts inside a text
BODIES = [
    'She said "no", twice.',
    "First line\nsecond; line",
    "Übung macht den Meister",
    "你好，世界 and more",
]
ROWS = [{"id": str(number), "body": body} for number, body in enumerate(BODIES)]


def csv_bytes(separator: str = ",", *, encoding: str = "utf-8", line_end: str = "\n") -> bytes:
    cells = [["id", "body"]] + [[row["id"], '"' + row["body"].replace('"', '""') + '"'] for row in ROWS]
    return line_end.join(separator.join(row) for row in cells).encode(encoding)


def parquet_bytes(rows: object, **dtypes: str) -> bytes:
    import polars

    frame = polars.DataFrame(rows)
    buffer = io.BytesIO()
    frame.cast({name: getattr(polars, dtype) for name, dtype in dtypes.items()}).write_parquet(buffer)
    return buffer.getvalue()


def json_lines(*rows: object) -> bytes:
    return "\n".join(json.dumps(row) for row in rows).encode()


def read(content: bytes, suffix: str, **settings):
    return read_table(content, suffix, max_bytes=1 << 30, **settings)


@pytest.mark.parametrize(
    ("content", "suffix"),
    [
        (csv_bytes(), ".csv"),
        (csv_bytes(";"), ".csv"),
        (csv_bytes("|"), ".csv"),
        (csv_bytes("\t"), ".csv"),
        (csv_bytes("\t"), ".tsv"),
        (csv_bytes(encoding="utf-8-sig"), ".csv"),
        (csv_bytes(encoding="utf-16"), ".csv"),
        (b"\n\n" + csv_bytes() + b"\n", ".csv"),
        (json_lines(*ROWS), ".jsonl"),
        (json_lines(*ROWS), ".ndjson"),
        (json_lines(*ROWS), ".json"),
        (json.dumps(ROWS, indent=1).encode(), ".json"),
        (json.dumps(ROWS, ensure_ascii=False).encode("utf-8-sig"), ".json"),
        (parquet_bytes(ROWS), ".parquet"),
        (parquet_bytes(ROWS, body="Categorical"), ".parquet"),
    ],
)
def test_every_kind_of_table_gives_the_same_texts(content, suffix):
    guessed = read(content, suffix)
    assert guessed.texts == BODIES
    assert (guessed.column, guessed.column_was_guessed, guessed.num_columns) == ("body", True, 2)
    chosen = read(content, suffix, text_column="body")
    assert (chosen.texts, chosen.column_was_guessed) == (BODIES, False)


def test_windows_line_ends_and_old_macintosh_ones():
    assert read(b"id,body\r\n1,one two\r\n2,three four\r\n", ".csv").texts == ["one two", "three four"]
    assert read(b"id,body\r1,one two\r2,three four\r", ".csv").texts == ["one two", "three four"]


def test_western_letters_are_read():
    table = read("id;body\n1;Größe und Maß\n2;Café au lait\n".encode("cp1252"), ".csv")
    assert table.texts == ["Größe und Maß", "Café au lait"]
    assert table.encoding == "cp1252 (guessed)"


def test_one_column_keeps_its_commas():
    assert read(b"text\nHello, world\nNo comma; here\n", ".csv").texts == ["Hello, world", "No comma; here"]


def test_text_with_commas_does_not_hide_the_semicolons():
    content = b"id;text;label\n1;a, b, c, d;x\n2;e, f;y\n"
    assert read(content, ".csv").texts == ["a, b, c, d", "e, f"]


def test_rows_that_do_not_fit_the_header_are_counted():
    table = read(b"id,text\n1,first text\n2,second, with a comma\n3,third text\n4,fourth text,\n5\n", ".csv")
    assert table.texts == ["first text", "third text", "fourth text", ""]
    assert table.num_malformed == 1


def test_stray_quotes_do_not_swallow_the_file():
    table = read(b'id,text\n1,a 5" disk\n2,second text\n3,"third" text\n', ".csv")
    assert len(table.texts) == 3
    table = read(b'id,text\n1,"never closed\n2,second text\n3,third text\n', ".csv")
    assert table.texts[1:] == ["second text", "third text"]


def test_a_very_long_field_is_read():
    assert [len(text) for text in read(b'id,text\n1,"' + b"long " * 100_000 + b'"\n2,b"c\n', ".csv").texts]


def test_repeated_and_missing_column_names_can_be_told_apart():
    assert read(b"text,text\na b,long text here\n", ".csv").texts == ["long text here"]
    assert read(b",\na b,long text here, and more\nc d,another long text\n", ".csv").num_malformed == 1


def test_space_around_a_name_in_the_header_need_not_be_given():
    table = read(b"id, text\n1, one text\n2, another text\n", ".csv", text_column="text")
    assert table.column == " text"
    assert len(table.texts) == 2


def test_malformed_json_lines_are_counted():
    content = json_lines(*ROWS) + b'\n{"id": 5, "body": \n[1, 2]\n\n' + b"[" * 5000 + b"\n"
    table = read(content, ".jsonl")
    assert (table.texts, table.num_malformed) == (BODIES, 3)


def test_json_lines_may_be_plain_strings_and_have_gaps():
    assert read(json_lines("one text", "two texts"), ".jsonl").texts == ["one text", "two texts"]
    table = read(json_lines({"body": "some text"}, {"other": 1}, {"body": None}, {"body": 5}), ".jsonl")
    assert table.texts == ["some text", "", "", ""]


def test_a_column_that_begins_late_is_found():
    rows = [{"id": number} for number in range(2000)] + [{"id": 1, "body": "late text"}]
    assert read(json_lines(*rows), ".jsonl", text_column="body").texts[-1] == "late text"


@pytest.mark.parametrize(
    ("header", "row", "expected"),
    [
        ("id,title,review", "1,Good film,A much longer text of several words", "review"),
        ("url,text", "https://example.org/a/very/long/address/of/a/page?with=query,short words", "text"),
        ("key,word", "1c2a9ff0-77aa-4a2b-9a3e-000000000001,dog", "key"),
        ("price,name", "123456789012345678901234567890,ab", "name"),
        ("decimal;name", "123456789012345678901234,5;ab", "name"),
        ("empty,text", ",some text", "text"),
    ],
)
def test_the_guess_prefers_long_texts_of_several_words(header, row, expected):
    assert read(f"{header}\n{row}\n{row}\n".encode(), ".csv").column == expected


def test_rows_can_be_kept_by_a_value():
    content = b"text,source\na b,imdb\nc d,other\ne f,imdb\n"
    assert read(content, ".csv", text_column="text", keep_rows=("source", "imdb")).texts == ["a b", "e f"]


@pytest.mark.parametrize(
    ("content", "suffix", "column", "reason", "said"),
    [
        (b"", ".csv", None, Reason.EMPTY, "0 bytes"),
        (b" \n \n", ".csv", None, Reason.EMPTY, "white space"),
        (b"id,text\n", ".csv", None, Reason.EMPTY, "a header and no rows"),
        (
            b"id,n\n1,2\n3,4\n",
            ".csv",
            None,
            Reason.NO_COLUMN,
            "none of its columns holds text; columns: id, n",
        ),
        (b"id,text\n1,\n3,\n", ".csv", None, Reason.NO_COLUMN, "none of its columns"),
        (b"id,text\n1,\n3,\n", ".csv", "text", Reason.NO_COLUMN, "column 'text' holds no text"),
        (csv_bytes(), ".csv", "id", Reason.NO_COLUMN, r"holds numbers \(0, 1\); columns with text: body"),
        (csv_bytes(), ".csv", "bdy", Reason.NO_COLUMN, "no column 'bdy', did you mean 'body'"),
        (csv_bytes(), ".csv", "BODY", Reason.NO_COLUMN, "did you mean 'body'"),
        (csv_bytes(), ".csv", "xyz", Reason.NO_COLUMN, "no column 'xyz'; columns: id, body"),
        (b"a,b\n1,2,3\n4,5,6\n", ".csv", None, Reason.DAMAGED, "2 of 2 rows have more fields"),
        (b"\x89PNG\r\n\x1a\n\x00", ".csv", None, Reason.BINARY, "PNG"),
        (b"not json\nat all\n", ".jsonl", None, Reason.DAMAGED, "2 of 2 rows are not JSON"),
        (b"\n\n", ".jsonl", None, Reason.EMPTY, "no rows"),
        (b'{"a": 1}', ".json", None, Reason.NO_COLUMN, "expected a JSON list"),
        (b"[1, 2", ".json", None, Reason.DAMAGED, "malformed JSON"),
        (b"[" * 100_000, ".json", None, Reason.DAMAGED, "malformed JSON"),
        (b"[]", ".json", None, Reason.EMPTY, "no rows"),
        (b"hello", ".parquet", None, Reason.DAMAGED, "not a complete Parquet file"),
        (b"PAR1" + b"x" * 100 + b"PAR1", ".parquet", None, Reason.DAMAGED, "unreadable Parquet"),
        (parquet_bytes(ROWS)[:-9], ".parquet", None, Reason.DAMAGED, "not a complete"),
        (parquet_bytes({"n": [1, 2]}), ".parquet", None, Reason.NO_COLUMN, "none of its"),
        (parquet_bytes({"n": [1]}), ".parquet", "n", Reason.NO_COLUMN, "holds no text"),
        (parquet_bytes({"text": []}, text="String"), ".parquet", None, Reason.EMPTY, "no rows"),
    ],
)
def test_what_is_no_table_of_texts_is_refused_with_its_reason(content, suffix, column, reason, said):
    with pytest.raises(UnusableFileError, match=said) as caught:
        read(content, suffix, text_column=column)
    assert caught.value.reason == reason


def test_a_small_parquet_file_that_stands_for_much_text_is_stopped():
    content = parquet_bytes({"text": ["many words " * 100] * 20_000})
    assert len(content) < 100_000
    with pytest.raises(UnusableFileError, match=r"column 'text' is over 1\.0 MiB"):
        read_table(content, ".parquet", max_bytes=1 << 20)
