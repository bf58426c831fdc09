"""Byte-pair tokenizers: trained on the user's own text, kept beside the model, the same bytes back out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from openbook.errors import RunError

if TYPE_CHECKING:
    from tokenizers import Tokenizer as RustTokenizer

END_OF_TEXT = "<|end_of_text|>"

_NUM_BYTES = 256
# Pairs are counted on a sample: the merges of a larger text differ only in their rare tail.
TRAINING_SAMPLE_CHARACTERS = 8_000_000


class Tokenizer:
    """Byte-level byte-pair encoding with a special token that stands before each text.

    One that was trained here calls it `<|end_of_text|>` and gives it id 0; then every text can be encoded and
    decodes to itself, and there is no unknown token. That of a pretrained model brings its own, see
    `with_end_of_text`.

    Source: Sennrich et al. (2016), "Neural machine translation of rare words with subword units"; on
    bytes as in Radford et al. (2019).
    """

    def __init__(self, rust: RustTokenizer) -> None:
        self._rust = rust
        # A literal marker in a user's text is text, not the end of a document.
        rust.encode_special_tokens = True
        end_of_text = rust.token_to_id(END_OF_TEXT)
        if end_of_text is None:
            end_of_text = rust.token_to_id(_token_before_texts(rust))
        if end_of_text is None:
            raise RunError(
                f"expected a tokenizer with the token {END_OF_TEXT}, or one that sets a token before each text, "
                f"but it has none"
            )
        self.end_of_text: int = end_of_text

    @classmethod
    def with_end_of_text(cls, rust: RustTokenizer, token: str) -> Tokenizer:
        """The tokenizer of a pretrained model, whose end-of-text has a name of its own; its file will say so."""
        from tokenizers.processors import TemplateProcessing

        rust.post_processor = TemplateProcessing(
            single=f"{token}:0 $A:0", special_tokens=[(token, rust.token_to_id(token))]
        )
        rust.no_padding()
        rust.no_truncation()
        return cls(rust)

    @classmethod
    def train(cls, texts: Sequence[str], *, vocabulary_size: int) -> Tokenizer:
        """Learn up to `vocabulary_size` tokens (at least 257); fewer when the text has no more pairs."""
        from tokenizers import Tokenizer as RustTokenizer
        from tokenizers import decoders, models, pre_tokenizers, trainers

        rust = RustTokenizer(models.BPE())
        rust.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        rust.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=max(vocabulary_size, _NUM_BYTES + 1),
            min_frequency=2,
            special_tokens=[END_OF_TEXT],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        )
        rust.train_from_iterator(_sample(texts, TRAINING_SAMPLE_CHARACTERS), trainer)
        return cls(rust)

    @classmethod
    def load(cls, path: Path) -> Tokenizer:
        """Read a saved tokenizer.

        Raises:
            RunError: the file is missing or damaged.
        """
        from tokenizers import Tokenizer as RustTokenizer

        try:
            return cls(RustTokenizer.from_str(path.read_text(encoding="utf-8")))
        except Exception as error:  # the Rust side raises plain Exception
            raise RunError(
                f"{path}: expected a tokenizer in JSON, but it cannot be read ({error}). "
                f"Copy it again from where the run was made"
            ) from error

    def to_json(self) -> str:
        """The tokenizer as text, for `Tokenizer.load`."""
        return self._rust.to_str(pretty=False)

    @property
    def vocabulary_size(self) -> int:
        """Number of tokens, the special one included."""
        return self._rust.get_vocab_size()

    def encode(self, text: str) -> list[int]:
        """Token ids of one text, without end-of-text; a literal marker in it is plain text."""
        return next(iter(self.encode_many([_without_surrogates(text)])))

    def encode_many(self, texts: Iterable[str]) -> Iterator[list[int]]:
        """Token ids of many texts, in their order, on all cores."""
        for chunk in _chunks(texts, 1024):
            for encoding in self._rust.encode_batch_fast(chunk, add_special_tokens=False):
                yield encoding.ids

    def decode(self, tokens: Iterable[int]) -> str:
        """The text of some tokens; bytes that are no UTF-8 become the replacement character."""
        return self._rust.decode([int(token) for token in tokens], skip_special_tokens=True)

    def token_texts(self, tokens: Iterable[int]) -> list[str]:
        """Each token as text of its own, for showing how a text was split."""
        return [self._rust.decode([int(token)], skip_special_tokens=False) for token in tokens]


def token_dtype(vocabulary_size: int) -> np.dtype[np.unsignedinteger]:
    """Smallest of uint16 and uint32 that holds every id."""
    return np.dtype(np.uint16 if vocabulary_size <= 2**16 else np.uint32)


def _token_before_texts(rust: RustTokenizer) -> str:
    """The special token that the tokenizer itself sets before each text; empty where there is none."""
    template = json.loads(rust.to_str()).get("post_processor") or {}
    pieces = template.get("single") if template.get("type") == "TemplateProcessing" else None
    first = pieces[0].get("SpecialToken", {}) if pieces else {}
    return str(first.get("id", ""))


def _without_surrogates(text: str) -> str:
    """A text that has a form in UTF-8.

    What a terminal hands over as bytes comes with lone surrogates wherever its encoding did not fit; those are
    read as the UTF-8 that they mostly are.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        try:
            return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        except UnicodeEncodeError:
            return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _sample(texts: Sequence[str], num_characters: int) -> Iterator[str]:
    """Texts spread evenly over the whole, about `num_characters` together."""
    total = sum(map(len, texts))
    stride = max(1, round(total / num_characters))
    return iter(texts[::stride]) if len(texts) >= stride else iter(texts)


def _chunks(texts: Iterable[str], size: int) -> Iterator[list[str]]:
    chunk: list[str] = []
    for text in texts:
        chunk.append(text)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
