"""The text generator's pretrained start: sizes from a checkpoint, fine-tuning in full or by LoRA, the gain."""

# B = batch, T = context length

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from openbook.errors import RunError, UsageError
from openbook.forecasting.abstract_model import without_weights
from openbook.forecasting.workload import Workload
from openbook.pretrained import Start, load_start
from openbook.pretrained.low_rank import LowRankTraining, merged_weights
from openbook.pretrained.plan import build_llama
from openbook.pretrained.start import check_start
from openbook.training.seeding import seeded

if TYPE_CHECKING:
    from openbook.recipes.text_generator import TextGenerator
    from openbook.runs import Run
    from openbook.training.reporter import Reporter
    from openbook.training.task import Task

# What --size is called in a run whose sizes come from a checkpoint.
SIZE = "pretrained"
# Held-out text is scored on at most so many bytes: before and after training, and to compare weights on the way. A
# pretrained model takes as long for each as a small one from scratch for ten times as many.
SCORED_BYTES = 60_000
COMPARED_BYTES = 10_000

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


def check_start_settings(recipe: TextGenerator) -> None:
    """Refuse settings that say the same twice, or have nothing to act on.

    Raises:
        UsageError: a size beside `--start`, an unknown start, or `--lora-rank` without one.
    """
    if recipe.start is None:
        if recipe.lora_rank is not None:
            raise UsageError("--lora-rank is for a pretrained model. Say which: --start smollm2")
        return
    if recipe.lora_rank is not None and not 0 <= recipe.lora_rank <= 1024:
        raise UsageError(f"--lora-rank must be 0 (train all weights) to 1024, not {recipe.lora_rank}")
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


def fetch_start(recipe: TextGenerator, say: Callable[[str], None]) -> None:
    """Get the checkpoint, once.

    Raises:
        FetchError: it is not on this machine and cannot be fetched.
        ModelError: it is no Llama model, or damaged.
    """
    assert recipe.start is not None
    load_start(recipe.start, say)


def resolve_start(recipe: TextGenerator) -> TextGenerator:
    """The recipe with all open settings chosen by the checkpoint."""
    plan = _start(recipe).plan
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


def _pace(recipe: TextGenerator, rank: int) -> dict[str, Any]:
    rate, decay = (_LOW_RANK_LEARNING_RATE, 0.0) if rank else (_FULL_LEARNING_RATE, _FULL_WEIGHT_DECAY)
    return {
        "learning_rate": rate if recipe.learning_rate is None else recipe.learning_rate,
        "weight_decay": decay if recipe.weight_decay is None else recipe.weight_decay,
    }


def start_tokenizer(recipe: TextGenerator) -> Any:
    """The checkpoint's own tokenizer; None for a recipe that trains from scratch."""
    return None if recipe.start is None else _start(recipe).tokenizer


def check_same_start(recipe: TextGenerator, run: Run) -> None:
    """Note in the run what it starts from; refuse to go on from anything else.

    Raises:
        RunError: the checkpoint is not what the run was begun with.
    """
    start = _start(recipe)
    noted = run.record.get("start") or {}
    if noted and noted.get("fingerprint") != start.fingerprint:
        raise RunError(
            f"the checkpoint {recipe.start} is not what {run.name} was begun with. Put the earlier one back, or "
            f"train anew"
        )
    if not noted:
        run.update(start={"name": recipe.start, "fingerprint": start.fingerprint})


def build_start(recipe: TextGenerator) -> Any:
    """The pretrained model, untouched."""
    return _start(recipe).build(precision=recipe.precision)


def fine_tuning_optimizer(recipe: TextGenerator) -> Any:
    """A new AdamW. Beta 2 is lower than its default, since fine-tuning is short."""
    import keras

    optimizer = keras.optimizers.AdamW(
        learning_rate=recipe.learning_rate,
        weight_decay=recipe.weight_decay,
        beta_2=0.99,
        global_clipnorm=1.0,
    )
    optimizer.exclude_from_weight_decay(var_names=["scale", "embeddings"])
    return optimizer


@contextlib.contextmanager
def fine_tuning(recipe: TextGenerator, model: Any, reporter: Reporter) -> Iterator[LowRankTraining | None]:
    """Low-rank updates beside the weights, merged into them at the end; None where all weights are trained."""
    if not recipe.lora_rank:
        yield None
        return
    with seeded(recipe.seed):
        training = LowRankTraining(model, rank=recipe.lora_rank)
    num_trained = sum(int(np.prod(variable.shape)) for variable in training.trainable_variables)
    reporter.message(f"LoRA of rank {recipe.lora_rank} trains {num_trained:,} beside them")
    try:
        yield training
    finally:
        training.merge()


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


def start_workload(recipe: TextGenerator, work: Workload) -> Workload:
    """A run's workload with the pretrained model in place of one from scratch."""
    plan, rank = _start(recipe).plan, recipe.lora_rank
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


def smaller_starts(recipe: TextGenerator) -> Iterator[TextGenerator]:
    """Settings that need less time or memory: LoRA instead of all weights, fewer and shorter windows."""
    assert recipe.batch_size and recipe.context_length
    if recipe.lora_rank == 0:
        paced = dataclasses.replace(recipe, learning_rate=None, weight_decay=None)
        yield dataclasses.replace(recipe, lora_rank=_RANK, **_pace(paced, _RANK))
    for divisor in (2, 4):
        if recipe.batch_size >= divisor:
            yield dataclasses.replace(recipe, batch_size=recipe.batch_size // divisor)
    if recipe.context_length >= 64:
        yield dataclasses.replace(recipe, context_length=recipe.context_length // 2)


def note_untouched_score(
    run: Run, score: Callable[[], Mapping[str, float]], recipe: TextGenerator, reporter: Reporter
) -> None:
    """Measure the held-out score before the first step, keep it in the run and say it; once in a run."""
    noted = dict(run.record.get("start") or {})
    if "score" not in noted:
        reporter.message(f"Scoring {recipe.start} as it comes, on held-out text …")
        noted["score"] = dict(score())
        run.update(start=noted)
    reporter.message(f"{recipe.start} as it comes: {_bits(noted['score'])} of held-out text")


def say_gain(run: Run, score: Mapping[str, float], reporter: Reporter) -> None:
    """Say what training changed."""
    untouched = (run.record.get("start") or {}).get("score")
    if untouched:
        reporter.message(f"Held-out text: {_bits(untouched)} before training, {_bits(score)} now")


def weights_with_updates(recipe: TextGenerator, updates: list[Any]) -> list[Any]:
    """All weights of the model at a checkpoint of a LoRA run, as arrays."""
    assert recipe.lora_rank
    return merged_weights(build_start(recipe), updates, rank=recipe.lora_rank)


def start_story(story: dict[str, Any]) -> dict[str, Any]:
    """The text generator's story, told of a Llama model."""
    for stage in story["stages"]:
        stage.update(_STAGES.get(stage["id"], {}))
    return story


def _bits(score: Mapping[str, float]) -> str:
    return f"{score['bits_per_byte']:.3f} bits per byte"


def _start(recipe: TextGenerator) -> Start:
    assert recipe.start is not None
    return load_start(recipe.start)
