"""Text from data never reaches the terminal as a command."""

import pytest

from openbook.data.display import counted, harmless, shortened, size_text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("Grüße, 你好 👩‍🚀", "Grüße, 你好 👩‍🚀"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("a\nb\tc\u00a0d", "a b c d"),
        ("right\u202eleft", "right\\u202eleft"),
        ("\x9b2J", "\\x9b2J"),
        ("name\udcff", "name\\udcff"),
        ("\x00\x07", "\\x00\\x07"),
        ("\x1c\x85", "\\x1c\\x85"),
    ],
)
def test_control_characters_are_shown_and_not_obeyed(text, expected):
    assert harmless(text) == expected
    harmless(text).encode()


def test_long_texts_are_cut_at_a_word():
    assert shortened("one two three four", max_chars=12) == "one two…"
    assert shortened("x" * 100, max_chars=10) == "x" * 9 + "…"
    assert shortened("  short \n text ", max_chars=20) == "short text"
    assert shortened("a" + " " * 500 + "b", max_chars=20) == "a…"


def test_sizes_are_readable():
    sizes = [0, 1, 1023, 1024, 32_566_424, 3 << 30, 5 << 40]
    shown = ["0 bytes", "1 byte", "1023 bytes", "1.0 KiB", "31.1 MiB", "3.0 GiB", "5.0 TiB"]
    assert [size_text(size) for size in sizes] == shown


def test_numbers_agree_with_their_noun():
    assert [counted(number, "file") for number in (0, 1, 24904)] == ["0 files", "1 file", "24,904 files"]
