"""What a text generator writes beside what people write, and whether it knows how sentences follow one another."""

# B = batch, T = context length

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from openbook.errors import DataError, UsageError
from openbook.recipes import make_recipe
from openbook.recipes.session import data_as_it_lay
from openbook.recipes.text_generator import TOKENIZER_NAME, TextGenerator, writer_of
from openbook.runs import Run
from openbook.saved_models import load_model
from openbook.text.quality import TextQuality, TrainingWords, quality_of
from openbook.text.sampling import Decoding
from openbook.text.tokenizer import Tokenizer
from openbook.text.words import split_words
from openbook.training.reporter import Reporter

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
_FEWEST_SENTENCES = 3
_NUM_ORDERED_TEXTS = 200


@dataclasses.dataclass(frozen=True, kw_only=True)
class TextScore:
    """Samples of a run beside held-out texts of people, cut to the same numbers of words.

    Attributes:
        true_order: share of held-out texts to which the model gives more probability than to the same text with
            its sentences shuffled; 0.5 is guessing, None where no held-out text has three sentences.
        samples: as they were drawn.
    """

    written: TextQuality
    human: TextQuality
    true_order: float | None
    num_ordered: int
    samples: tuple[str, ...]


def score_text(
    run: Run, *, num_samples: int, say: Callable[[str], None] = lambda _: None, **options: Any
) -> TextScore:
    """Draw samples from a run of the text generator and measure them.

    Args:
        say: told what takes long.
        options: fields of `Decoding`, of each sample; the seed is that of the first, the next ones count on.
    Raises:
        UsageError: a run of another recipe, or fewer than one sample.
        RunError, DataError: the model or its data is not there any more.
    """
    if run.recipe != TextGenerator.name:
        raise UsageError(f"{run.name} is a run of {run.recipe}, and only the text-generator writes texts")
    if num_samples < 1:
        raise UsageError(f"--samples must be 1 or more, not {num_samples}")
    decoding = Decoding(**options)
    writer = writer_of(run)
    recipe = make_recipe(run.recipe, {**run.section("settings"), **data_as_it_lay(run)})
    data = recipe.load_data(Reporter())
    if data.fingerprint != run.section("data").get("fingerprint"):
        raise DataError(
            f"the data at {recipe.data!r} is not what {run.name} has learned from. Put the earlier data back"
        )
    say(f"Writing {num_samples} texts …")
    samples = [
        writer.text("", dataclasses.replace(decoding, seed=(decoding.seed + index) % 2**32))
        for index in range(num_samples)
    ]
    say(f"Comparing them with {len(data.train_texts):,} texts of the training data …")
    training = TrainingWords(data.train_texts)
    human = cut_alike(data.held_out_texts, samples)
    true_order, num_ordered = order_told(run, data.held_out_texts, seed=decoding.seed)
    return TextScore(
        written=quality_of(samples, training, real=human, seed=decoding.seed),
        human=quality_of(human, training),
        true_order=true_order,
        num_ordered=num_ordered,
        samples=tuple(samples),
    )


def cut_alike(texts: Sequence[str], samples: Sequence[str]) -> list[str]:
    """Beginnings of texts that are as many, and as long in words, as the samples; fewer where there are fewer."""
    cut = []
    for text, sample in zip(texts, samples, strict=False):
        words = [found.end() for found in re.finditer(r"\S+", text)]
        wanted = len(sample.split())
        cut.append(text[: words[min(wanted, len(words)) - 1]] if words and wanted else "")
    return cut


def order_told(run: Run, texts: Sequence[str], *, seed: int) -> tuple[float | None, int]:
    """Share of texts whose true order of sentences a model finds more probable than a shuffled one; how many."""
    context_length = int(run.section("settings")["context_length"])
    tokenizer = Tokenizer.load(run.path / TOKENIZER_NAME)
    rng = np.random.default_rng(seed)
    pairs = []
    for text in texts:
        sentences = _sentences_within(text, tokenizer, context_length)
        if len(sentences) >= _FEWEST_SENTENCES and len(set(sentences)) == len(sentences):
            order = rng.permutation(len(sentences))
            while (order == np.arange(len(sentences))).all():
                order = rng.permutation(len(sentences))
            pairs.append((" ".join(sentences), " ".join(sentences[index] for index in order)))
        if len(pairs) == _NUM_ORDERED_TEXTS:
            break
    if not pairs:
        return None, 0
    nats = _nats_of(run, tokenizer, context_length)
    told = [nats(true) < nats(shuffled) for true, shuffled in pairs]
    return sum(told) / len(told), len(told)


def _sentences_within(text: str, tokenizer: Any, context_length: int) -> list[str]:
    """The first sentences, as many as the model sees at once."""
    sentences: list[str] = []
    num_tokens = 1
    for sentence in _SENTENCE_END.split(text):
        num_tokens += len(tokenizer.encode(f" {sentence}"))
        # In another order a sentence may take a token more.
        if num_tokens + len(sentences) > context_length:
            break
        sentences.append(sentence)
    return [sentence for sentence in sentences if split_words(sentence)]


def _nats_of(run: Run, tokenizer: Any, context_length: int) -> Callable[[str], float]:
    """The model's surprise at a whole text, in nats."""
    import jax
    import jax.numpy as jnp

    from openbook.training.losses import token_nats

    model = load_model(run.model_path)

    @jax.jit
    def total(inputs_BT: Any, targets_BT: Any, weights_BT: Any) -> Any:
        return jnp.sum(token_nats(model(inputs_BT), targets_BT) * weights_BT)

    def nats(text: str) -> float:
        ids = [tokenizer.end_of_text, *tokenizer.encode(text)][: context_length + 1]
        tokens_BT = np.zeros((1, context_length + 1), np.int32)
        tokens_BT[0, : len(ids)] = ids
        weights_BT = (np.arange(context_length) < len(ids) - 1).astype(np.float32)[None]
        return float(total(tokens_BT[:, :-1], tokens_BT[:, 1:], weights_BT))

    return nats
