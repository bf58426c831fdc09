"""Texts as words: how they are split, which words are known, and texts as sequences of word numbers."""

# N = texts, T = words of a text at most

from __future__ import annotations

import dataclasses
import functools
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

PADDING, UNKNOWN = 0, 1
# Words have the numbers from here on.
FIRST_WORD = 2

_WORD = re.compile(r"\w+(?:['’]\w+)*|[^\w\s]")


def split_words(text: str) -> list[str]:
    """Lower-cased words, and each punctuation mark by itself."""
    return _WORD.findall(text.lower())


@dataclasses.dataclass(frozen=True, kw_only=True)
class WordVocabulary:
    """The known words; a word's number is its position plus `FIRST_WORD`.

    Attributes:
        words: the most frequent first.
    """

    words: tuple[str, ...]

    @classmethod
    def fit(cls, texts: Iterable[str], *, size: int) -> WordVocabulary:
        """The most frequent words, `size` at most with padding and the unknown word; none that is seen once."""
        counts: Counter[str] = Counter()
        for text in texts:
            counts.update(split_words(text))
        ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        most = [word for word, number in ordered[: size - FIRST_WORD] if number > 1]
        return cls(words=tuple(most or [word for word, _ in ordered[: size - FIRST_WORD]]))

    @property
    def num_embeddings(self) -> int:
        """Numbers that a text may hold: padding, unknown, and the words."""
        return len(self.words) + FIRST_WORD

    @functools.cached_property
    def positions(self) -> Mapping[str, int]:
        return {word: position for position, word in enumerate(self.words, FIRST_WORD)}

    def sequence(self, text: str, max_tokens: int) -> np.ndarray:
        """A text's word numbers, filled up with padding: int32 (max_tokens,). See `head_and_tail`."""
        numbers = [self.positions.get(word, UNKNOWN) for word in split_words(text)]
        row = np.zeros(max_tokens, np.int32)
        kept = head_and_tail(numbers, max_tokens)
        row[: len(kept)] = kept
        return row

    def sequences(self, texts: Sequence[str], max_tokens: int) -> np.ndarray:
        """The same for many texts: int32 (N, T)."""
        rows_NT = np.zeros((len(texts), max_tokens), np.int32)
        for row, text in zip(rows_NT, texts, strict=True):
            row[:] = self.sequence(text, max_tokens)
        return rows_NT

    def word_texts(self, numbers_T: np.ndarray) -> list[str]:
        """The words of a sequence without its padding; unknown ones as `[?]`."""
        return [
            "[?]" if number == UNKNOWN else self.words[number - FIRST_WORD]
            for number in map(int, numbers_T)
            if number != PADDING
        ]


def head_and_tail(numbers: Sequence[int], max_tokens: int) -> list[int]:
    """The first quarter and the last three quarters of what may be kept: texts often end with their verdict."""
    if len(numbers) <= max_tokens:
        return list(numbers)
    num_head = max_tokens // 4
    return [*numbers[:num_head], *numbers[num_head - max_tokens :]]
