"""The text generator's pretrained start: sizes from a checkpoint, fine-tuning in full or by LoRA, the gain."""

# B = batch, T = context length

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from openbook.errors import RunError, UsageError
from openbook.forecasting.workload import Workload
from openbook.pretrained import Start, load_start
from openbook.pretrained.low_rank import LowRankTraining, merged_weights
from openbook.pretrained.plan import build_llama
from openbook.pretrained.start import check_start
from openbook.recipes.text_origin import TextOrigin
from openbook.recipes.text_task import TextTask
from openbook.training.seeding import seeded
from openbook.training.weightless import without_weights

if TYPE_CHECKING:
    from openbook.recipes.text_generator import TextGenerator
    from openbook.recipes.text_task import TextData, TextSplits
    from openbook.runs import Run
    from openbook.text.tokenizer import Tokenizer
    from openbook.training.fit import FitResult, FitSettings
    from openbook.training.reporter import Reporter
    from openbook.training.task import Task

# What --size is called in a run whose sizes come from a checkpoint.
SIZE = "pretrained"

# Where the story of a Llama model differs.
_STAGES: Mapping[str, Mapping[str, Any]] = {
    "tokens": {
        "explanation": "The text is cut into pieces that the model's own tokenizer learned long ago, and each "
        "piece becomes its number in the vocabulary.",
    },
    "queries_and_keys": {"formula": "q_i = R_i · W_Q x_i,  k_j = R_j · W_K x_j"},
    "feed_forward": {
        "formula": "x_i ← x_i + W₃ · (silu(W₁ norm(x_i)) ⊙ W₂ norm(x_i))",
        "values": [
            "{block}/feed_forward/silu",
            "{block}/feed_forward/expand/output",
            "{block}/output",
        ],
    },
}

_FROM_CHECKPOINT = (
    "vocabulary_size",
    "num_blocks",
    "width",
    "num_heads",
    "feed_forward_units",
)
# With these, LoRA on 135 million parameters takes less than 5 GB.
_CONTEXT_LENGTH, _BATCH_SIZE = 256, 2
_RANK = 8
_LOW_RANK_LEARNING_RATE, _FULL_LEARNING_RATE = 1e-3, 5e-5
_FULL_WEIGHT_DECAY = 0.1


