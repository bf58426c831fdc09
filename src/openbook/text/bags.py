"""Texts as bags of n-grams: which ones a text holds, each with its weight, and not in which order."""

# N = texts, K = different n-grams of a text at most, V = known n-grams

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Mapping, Sequence

import numpy as np

from openbook.text.words import split_words

# The number of padding, whose weight is 0; n-grams have the numbers from 1 on.
PADDING = 0


@dataclasses.dataclass(frozen=True, kw_only=True)
class BagVocabulary:
    """The known n-grams, written with spaces between their words, and what each weighs.

    Attributes:
        terms: those in most texts first.
        idf_V: float32; inverse document frequency ln((1 + N) / (1 + texts with the n-gram)) + 1, or ones.
    Source: Manning, Raghavan and Schütze (2008), "Introduction to information retrieval", section 6.2.
    """

    terms: tuple[str, ...]
    idf_V: np.ndarray

    @classmethod
    def fit(cls, texts: Sequence[str], *, size: int, ngrams: int, is_tf_idf: bool) -> BagVocabulary:
        """The n-grams that are in most texts, at most `size` with padding; those in one text only are left out.

        Args:
            ngrams: 1 for words, 2 for words and pairs of neighbours.
        """
        numbers: dict[str, int] = {}
        words = [[numbers.setdefault(word, len(numbers)) for word in split_words(text)] for text in texts]
        names = list(numbers)
        tokens, text_of = _flat(words)
        found = [(tokens.astype(np.int64), text_of)]
        if ngrams == 2:
            found.append(_pairs(tokens, text_of, len(names)))
        terms: list[str] = []
        frequencies: list[np.ndarray] = []
        for position, (keys, owners) in enumerate(found):
            distinct, frequency = _document_frequency(keys, owners)
            best = np.argsort(-frequency, kind="stable")[: size - 1]
            terms += [
                names[key] if position == 0 else f"{names[key // len(names)]} {names[key % len(names)]}"
                for key in map(int, distinct[best])
            ]
            frequencies.append(frequency[best])
        frequency = np.concatenate(frequencies)
        order = np.argsort(-frequency, kind="stable")[: size - 1]
        # Words before pairs of them: a pair is known only with both its words, which are in as many texts or more.
        several = order[frequency[order] > 1]
        order = several if len(several) else order
        idf_V = np.log((1.0 + len(texts)) / (1.0 + frequency[order])) + 1.0
        return cls(
            terms=tuple(terms[index] for index in order),
            idf_V=(idf_V if is_tf_idf else np.ones(len(order))).astype(np.float32),
        )

    @property
    def num_embeddings(self) -> int:
        """Numbers that a bag may hold: padding and the n-grams."""
        return len(self.terms) + 1

    def bags(self, texts: Sequence[str], max_terms: int) -> tuple[np.ndarray, np.ndarray]:
        """The different n-grams of each text: their numbers int32 (N, K) and weights float32 (N, K).

        Where a text has more than K, the heaviest are kept. The weights of a text have length 1, so that a long
        text does not speak louder than a short one; padding weighs 0.
        """
        words, pair_keys, pair_numbers = self._tables
        unknown = len(words)
        rows = [[words.get(word, unknown) for word in split_words(text)] for text in texts]
        tokens, text_of = _flat(rows)
        word_numbers = np.append(self._word_numbers, 0)[tokens]
        numbers, owners = word_numbers, text_of
        if len(pair_keys):
            keys, pair_owners = _pairs(tokens, text_of, unknown + 1)
            places = np.minimum(np.searchsorted(pair_keys, keys), len(pair_keys) - 1)
            found = np.where(pair_keys[places] == keys, pair_numbers[places], PADDING)
            numbers, owners = np.concatenate([numbers, found]), np.concatenate([owners, pair_owners])
        is_known = numbers != PADDING
        # The rarest first: terms are in the order of their frequency, so these are the heaviest as well.
        size = self.num_embeddings
        codes = _distinct(owners[is_known].astype(np.int64) * size + (size - 1 - numbers[is_known]))
        owners, numbers = codes // size, size - 1 - codes % size
        weights = self.idf_V[numbers - 1]
        lengths = np.bincount(owners, minlength=len(texts))
        place = np.arange(len(owners)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        is_kept = place < max_terms
        numbers_NK = np.zeros((len(texts), max_terms), np.int32)
        weights_NK = np.zeros((len(texts), max_terms), np.float32)
        numbers_NK[owners[is_kept], place[is_kept]] = numbers[is_kept]
        weights_NK[owners[is_kept], place[is_kept]] = weights[is_kept]
        lengths_N1 = np.sqrt(np.square(weights_NK).sum(axis=1, keepdims=True))
        return numbers_NK, weights_NK / np.maximum(lengths_N1, np.float32(1e-12))

    def term_texts(self, numbers_K: np.ndarray) -> list[str]:
        """The n-grams of a bag, without its padding."""
        return [self.terms[number - 1] for number in map(int, numbers_K) if number != PADDING]

    @functools.cached_property
    def _word_numbers(self) -> np.ndarray:
        return np.array([number for number, term in enumerate(self.terms, 1) if " " not in term], np.int64)

    @functools.cached_property
    def _tables(self) -> tuple[Mapping[str, int], np.ndarray, np.ndarray]:
        """Words by position, and sorted keys of the pairs with their numbers."""
        words = {term: index for index, term in enumerate(term for term in self.terms if " " not in term)}
        base = len(words) + 1
        keys, numbers = [], []
        for number, term in enumerate(self.terms, 1):
            first, space, second = term.partition(" ")
            if space and first in words and second in words:
                keys.append(words[first] * base + words[second])
                numbers.append(number)
        order = np.argsort(np.array(keys, np.int64), kind="stable")
        return words, np.array(keys, np.int64)[order], np.array(numbers, np.int64)[order]


def _flat(rows: Sequence[Sequence[int]]) -> tuple[np.ndarray, np.ndarray]:
    """All words one after another, and the text that each is from."""
    lengths = np.fromiter(map(len, rows), np.int64, len(rows))
    tokens = np.fromiter(itertools.chain.from_iterable(rows), np.int64, int(lengths.sum()))
    return tokens, np.repeat(np.arange(len(rows)), lengths)


def _pairs(tokens: np.ndarray, text_of: np.ndarray, base: int) -> tuple[np.ndarray, np.ndarray]:
    """Neighbours in the same text, each pair as one number, and the text that each is from."""
    is_pair = text_of[:-1] == text_of[1:]
    return (tokens[:-1] * base + tokens[1:])[is_pair], text_of[:-1][is_pair]


def _document_frequency(keys: np.ndarray, owners: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The different keys, and in how many texts each is."""
    num_texts = int(owners.max(initial=0)) + 1
    keys = _distinct(keys * num_texts + owners) // num_texts
    starts = np.flatnonzero(np.diff(keys, prepend=-1))
    return keys[starts], np.diff(starts, append=len(keys))


def _distinct(values: np.ndarray) -> np.ndarray:
    """Sorted, each once; several times as fast as `numpy.unique`, which hashes."""
    values = np.sort(values)
    return values[np.diff(values, prepend=-1) > 0]
