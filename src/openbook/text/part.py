"""A part of the texts, tokenised, and what tokenising all of them takes: known before it is done."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence

from openbook.text.stream import TokenStream
from openbook.text.tokenizer import TRAINING_SAMPLE_CHARACTERS, Tokenizer

# Enough for a vocabulary whose tokens are about as long as those of the whole.
_PART_CHARACTERS = 500_000
_LONGEST_PIECE = 20_000


@dataclasses.dataclass(frozen=True, kw_only=True)
class TextPart:
    """Part of the texts as tokens.

    Attributes:
        tokenizer: learned from the part, or as it was given.
        is_part: there is more text than was looked at.
        num_tokens: of all the texts, estimated.
        prepare_s: learning the vocabulary from all the texts, and encoding them.
        held_bytes: what their tokens occupy in training.
    """

    tokenizer: Tokenizer
    is_part: bool
    stream: TokenStream
    num_tokens: int
    prepare_s: float
    held_bytes: int

    def tokens_in(self, num_bytes: int) -> int:
        """Tokens that some text of this kind has."""
        return max(1, round(self.stream.num_tokens * num_bytes / max(1, self.stream.size_bytes)))


def tokenise_part(
    texts: Sequence[str], *, vocabulary_size: int, scale: float = 1.0, tokenizer: Tokenizer | None = None
) -> TextPart:
    """Tokenise documents spread over the whole.

    Args:
        texts: all of them, or a part.
        vocabulary_size: of the tokenizer to come.
        scale: how many times more text there is than is given.
        tokenizer: one that is there already; else one is learned.
    """
    # A few long documents are looked at in many places, as many short ones are.
    if any(len(text) > _LONGEST_PIECE for text in texts):
        texts = [
            text[start : start + _LONGEST_PIECE]
            for text in texts
            for start in range(0, len(text), _LONGEST_PIECE)
        ]
    num_characters = sum(map(len, texts))
    part = texts[:: max(1, round(num_characters / _PART_CHARACTERS))]
    part_characters = sum(map(len, part))
    learning_s, learned_from = 0.0, 0.0
    if tokenizer is None:
        learning_s, tokenizer = _learning_s(part, vocabulary_size)
        learned_from = min(scale * num_characters, TRAINING_SAMPLE_CHARACTERS)
    if learned_from > part_characters and len(part) > 1:
        # Counting words grows with the text, merging pairs does not: half of the part tells them apart.
        half = part[::2]
        half_s, _ = _learning_s(half, vocabulary_size)
        per_character_s = (learning_s - half_s) / max(1, part_characters - sum(map(len, half)))
        learning_s += (learned_from - part_characters) * max(0.0, per_character_s)
    begin_s = time.perf_counter()
    stream = TokenStream.encode(part, tokenizer)
    encoding_s = time.perf_counter() - begin_s
    times = scale * num_characters / max(1, part_characters)
    num_tokens = max(1, round(stream.num_tokens * times))
    return TextPart(
        tokenizer=tokenizer,
        is_part=times > 1.0,
        stream=stream,
        num_tokens=num_tokens,
        prepare_s=learning_s + encoding_s * times,
        held_bytes=num_tokens * 2 * stream.tokens.itemsize,
    )


def _learning_s(texts: Sequence[str], vocabulary_size: int) -> tuple[float, Tokenizer]:
    begin_s = time.perf_counter()
    tokenizer = Tokenizer.train(texts, vocabulary_size=vocabulary_size)
    return time.perf_counter() - begin_s, tokenizer
