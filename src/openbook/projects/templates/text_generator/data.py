"""The texts of this project: read, split, turned into tokens, and cut into windows."""

# B = batch, T = tokens of a window, N = tokens of all texts

import csv
import dataclasses
import functools
import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tokenizers import Tokenizer

# A table with the columns text and side, "train" or "test". Without side they are drawn.
DATA = "data/texts.csv"  #: fill
# How text becomes tokens, of the package `tokenizers`; learned from the run's texts.
TOKENIZER = "data/tokenizer.json"  #: fill
# SHA-256 of the file that the run's texts were written to.
FINGERPRINT = ""  #: fill
# Tokens that the network sees at once.
CONTEXT_LENGTH = 128  #: fill
HELD_OUT_SHARE = 0.1  #: fill
# Of the texts to score, so many bytes give the score, and so many of those choose the weights.
SCORED_BYTES = 400_000  #: fill
COMPARED_BYTES = 60_000  #: fill
END_OF_TEXT = "<|end_of_text|>"

csv.field_size_limit(sys.maxsize)


@dataclasses.dataclass(frozen=True, eq=False)
class Examples:
    """Texts as one stream of tokens, each text after an end-of-text token; and where each begins."""

    tokens: np.ndarray
    starts: np.ndarray
    num_bytes: int

    def batch_at(self, step: int, batch_size: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Windows (B, T) of a training step and their next tokens; each epoch has its own order of texts."""
        num_windows = max(1, (len(self.tokens) - 1) // CONTEXT_LENGTH)
        epoch, position = divmod(step, max(1, (len(self.tokens) - 1) // (CONTEXT_LENGTH * batch_size)))
        tokens, starts = in_order_of_epoch(self, num_windows, epoch, seed)
        batch = position * batch_size + np.arange(batch_size)
        windows = starts[batch % num_windows][:, None] + np.arange(CONTEXT_LENGTH + 1)
        windows = tokens[windows % len(tokens)].astype(np.int32)
        return windows[:, :-1], windows[:, 1:]

    def windows(self, batch_size: int) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Inputs, next tokens and which of these count: each once, after half a window of others or more."""
        num_targets, stride = len(self.tokens) - 1, max(1, CONTEXT_LENGTH // 2)
        num_windows = max(1, -(-(num_targets - CONTEXT_LENGTH) // stride) + 1)
        for start in range(0, num_windows, batch_size):
            numbers = np.arange(start, start + batch_size)[:, None]
            positions = stride * numbers + np.arange(CONTEXT_LENGTH)
            is_new = (np.arange(CONTEXT_LENGTH) >= CONTEXT_LENGTH - stride) | (numbers == 0)
            is_scored = is_new & (positions < num_targets) & (numbers < num_windows)
            inputs = self.tokens[np.minimum(positions, num_targets - 1)].astype(np.int32)
            yield inputs, self.tokens[np.minimum(positions + 1, num_targets)].astype(np.int32), is_scored


@functools.lru_cache(maxsize=1)
def in_order_of_epoch(
    stream: Examples, num_windows: int, epoch: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """The stream with its texts in the order of an epoch, and where the windows begin, in theirs."""
    rng = np.random.default_rng([seed, epoch])
    texts = np.split(stream.tokens, stream.starts[1:])
    tokens = np.concatenate([texts[index] for index in rng.permutation(len(texts))])
    offset = int(rng.integers(CONTEXT_LENGTH))
    return tokens, offset + CONTEXT_LENGTH * rng.permutation(num_windows)


class Splits(NamedTuple):
    """To learn from, to choose weights by, and for the final score."""

    train: Examples
    validation: Examples
    test: Examples


def load() -> Splits:
    """All texts, each on its side of the split."""
    with path_of(DATA).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    sides = [row.get("side") for row in rows]
    if None in sides:
        draws = np.random.default_rng(0).random(len(rows))
        sides = ["test" if draw < HELD_OUT_SHARE else "train" for draw in draws]
    texts = {
        name: [row["text"] for row, side in zip(rows, sides, strict=True) if side == name]
        for name in ("train", "test")
    }
    test = first_bytes(texts["test"], SCORED_BYTES)
    return Splits(stream_of(texts["train"]), stream_of(first_bytes(test, COMPARED_BYTES)), stream_of(test))


def first_bytes(texts: list[str], num_bytes: int) -> list[str]:
    """Whole texts from the beginning, about so many bytes together, at least one."""
    sizes = np.cumsum([len(text.encode()) for text in texts])
    return texts[: max(1, int(np.searchsorted(sizes, num_bytes, side="right")))]


def stream_of(texts: list[str]) -> Examples:
    """Texts as tokens."""
    chosen = tokenizer()
    end_of_text = chosen.token_to_id(END_OF_TEXT)
    pieces = [[end_of_text, *encoding.ids] for encoding in chosen.encode_batch(texts)]
    lengths = np.array([len(piece) for piece in pieces])
    tokens = np.concatenate([np.array(piece, np.uint32) for piece in pieces])
    return Examples(tokens, np.cumsum(lengths) - lengths, sum(len(text.encode()) for text in texts))


def tokenizer() -> Tokenizer:
    """The run's tokenizer; the name of a special token within a text is plain text."""
    chosen = Tokenizer.from_file(str(path_of(TOKENIZER)))
    chosen.encode_special_tokens = True
    return chosen


def path_of(name: str) -> Path:
    """A file of this project."""
    return Path(__file__).parent / name


def fingerprint() -> str:
    """Of the table as it is now."""
    return hashlib.sha256(path_of(DATA).read_bytes()).hexdigest()
