"""The tokenizer gives back every text it was given."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openbook.errors import RunError
from openbook.text.tokenizer import END_OF_TEXT, Tokenizer, token_dtype

TEXTS = ["the cat sat on the mat", "the dog sat on the log", "Ärger, naïve café — 東京 🎬"] * 20


@pytest.fixture(scope="module")
def tokenizer():
    return Tokenizer.train(TEXTS, vocabulary_size=300)


@given(text=st.text())
@settings(max_examples=200, deadline=None)
def test_every_text_decodes_to_itself(text):
    tokenizer = Tokenizer.train(TEXTS, vocabulary_size=300)
    assert tokenizer.decode(tokenizer.encode(text)) == text


def test_frequent_words_become_fewer_tokens(tokenizer):
    assert len(tokenizer.encode("the cat sat on the mat")) < len("the cat sat on the mat") / 2


def test_a_written_marker_is_text_not_the_end_of_a_document(tokenizer):
    ids = tokenizer.encode(f"a {END_OF_TEXT} b")
    assert tokenizer.end_of_text not in ids
    assert tokenizer.decode(ids) == f"a {END_OF_TEXT} b"


def test_saved_tokenizer_encodes_the_same(tokenizer, tmp_path):
    path = tmp_path / "tokenizer.json"
    path.write_text(tokenizer.to_json(), encoding="utf-8")
    loaded = Tokenizer.load(path)
    for text in (*TEXTS[:3], f"a {END_OF_TEXT} b"):
        assert loaded.encode(text) == tokenizer.encode(text)


def test_training_again_gives_the_same_tokenizer(tokenizer):
    assert Tokenizer.train(TEXTS, vocabulary_size=300).to_json() == tokenizer.to_json()


def test_damaged_file_is_named(tmp_path):
    path = tmp_path / "tokenizer.json"
    path.write_text('{"version": ', encoding="utf-8")
    with pytest.raises(RunError, match=r"tokenizer\.json"):
        Tokenizer.load(path)


def test_bytes_that_a_terminal_could_not_read_are_taken_as_utf8(tokenizer):
    as_handed_over = "naïve 東京".encode().decode("ascii", "surrogateescape")
    assert tokenizer.decode(tokenizer.encode(as_handed_over)) == "naïve 東京"
    assert tokenizer.decode(tokenizer.encode("half \ud800 pair")) == "half \N{REPLACEMENT CHARACTER} pair"


@pytest.mark.parametrize(("size", "expected"), [(257, "uint16"), (65536, "uint16"), (65537, "uint32")])
def test_tokens_take_the_smallest_type_that_holds_them(size, expected):
    assert token_dtype(size) == expected
