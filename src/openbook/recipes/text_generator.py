"""text-generator (chapter 12): a small GPT that learns to write from texts."""

# B = batch, T = context length, V = vocabulary, E = model width

from __future__ import annotations

import dataclasses
import functools
import itertools
import math
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from openbook.data.cache import cache_folder
from openbook.errors import RunError, UsageError
from openbook.forecasting.workload import ForwardWork, Workload
from openbook.recipes import text_start
from openbook.recipes.look import TextLook
from openbook.recipes.recipe import Finished, Recipe, setting
from openbook.runs.atomic import atomic_write
from openbook.saved_models import load_model
from openbook.text.examples import next_token_examples
from openbook.text.sampling import Decoding, drawing_program
from openbook.text.score import num_score_batches, score_stream
from openbook.text.stream import TokenBatches, TokenStream
from openbook.text.tokenizer import Tokenizer
from openbook.training.callback import num_evaluations
from openbook.training.checkpoint import load_latest
from openbook.training.losses import next_token_loss, token_nats
from openbook.training.precision import check_precision, remembered_precision
from openbook.training.schedule import Schedule
from openbook.training.seeding import seeded
from openbook.training.state import TrainingState

if TYPE_CHECKING:
    from openbook.data import Documents, TextReport
    from openbook.runs import Run
    from openbook.text.part import TextPart
    from openbook.training.fit import FitResult, FitSettings
    from openbook.training.reporter import Reporter

TOKENIZER_NAME = "tokenizer.json"
OPTIMIZERS = ("muon", "adamw")

