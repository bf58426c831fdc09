"""text-generator (chapter 12): a small GPT that learns to write from texts."""

# B = batch, T = context length, V = vocabulary, E = model width

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from openbook.data.cache import cache_folder
from openbook.errors import RunError, UsageError
from openbook.forecasting.workload import ForwardWork, Workload
from openbook.recipes.look import TextLook
from openbook.recipes.recipe import Finished, Recipe, setting
from openbook.recipes.text_origin import TextOrigin
from openbook.recipes.text_scratch import MEASURED_NAME, OPTIMIZERS, SIZE_FIELDS, SIZES, FromScratch
from openbook.recipes.text_start import FromCheckpoint
from openbook.recipes.text_task import SAMPLE_TOKENS, TextData, TextSplits, TextTask, first_bytes
from openbook.runs.atomic import atomic_write
from openbook.saved_models import load_model
from openbook.text.examples import next_token_examples
from openbook.text.sampling import Decoding, drawing_program
from openbook.text.score import num_score_batches
from openbook.text.stream import TokenBatches, TokenStream
from openbook.text.tokenizer import Tokenizer
from openbook.training.callback import num_evaluations
from openbook.training.checkpoint import load_latest
from openbook.training.losses import next_token_loss
from openbook.training.precision import check_precision, remembered_precision
from openbook.training.schedule import Schedule
from openbook.training.seeding import seeded
from openbook.training_backend import check_training_backend, require_training_backend

if TYPE_CHECKING:
    from openbook.runs import Run
    from openbook.training.fit import FitResult
    from openbook.training.reporter import Reporter

