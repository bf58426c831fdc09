"""The held-out score of a language model: bits per byte, loss, perplexity and next-token accuracy."""

# B = batch, T = context length

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from openbook.text.stream import TokenStream

# Takes inputs, targets and float weights, each (B, T); returns summed nats and summed correct predictions.
ScoreBatch = Callable[[np.ndarray, np.ndarray, np.ndarray], tuple[Any, Any]]


@dataclasses.dataclass(frozen=True, kw_only=True)
class TextScore:
    """How well a model predicts text it was not trained on.

    Attributes:
        bits_per_byte: information needed per UTF-8 byte of raw text, end-of-text tokens paid for; does not
            depend on how the text is split into tokens.
        loss: mean cross-entropy per token, in nats.
        perplexity: exp(loss), per token.
        accuracy: share of tokens whose most probable prediction was right.
        num_tokens, num_bytes: what was scored.
    """

    bits_per_byte: float
    loss: float
    perplexity: float
    accuracy: float
    num_tokens: int
    num_bytes: int


def score_stream(
    stream: TokenStream, score_batch: ScoreBatch, *, batch_size: int, context_length: int
) -> TextScore:
    """Score every token of a stream once.

    Windows overlap by half, and only the second half of each counts (all of it in the first window), so
    each token is predicted from at least T/2 earlier ones where there are that many.
    """
    sums = [score_batch(*batch) for batch in _windows(stream.tokens, batch_size, context_length)]
    nats = math.fsum(float(batch_nats) for batch_nats, _ in sums)
    correct = math.fsum(float(batch_correct) for _, batch_correct in sums)
    num_tokens = stream.num_tokens - 1
    loss = nats / num_tokens
    return TextScore(
        bits_per_byte=nats / math.log(2) / stream.size_bytes,
        loss=loss,
        perplexity=math.exp(min(loss, 700.0)),
        accuracy=correct / num_tokens,
        num_tokens=num_tokens,
        num_bytes=stream.size_bytes,
    )


def num_score_batches(num_tokens: int, *, batch_size: int, context_length: int) -> int:
    """Batches that `score_stream` runs for a stream of so many tokens."""
    stride = max(1, context_length // 2)
    num_windows = max(1, math.ceil((num_tokens - 1 - context_length) / stride) + 1)
    return math.ceil(num_windows / batch_size)


def _windows(
    tokens: np.ndarray, batch_size: int, context_length: int
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Batches of inputs, targets and weights; the weights of all batches sum to the number of targets."""
    num_targets = len(tokens) - 1
    stride = max(1, context_length // 2)
    num_windows = max(1, math.ceil((num_targets - context_length) / stride) + 1)
    num_rows = batch_size * num_score_batches(
        len(tokens), batch_size=batch_size, context_length=context_length
    )
    positions = stride * np.arange(num_rows)[:, None] + np.arange(context_length)
    fresh = (np.arange(context_length) >= context_length - stride) | (np.arange(num_rows) == 0)[:, None]
    weights = (fresh & (positions < num_targets) & (np.arange(num_rows) < num_windows)[:, None]).astype(
        np.float32
    )
    inputs = tokens[np.minimum(positions, num_targets - 1)].astype(np.int32)
    targets = tokens[np.minimum(positions + 1, num_targets)].astype(np.int32)
    for start in range(0, num_rows, batch_size):
        rows = slice(start, start + batch_size)
        yield inputs[rows], targets[rows], weights[rows]
