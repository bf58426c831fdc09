"""Cleaning of one text: line ends, control characters, line-break tags."""

import re

__all__ = ["clean_text"]

_UNWANTED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufeff]")


def clean_text(text: str, *, break_tags: bool = False) -> tuple[str, int]:
    """A text without control characters, and how many there were.

    Line ends of every system become line feeds. The codes 0x80–0x9f are signs of cp1252 that were read as
    latin-1, as in many old web texts, and become those signs; other controls go, and half of a surrogate pair
    becomes U+FFFD.

    Args:
        text: as decoded.
        break_tags: whether the tag for a line break is HTML left in the text, and becomes a line feed.
    """
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if break_tags and "<br />" in text:
        text = text.replace("<br /><br />", "\n").replace("<br />", "\n")
    if text.isprintable() or not _UNWANTED.search(text):
        return text, 0
    return _UNWANTED.subn(_replacement, text)


def _replacement(match: re.Match[str]) -> str:
    character = match[0]
    if character in "\x0b\x0c":
        return "\n"
    if "\x80" <= character <= "\x9f":
        return character.encode("latin-1").decode("cp1252", errors="ignore")
    return "\N{REPLACEMENT CHARACTER}" if "\ud800" <= character <= "\udfff" else ""