_SIZE_FIELDS = (
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
    size: dict(zip(_SIZE_FIELDS, values, strict=True))
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
_ADAM_RATES = {"token_embedding": 3.3, "next_token_logits": 0.2, "norm": 0.33}
_TIED_ADAM_RATES = {**_ADAM_RATES, "token_embedding": 0.2}
# Pairs of tokens share so many rows for each token of the vocabulary.
_PAIR_ROWS = 8
# `auto`: the largest size that has time to learn within the budget on two cores.
_AUTO_SIZES_S = ((120.0, "tiny"), (1200.0, "small"), (5400.0, "medium"), (math.inf, "large"))

# Held-out text is scored on at most so many bytes: at the end, and to compare weights while training.
_SCORED_BYTES = 400_000
_COMPARED_BYTES = 60_000
_SAMPLE_TOKENS = 90
# A forecast looks at no more of the data than this.
_PART_BYTES = 64_000_000
_NUM_PROMPT_WORDS = 4
_EXAMPLE_TEXT = "This movie was"


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


@dataclasses.dataclass(frozen=True, kw_only=True)
class TextGenerator(Recipe):
    """Train a decoder-only Transformer on texts and let it write."""

    name: ClassVar[str] = "text-generator"
    title: ClassVar[str] = "Text generator"
    chapter: ClassVar[int] = 12
    learns: ClassVar[str] = (
        "how a Transformer predicts the next token, and writes by doing it again and again"
    )
    default_budget: ClassVar[str] = "90s"
    writes_on: ClassVar[bool] = True

    data: str = setting("imdb", "a data set by name (imdb, imdb-full) or a path to your own texts")
    text_column: str | None = setting(None, "column that holds the text, for tables; guessed when left out")
    max_bytes: int | None = setting(None, "read at most so many bytes of your data; 1 GiB when left out")
    held_out_share: float = setting(0.1, "share of the documents that is never trained on")
    start: str | None = setting(
        None,
        "fine-tune a pretrained model: smollm2, a folder with a Llama model, or its name on the hub",
    )
    lora_rank: int | None = setting(
        None, "with --start: rank of the updates that LoRA trains, 8 when left out; 0 trains all weights"
    )
    size: str = setting(
        "auto",
        f"{', '.join(SIZES)}, or auto: by the budget. Sets every number below that is left out",
    )
    vocabulary_size: int | None = setting(None, "number of tokens; fewer for little text")
    context_length: int | None = setting(None, "tokens the model sees at once")
    num_blocks: int | None = setting(None, "number of decoder blocks")
    width: int | None = setting(None, "size of the residual stream")
    num_heads: int | None = setting(None, "attention heads in each block")
    feed_forward_units: int | None = setting(None, "width inside the feed-forward part")
    tied_output: bool = setting(False, "let the token embedding also make the logits")
    rotary_base: float = setting(1000.0, "wavelength base of the rotary positions")
    batch_size: int | None = setting(None, "windows of text in one step")
    optimizer: str = setting("muon", f"{' or '.join(OPTIMIZERS)}: how weights follow their gradients")
    learning_rate: float | None = setting(None, "highest learning rate of the matrices")
    weight_decay: float | None = setting(None, "decay of the matrices; 0 with Muon, 0.1 with AdamW")
    warm_up_share: float = setting(0.03, "share of the run in which the learning rate rises")
    decay_share: float = setting(1.0, "share of the run, at its end, in which the rate falls to zero")
    precision: str = setting("auto", "auto (the faster on this machine, measured), float32 or bfloat16")

    def __post_init__(self) -> None:
        super().__post_init__()
        check_precision(self.precision)
        text_start.check_start_settings(self)
        if self.size not in (*SIZES, "auto") and not (self.start and self.size == text_start.SIZE):
            raise UsageError(f"--size must be auto, {', '.join(SIZES)}, not {self.size!r}")
        if self.optimizer not in OPTIMIZERS:
            raise UsageError(f"--optimizer must be {' or '.join(OPTIMIZERS)}, not {self.optimizer!r}")
        if not 0.0 < self.held_out_share < 1.0:
            raise UsageError(f"--held-out-share must lie between 0 and 1, not {self.held_out_share}")
        if self.vocabulary_size is not None and self.vocabulary_size < 257:
            raise UsageError(
                f"--vocabulary-size must be at least 257 (all bytes and end-of-text), "
                f"not {self.vocabulary_size}"
            )
        names = ("context_length", "num_blocks", "width", "num_heads", "feed_forward_units", "batch_size")
        for name in (*names, "learning_rate", "rotary_base"):
            value = getattr(self, name)
            if value is not None and not 0 < value < math.inf:
                raise UsageError(f"--{name.replace('_', '-')} must be a number above zero, not {value}")
        if not 0.0 <= (self.weight_decay or 0.0) < math.inf:
            raise UsageError(f"--weight-decay must be 0 (none) or more, not {self.weight_decay}")
        if not 0.0 <= self.warm_up_share <= 1.0:
            raise UsageError(f"--warm-up-share must lie between 0 and 1, not {self.warm_up_share}")
        if not 0.0 < self.decay_share <= 1.0:
            raise UsageError(f"--decay-share must be above 0 and at most 1, not {self.decay_share}")
        if self.start is None and self.width and self.num_heads and self.width % (2 * self.num_heads):
            raise UsageError(
                f"--width must be a multiple of twice --num-heads (each head turns pairs of features), "
                f"not {self.width} with {self.num_heads} heads"
            )

    def load_data(self, reporter: Reporter) -> TextData:
        from openbook.data import load_texts

        if self.start is not None:
            text_start.fetch_start(self, reporter.message)
        documents = load_texts(
            self.data,
            text_column=self.text_column,
            max_bytes=self.max_bytes,
            held_out_share=self.held_out_share,
            progress=reporter.message,
        )
        train_texts, held_out_texts = documents.split()
        return TextData(documents=documents, train_texts=train_texts, held_out_texts=held_out_texts)

    def resolve(self, data: TextData) -> TextGenerator:
        resolved = self._sized(data) if self.start is None else text_start.resolve_start(self)
        if resolved.precision == "auto":
            assert resolved.batch_size and resolved.context_length
            assert resolved.width and resolved.feed_forward_units and resolved.vocabulary_size
            rows = resolved.batch_size * resolved.context_length
            precision = remembered_precision(
                rows,
                resolved.width,
                # Of the model's products the one that takes longest.
                max(resolved.feed_forward_units, resolved.vocabulary_size),
                memory=cache_folder() / "fastest_precision.json",
            )
            resolved = dataclasses.replace(resolved, precision=precision)
        return resolved

    def _sized(self, data: TextData) -> TextGenerator:
        """The recipe with every size chosen that is open."""
        size = self.size if self.size != "auto" else _size_for(self.length.budget_s)
        num_bytes = sum(len(text) for text in data.train_texts)
        sizes = {**SIZES[size]}
        sizes["vocabulary_size"] = min(sizes["vocabulary_size"], suitable_vocabulary_size(num_bytes))
        if self.width is not None:
            # Heads of 64 features and the usual ratio inside the feed-forward part.
            sizes["num_heads"] = max(1, self.width // 64)
            sizes["feed_forward_units"] = 4 * self.width
        sizes["weight_decay"] = 0.0
        if self.optimizer == "adamw":
            sizes["learning_rate"], sizes["weight_decay"] = _ADAMW_SHARE * sizes["learning_rate"], 0.1
        open_sizes = {name: value for name, value in sizes.items() if getattr(self, name) is None}
        return dataclasses.replace(self, size=size, **open_sizes)

    def prepare(self, data: TextData, run: Run, reporter: Reporter) -> TextSplits:
        assert self.vocabulary_size is not None
        path = run.path / TOKENIZER_NAME
        if self.start is not None:
            text_start.check_same_start(self, run)
        if path.exists():
            tokenizer = Tokenizer.load(path)
        else:
            tokenizer = text_start.start_tokenizer(self)
            if tokenizer is None:
                reporter.message(f"Learning a vocabulary of up to {self.vocabulary_size:,} tokens …")
                tokenizer = Tokenizer.train(data.train_texts, vocabulary_size=self.vocabulary_size)
            atomic_write(path, tokenizer.to_json())
        reporter.message(f"Turning {len(data.train_texts):,} documents into tokens …")
        scored_bytes, compared_bytes = self._score_limits
        scored = _first_bytes(data.held_out_texts, scored_bytes)
        return TextSplits(
            tokenizer=tokenizer,
            train=TokenStream.encode(data.train_texts, tokenizer),
            scored=TokenStream.encode(scored, tokenizer),
            compared=TokenStream.encode(_first_bytes(scored, compared_bytes), tokenizer),
            prompt=" ".join(scored[0].split()[:_NUM_PROMPT_WORDS]),
            held_out=scored,
        )

    @property
    def _score_limits(self) -> tuple[int, int]:
        """Bytes of held-out text for the final score and for comparing weights, at most."""
        if self.start is not None:
            return text_start.SCORED_BYTES, text_start.COMPARED_BYTES
        return _SCORED_BYTES, _COMPARED_BYTES

    def load_part(self, reporter: Reporter) -> tuple[TextData, float]:
        from openbook.data import MAX_BYTES
        from openbook.data.part import beginning_of

        limit = self.max_bytes or MAX_BYTES
        beginning = beginning_of(self.data, max_bytes=min(_PART_BYTES, limit), limit=limit)
        with beginning as (source, limit_of_source, scale):
            part = dataclasses.replace(self, data=source, max_bytes=limit_of_source or self.max_bytes)
            return part.load_data(reporter), scale

    def workload(self, data: TextData, *, scale: float = 1.0) -> Workload:
        assert self.vocabulary_size and self.batch_size and self.context_length
        tokenizer = text_start.start_tokenizer(self)
        part = data.part(self.vocabulary_size, scale, tokenizer=tokenizer)
        # A part may not fill a vocabulary that the whole does.
        vocabulary_size = self.vocabulary_size if part.is_part else part.tokenizer.vocabulary_size

        def batches(stream_tokens: int) -> int:
            assert self.batch_size and self.context_length
            return num_score_batches(
                stream_tokens, batch_size=self.batch_size, context_length=self.context_length
            )

        stream = TokenBatches(
            stream=part.stream, batch_size=self.batch_size, context_length=self.context_length, seed=self.seed
        )
        held_out_bytes = scale * sum(len(text.encode()) for text in data.held_out_texts)
        scored, compared = (
            batches(part.tokens_in(int(min(held_out_bytes, limit)))) for limit in self._score_limits
        )
        names = (*_SIZE_FIELDS[:-1], "tied_output", "precision")
        work = Workload(
            recipe=self.name,
            settings={name: getattr(self, name) for name in names},
            length=self.length,
            checkpoint_interval_s=self.checkpoint_interval_s,
            build=lambda: build_decoder(self, vocabulary_size=vocabulary_size),
            optimizer=self.make_optimizer,
            loss=next_token_loss,
            batch_at=stream.batch_at,
            steps_per_epoch=max(1, (part.num_tokens - 1) // (self.context_length * self.batch_size)),
            unit=TextTask.unit,
            units_per_step=self.batch_size * self.context_length,
            prepare_s=part.prepare_s,
            data_bytes=part.held_bytes + int((scale - 1.0) * sum(map(len, data.train_texts))),
            passing_bytes=part.passing_bytes,
            num_evaluations=num_evaluations(self.patience),
            # A score, and the two programs that write a sample.
            evaluation=ForwardWork(
                batches=compared, passes=_SAMPLE_TOKENS // 2, num_traced=3, num_compiled=3
            ),
            final=ForwardWork(batches=scored, passes=3 * _SAMPLE_TOKENS, num_traced=4, num_compiled=1),
            preprocessing_bytes=len(part.tokenizer.to_json()),
        )
        return work if self.start is None else text_start.start_workload(self, work)

    def smaller(self) -> Iterator[TextGenerator]:
        if self.start is not None:
            yield from text_start.smaller_starts(self)
            return
        assert self.batch_size and self.context_length and self.vocabulary_size
        sizes = []
        for size in reversed(list(SIZES)[: list(SIZES).index(self.size) + 1]):
            numbers = {**SIZES[size]}
            numbers["vocabulary_size"] = min(numbers["vocabulary_size"], self.vocabulary_size)
            sizes.append(dataclasses.replace(self, size=size, **numbers))
        batches = [
            dataclasses.replace(self, batch_size=self.batch_size // divisor)
            for divisor in (2, 4, 8)
            if self.batch_size >= divisor
        ]
        if self.context_length >= 64:
            batches.insert(1, dataclasses.replace(self, context_length=self.context_length // 2))
        nearest = [each for pair in itertools.zip_longest(batches, sizes) for each in pair]
        yield from (each for each in nearest if each is not None and each != self)

    def changes_to(self, other: Recipe) -> dict[str, Any]:
        changed = super().changes_to(other)
        if self.start is not None:
            return changed
        numbers = {name: getattr(self, name) for name in _SIZE_FIELDS if name != "vocabulary_size"}
        is_whole_size = all(numbers[name] == SIZES[self.size][name] for name in numbers)
        # A size stands for its numbers, unless some were given for themselves.
        return {"size": changed["size"]} if "size" in changed and is_whole_size else changed

    def build(self, splits: TextSplits) -> Any:
        if self.start is not None:
            return text_start.build_start(self)
        return build_decoder(self, vocabulary_size=splits.tokenizer.vocabulary_size)

    def fit(self, model: Any, splits: TextSplits, run: Run, reporter: Reporter) -> FitResult:
        from openbook.training.fit import FitSettings, fit

        assert self.learning_rate is not None
        schedule = Schedule(
            peak=self.learning_rate, warm_up_share=self.warm_up_share, decay_share=self.decay_share
        )
        settings = FitSettings(
            optimizer=self.make_optimizer(),
            schedule=schedule,
            length=self.length,
            checkpoint_interval_s=self.checkpoint_interval_s,
        )
        if self.start is not None:
            return self._fine_tune(model, splits, settings, run, reporter)
        return fit(TextTask(self, model, splits), settings, run=run, reporter=reporter)

    def _fine_tune(
        self, model: Any, splits: TextSplits, settings: FitSettings, run: Run, reporter: Reporter
    ) -> FitResult:
        from openbook.training.fit import fit

        with text_start.fine_tuning(self, model, reporter) as training:
            task = TextTask(self, model, splits)
            first = [variable.value for variable in model.trainable_variables]
            begin_s = time.monotonic()
            text_start.note_untouched_score(run, lambda: task.score(first, splits.scored), self, reporter)
            scoring_s = time.monotonic() - begin_s
            fitted = fit(
                task if training is None else text_start.LowRankTask(task, training),
                settings,
                run=run,
                reporter=reporter,
            )
        return dataclasses.replace(fitted, phases={**fitted.phases, "finish": scoring_s})

    def make_optimizer(self) -> Any:
        """A new optimizer; matrices decay, scales and embeddings do not."""
        import keras

        if self.start is not None:
            return text_start.fine_tuning_optimizer(self)
        if self.optimizer == "muon":
            from openbook.layers import Muon

            assert self.learning_rate is not None
            optimizer = Muon(
                self.learning_rate,
                rates=_TIED_ADAM_RATES if self.tied_output else _ADAM_RATES,
                precision=self.precision,
                weight_decay=self.weight_decay or None,
            )
        else:
            optimizer = keras.optimizers.AdamW(
                learning_rate=self.learning_rate,
                weight_decay=self.weight_decay,
                beta_2=0.95,
                global_clipnorm=1.0,
            )
        optimizer.exclude_from_weight_decay(var_names=["scale", "mix", "embeddings"])
        return optimizer

    def finish(self, model: Any, splits: TextSplits, run: Run, reporter: Reporter) -> Finished:
        from openbook.text.generation import TextWriter

        reporter.message(f"Scoring {splits.scored.size_bytes:,} bytes of held-out text …")
        task = TextTask(self, model, splits)
        values = [variable.value for variable in model.trainable_variables]
        score = task.score(values, splits.scored)
        if self.start is not None:
            text_start.say_gain(run, score, reporter)
        assert self.context_length is not None
        writer = TextWriter(model, splits.tokenizer, context_length=self.context_length)
        decoding = Decoding(max_tokens=_SAMPLE_TOKENS, seed=self.seed)
        samples = []
        for index, prompt in enumerate(("", "", splits.prompt)):
            text = writer.text(prompt, dataclasses.replace(decoding, seed=(self.seed + index) % 2**32))
            samples.append(prompt + text)
            atomic_write(run.samples_folder / f"final-{index + 1}.txt", samples[-1])
        run.save_examples(next_token_examples(splits.held_out, splits.tokenizer, task.logits_after))
        return Finished(score=score, samples=samples)

    @classmethod
    def model_inputs(cls, run: Run, input_text: str | None) -> np.ndarray:
        """Token ids (1, T) of a text, after an end-of-text token as in training; at most the context length."""
        tokenizer = Tokenizer.load(run.path / TOKENIZER_NAME)
        ids = [tokenizer.end_of_text, *tokenizer.encode(_EXAMPLE_TEXT if input_text is None else input_text)]
        return np.array([ids[: int(run.section("settings")["context_length"])]], np.int32)

    @classmethod
    def build_for(cls, run: Run) -> Any:
        recipe = cls(**run.section("settings"))
        if recipe.start is not None:
            return text_start.build_start(recipe)
        vocabulary_size = Tokenizer.load(run.path / TOKENIZER_NAME).vocabulary_size
        with seeded(recipe.seed):
            return build_decoder(recipe, vocabulary_size=vocabulary_size)

    @classmethod
    def weights_at(cls, run: Run, arrays: Mapping[str, list[Any]]) -> tuple[list[Any], list[Any]]:
        recipe = cls(**run.section("settings"))
        if recipe.lora_rank:
            return text_start.weights_with_updates(recipe, arrays["trainable"]), []
        return super().weights_at(run, arrays)

    @classmethod
    def story(cls, run: Run) -> dict[str, Any] | None:
        story = super().story(run)
        return text_start.start_story(story) if story and run.section("settings").get("start") else story

    @classmethod
    def look(cls, run: Run, model: Any) -> TextLook:
        from openbook.training.losses import weighted_next_token_loss

        recipe = cls(**run.section("settings"))
        assert recipe.context_length is not None
        return TextLook(
            tokenizer=Tokenizer.load(run.path / TOKENIZER_NAME),
            encode=functools.partial(cls.model_inputs, run),
            max_tokens=recipe.context_length,
            example=_EXAMPLE_TEXT,
            loss=lambda expected, logits: weighted_next_token_loss(
                logits, expected["tokens"], expected["weights"]
            ),
            optimizer=functools.partial(_optimizer_after_training, recipe, run, model),
            draw=drawing_program,
        )

    @classmethod
    def use(cls, run: Run, input_text: str, **options: Any) -> Iterator[str]:
        """Continue a text.

        Args:
            run: a run of this recipe with a saved model.
            input_text: the beginning; empty for a new document.
            options: fields of `Decoding`.
        Returns:
            pieces of the continuation, as they are drawn.
        """
        pieces: Iterator[str] = writer_of(run).write(input_text, Decoding(**options))
        return pieces


class TextTask:
    """Next-token prediction on packed text, for the training loop."""

    score_key = "bits_per_byte"
    unit = "tokens"

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

    def loss(self, outputs: Any, targets: Any) -> Any:
        return next_token_loss(outputs, targets)

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
        decoding = Decoding(max_tokens=_SAMPLE_TOKENS // 2, seed=(self._recipe.seed + step) % 2**32)
        return self._splits.prompt + writer.text(self._splits.prompt, decoding)

    def logits_after(self, tokens_BT: np.ndarray) -> np.ndarray:
        """The model's logits for the token after each position: (B, T, V)."""
        return np.asarray(self.model(tokens_BT))

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


def _optimizer_after_training(recipe: TextGenerator, run: Run, model: Any) -> tuple[Any, str]:
    """The run's optimizer with what it remembers, at the run's highest learning rate; and a note on it."""
    optimizer = recipe.make_optimizer()
    name = {"muon": "Muon", "adamw": "AdamW"}[recipe.optimizer]
    optimizer.build(model.trainable_variables)
    rate = f"the run's highest learning rate, {recipe.learning_rate:g}"
    loaded = load_latest(run.checkpoints)
    if recipe.lora_rank:
        return (
            optimizer,
            f"The first step of a new AdamW on all weights, at {rate}; the run trained LoRA's alone.",
        )
    if loaded is None:
        return optimizer, f"The first step of a new {name}, at {rate}."
    arrays, position = loaded
    for variable, value in zip(optimizer.variables, arrays["optimizer"], strict=True):
        if not variable.path.endswith("learning_rate"):
            variable.assign(value)
    return optimizer, f"{name} goes on with what it remembers after step {position.step}, at {rate}."


def _size_for(budget_s: float | None) -> str:
    if budget_s is None:
        return "tiny"
    return next(size for limit_s, size in _AUTO_SIZES_S if budget_s <= limit_s)


def suitable_vocabulary_size(num_characters: int) -> int:
    """The largest vocabulary that an amount of text can fill."""
    for limit, size in ((20_000_000, 16384), (5_000_000, 8192), (1_000_000, 4096), (100_000, 2048)):
        if num_characters >= limit:
            return size
    return 1024


def writer_of(run: Run) -> Any:
    """Draws text from a finished run; see `text.generation.TextWriter`."""
    from openbook.text.generation import TextWriter

    if not run.model_path.exists():
        raise RunError(
            f"{run.name} has no model yet. Go on training it with: openbook train --resume {run.name}"
        )
    run.verify()
    model = load_model(run.model_path)
    tokenizer = Tokenizer.load(run.path / TOKENIZER_NAME)
    return TextWriter(model, tokenizer, context_length=int(run.section("settings")["context_length"]))


def _first_bytes(texts: tuple[str, ...], num_bytes: int) -> tuple[str, ...]:
    """Whole documents from the beginning, about `num_bytes` together, at least one."""
    sizes = np.cumsum([len(text.encode()) for text in texts])
    return texts[: max(1, int(np.searchsorted(sizes, num_bytes, side="right")))]