class FromCheckpoint(TextOrigin):
    """The vocabulary, the sizes and the weights of a pretrained model."""

    # A pretrained model takes as long for each byte as a small one from scratch for ten.
    scored_bytes: ClassVar[int] = 60_000
    compared_bytes: ClassVar[int] = 10_000

    def check(self) -> None:
        recipe = self.recipe
        assert recipe.start is not None
        if recipe.lora_rank is not None and not 0 <= recipe.lora_rank <= 1024:
            raise UsageError(f"--lora-rank must be 0 (train all weights) to 1024, not {recipe.lora_rank}")
        if recipe.backend == "torch":
            raise UsageError(
                "a pretrained model is fine-tuned on JAX. Leave --backend out, or train without --start"
            )
        if recipe.optimizer == "muon":
            raise UsageError(
                "a pretrained model is fine-tuned with AdamW. Leave --optimizer out, or train without --start"
            )
        if recipe.size == SIZE:
            return  # the settings of a run, which hold what the checkpoint says
        given = [name for name in _FROM_CHECKPOINT if getattr(recipe, name) is not None]
        if recipe.size != "auto":
            given.insert(0, "size")
        defaults = {field.name: field.default for field in dataclasses.fields(recipe)}
        given += [name for name in ("tied_output", "rotary_base") if getattr(recipe, name) != defaults[name]]
        if given:
            flags = ", ".join(f"--{name.replace('_', '-')}" for name in given)
            raise UsageError(
                f"{flags} cannot be chosen with --start {recipe.start}: the sizes come from its checkpoint. Leave "
                f"{'it' if len(given) == 1 else 'them'} out, or train from scratch without --start"
            )
        check_start(recipe.start)

    @property
    def _start(self) -> Start:
        assert self.recipe.start is not None
        return load_start(self.recipe.start)

    def fetch(self, say: Callable[[str], None]) -> None:
        assert self.recipe.start is not None
        load_start(self.recipe.start, say)

    def resolved(self, data: TextData) -> TextGenerator:
        recipe, plan = self.recipe, self._start.plan
        rank = _RANK if recipe.lora_rank is None else recipe.lora_rank
        assert recipe.start is not None
        is_folder = Path(recipe.start).expanduser().is_dir()
        context_length = recipe.context_length or min(_CONTEXT_LENGTH, plan.context_length)
        if context_length > plan.context_length:
            raise UsageError(
                f"--context-length {context_length} is more than {recipe.start} was trained for; choose at most "
                f"{plan.context_length}"
            )
        return dataclasses.replace(
            recipe,
            # A run can be resumed from another working folder.
            start=str(Path(recipe.start).expanduser().resolve()) if is_folder else recipe.start,
            size=SIZE,
            optimizer="adamw",
            lora_rank=rank,
            vocabulary_size=plan.vocabulary_size,
            num_blocks=plan.num_blocks,
            width=plan.width,
            num_heads=plan.num_heads,
            feed_forward_units=plan.feed_forward_units,
            tied_output=plan.tied_output,
            rotary_base=plan.rotary_base,
            context_length=context_length,
            batch_size=recipe.batch_size or _BATCH_SIZE,
            **_pace(recipe, rank),
        )

    @property
    def tokenizer(self) -> Tokenizer:
        return self._start.tokenizer

    def note(self, run: Run) -> None:
        start = self._start
        noted = run.record.get("start") or {}
        if noted and noted.get("fingerprint") != start.fingerprint:
            raise RunError(
                f"the checkpoint {self.recipe.start} is not what {run.name} was begun with. Put the earlier one "
                f"back, or train anew"
            )
        if not noted:
            run.update(start={"name": self.recipe.start, "fingerprint": start.fingerprint})

    def workload(self, work: Workload) -> Workload:
        recipe, plan = self.recipe, self._start.plan
        rank = recipe.lora_rank
        assert rank is not None

        def build() -> Any:
            model = build_llama(plan, precision=recipe.precision)
            return LowRankTraining(model, rank=rank) if rank else model

        changed: dict[str, Any] = {}
        if rank:
            with without_weights():
                shapes = build().frozen_shapes
            # As large as the weights, without their memory.
            frozen = [np.broadcast_to(np.float32(0.01), shape) for shape in shapes]

            def batch_at(step: int) -> tuple[Any, Any]:
                inputs_BT, targets_BT = work.batch_at(step)
                return (frozen, inputs_BT), targets_BT

            frozen_bytes = sum(4 * int(np.prod(shape)) for shape in shapes)
            # They are held like data, and lie in the saved model.
            changed = {
                "batch_at": batch_at,
                "data_bytes": work.data_bytes + frozen_bytes,
                "preprocessing_bytes": work.preprocessing_bytes + frozen_bytes,
            }
        return dataclasses.replace(
            work,
            build=build,
            settings={**work.settings, "start": recipe.start, "lora_rank": rank},
            # The untouched model is scored as well, and without its updates the model is another program.
            final=dataclasses.replace(
                work.final, batches=2 * work.final.batches, num_compiled=work.evaluation.num_compiled
            ),
            **changed,
        )

    def smaller(self) -> Iterator[TextGenerator]:
        recipe = self.recipe
        assert recipe.batch_size and recipe.context_length
        if recipe.lora_rank == 0:
            paced = dataclasses.replace(recipe, learning_rate=None, weight_decay=None)
            yield dataclasses.replace(recipe, lora_rank=_RANK, **_pace(paced, _RANK))
        for divisor in (2, 4):
            if recipe.batch_size >= divisor:
                yield dataclasses.replace(recipe, batch_size=recipe.batch_size // divisor)
        if recipe.context_length >= 64:
            yield dataclasses.replace(recipe, context_length=recipe.context_length // 2)

    def build(self, *, vocabulary_size: int) -> Any:
        return self._start.build(precision=self.recipe.precision)

    def optimizer(self) -> Any:
        import keras

        # Beta 2 is lower than its default, since fine-tuning is short.
        optimizer = keras.optimizers.AdamW(
            learning_rate=self.recipe.learning_rate,
            weight_decay=self.recipe.weight_decay,
            beta_2=0.99,
            global_clipnorm=1.0,
        )
        optimizer.exclude_from_weight_decay(var_names=["scale", "embeddings"])
        return optimizer

    def fit(
        self, model: Any, splits: TextSplits, settings: FitSettings, *, run: Run, reporter: Reporter
    ) -> FitResult:
        from openbook.training.fit import fit

        with self._fine_tuning(model, reporter) as training:
            task = TextTask(self.recipe, model, splits)
            first = [variable.value for variable in model.trainable_variables]
            begin_s = time.monotonic()
            self._note_untouched_score(run, lambda: task.score(first, splits.scored), reporter)
            scoring_s = time.monotonic() - begin_s
            trained = task if training is None else LowRankTask(task, training)
            fitted = fit(trained, settings, run=run, reporter=reporter)
        return dataclasses.replace(fitted, phases={**fitted.phases, "finish": scoring_s})

    @contextlib.contextmanager
    def _fine_tuning(self, model: Any, reporter: Reporter) -> Iterator[LowRankTraining | None]:
        """Low-rank updates beside the weights, merged into them at the end; None where all weights are trained."""
        rank = self.recipe.lora_rank
        if not rank:
            yield None
            return
        with seeded(self.recipe.seed):
            training = LowRankTraining(model, rank=rank)
        num_trained = sum(int(np.prod(variable.shape)) for variable in training.trainable_variables)
        reporter.message(f"LoRA of rank {rank} trains {num_trained:,} beside them")
        try:
            yield training
        finally:
            training.merge()

    def _note_untouched_score(
        self, run: Run, score: Callable[[], Mapping[str, float]], reporter: Reporter
    ) -> None:
        """Measure the held-out score before the first step, keep it in the run and say it; once in a run."""
        noted = dict(run.record.get("start") or {})
        if "score" not in noted:
            reporter.message(f"Scoring {self.recipe.start} as it comes, on held-out text …")
            noted["score"] = dict(score())
            run.update(start=noted)
        reporter.message(f"{self.recipe.start} as it comes: {_bits(noted['score'])} of held-out text")

    def say_score(self, run: Run, score: Mapping[str, float], reporter: Reporter) -> None:
        untouched = (run.record.get("start") or {}).get("score")
        if untouched:
            reporter.message(f"Held-out text: {_bits(untouched)} before training, {_bits(score)} now")

    @property
    def trains_the_weights(self) -> bool:
        return not self.recipe.lora_rank

    def weights_at(self, arrays: Mapping[str, list[Any]]) -> tuple[list[Any], list[Any]] | None:
        rank = self.recipe.lora_rank
        if not rank:
            return None
        return merged_weights(self.build(vocabulary_size=0), arrays["trainable"], rank=rank), []

    def story(self, story: dict[str, Any]) -> dict[str, Any]:
        for stage in story["stages"]:
            stage.update(_STAGES.get(stage["id"], {}))
        return story


class LowRankTask:
    """A text task of which the training loop sees the low-rank updates only.

    Args:
        task: of the model with its updates.
    """

    def __init__(self, task: Task, training: LowRankTraining) -> None:
        self.model = training
        self.steps_per_epoch = task.steps_per_epoch
        self.score_key = task.score_key
        self.unit = task.unit
        self.units_per_step = task.units_per_step
        self.loss = task.loss
        self.evaluate = task.evaluate
        self.sample = task.sample
        self._task = task
        self._training = training

    def batch_at(self, step: int) -> tuple[Any, Any]:
        inputs_BT, targets_BT = self._task.batch_at(step)
        return self._training.with_frozen(inputs_BT), targets_BT


def _pace(recipe: TextGenerator, rank: int) -> dict[str, Any]:
    rate, decay = (_LOW_RANK_LEARNING_RATE, 0.0) if rank else (_FULL_LEARNING_RATE, _FULL_WEIGHT_DECAY)
    return {
        "learning_rate": rate if recipe.learning_rate is None else recipe.learning_rate,
        "weight_decay": decay if recipe.weight_decay is None else recipe.weight_decay,
    }


def _bits(score: Mapping[str, float]) -> str:
    return f"{score['bits_per_byte']:.3f} bits per byte"
