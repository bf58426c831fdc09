"""Documents as one stream of tokens, and the batches of a training run as a function of the step alone."""

# B = batch, T = context length, N = tokens of the stream

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from openbook.text.tokenizer import Tokenizer, token_dtype


@dataclasses.dataclass(frozen=True, kw_only=True)
class TokenStream:
    """Tokens of many documents, each preceded by end-of-text, without padding.

    Attributes:
        tokens: uint16 or uint32 array (N,).
        starts: int64 array (num documents,), where each document's end-of-text token stands.
        size_bytes: UTF-8 bytes of the documents.
    """

    tokens: np.ndarray
    starts: np.ndarray
    size_bytes: int

    @classmethod
    def encode(cls, texts: Sequence[str], tokenizer: Tokenizer) -> TokenStream:
        """Encode documents in their order."""
        dtype = token_dtype(tokenizer.vocabulary_size)
        pieces: list[np.ndarray] = []
        lengths = np.empty(len(texts), np.int64)
        for index, ids in enumerate(tokenizer.encode_many(texts)):
            pieces.append(np.array([tokenizer.end_of_text, *ids], dtype))
            lengths[index] = len(ids) + 1
        return cls(
            tokens=np.concatenate(pieces),
            starts=np.cumsum(lengths) - lengths,
            size_bytes=sum(len(text.encode()) for text in texts),
        )

    @property
    def num_tokens(self) -> int:
        return len(self.tokens)


@dataclasses.dataclass(frozen=True, kw_only=True)
class TokenBatches:
    """Training batches; `batch_at(step)` depends on the seed and the step only, so any step can be resumed.

    In every epoch the documents stand in a new random order and are cut into windows at a new offset.
    """

    stream: TokenStream
    batch_size: int
    context_length: int
    seed: int
    _epoch_cache: dict[int, tuple[np.ndarray, np.ndarray]] = dataclasses.field(
        default_factory=dict, repr=False, compare=False
    )

    @property
    def steps_per_epoch(self) -> int:
        return max(1, (self.stream.num_tokens - 1) // (self.context_length * self.batch_size))

    def batch_at(self, step: int) -> tuple[np.ndarray, np.ndarray]:
        """Inputs and next tokens of one step, each int32 (B, T)."""
        epoch, step_in_epoch = divmod(step, self.steps_per_epoch)
        tokens, starts = self._epoch(epoch)
        batch = step_in_epoch * self.batch_size + np.arange(self.batch_size)
        windows = starts[batch % len(starts)][:, None] + np.arange(self.context_length + 1)
        tokens_BT = tokens[windows % len(tokens)].astype(np.int32)
        return tokens_BT[:, :-1], tokens_BT[:, 1:]

    def _epoch(self, epoch: int) -> tuple[np.ndarray, np.ndarray]:
        if epoch not in self._epoch_cache:
            rng = np.random.default_rng([self.seed, epoch])
            tokens = _in_order(self.stream, rng.permutation(len(self.stream.starts)))
            offset = int(rng.integers(self.context_length))
            num_windows = max(1, (self.stream.num_tokens - 1) // self.context_length)
            starts = offset + self.context_length * rng.permutation(num_windows)
            self._epoch_cache.clear()
            self._epoch_cache[epoch] = (tokens, starts)
        return self._epoch_cache[epoch]


def _in_order(stream: TokenStream, order: np.ndarray) -> np.ndarray:
    """The stream's tokens with its documents in another order."""
    ends = np.append(stream.starts[1:], stream.num_tokens)
    # Slices are views: beside the result nothing as long as the stream is made.
    return np.concatenate([stream.tokens[stream.starts[index] : ends[index]] for index in order])
