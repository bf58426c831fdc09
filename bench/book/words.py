"""What the book's text generator sees of a text: words of a fixed list; and what the words outside it cost.

The book's vectorizer lower-cases, strips punctuation, and replaces every word outside its list by [UNK]. A score
in bits per byte of the text must pay for what [UNK] hides: such a word costs what the model gives to [UNK], and
its letters cost what a letter model gives them. That model predicts each letter, and the end of the word, from
up to five letters before it, with counts from the words outside the list in the training texts, mixed with the
counts of shorter contexts (Witten and Bell 1991, "The zero-frequency problem", method C); below them all 256
bytes are equally likely.
"""

# N = documents, T = words of a document

from __future__ import annotations

import collections
import dataclasses
import functools
import math
import re
import string
from collections.abc import Iterable, Sequence

import numpy as np

PADDING, UNKNOWN = 0, 1
_ORDER = 5
_END = 0
_PUNCTUATION = re.compile(f"[{re.escape(string.punctuation)}]")


def normalised(text: str) -> str:
    """As the book's vectorizer does by default: lower case, no ASCII punctuation, one space between words."""
    return " ".join(_PUNCTUATION.sub("", text.lower().replace("<br />", " ")).split())


@dataclasses.dataclass(frozen=True, kw_only=True)
class Words:
    """The word list, and what it leaves out.

    Attributes:
        ids: by word; 0 is padding, 1 is [UNK].
        letters: of the words that are not in the list.
        first_bits: what a document's first word costs, by id: its share among the first words of the training
            texts, plus one each. The book's model predicts no first word.
    """

    ids: dict[str, int]
    letters: LetterModel
    first_bits: np.ndarray

    @classmethod
    def of(cls, texts: Sequence[str], *, vocabulary_size: int) -> Words:
        """The most frequent words of normalised training texts."""
        counts = collections.Counter(word for text in texts for word in text.split())
        chosen = [word for word, _ in counts.most_common(vocabulary_size - 2)]
        ids = {word: number for number, word in enumerate(chosen, 2)}
        letters = LetterModel({word: count for word, count in counts.items() if word not in ids})
        first = np.ones(vocabulary_size)
        for text in texts:
            first[ids.get(text.split(maxsplit=1)[0], UNKNOWN) if text else UNKNOWN] += 1
        return cls(ids=ids, letters=letters, first_bits=-np.log2(first / first.sum()))

    def encode(self, texts: Sequence[str], *, length: int) -> np.ndarray:
        """Ids (N, length) int32, padded at the end."""
        found = np.full((len(texts), length), PADDING, np.int32)
        for row, text in zip(found, texts, strict=True):
            ids = [self.ids.get(word, UNKNOWN) for word in text.split()[:length]]
            row[: len(ids)] = ids
        return found

    def hidden_bits(self, texts: Iterable[str], *, length: int) -> float:
        """What the letters of all unknown words among the first `length` of each text cost."""
        return math.fsum(
            self.letters.bits(word)
            for text in texts
            for word in text.split()[:length]
            if word not in self.ids
        )


class LetterModel:
    """Probability of a word from its letters.

    Args:
        counts: how often each word occurs.
    """

    def __init__(self, counts: dict[str, int]) -> None:
        self._counts: dict[bytes, collections.Counter[int]] = collections.defaultdict(collections.Counter)
        for word, count in counts.items():
            for context, letter in _steps(word):
                for start in range(len(context) + 1):
                    self._counts[context[start:]][letter] += count
        self._totals = {context: found.total() for context, found in self._counts.items()}
        self.bits = functools.lru_cache(maxsize=None)(self._bits)

    def _bits(self, word: str) -> float:
        return -math.fsum(math.log2(self._share(context, letter)) for context, letter in _steps(word))

    def _share(self, context: bytes, letter: int) -> float:
        share = 1 / 256
        for start in range(len(context), -1, -1):
            found = self._counts.get(context[start:])
            if found is None:
                break
            total = self._totals[context[start:]]
            share = (found[letter] + len(found) * share) / (total + len(found))
        return share


def _steps(word: str) -> Iterable[tuple[bytes, int]]:
    """Each byte of a word, and its end, with the bytes before it. No byte of a word is 0."""
    letters = [*word.encode(), _END]
    for position, letter in enumerate(letters):
        yield bytes(letters[max(0, position - _ORDER) : position]), letter
