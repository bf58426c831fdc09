"""The texts of this project: read, split, and brought to numbers that a network takes."""

# N = texts, K = different terms of a text, T = words of a text

import csv
import dataclasses
import hashlib
import itertools  #: if pairs
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

#: if one_label
# A table with the columns text, label and side: "train", "validation" or "test". Without side they are drawn.
#: end
#: if multi_label
# A table with the columns text, side ("train", "validation" or "test") and one for each label, 1 where the
# text has it. Without side they are drawn.
#: end
DATA = "data/texts.csv"  #: fill
# Which words are known; made anew from the texts to train on when the file is not there.
VOCABULARY = "data/vocabulary.json"  #: fill
# SHA-256 of the file that the run's texts were written to.
FINGERPRINT = ""  #: fill
CLASSES = ("bad", "good")  #: fill
VOCABULARY_SIZE = 20_000  #: fill
#: if bag
# Different terms of a text that are read, the rarest first.
MAX_TERMS = 512  #: fill
#: end
#: if sequence
# Words of a text that are read.
MAX_WORDS = 160  #: fill
#: end
HELD_OUT_SHARE = 0.1  #: fill
VALIDATION_SHARE = 0.1
#: if sequence
PADDING, UNKNOWN, FIRST_WORD = 0, 1, 2
#: end
GIVEN = '"a text"'
WORD = re.compile(r"\w+(?:['’]\w+)*|[^\w\s]")

csv.field_size_limit(sys.maxsize)


#: include common/examples.py
def load() -> Splits:
    """All texts, each on its side of the split."""
    rows = read()
    texts = [row["text"] for row in rows]
    sides = sides_of(rows)
    vocabulary = vocabulary_of([texts[index] for index in np.flatnonzero(sides == "train")])
    inputs = inputs_of_texts(texts, vocabulary)
    #: if one_label
    targets = np.array([CLASSES.index(row["label"]) for row in rows], np.int32)
    #: end
    #: if multi_label
    targets = np.array([[row[name] for name in CLASSES] for row in rows], np.float32)
    #: end
    return Splits(
        *(
            Examples(inputs, targets, np.flatnonzero(sides == side))
            for side in ("train", "validation", "test")
        )
    )


def read() -> list[dict[str, str]]:
    """The rows of the table."""
    with path_of(DATA).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def path_of(name: str) -> Path:
    """A file of this project."""
    return Path(__file__).parent / name


def fingerprint() -> str:
    """Of the table as it is now."""
    return hashlib.sha256(path_of(DATA).read_bytes()).hexdigest()


def sides_of(rows: list[dict[str, str]]) -> np.ndarray:
    """The side of each text."""
    if "side" in rows[0]:
        return np.array([row["side"] for row in rows])
    draws = np.random.default_rng(0).random(len(rows))
    validation_end = HELD_OUT_SHARE + (1 - HELD_OUT_SHARE) * VALIDATION_SHARE
    return np.select([draws < HELD_OUT_SHARE, draws < validation_end], ["test", "validation"], "train")


def split_words(text: str) -> list[str]:
    """Lower-cased words, and each punctuation mark by itself."""
    return WORD.findall(text.lower())


#: if bag
def terms_of(text: str) -> set[str]:
    """What the bag of a text may hold."""
    words = split_words(text)
    #: end
    #: if words
    return set(words)
    #: end
    #: if pairs
    # Words, and pairs of neighbours.
    return {*words, *(f"{one} {other}" for one, other in itertools.pairwise(words))}
    #: end


#: if bag
def vocabulary_of(texts: list[str]) -> dict[str, float]:
    """The terms that are in most texts, and what each weighs."""
    path = path_of(VOCABULARY)
    if path.exists():
        return json.loads(path.read_text(encoding="utf-8"))
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(terms_of(text))
    ordered = sorted((term for term in counts if counts[term] > 1), key=lambda term: (-counts[term], term))
    #: end
    #: if tf_idf
    # Inverse document frequency: what is in few texts says more.
    weights = {
        term: round(float(np.log((1 + len(texts)) / (1 + counts[term])) + 1), 5)
        for term in ordered[: VOCABULARY_SIZE - 1]
    }
    #: end
    #: if flat
    weights = dict.fromkeys(ordered[: VOCABULARY_SIZE - 1], 1.0)
    #: end
    #: if bag
    path.write_text(json.dumps(weights, ensure_ascii=False), encoding="utf-8")
    return weights


def inputs_of_texts(texts: list[str], vocabulary: dict[str, float]) -> dict[str, np.ndarray]:
    """The numbers of each text's terms, from 1 on, and their weights, of length 1 together; 0 fills up."""
    numbers = {term: number for number, term in enumerate(vocabulary, 1)}
    weight_of = np.array([0.0, *vocabulary.values()], np.float32)
    ngrams = np.zeros((len(texts), MAX_TERMS), np.int32)
    for row, text in zip(ngrams, texts, strict=True):
        known = sorted((numbers[term] for term in terms_of(text) if term in numbers), reverse=True)
        row[: len(known)] = known[:MAX_TERMS]
    weights = weight_of[ngrams]
    lengths = np.sqrt(np.square(weights).sum(axis=1, keepdims=True))
    return {"ngrams": ngrams, "weights": weights / np.maximum(lengths, np.float32(1e-12))}


def inputs_of(given: str) -> dict[str, np.ndarray]:
    """A text as the network takes it, a batch of one."""
    return inputs_of_texts([given], vocabulary_of([]))
    #: end


#: if sequence
def vocabulary_of(texts: list[str]) -> list[str]:
    """The most frequent words."""
    path = path_of(VOCABULARY)
    if path.exists():
        return json.loads(path.read_text(encoding="utf-8"))
    counts = Counter(word for text in texts for word in split_words(text))
    ordered = sorted(counts, key=lambda word: (-counts[word], word))
    words = [word for word in ordered[: VOCABULARY_SIZE - FIRST_WORD] if counts[word] > 1]
    path.write_text(json.dumps(words, ensure_ascii=False), encoding="utf-8")
    return words


def inputs_of_texts(texts: list[str], vocabulary: list[str]) -> np.ndarray:
    """The numbers of each text's words (N, T), filled up with padding."""
    numbers = {word: number for number, word in enumerate(vocabulary, FIRST_WORD)}
    tokens = np.full((len(texts), MAX_WORDS), PADDING, np.int32)
    for row, text in zip(tokens, texts, strict=True):
        found = [numbers.get(word, UNKNOWN) for word in split_words(text)]
        if (
            len(found) > MAX_WORDS
        ):  # the beginning and, three times as much, the end: there the verdict often is
            num_head = MAX_WORDS // 4
            found = [*found[:num_head], *found[num_head - MAX_WORDS :]]
        row[: len(found)] = found
    return tokens


def inputs_of(given: str) -> np.ndarray:
    """A text as the network takes it, a batch of one."""
    return inputs_of_texts([given], vocabulary_of([]))
    #: end


#: if one_label
def answer(output: np.ndarray) -> str:
    """The classes with their probabilities, the most probable first."""
    shares = np.exp(output - output.max()) / np.exp(output - output.max()).sum()
    return "\n".join(f"{shares[index]:6.1%}  {CLASSES[index]}" for index in np.argsort(-shares)[:5])
    #: end


#: if multi_label
def answer(output: np.ndarray) -> str:
    """The labels with their probabilities, the most probable first."""
    shares = 1 / (1 + np.exp(-output))
    return "\n".join(f"{shares[index]:6.1%}  {CLASSES[index]}" for index in np.argsort(-shares)[:8])
    #: end
