"""Every encoding that can be told is read; what cannot be told is refused with the reason."""

import pytest

from openbook.data.decode import decode
from openbook.data.files import Reason, UnusableFileError

GERMAN = "Übergrößenträger – „schön“ für 5 €, sagte André. Ein ganz gewöhnlicher Satz steht hier."
RUSSIAN = "Широкая электрификация южных губерний даст мощный толчок подъёму сельского хозяйства."
JAPANESE = "吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。"


@pytest.mark.parametrize("text", [GERMAN, RUSSIAN, JAPANESE, "plain", "one\x00nul in a long text " * 9])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_unicode_is_read_with_and_without_a_mark(text, encoding):
    assert decode(text.encode(encoding)).text == text


@pytest.mark.parametrize("order", ["le", "be"])
def test_both_byte_orders_are_read(order):
    assert decode(f"\ufeff{RUSSIAN}".encode(f"utf-16-{order}")).text == RUSSIAN
    assert decode(f"\ufeff{RUSSIAN}".encode(f"utf-32-{order}")).text == RUSSIAN


def test_western_text_is_read_as_cp1252_and_said():
    decoded = decode(GERMAN.encode("cp1252"))
    assert decoded.text == GERMAN
    assert decoded.encoding == "cp1252 (guessed)"


def test_one_western_letter_deep_inside_a_long_text_is_found():
    text = "plain text " * 1_000_000 + "café " + "plain text " * 10
    assert decode(text.encode("cp1252")).text == text


@pytest.mark.parametrize(
    ("content", "reason", "said"),
    [
        (b"", Reason.EMPTY, "0 bytes"),
        (RUSSIAN.encode("cp1251"), Reason.UNDECODABLE, "not UTF-8: byte 0xd8 at 0"),
        (RUSSIAN.encode("koi8-r"), Reason.UNDECODABLE, "not UTF-8"),
        (JAPANESE.encode("shift_jis"), Reason.UNDECODABLE, "not UTF-8"),
        (JAPANESE.encode("utf-8")[:-1], Reason.UNDECODABLE, "not UTF-8"),
        ("é è ê ".encode() * 20 + b"\xe9", Reason.UNDECODABLE, "at 180"),
        (b"\xff\xfea", Reason.UNDECODABLE, "begins as UTF-16"),
        (b"\xef\xbb\xbfabc\xff", Reason.UNDECODABLE, "begins as UTF-8"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", Reason.BINARY, "a PNG picture"),
        (b"PK\x03\x04\x14\x00\x00\x00", Reason.BINARY, "a zip archive or an office document"),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\x00\x01", Reason.BINARY, "a PDF document"),
        ("plain".encode("utf-16-le"), Reason.BINARY, "UTF-16 without its mark"),
        (bytes(range(256)) * 4, Reason.BINARY, "control characters|NUL"),
        (b"\xff\xfe" + b"\x00" * 102, Reason.BINARY, "NUL"),
    ],
)
def test_what_is_no_text_is_refused_with_its_reason(content, reason, said):
    with pytest.raises(UnusableFileError, match=said) as caught:
        decode(content)
    assert caught.value.reason == reason


def test_a_text_that_begins_like_a_file_format_is_a_text():
    assert decode(b"RIFF and Rar! are words too.").text == "RIFF and Rar! are words too."
