"""Beginnings of held-out documents with the true next token and the model's answer, its worst mistakes first."""

# B = batch, T = time, V = vocabulary

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from openbook.text.tokenizer import Tokenizer

NUM_EXAMPLES = 48
# A beginning has so many tokens, end-of-text not counted: short enough to be read at a glance.
_LENGTHS = (4, 8, 12, 16)


def next_token_examples(
    texts: Sequence[str], tokenizer: Tokenizer, logits_after: Callable[[np.ndarray], np.ndarray]
) -> list[dict[str, Any]]:
    """Examples for a person to choose from.

    Args:
        texts: held-out documents.
        logits_after: from tokens (B, T) to logits (B, T, V).
    Returns:
        for each `text`, the true next token `target`, the model's `answer`, `is_mistake`, and as `score` the
        probability that the model gave to the true token.
    """
    longest = max(_LENGTHS)
    beginnings: list[list[int]] = []
    for number, ids in enumerate(tokenizer.encode_many(texts[:NUM_EXAMPLES])):
        length = _LENGTHS[number % len(_LENGTHS)]
        # A beginning that does not end inside a character can be typed again as the same text.
        if len(ids) > length and tokenizer.encode(tokenizer.decode(ids[:length])) == ids[:length]:
            beginnings.append(ids[: length + 1])
    if not beginnings:
        return []
    tokens_BT = np.full((len(beginnings), longest + 1), tokenizer.end_of_text, np.int32)
    for row, ids in enumerate(beginnings):
        tokens_BT[row, 1 : len(ids)] = ids[:-1]
    logits_BTV = logits_after(tokens_BT)
    examples = [_example(ids, logits_BTV[row, len(ids) - 1], tokenizer) for row, ids in enumerate(beginnings)]
    return sorted(examples, key=lambda example: (not example["is_mistake"], example["score"]))


def _example(ids: Sequence[int], logits_V: np.ndarray, tokenizer: Tokenizer) -> dict[str, Any]:
    exponentials_V = np.exp(logits_V.astype(np.float64) - logits_V.max())
    answer = int(np.argmax(logits_V))
    target_text, answer_text = tokenizer.token_texts([ids[-1], answer])
    return {
        "text": tokenizer.decode(ids[:-1]),
        "target": target_text,
        "answer": answer_text,
        "is_mistake": answer != ids[-1],
        "score": round(float(exponentials_V[ids[-1]] / exponentials_V.sum()), 6),
    }
