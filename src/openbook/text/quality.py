"""How written text differs from what people write: repetition, variety, copies, words, and a judge of both."""

# N = texts, D = features

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Sequence

import numpy as np

from openbook.text.bags import BagVocabulary
from openbook.text.words import split_words

# A copy is looked for among runs of at most so many words.
_LONGEST_COPY = 512
_NUM_FOLDS = 5
_NUM_JUDGE_TERMS = 4096
_NUM_JUDGE_STEPS = 300
# Odd, so that multiplying by it loses nothing of 64 bits. Source: Steele and Vigna (2022).
_MULTIPLIER = np.uint64(0xD1342543DE82EF95)


@dataclasses.dataclass(frozen=True, kw_only=True)
class TextQuality:
    """Of some texts, each read as lower-case words and punctuation marks.

    Attributes:
        repeated: share of the runs of four words that were in the same text before.
        distinct_1, distinct_2, distinct_3: different runs of so many words over all such runs, texts together.
            Source: Li et al. (2016), "A diversity-promoting objective function", section 5.1.
        novel: share of the runs of five words that are nowhere in the training texts.
        longest_copy: words of the longest run that is in the training texts as well.
        unknown_words: share of the words that no training text has.
        told_apart: share of held-out texts, half of them real, for which a classifier (TF-IDF of words and pairs,
            logistic regression, five folds) says rightly whether they are real; 0.5 is guessing, None where the
            texts are too few.
    """

    num_texts: int
    num_words: int
    repeated: float
    distinct_1: float
    distinct_2: float
    distinct_3: float
    novel: float
    longest_copy: int
    unknown_words: float
    told_apart: float | None


class TrainingWords:
    """The words of training texts, ready to be searched."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._ids: dict[str, int] = {}
        self._words = _numbers(texts, self._ids, grow=True)
        self._runs: dict[int, np.ndarray] = {}

    def numbers(self, text: str) -> np.ndarray:
        """The words' numbers, uint64; those of unknown words are 0, which no training text holds."""
        return _numbers([text], self._ids, grow=False)[:-1]

    def has_runs(self, numbers: np.ndarray, length: int) -> np.ndarray:
        """For each run of `length` words of a text, whether a training text has it."""
        if length not in self._runs:
            # Many words, each run once: a few are kept in memory.
            self._runs = dict(list(self._runs.items())[-3:])
            self._runs[length] = np.sort(_run_codes(self._words, length))
        codes, known = _run_codes(numbers, length), self._runs[length]
        if not len(codes) or not len(known):
            return np.zeros(len(codes), bool)
        places = np.minimum(np.searchsorted(known, codes), len(known) - 1)
        found: np.ndarray = known[places] == codes
        return found

    def longest_copy(self, texts: Sequence[np.ndarray]) -> int:
        """Words of the longest run that any of the texts shares with a training text."""
        low, high = 0, min(_LONGEST_COPY, max((len(text) for text in texts), default=0))
        # A copied run holds copied runs of every shorter length.
        while low < high:
            middle = (low + high + 1) // 2
            if any(self.has_runs(text, middle).any() for text in texts):
                low = middle
            else:
                high = middle - 1
        return low


def quality_of(
    texts: Sequence[str], training: TrainingWords, *, real: Sequence[str] | None = None, seed: int = 0
) -> TextQuality:
    """Measure texts.

    Args:
        training: of the texts that whatever wrote these has learned from.
        real: texts of people, as many and as long, that a judge should tell these from.
    """
    words = [split_words(text) for text in texts]
    numbers = [training.numbers(text) for text in texts]
    novel = np.concatenate([~training.has_runs(each, 5) for each in numbers])
    unknown = np.concatenate([each == 0 for each in numbers])
    return TextQuality(
        num_texts=len(texts),
        num_words=sum(map(len, words)),
        repeated=_repeated([_runs(each, 4) for each in words]),
        **{f"distinct_{size}": _distinct([_runs(each, size) for each in words]) for size in (1, 2, 3)},
        novel=float(novel.mean()) if len(novel) else 0.0,
        longest_copy=training.longest_copy(numbers),
        unknown_words=float(unknown.mean()) if len(unknown) else 0.0,
        told_apart=None if real is None else told_apart(texts, real, seed=seed),
    )


