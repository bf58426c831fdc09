"""Cleaned texts hold nothing a terminal could obey, and nothing else is lost."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openbook.data.clean import clean_text


@pytest.mark.parametrize(
    ("text", "expected", "num_controls"),
    [
        ("a\r\nb\rc\nd\te", "a\nb\nc\nd\te", 0),
        ("nul\x00byte", "nulbyte", 1),
        ("wait\x85 a \x93quote\x94 \x97 yes", "wait… a “quote” — yes", 4),
        ("undefined \x81 in cp1252", "undefined  in cp1252", 1),
        ("page\x0cbreak", "page\nbreak", 1),
        ("half \ud83d of a pair", "half \N{REPLACEMENT CHARACTER} of a pair", 1),
        ("\x1b[31mred\x1b[0m", "[31mred[0m", 2),
        ("zero\ufeffwidth", "zerowidth", 1),
        ("kept: é 你 👩‍🚀 \u00a0", "kept: é 你 👩‍🚀 \u00a0", 0),
        ("a<br />b", "a<br />b", 0),
    ],
)
def test_line_ends_and_control_characters(text, expected, num_controls):
    assert clean_text(text) == (expected, num_controls)


def test_line_break_tags_become_line_feeds():
    assert clean_text("One.<br /><br />Two.<br />Three.", break_tags=True) == ("One.\nTwo.\nThree.", 0)


@given(st.text(st.characters(codec=None)))
def test_any_text_becomes_encodable_and_stays_the_same_when_cleaned_again(text):
    cleaned, _ = clean_text(text)
    cleaned.encode()
    assert clean_text(cleaned) == (cleaned, 0)
    assert {unicodedata.category(character) for character in cleaned if character not in "\t\n"}.isdisjoint(
        {"Cc", "Cs"}
    )
