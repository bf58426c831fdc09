"""Text from data made fit for a terminal: harmless, short, and with readable sizes."""

_KEPT_FORMAT_CHARACTERS = frozenset("\u00ad\u200c\u200d")  # soft hyphen and joiners shape words and emoji


def harmless(text: str) -> str:
    """The text on one line, with everything a terminal could obey written as an escape."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_harmless_character, text))


def shortened(text: str, *, max_chars: int) -> str:
    """The text on one line, white space collapsed, cut at a word where that is possible."""
    line = harmless(" ".join(text[: 4 * max_chars].split()))
    if len(line) <= max_chars and len(text) <= 4 * max_chars:
        return line
    cut = line[: max_chars - 1]
    at_word = cut.rsplit(" ", 1)[0]
    return (at_word if len(at_word) > max_chars // 2 else cut) + "…"


def size_text(num_bytes: int) -> str:
    """A number of bytes for people, in units of 1024: `31.1 MiB`."""
    if num_bytes < 1024:
        return f"{num_bytes} bytes" if num_bytes != 1 else "1 byte"
    size = float(num_bytes)
    for unit in ("KiB", "MiB", "GiB"):
        size /= 1024
        if size < 1024:
            return f"{size:.1f} {unit}"
    return f"{size / 1024:.1f} TiB"


def counted(number: int, noun: str) -> str:
    """A number with its noun: `1 document`, `24,904 documents`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _harmless_character(character: str) -> str:
    if character.isprintable() or character in _KEPT_FORMAT_CHARACTERS:
        return character
    if character.isspace() and character not in "\x1c\x1d\x1e\x1f\x85":
        return " "
    return character.encode("unicode_escape").decode("ascii")
