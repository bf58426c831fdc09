"""Bytes to text: what a byte order mark says, else UTF-8, else Western European if that is plausible."""

import codecs
import re
from dataclasses import dataclass

from openbook.data.files import Reason, UnusableFileError

__all__ = ["DecodedText", "decode"]

_MAGIC = (
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"%PDF-", "a PDF document"),
    (b"PK\x03\x04", "a zip archive or an office document"),
    (b"\x1f\x8b", "gzip-compressed"),
    (b"\xfd7zXZ\x00", "xz-compressed"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"Rar!", "a rar archive"),
    (b"(\xb5/\xfd", "zstd-compressed"),
    (b"PAR1", "a Parquet file"),
    (b"\x7fELF", "a program"),
    (b"SQLite format 3", "an SQLite database"),
    (b"\xd0\xcf\x11\xe0", "an old office document"),
    (b"\x89HDF", "an HDF5 file"),
    (b"OggS", "an Ogg file"),
    (b"RIFF", "a sound, video or WebP file"),
    (b"\x93NUMPY", "a NumPy array"),
)
# The longer mark first: UTF-32's little-endian mark begins with UTF-16's.
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_ENCODING_NAMES = {"utf-32": "UTF-32", "utf-8-sig": "UTF-8", "utf-16": "UTF-16"}

_SAMPLE_BYTES = 1 << 16
_WINDOW_BYTES = 4 << 20
_MAX_CONTROL_SHARE = 0.05
_MAX_HIGH_SHARE = 0.3
_MIN_PLAUSIBLE_SHARE = 0.95

_CONTROL_BYTES = bytes(set(range(0x20)) - set(b"\t\n\x0b\x0c\r\x1b"))
_ASCII_BYTES = bytes(range(0x80))
_UTF8_SEQUENCE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_WESTERN_SIGNS = frozenset("‘’“”‚„–—…•€£¥°§«»‹›©®™¡¿·´¨ºª½¼¾²³¹×±†‡\xa0\xad")


@dataclass(frozen=True, kw_only=True)
class DecodedText:
    """A text and how its bytes were read."""

    text: str
    encoding: str


def decode(content: bytes) -> DecodedText:
    """The text in a file's bytes, without its byte order mark.

    Raises:
        UnusableFileError: the bytes are empty, binary, or of an encoding that cannot be told safely.
    """
    if not content:
        raise UnusableFileError(Reason.EMPTY, "0 bytes")
    for mark, encoding in _BYTE_ORDER_MARKS:
        if content.startswith(mark):
            return _decode_marked(content, encoding)
    _refuse_binary(content)
    try:
        return DecodedText(text=content.decode("utf-8"), encoding="UTF-8")
    except UnicodeDecodeError as error:
        if _is_plausible_western(content[max(0, error.start - _WINDOW_BYTES) : error.start + _WINDOW_BYTES]):
            try:
                return DecodedText(text=content.decode("cp1252"), encoding="cp1252 (guessed)")
            except UnicodeDecodeError as western_error:
                error = western_error
        detail = f"not UTF-8: byte 0x{content[error.start]:02x} at {error.start:,}"
        raise UnusableFileError(Reason.UNDECODABLE, detail) from None


def _decode_marked(content: bytes, encoding: str) -> DecodedText:
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        name = _ENCODING_NAMES[encoding]
        detail = f"begins as {name}, but byte {error.start:,} does not fit"
        raise UnusableFileError(Reason.UNDECODABLE, detail) from None
    sample = text[:_SAMPLE_BYTES]
    if sample.count("\0") > _MAX_CONTROL_SHARE * len(sample):
        raise UnusableFileError(Reason.BINARY, "many NUL characters")
    return DecodedText(text=text, encoding=_ENCODING_NAMES[encoding])


def _refuse_binary(content: bytes) -> None:
    sample = content[:_SAMPLE_BYTES]
    num_controls = len(sample) - len(sample.translate(None, _CONTROL_BYTES))
    for magic, what in _MAGIC:
        # A text may begin with "RIFF" or "Rar!"; a text has no control bytes after it.
        if content.startswith(magic) and (num_controls or not magic.isascii()):
            raise UnusableFileError(Reason.BINARY, f"it is {what}")
    if num_controls > _MAX_CONTROL_SHARE * len(sample):
        num_nul = sample.count(0)
        detail = "many NUL bytes" if num_nul else "many control characters"
        if 0.3 * len(sample) < num_nul < 0.6 * len(sample):
            detail = "many NUL bytes, as in UTF-16 without its mark"
        raise UnusableFileError(Reason.BINARY, detail)


def _is_plausible_western(sample: bytes) -> bool:
    """Whether bytes that are not UTF-8 read like a Western European text in cp1252."""
    high = sample.translate(None, _ASCII_BYTES)
    if len(high) > _MAX_HIGH_SHARE * len(sample):
        return False
    num_in_utf8 = sum(len(found) for found in _UTF8_SEQUENCE.findall(sample))
    if num_in_utf8 > len(high) / 2:
        return False  # damaged UTF-8 would become "Ã©"
    text = high.decode("cp1252", errors="replace")
    num_plausible = sum(character.isalpha() or character in _WESTERN_SIGNS for character in text)
    return num_plausible >= _MIN_PLAUSIBLE_SHARE * len(text)
