"""How the next token is drawn from the model's logits."""

# V = vocabulary

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from openbook.errors import UsageError


@dataclasses.dataclass(frozen=True, kw_only=True)
class Decoding:
    """Settings of drawing text.

    Attributes:
        temperature: divides the logits; 0 always takes the most probable token.
        top_k: only the k most probable tokens; 0 for all.
        top_p: only the most probable tokens that together reach this probability; 1 for all.
        repetition_penalty: divides positive logits of tokens seen already, multiplies negative ones; 1 for
            none. Source: Keskar et al. (2019), "CTRL", section 4.1.
        max_tokens: stop after so many new tokens, or earlier at the end of the text.
        seed: same seed, same text.
    """

    temperature: float = 0.7
    top_k: int = 0
    top_p: float = 0.9
    repetition_penalty: float = 1.05
    max_tokens: int = 200
    seed: int = 0

    def __post_init__(self) -> None:
        allowed = {
            "temperature": (0.0 <= self.temperature <= 100.0, "between 0 and 100"),
            "top_k": (self.top_k >= 0, "0 or more"),
            "top_p": (0.0 < self.top_p <= 1.0, "above 0 and at most 1"),
            "repetition_penalty": (0.0 < self.repetition_penalty <= 100.0, "above 0 and at most 100"),
            "max_tokens": (1 <= self.max_tokens <= 100_000, "between 1 and 100000"),
            "seed": (0 <= self.seed < 2**32, "between 0 and 4294967295"),
        }
        for name, (is_allowed, range_text) in allowed.items():
            if not is_allowed:
                raise UsageError(
                    f"--{name.replace('_', '-')} must be {range_text}, not {getattr(self, name)}"
                )


def draw_token(logits_V: Any, seen_V: Any, key: Any, decoding: DecodingValues) -> Any:
    """One token id, drawn by the settings; traced by JAX.

    Args:
        logits_V: float array.
        seen_V: boolean array; tokens that the text already has.
        key: JAX random key.
        decoding: the settings as arrays, so that other settings need no new compilation.
    """
    import jax
    import jax.numpy as jnp

    # The scopes name the values for a reader; they change nothing that is computed.
    with jax.named_scope("repetition_penalty"):
        penalty = decoding.repetition_penalty
        penalized_V = jnp.where(logits_V > 0, logits_V / penalty, logits_V * penalty)
        logits_V = jnp.where(seen_V, penalized_V, logits_V)
    is_greedy = decoding.temperature <= 0.0
    with jax.named_scope("temperature"):
        scaled_V = logits_V / jnp.where(is_greedy, 1.0, decoding.temperature)
    # In descending order, a token stays while its rank is below k and the probability before it below p.
    with jax.named_scope("ranking"):
        order_V = jnp.argsort(-scaled_V)
        sorted_V = scaled_V[order_V]
    with jax.named_scope("probabilities"):
        probabilities_V = jax.nn.softmax(sorted_V)
    with jax.named_scope("top_p"):
        before_V = jnp.cumsum(probabilities_V) - probabilities_V
        is_within_p_V = before_V < decoding.top_p
    with jax.named_scope("top_k"):
        is_kept_V = is_within_p_V & (jnp.arange(len(order_V)) < decoding.top_k)
    with jax.named_scope("drawing"):
        kept_V = jnp.where(is_kept_V.at[0].set(True), sorted_V, -jnp.inf)
        rank = jnp.where(is_greedy, 0, jax.random.categorical(key, kept_V))
        return order_V[rank]


def drawing_program(
    logits_V: np.ndarray, ids: Sequence[int], options: Mapping[str, Any]
) -> tuple[Callable[..., Any], dict[str, Any]]:
    """The drawing of the first new token of a text, for looking at it.

    Args:
        ids: of the text, end-of-text first.
        options: fields of `Decoding`; no repetition penalty when it is left out.
    Returns:
        a function that JAX can trace, and its arguments by name.
    Raises:
        UsageError: an option lies outside its range.
    """
    decoding = Decoding(**{"repetition_penalty": 1.0, **options})
    seen_V = np.zeros(len(logits_V), bool)
    seen_V[list(ids[1:])] = True

    def draw(
        logits_V: Any,
        seen_V: Any,
        seed: Any,
        temperature: Any,
        top_k: Any,
        top_p: Any,
        repetition_penalty: Any,
    ) -> Any:
        import jax

        # As in the loop that writes: the first key is split off before anything is drawn.
        _, key = jax.random.split(jax.random.key(seed))
        values = DecodingValues(
            temperature=temperature, top_k=top_k, top_p=top_p, repetition_penalty=repetition_penalty
        )
        return draw_token(logits_V, seen_V, key, values)

    return draw, {
        "logits": logits_V,
        "seen": seen_V,
        "seed": np.uint32(decoding.seed),
        "temperature": np.float32(decoding.temperature),
        "top_k": np.int32(decoding.top_k or len(logits_V)),
        "top_p": np.float32(decoding.top_p),
        "repetition_penalty": np.float32(decoding.repetition_penalty),
    }


@dataclasses.dataclass(frozen=True, kw_only=True)
class DecodingValues:
    """The numbers of `Decoding` that enter the compiled loop; a JAX pytree."""

    temperature: Any
    top_k: Any
    top_p: Any
    repetition_penalty: Any

    @classmethod
    def of(cls, decoding: Decoding, *, vocabulary_size: int) -> DecodingValues:
        import jax.numpy as jnp

        return cls(
            temperature=jnp.float32(decoding.temperature),
            top_k=jnp.int32(min(decoding.top_k or vocabulary_size, vocabulary_size)),
            top_p=jnp.float32(decoding.top_p),
            repetition_penalty=jnp.float32(decoding.repetition_penalty),
        )
