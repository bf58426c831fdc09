"""Texts: read by the run's own tokenizer, and padded so that every sentence runs the same compiled program."""

# T = positions

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from openbook.errors import UsageError
from openbook.page.inputs.reading import Json, ReadInput

# A person pastes a page, not a library; the model sees its first tokens only.
MAX_CHARACTERS = 200_000
# The shortest length that is compiled: all sentences share one program, and 128 positions run in a few dozen ms.
_SHORTEST_LENGTH = 128

_END_TEXT = "<end of text>"
# Signs that nearly every font has: of "␠" and "␍" many show an empty box.
_INVISIBLE = {" ": "·", "\n": "↵", "\t": "⇥", "\r": "←", "\u00a0": "⍽"}


class TokenizerLike(Protocol):
    """What is needed of a tokenizer."""

    end_of_text: int

    @property
    def vocabulary_size(self) -> int: ...

    def encode(self, text: str) -> list[int]: ...

    def token_texts(self, tokens: Sequence[int]) -> list[str]: ...


@dataclasses.dataclass(frozen=True, kw_only=True)
class TextReader:
    """Reads texts for a model that predicts the next token.

    Attributes:
        encode: from a text to the ids (1, T) that the model takes, at most `max_tokens` of them.
        example_text: what to show before a person has typed anything.
    """

    tokenizer: TokenizerLike
    encode: Callable[[str], np.ndarray]
    max_tokens: int
    example_text: str

    def spec(self) -> Json:
        return {
            "kind": "text",
            "example": self.example_text,
            "max_tokens": self.max_tokens,
            "target": "next_token",
            "classes": None,
            "targets": None,
        }

    def read(self, given: Mapping[str, Any]) -> ReadInput:
        text = given_text(given, seen=f", of which the model sees the first {self.max_tokens} tokens")
        ids = [int(token) for token in self.encode(text)[0]]
        notes = []
        num_all = len(self.tokenizer.encode(text)) + 1
        if num_all > len(ids):
            notes.append(
                f"The model sees {self.max_tokens:,} tokens at once; the last {num_all - len(ids):,} of your text "
                f"were left out."
            )
        tokens = [self._token(token, shown) for token, shown in zip(ids, self.texts(ids), strict=True)]
        preview = {"kind": "text", "text": text, "tokens": tokens, "notes": notes}
        return ReadInput(arrays=self._padded(ids), preview=preview, token_ids=tuple(ids))

    def example(self) -> ReadInput:
        return self.read({"text": self.example_text})

    def targets(self, read: ReadInput, target: Any) -> Any:
        """The next token of each position and, after the last, the one that is given; padding counts nothing."""
        assert read.token_ids is not None
        if not isinstance(target, str) or not target:
            raise UsageError(
                "a training step on a text needs the token that should come next, such as ' good'"
            )
        end = self.tokenizer.end_of_text
        following = [end] if target == _END_TEXT else self.tokenizer.encode(target)
        if not following:
            raise UsageError(f"{target!r} is no token")
        next_ids = [*read.token_ids[1:], following[0]]
        num_padding = read.arrays.shape[1] - len(next_ids)
        weights = [*([1.0] * len(next_ids)), *([0.0] * num_padding)]
        return {
            "tokens": np.array([[*next_ids, *([end] * num_padding)]], np.int32),
            "weights": np.array([weights], np.float32),
        }

    def place(self, read: ReadInput, name: str, index: Sequence[int]) -> str | None:
        if name.startswith("input") and read.token_ids is not None and len(index) == 2:
            position = index[1]
            if position >= len(read.token_ids):
                return f"padding after the text, position {position + 1}"
            [text] = self.texts([read.token_ids[position]])
            return f"token “{shown_text(text)}” at position {position + 1}"
        if name.endswith("/embeddings") and len(index) == 2:
            [text] = self.texts([index[0]])
            return f"the embedding of token “{shown_text(text)}”"
        return None

    def token_text(self, token: int) -> str:
        return "" if token == self.tokenizer.end_of_text else self.texts([token])[0]

    def vocabulary(self, rows: Sequence[int]) -> list[str]:
        return [shown_text(text) for text in self.texts(rows)]

    @property
    def vocabulary_size(self) -> int:
        return self.tokenizer.vocabulary_size

    def texts(self, ids: Sequence[int]) -> list[str]:
        """Each token's text; the special one in words."""
        known = self._all_texts
        return [known[token] if 0 <= token < len(known) else f"token {token}" for token in ids]

    @functools.cached_property
    def _all_texts(self) -> list[str]:
        texts = self.tokenizer.token_texts(range(self.tokenizer.vocabulary_size))
        texts[self.tokenizer.end_of_text] = _END_TEXT
        return texts

    def _token(self, token: int, text: str) -> Json:
        return {"id": token, "text": text, "shown": shown_text(text)}

    def _padded(self, ids: Sequence[int]) -> np.ndarray:
        """The ids (1, T) with end-of-text after them; earlier positions of a causal model never see it."""
        length = max(_SHORTEST_LENGTH, 1 << (len(ids) - 1).bit_length())
        padded = np.full(
            (1, min(length, max(self.max_tokens, len(ids)))), self.tokenizer.end_of_text, np.int32
        )
        padded[0, : len(ids)] = ids
        return padded


def shown_text(text: str) -> str:
    """A token so that every part of it can be seen."""
    if text and not text.strip():
        return "".join(_INVISIBLE.get(sign, sign) for sign in text)
    shown = "".join(sign if sign == " " else _INVISIBLE.get(sign, sign) for sign in text)
    return "".join(sign if sign.isprintable() else "·" for sign in shown)


def given_text(given: Mapping[str, Any], *, seen: str = "") -> str:
    """The text of a request, as UTF-8 has it.

    Args:
        seen: what the model sees of a long one.
    Raises:
        UsageError: there is none, or it is too long.
    """
    text = given.get("text")
    if not isinstance(text, str):
        raise UsageError("expected a text")
    if len(text) > MAX_CHARACTERS:
        raise UsageError(
            f"the text has {len(text):,} characters; the page takes up to {MAX_CHARACTERS:,}{seen}. Paste a "
            f"shorter part of it"
        )
    return text.encode("utf-8", "replace").decode("utf-8")
