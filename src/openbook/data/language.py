"""The language of texts: words and scripts, counted."""

import unicodedata
from collections import Counter
from collections.abc import Sequence

__all__ = ["count_words", "script_shares"]

_SAMPLE_CHARS = 200_000
_MAX_CHARS_A_TEXT = 2_000
_WIDTHS = ("FULLWIDTH", "HALFWIDTH")
# First words of Unicode names that are not the script's name.
_SCRIPT_NAMES = {"CJK": "Han", "KANGXI": "Han", "BOPOMOFO": "Bopomofo"}


def count_words(encoded: Sequence[bytes]) -> int:
    """Runs of characters between ASCII white space, as `wc -w` counts them.

    Args:
        encoded: texts in UTF-8.
    """
    import numpy as np

    num_words = 0
    for start in range(0, len(encoded), 4096):
        block = np.frombuffer(b"\n" + b"\n".join(encoded[start : start + 4096]), np.uint8)
        is_space = (block == 0x20) | ((block >= 0x09) & (block <= 0x0D))
        num_words += int(np.count_nonzero(is_space[:-1] & ~is_space[1:]))
    return num_words


def script_shares(texts: Sequence[str]) -> tuple[tuple[str, float], ...]:
    """The scripts of the letters in a sample spread evenly over the texts, the most frequent first.

    Unicode's names begin with the script, which saves a table of ranges: `CYRILLIC SMALL LETTER A`.

    Args:
        texts: any texts.
    Returns:
        (script, share of letters) pairs; shares below 0.1 % are left out.
    """
    step = max(1, len(texts) * min(_MAX_CHARS_A_TEXT, max(map(len, texts), default=1)) // _SAMPLE_CHARS)
    characters: Counter[str] = Counter()
    for text in texts[::step]:
        characters.update(text[:_MAX_CHARS_A_TEXT])
    scripts: Counter[str] = Counter()
    for character, number in characters.items():
        if character.isalpha():
            scripts[_script(character)] += number
    num_letters = scripts.total()
    shares = [(script, round(number / num_letters, 4)) for script, number in scripts.most_common()]
    return tuple((script, share) for script, share in shares if share >= 0.001)


def _script(letter: str) -> str:
    words = unicodedata.name(letter, "UNKNOWN").split()
    first = words[1] if words[0] in _WIDTHS and len(words) > 1 else words[0]
    first = first.split("-")[0]
    return _SCRIPT_NAMES.get(first, first.capitalize())