TOKENIZER_NAME = "tokenizer.json"
# A forecast looks at no more of the data than this.
_PART_BYTES = 64_000_000
_NUM_PROMPT_WORDS = 4
_EXAMPLE_TEXT = "This movie was"


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
        f"{', '.join(SIZES)}, or auto: by the budget and the machine. Sets every number below that is left out",
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
    optimizer: str | None = setting(
        None, f"{' or '.join(OPTIMIZERS)}: how weights follow their gradients; adamw with --start, else muon"
    )
    learning_rate: float | None = setting(None, "highest learning rate of the matrices")
    weight_decay: float | None = setting(None, "decay of the matrices; 0 with Muon, 0.1 with AdamW")
    warm_up_share: float = setting(0.03, "share of the run in which the learning rate rises")
    decay_share: float = setting(1.0, "share of the run, at its end, in which the rate falls to zero")
    precision: str = setting("auto", "auto (the faster on this machine, measured), float32 or bfloat16")
    backend: str = setting(
        "auto", "jax or torch: what takes the steps; auto is torch where KERAS_BACKEND says so, else jax"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        check_precision(self.precision)
        check_training_backend(self.backend)
        if self.optimizer not in (None, *OPTIMIZERS):
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
        self._origin.check()

    @property
    def _origin(self) -> TextOrigin:
        return FromScratch(self) if self.start is None else FromCheckpoint(self)

    def load_data(self, reporter: Reporter) -> TextData:
        from openbook.data import load_texts

        self._origin.fetch(reporter.message)
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
        chosen = self._origin.backend if self.backend == "auto" else self.backend
        require_training_backend(chosen)
        resolved = dataclasses.replace(self, backend=chosen)._origin.resolved(data)
        if resolved.precision == "auto":
            assert resolved.batch_size and resolved.context_length
            assert resolved.width and resolved.feed_forward_units and resolved.vocabulary_size
            rows = resolved.batch_size * resolved.context_length
            precision = remembered_precision(
                rows,
                resolved.width,
                # Of the model's products the one that takes longest.
                max(resolved.feed_forward_units, resolved.vocabulary_size),
                memory=cache_folder() / MEASURED_NAME,
                backend=resolved.backend,
            )
            resolved = dataclasses.replace(resolved, precision=precision)
        return resolved

    def prepare(self, data: TextData, run: Run, reporter: Reporter) -> TextSplits:
        assert self.vocabulary_size is not None
        path, origin = run.path / TOKENIZER_NAME, self._origin
        origin.note(run)
        if path.exists():
            tokenizer = Tokenizer.load(path)
        else:
            known = origin.tokenizer
            if known is None:
                reporter.message(f"Learning a vocabulary of up to {self.vocabulary_size:,} tokens …")
            tokenizer = known or Tokenizer.train(data.train_texts, vocabulary_size=self.vocabulary_size)
            atomic_write(path, tokenizer.to_json())
        reporter.message(f"Turning {len(data.train_texts):,} documents into tokens …")
        scored = first_bytes(data.held_out_texts, origin.scored_bytes)
        return TextSplits(
            tokenizer=tokenizer,
            train=TokenStream.encode(data.train_texts, tokenizer),
            scored=TokenStream.encode(scored, tokenizer),
            compared=TokenStream.encode(first_bytes(scored, origin.compared_bytes), tokenizer),
            prompt=" ".join(scored[0].split()[:_NUM_PROMPT_WORDS]),
            held_out=scored,
        )

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
        if self.backend == "torch":
            raise UsageError(
                "a forecast reads a step's program, and PyTorch has none; take --backend jax for one"
            )
        origin = self._origin
        part = data.part(self.vocabulary_size, scale, tokenizer=origin.tokenizer)
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
            batches(part.tokens_in(int(min(held_out_bytes, limit))))
            for limit in (origin.scored_bytes, origin.compared_bytes)
        )
        names = (*SIZE_FIELDS[:-1], "tied_output", "precision")
        work = Workload(
            recipe=self.name,
            settings={name: getattr(self, name) for name in names},
            length=self.length,
            checkpoint_interval_s=self.checkpoint_interval_s,
            build=lambda: origin.build(vocabulary_size=vocabulary_size),
            optimizer=origin.optimizer,
            loss=next_token_loss,
            batch_at=stream.batch_at,
            steps_per_epoch=max(1, (part.num_tokens - 1) // (self.context_length * self.batch_size)),
            unit=TextTask.unit,
            units_per_step=self.batch_size * self.context_length,
            prepare_s=part.prepare_s,
            data_bytes=part.held_bytes + int((scale - 1.0) * sum(map(len, data.train_texts))),
            num_evaluations=num_evaluations(self.patience),
            # A score, and the two programs that write a sample.
            evaluation=ForwardWork(
                batches=compared, passes=SAMPLE_TOKENS // 2, num_traced=2, num_kept=1, num_compiled=3
            ),
            final=ForwardWork(batches=scored, passes=3 * SAMPLE_TOKENS, num_traced=4, num_compiled=1),
            preprocessing_bytes=len(part.tokenizer.to_json()),
        )
        return origin.workload(work)

    def smaller(self) -> Iterator[TextGenerator]:
        yield from self._origin.smaller()

    def changes_to(self, other: Recipe) -> dict[str, Any]:
        return self._origin.changes(super().changes_to(other))

    def build(self, splits: TextSplits) -> Any:
        return self._origin.build(vocabulary_size=splits.tokenizer.vocabulary_size)

    def fit(self, model: Any, splits: TextSplits, run: Run, reporter: Reporter) -> FitResult:
        from openbook.training.fit import FitSettings

        assert self.learning_rate is not None
        schedule = Schedule(
            peak=self.learning_rate, warm_up_share=self.warm_up_share, decay_share=self.decay_share
        )
        settings = FitSettings(
            optimizer=self._origin.optimizer(),
            schedule=schedule,
            length=self.length,
            checkpoint_interval_s=self.checkpoint_interval_s,
            make_step=self._make_step(reporter),
        )
        return self._origin.fit(model, splits, settings, run=run, reporter=reporter)

    def _make_step(self, reporter: Reporter) -> Any:
        require_training_backend(self.backend)  # which a resumed run was not resolved with
        if self.backend == "torch":
            from openbook.training.torch_step import TorchStep

            reporter.message("Starting PyTorch, which takes the steps …")
            return TorchStep
        from openbook.training.step import compile_train_step

        return compile_train_step

    def finish(self, model: Any, splits: TextSplits, run: Run, reporter: Reporter) -> Finished:
        from openbook.text.generation import TextWriter

        reporter.message(f"Scoring {splits.scored.size_bytes:,} bytes of held-out text …")
        task = TextTask(self, model, splits)
        values = [variable.value for variable in model.trainable_variables]
        score = task.score(values, splits.scored)
        self._origin.say_score(run, score, reporter)
        assert self.context_length is not None
        writer = TextWriter(model, splits.tokenizer, context_length=self.context_length)
        decoding = Decoding(max_tokens=SAMPLE_TOKENS, seed=self.seed)
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
        vocabulary_size = Tokenizer.load(run.path / TOKENIZER_NAME).vocabulary_size
        with seeded(recipe.seed):
            return recipe._origin.build(vocabulary_size=vocabulary_size)

    @classmethod
    def weights_at(cls, run: Run, arrays: Mapping[str, list[Any]]) -> tuple[list[Any], list[Any]]:
        found = cls(**run.section("settings"))._origin.weights_at(arrays)
        return super().weights_at(run, arrays) if found is None else found

    @classmethod
    def story(cls, run: Run) -> dict[str, Any] | None:
        story = super().story(run)
        return story and cls(**run.section("settings"))._origin.story(story)

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


def _optimizer_after_training(recipe: TextGenerator, run: Run, model: Any) -> tuple[Any, str]:
    """The run's optimizer with what it remembers, at the run's highest learning rate; and a note on it."""
    origin = recipe._origin
    optimizer = origin.optimizer()
    name = "AdamW" if recipe.optimizer == "adamw" else "Muon"
    optimizer.build(model.trainable_variables)
    rate = f"the run's highest learning rate, {recipe.learning_rate:g}"
    loaded = load_latest(run.checkpoints)
    if not origin.trains_the_weights:
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
