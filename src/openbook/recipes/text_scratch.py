"""The text generator from scratch: its sizes, its model and its optimizer."""

# B = batch, T = context length, V = vocabulary, E = model width

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from openbook.data.cache import cache_folder
from openbook.errors import UsageError
from openbook.recipes.text_origin import TextOrigin
from openbook.training.precision import remembered_gflops
from openbook.training_backend import wanted_backend

if TYPE_CHECKING:
    from openbook.recipes.text_generator import TextGenerator
    from openbook.recipes.text_task import TextData

# Holds what was measured once on a machine.
MEASURED_NAME = "fastest_precision.json"
OPTIMIZERS = ("muon", "adamw")

SIZE_FIELDS = (
    "num_blocks",
    "width",
    "num_heads",
    "feed_forward_units",
    "context_length",
    "vocabulary_size",
    "batch_size",
    "learning_rate",
)
# What the sizes stand for; each number is a setting of its own.
SIZES: Mapping[str, Mapping[str, Any]] = {
    size: dict(zip(SIZE_FIELDS, values, strict=True))
    for size, values in {
        "tiny": (1, 128, 2, 512, 128, 2048, 16, 0.03),
        "small": (2, 192, 3, 768, 128, 4096, 16, 0.03),
        "medium": (4, 256, 4, 1024, 128, 8192, 16, 0.03),
        "large": (6, 384, 6, 1536, 256, 8192, 16, 0.02),
        "huge": (12, 768, 12, 3072, 512, 16384, 16, 0.01),
    }.items()
}
# A step of Muon has the size of its learning rate, AdamW's as many times that.
_ADAMW_SHARE = 0.13
# Muon is for matrices between features; the rest takes Adam, at so many times Muon's rate: what a token or a class
# stands for is seen rarely, and moves far when it is.
ADAM_RATES = {"token_embedding": 3.3, "next_token_logits": 0.2, "norm": 0.33}
TIED_ADAM_RATES = {**ADAM_RATES, "token_embedding": 0.2}
# Pairs of tokens share so many rows for each token of the vocabulary.
_PAIR_ROWS = 8
# `auto`: the largest size that has time to learn within the budget, on a machine that multiplies as fast as the
# two cores on which the sizes were compared.
_AUTO_SIZES_S = ((600.0, "tiny"), (7200.0, "small"), (86_400.0, "medium"), (math.inf, "large"))
_COMPARED_AT_GFLOPS = 110.0


