"""Texts as the text generator trains on them: split, turned into tokens, and the task of the next token."""

# B = batch, T = context length, V = vocabulary

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from openbook.text.sampling import Decoding
from openbook.text.score import score_stream
from openbook.text.stream import TokenBatches, TokenStream
from openbook.text.tokenizer import Tokenizer
from openbook.training.losses import next_token_loss, token_nats
from openbook.training.state import TrainingState

if TYPE_CHECKING:
    from openbook.data import Documents, TextReport
    from openbook.recipes.text_generator import TextGenerator
    from openbook.text.part import TextPart

SAMPLE_TOKENS = 90


@dataclasses.dataclass(frozen=True, kw_only=True)
class TextData:
    """Documents on their side of the split."""

    documents: Documents
    train_texts: tuple[str, ...]
    held_out_texts: tuple[str, ...]
    _parts: dict[tuple[int, float], TextPart] = dataclasses.field(
        default_factory=dict, repr=False, compare=False
    )

    def part(self, vocabulary_size: int, scale: float, *, tokenizer: Tokenizer | None = None) -> TextPart:
        """A part of the training texts as tokens, for a forecast; made once."""
        from openbook.text.part import tokenise_part

        key = (vocabulary_size, scale)
        if key not in self._parts:
            self._parts[key] = tokenise_part(
                self.train_texts, vocabulary_size=vocabulary_size, scale=scale, tokenizer=tokenizer
            )
        return self._parts[key]

    @property
    def report(self) -> TextReport:
        return self.documents.report

    @property
    def fingerprint(self) -> str:
        return self.documents.fingerprint

    @property
    def origin(self) -> Mapping[str, object]:
        return self.documents.origin


@dataclasses.dataclass(frozen=True, kw_only=True)
class TextSplits:
    """Tokens to train on and to score with.

    Attributes:
        scored, compared: held-out documents for the final score and, part of these, for choosing weights.
        prompt: the first words of a held-out document.
        held_out: some held-out documents as text, for examples.
    """

    tokenizer: Tokenizer
    train: TokenStream
    scored: TokenStream
    compared: TokenStream
    prompt: str
    held_out: tuple[str, ...]


class TextTask:
    """Next-token prediction on packed text, for the training loop."""

    score_key = "bits_per_byte"
    unit = "tokens"
    loss = staticmethod(next_token_loss)

    def __init__(self, recipe: TextGenerator, model: Any, splits: TextSplits) -> None:
        assert recipe.context_length is not None
        assert recipe.batch_size is not None
        self.model = model
        # All but those of a pretrained model are trained.
        self._frozen = [variable.value for variable in model.non_trainable_variables]
        self._batch_size = recipe.batch_size
        self._recipe = recipe
        self._splits = splits
        self._context_length = recipe.context_length
        self._batches = TokenBatches(
            stream=splits.train,
            batch_size=self._batch_size,
            context_length=recipe.context_length,
            seed=recipe.seed,
        )
        self.steps_per_epoch = self._batches.steps_per_epoch
        self.units_per_step = self._batch_size * recipe.context_length

    def batch_at(self, step: int) -> tuple[np.ndarray, np.ndarray]:
        return self._batches.batch_at(step)

    def evaluate(self, state: TrainingState) -> dict[str, float]:
        return self.score(state.trainable, self._splits.compared)

    def sample(self, state: TrainingState, step: int) -> str | None:
        from openbook.text.generation import TextWriter

        writer = TextWriter(
            self.model,
            self._splits.tokenizer,
            context_length=self._context_length,
            weights=[*state.trainable, *self._frozen],
        )
        decoding = Decoding(max_tokens=SAMPLE_TOKENS // 2, seed=(self._recipe.seed + step) % 2**32)
        return self._splits.prompt + writer.text(self._splits.prompt, decoding)

    def logits_after(self, tokens_BT: np.ndarray) -> np.ndarray:
        """The model's logits for the token after each position: (B, T, V)."""
        import jax

        # Called as it is, Keras would have each of its operations compiled by itself.
        call = jax.jit(lambda weights, frozen, tokens: self.model.stateless_call(weights, frozen, tokens)[0])
        weights = [variable.value for variable in self.model.trainable_variables]
        return np.asarray(call(weights, self._frozen, tokens_BT))

    def score(self, weights: Any, stream: TokenStream) -> dict[str, float]:
        """Score of a held-out stream as numbers by name."""
        score = score_stream(
            stream,
            functools.partial(self._score_batch, weights, self._frozen),
            batch_size=self._batch_size,
            context_length=self._context_length,
        )
        return dataclasses.asdict(score)

    @functools.cached_property
    def _score_batch(self) -> Any:
        import jax
        import jax.numpy as jnp

        def score(weights: Any, frozen: Any, inputs_BT: Any, targets_BT: Any, weights_BT: Any) -> Any:
            logits_BTV, _ = self.model.stateless_call(weights, frozen, inputs_BT)
            nats_BT = token_nats(logits_BTV, targets_BT)
            is_right_BT = jnp.argmax(logits_BTV, axis=-1) == targets_BT
            return jnp.sum(nats_BT * weights_BT), jnp.sum(is_right_BT * weights_BT)

        return jax.jit(score)


def first_bytes(texts: tuple[str, ...], num_bytes: int) -> tuple[str, ...]:
    """Whole documents from the beginning, about `num_bytes` together, at least one."""
    sizes = np.cumsum([len(text.encode()) for text in texts])
    return texts[: max(1, int(np.searchsorted(sizes, num_bytes, side="right")))]
