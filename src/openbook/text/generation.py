"""Writing text with a decoder: a key-value cache and one compiled loop."""

# B = batch (1), E = model width, V = vocabulary

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np

from openbook.errors import ModelError
from openbook.text.sampling import Decoding, DecodingValues, draw_token
from openbook.text.tokenizer import Tokenizer

# Tokens per call of the compiled loop: few enough to watch the text grow, enough to hide the call.
_TOKENS_PER_CALL = 16


@runtime_checkable
class CachedLayer(Protocol):
    """A layer that looks at earlier positions, and remembers of them what it needs."""

    def empty_cache(self, num_slots: int) -> Any:
        """What `step` begins with: a tree of arrays with room for `num_slots` positions of one text."""

    def step(self, inputs: Any, cache: Any, position: Any) -> tuple[Any, Any]:
        """The layer at one position (B, 1, …): what it hands on, and the cache with this position in it."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class WritingState:
    """What the compiled loop carries from token to token; a JAX pytree.

    Attributes:
        token: int32 scalar; the token to read next.
        position: int32 scalar; its position in the text.
        caches: of each layer that has one.
        seen_V: boolean array; tokens that the text already has.
        key: JAX random key.
        is_done: boolean scalar; end-of-text was drawn.
    """

    token: Any
    position: Any
    caches: Any
    seen_V: Any
    key: Any
    is_done: Any


class TextWriter:
    """Draws text from a decoder model: a token embedding, layers one after another, and logits.

    Layers that look at earlier positions are `CachedLayer`s; all others work on each position alone.

    Attention reaches back over the last `context_length` tokens, however long the text grows.

    Args:
        model: functional Keras model of the text generator.
        tokenizer: the model's own.
        context_length: tokens that the model was trained to see at once.
        weights: values to use instead of the model's: of its trainable variables, then of the others.
    Raises:
        ModelError: the model is of another build.
    """

    def __init__(
        self, model: Any, tokenizer: Tokenizer, *, context_length: int, weights: Sequence[Any] | None = None
    ) -> None:
        self._model = model
        self._tokenizer = tokenizer
        self._variables = [*model.trainable_variables, *model.non_trainable_variables]
        self._weights = list(weights) if weights is not None else [v.value for v in self._variables]
        names = [layer.name for layer in model.layers]
        if not {"token_embedding", "next_token_logits"} <= set(names):
            raise ModelError(
                "expected a decoder of openbook's text generator (token_embedding, block_1, …, "
                f"next_token_logits), got layers {', '.join(names)}"
            )
        begin, end = names.index("token_embedding"), names.index("next_token_logits")
        self._layers = model.layers[begin:end]
        # A vocabulary may be filled up, so that the model has logits for more tokens than there are.
        self._vocabulary_size = int(model.output.shape[-1])
        self._num_slots = context_length
        _register_pytrees()

    def write(self, prompt: str, decoding: Decoding) -> Iterator[str]:
        """Pieces of the continuation as they are drawn; joined they are the whole new text."""
        prompt_ids = [self._tokenizer.end_of_text, *self._tokenizer.encode(prompt)]
        values = DecodingValues.of(decoding, vocabulary_size=self._vocabulary_size)
        state = self._read(prompt_ids, decoding.seed)
        new_ids: list[int] = []
        shown = ""
        while len(new_ids) < decoding.max_tokens:
            state, drawn = self._draw(self._weights, state, values)
            ids = [int(token) for token in np.asarray(drawn)]
            is_done = self._tokenizer.end_of_text in ids
            if is_done:
                ids = ids[: ids.index(self._tokenizer.end_of_text)]
            new_ids = (new_ids + ids)[: decoding.max_tokens]
            is_done = is_done or len(new_ids) >= decoding.max_tokens
            text = self._tokenizer.decode(new_ids)
            # A character whose bytes are not all there yet is held back.
            complete = text if is_done else text.rstrip("\ufffd")
            if len(complete) > len(shown):
                yield complete[len(shown) :]
                shown = complete
            if is_done:
                return

    def text(self, prompt: str, decoding: Decoding) -> str:
        """The whole continuation."""
        return "".join(self.write(prompt, decoding))

    def _read(self, ids: Sequence[int], seed: int) -> WritingState:
        """The state after all but the last of the prompt's tokens were read."""
        import jax
        import jax.numpy as jnp

        caches = [
            layer.empty_cache(self._num_slots) for layer in self._layers if isinstance(layer, CachedLayer)
        ]
        padded = np.zeros(_padded_length(len(ids)), np.int32)
        padded[: len(ids)] = ids
        caches = self._read_prompt(self._weights, caches, padded, np.int32(len(ids) - 1))
        seen_V = np.zeros(self._vocabulary_size, bool)
        seen_V[list(ids[1:])] = True
        return WritingState(
            token=jnp.int32(ids[-1]),
            position=jnp.int32(len(ids) - 1),
            caches=caches,
            seen_V=jnp.asarray(seen_V),
            key=jax.random.key(seed),
            is_done=jnp.bool_(False),
        )

    @functools.cached_property
    def _read_prompt(self) -> Any:
        import jax

        def read(weights: Any, caches: Any, padded_ids: Any, num_tokens: Any) -> Any:
            def body(position: Any, caches: Any) -> Any:
                return self._advance(weights, padded_ids[position], position, caches)[1]

            return jax.lax.fori_loop(0, num_tokens, body, caches)

        return jax.jit(read, donate_argnums=1)

    @functools.cached_property
    def _draw(self) -> Any:
        import jax
        import jax.numpy as jnp

        end_of_text = self._tokenizer.end_of_text

        def draw(weights: Any, state: WritingState, decoding: DecodingValues) -> Any:
            def body(carry: Any) -> Any:
                index, state, drawn = carry
                logits_V, caches = self._advance(weights, state.token, state.position, state.caches)
                key, draw_key = jax.random.split(state.key)
                token = draw_token(logits_V, state.seen_V, draw_key, decoding).astype(jnp.int32)
                state = WritingState(
                    token=token,
                    position=state.position + 1,
                    caches=caches,
                    seen_V=state.seen_V.at[token].set(True),
                    key=key,
                    is_done=token == end_of_text,
                )
                return index + 1, state, drawn.at[index].set(token)

            def goes_on(carry: Any) -> Any:
                return (carry[0] < _TOKENS_PER_CALL) & ~carry[1].is_done

            drawn = jnp.full(_TOKENS_PER_CALL, end_of_text, jnp.int32)
            _, state, drawn = jax.lax.while_loop(goes_on, body, (0, state, drawn))
            return state, drawn

        return jax.jit(draw, donate_argnums=1)

    def _advance(self, weights: Any, token: Any, position: Any, caches: Any) -> tuple[Any, Any]:
        """Logits (V,) after reading one token at a position, and the caches with it."""
        import keras

        with keras.StatelessScope(state_mapping=list(zip(self._variables, weights, strict=True))):
            hidden = token[None, None]
            old_caches, new_caches = iter(caches), []
            for layer in self._layers:
                if isinstance(layer, CachedLayer):
                    hidden, cache = layer.step(hidden, next(old_caches), position)
                    new_caches.append(cache)
                else:
                    hidden = layer(hidden)
            logits = self._logits(hidden)
        return logits[0, 0], new_caches

    def _logits(self, hidden_B1E: Any) -> Any:
        head = self._model.get_layer("next_token_logits")
        embedding = self._model.get_layer("token_embedding")
        is_tied = getattr(embedding, "tie_weights", False)
        return head(embedding(hidden_B1E, reverse=True)) if is_tied else head(hidden_B1E)


def _padded_length(num_tokens: int) -> int:
    """A power of two, at least 32, so that prompts of like length share one compiled program."""
    return max(32, 1 << (num_tokens - 1).bit_length())


@functools.cache
def _register_pytrees() -> None:
    import jax

    for record in (WritingState, DecodingValues):
        names = [field.name for field in dataclasses.fields(record)]
        jax.tree_util.register_dataclass(record, data_fields=names, meta_fields=[])