class FromScratch(TextOrigin):
    """A vocabulary learned from the texts, and weights drawn by chance."""

    @property
    def backend(self) -> str:
        return wanted_backend()

    def check(self) -> None:
        recipe = self.recipe
        if recipe.lora_rank is not None:
            raise UsageError("--lora-rank is for a pretrained model. Say which: --start smollm2")
        if recipe.size not in (*SIZES, "auto"):
            raise UsageError(f"--size must be auto, {', '.join(SIZES)}, not {recipe.size!r}")
        if recipe.width and recipe.num_heads and recipe.width % (2 * recipe.num_heads):
            raise UsageError(
                f"--width must be a multiple of twice --num-heads (each head turns pairs of features), "
                f"not {recipe.width} with {recipe.num_heads} heads"
            )

    def resolved(self, data: TextData) -> TextGenerator:
        recipe = self.recipe
        size = (
            recipe.size
            if recipe.size != "auto"
            else _size_for(recipe.length.budget_s, backend=recipe.backend)
        )
        num_bytes = sum(len(text) for text in data.train_texts)
        sizes = {**SIZES[size], "weight_decay": 0.0}
        sizes["vocabulary_size"] = min(sizes["vocabulary_size"], suitable_vocabulary_size(num_bytes))
        if recipe.width is not None:
            # Heads of 64 features and the usual ratio inside the feed-forward part.
            sizes["num_heads"] = max(1, recipe.width // 64)
            sizes["feed_forward_units"] = 4 * recipe.width
        if recipe.optimizer == "adamw":
            sizes["learning_rate"], sizes["weight_decay"] = _ADAMW_SHARE * sizes["learning_rate"], 0.1
        open_sizes = {name: value for name, value in sizes.items() if getattr(recipe, name) is None}
        return dataclasses.replace(recipe, size=size, optimizer=recipe.optimizer or "muon", **open_sizes)

    def smaller(self) -> Iterator[TextGenerator]:
        recipe = self.recipe
        assert recipe.batch_size and recipe.context_length and recipe.vocabulary_size
        sizes = []
        for size in reversed(list(SIZES)[: list(SIZES).index(recipe.size) + 1]):
            numbers = {**SIZES[size]}
            numbers["vocabulary_size"] = min(numbers["vocabulary_size"], recipe.vocabulary_size)
            sizes.append(dataclasses.replace(recipe, size=size, **numbers))
        batches = [
            dataclasses.replace(recipe, batch_size=recipe.batch_size // divisor)
            for divisor in (2, 4, 8)
            if recipe.batch_size >= divisor
        ]
        if recipe.context_length >= 64:
            batches.insert(1, dataclasses.replace(recipe, context_length=recipe.context_length // 2))
        nearest = [each for pair in itertools.zip_longest(batches, sizes) for each in pair]
        yield from (each for each in nearest if each is not None and each != recipe)

    def changes(self, changed: dict[str, Any]) -> dict[str, Any]:
        recipe = self.recipe
        numbers = {name: getattr(recipe, name) for name in SIZE_FIELDS if name != "vocabulary_size"}
        is_whole_size = all(numbers[name] == SIZES[recipe.size][name] for name in numbers)
        # A size stands for its numbers, unless some were given for themselves.
        return {"size": changed["size"]} if "size" in changed and is_whole_size else changed

    def build(self, *, vocabulary_size: int) -> Any:
        return build_decoder(self.recipe, vocabulary_size=vocabulary_size)

    def optimizer(self) -> Any:
        import keras

        recipe = self.recipe
        if recipe.optimizer != "adamw":
            from openbook.layers import Muon

            assert recipe.learning_rate is not None
            optimizer = Muon(
                recipe.learning_rate,
                rates=TIED_ADAM_RATES if recipe.tied_output else ADAM_RATES,
                precision=recipe.precision,
                weight_decay=recipe.weight_decay or None,
            )
        else:
            optimizer = keras.optimizers.AdamW(
                learning_rate=recipe.learning_rate,
                weight_decay=recipe.weight_decay,
                beta_2=0.95,
                global_clipnorm=1.0,
            )
        optimizer.exclude_from_weight_decay(var_names=["scale", "mix", "embeddings"])
        return optimizer


def build_decoder(recipe: TextGenerator, *, vocabulary_size: int) -> Any:
    """The functional model: tokens (B, T) → next-token logits (B, T, V).

    Args:
        recipe: resolved, so that every size is a number.
        vocabulary_size: V.
    """
    import keras

    from openbook.layers import DecoderBlock, PairEmbedding, Projection

    assert recipe.width and recipe.num_heads and recipe.num_blocks and recipe.feed_forward_units
    tokens = keras.Input((None,), dtype="int32", name="tokens")
    if recipe.tied_output:
        embedding = keras.layers.ReversibleEmbedding(
            vocabulary_size,
            recipe.width,
            embeddings_initializer=keras.initializers.RandomNormal(stddev=0.02),
            name="token_embedding",
        )
    else:
        embedding = PairEmbedding(
            vocabulary_size,
            recipe.width,
            num_pair_rows=_PAIR_ROWS * vocabulary_size,
            embeddings_initializer=keras.initializers.RandomNormal(stddev=1.0),
            name="token_embedding",
        )
    hidden = embedding(tokens)
    for index in range(recipe.num_blocks):
        hidden = DecoderBlock(
            num_heads=recipe.num_heads,
            head_dim=recipe.width // recipe.num_heads,
            feed_forward_units=recipe.feed_forward_units,
            rotary_base=recipe.rotary_base,
            precision=recipe.precision,
            name=f"block_{index + 1}",
        )(hidden)
    hidden = keras.layers.RMSNormalization(name="final_norm")(hidden)
    if recipe.tied_output:
        logits = keras.layers.Identity(name="next_token_logits")(embedding(hidden, reverse=True))
    else:
        # Zero weights: the first prediction gives every token the same probability.
        logits = Projection(
            vocabulary_size,
            precision=recipe.precision,
            kernel_initializer="zeros",
            name="next_token_logits",
        )(hidden)
    return keras.Model(tokens, logits, name="text_generator")


def _size_for(budget_s: float | None, *, backend: str) -> str:
    if budget_s is None:
        return "tiny"
    gflops = remembered_gflops(memory=cache_folder() / MEASURED_NAME, backend=backend)
    same_work_s = budget_s * gflops / _COMPARED_AT_GFLOPS
    return next(size for limit_s, size in _AUTO_SIZES_S if same_work_s <= limit_s)


def suitable_vocabulary_size(num_characters: int) -> int:
    """The largest vocabulary that an amount of text can fill."""
    for limit, size in ((20_000_000, 16384), (5_000_000, 8192), (1_000_000, 4096), (100_000, 2048)):
        if num_characters >= limit:
            return size
    return 1024