def told_apart(texts: Sequence[str], real: Sequence[str], *, seed: int = 0) -> float | None:
    """Accuracy of a classifier on texts it has not seen; None where a fold would have fewer than two of a kind."""
    number = min(len(texts), len(real))
    if number < 2 * _NUM_FOLDS:
        return None
    both = [*texts[:number], *real[:number]]
    is_real_N = np.arange(2 * number) >= number
    rng = np.random.default_rng(seed)
    # Each fold holds as many of one kind as of the other.
    fold_N = np.concatenate([rng.permutation(number) % _NUM_FOLDS for _ in range(2)])
    return statistics.mean(_fold_accuracy(both, is_real_N, fold_N == fold) for fold in range(_NUM_FOLDS))


def _fold_accuracy(texts: Sequence[str], is_real_N: np.ndarray, is_held_out_N: np.ndarray) -> float:
    seen = [text for text, is_held_out in zip(texts, is_held_out_N, strict=True) if not is_held_out]
    vocabulary = BagVocabulary.fit(seen, size=_NUM_JUDGE_TERMS, ngrams=2, is_tf_idf=True)
    features_ND = _dense(vocabulary, texts)
    targets_N = is_real_N.astype(np.float64)
    train = ~is_held_out_N
    weights_D, bias = np.zeros(features_ND.shape[1]), 0.0
    for _ in range(_NUM_JUDGE_STEPS):
        logits_N = features_ND[train] @ weights_D + bias
        errors_N = 1.0 / (1.0 + np.exp(-logits_N)) - targets_N[train]
        weights_D -= 10.0 * (features_ND[train].T @ errors_N / train.sum() + 1e-3 * weights_D)
        bias -= errors_N.mean()
    answers_N = features_ND[is_held_out_N] @ weights_D + bias > 0
    return float((answers_N == is_real_N[is_held_out_N]).mean())


def _dense(vocabulary: BagVocabulary, texts: Sequence[str]) -> np.ndarray:
    numbers_NK, weights_NK = vocabulary.bags(texts, 512)
    features_ND = np.zeros((len(texts), vocabulary.num_embeddings))
    np.put_along_axis(features_ND, numbers_NK.astype(np.int64), weights_NK, axis=1)
    features_ND[:, 0] = 0.0
    return features_ND


def _runs(words: Sequence[str], size: int) -> list[tuple[str, ...]]:
    return list(zip(*(words[start:] for start in range(size)), strict=False))


def _repeated(texts: Sequence[Sequence[tuple[str, ...]]]) -> float:
    total = sum(map(len, texts))
    return sum(len(runs) - len(set(runs)) for runs in texts) / total if total else 0.0


def _distinct(texts: Sequence[Sequence[tuple[str, ...]]]) -> float:
    total = sum(map(len, texts))
    return len({run for runs in texts for run in runs}) / total if total else 0.0


def _numbers(texts: Sequence[str], ids: dict[str, int], *, grow: bool) -> np.ndarray:
    """All words as numbers from 1 on, uint64; after each text stands a number that no other text has."""
    found: list[int] = []
    for index, text in enumerate(texts):
        if grow:
            found += [ids.setdefault(word, len(ids) + 1) for word in split_words(text)]
        else:
            found += [ids.get(word, 0) for word in split_words(text)]
        found.append((1 << 62) + index)
    return np.array(found, np.uint64)


def _run_codes(numbers: np.ndarray, length: int) -> np.ndarray:
    """A 64-bit code for each run of so many words; two different runs share one with a chance of about 2^-64."""
    count = len(numbers) - length + 1
    if count <= 0:
        return np.zeros(0, np.uint64)
    codes = np.zeros(count, np.uint64)
    with np.errstate(over="ignore"):
        for start in range(length):
            codes = (codes + numbers[start : start + count] + np.uint64(1)) * _MULTIPLIER
            codes ^= codes >> np.uint64(29)
    return codes
