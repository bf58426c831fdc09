"""What the recipes that learn from examples have in common: training, score, forecast, use and look."""

from __future__ import annotations

import abc
import dataclasses
import json
import math
import weakref
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from openbook.errors import RunError, UsageError
from openbook.forecasting.workload import ForwardWork, Workload
from openbook.recipes.look import LineLook, ModelLook, WordsLook
from openbook.recipes.recipe import Finished, Recipe, setting
from openbook.runs.atomic import atomic_write
from openbook.saved_models import load_model
from openbook.supervised.examples import Batches
from openbook.supervised.goals import Goal
from openbook.supervised.quick_layers import quick
from openbook.supervised.task import Splits, SupervisedTask
from openbook.training.callback import current_watch, custom_scores, num_evaluations
from openbook.training.schedule import Schedule
from openbook.training.seeding import seeded

if TYPE_CHECKING:
    from openbook.lenses.lens import Finding
    from openbook.runs import Run
    from openbook.training.fit import FitResult
    from openbook.training.reporter import Reporter

PREPROCESSING_NAME = "preprocessing.json"
EXAMPLES_NAME = "examples.npz"

_NUM_EXAMPLES = 24


@dataclasses.dataclass(frozen=True, kw_only=True)
class HeldOut:
    """The test examples of a run, and what its trained model said of them.

    Attributes:
        outputs: (N, …) of the model.
        targets: (N, …) as the goal takes them.
    """

    splits: Splits
    outputs: np.ndarray
    targets: np.ndarray
    run: Run
    reporter: Reporter


@dataclasses.dataclass(frozen=True, kw_only=True)
class SupervisedRecipe(Recipe, abc.ABC):
    """A recipe whose data are examples with known answers.

    Besides the data a recipe says how it is prepared (`split`), what the model looks like (`build_model`), what
    is learned (`goal`), how a person's input becomes the model's (`read_input`) and what an output means
    (`answer_of`).
    """

    held_out_share: float = setting(0.2, "share of the examples that is never trained on")
    batch_size: int | None = setting(None, "examples in one step")
    learning_rate: float | None = setting(None, "highest learning rate of AdamW")
    weight_decay: float = setting(0.01, "AdamW's decay of the matrices")

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0.0 < self.held_out_share < 1.0:
            raise UsageError(f"--held-out-share must lie between 0 and 1, not {self.held_out_share}")
        for name in ("batch_size", "learning_rate"):
            value = getattr(self, name)
            if value is not None and not 0 < value < math.inf:
                raise UsageError(f"--{name.replace('_', '-')} must be a number above zero, not {value}")
        if not 0.0 <= self.weight_decay < math.inf:
            raise UsageError(f"--weight-decay must be 0 (none) or more, not {self.weight_decay}")

    # What each recipe says.

    # The settings that decide how data is split and prepared.
    split_by: ClassVar[tuple[str, ...]] = ("held_out_share",)

    @abc.abstractmethod
    def split(self, data: Any) -> Splits:
        """The data as examples; depends on the data and the settings alone."""

    @abc.abstractmethod
    def build_model(self, facts: Mapping[str, Any]) -> Any:
        """The functional model, from `Splits.facts`; its only output are logits or standardised numbers."""

    @classmethod
    @abc.abstractmethod
    def goal(cls, facts: Mapping[str, Any]) -> Goal:
        """What is learned, from `Splits.facts`."""

    @classmethod
    @abc.abstractmethod
    def read_input(cls, facts: Mapping[str, Any], settings: Mapping[str, Any], given: str) -> Any:
        """What a person gives on the command line (a file, a text, numbers) as the model's input, a batch of 1.

        Raises:
            UsageError, DataError: it cannot be read; the message says what can.
        """

    @classmethod
    @abc.abstractmethod
    def answer_of(cls, facts: Mapping[str, Any], output: np.ndarray) -> dict[str, Any]:
        """What one output (without batch axis) says, with an entry "answer"."""

    @classmethod
    def describe_example(cls, facts: Mapping[str, Any], inputs: Any) -> str:
        """One example (without batch axis) in a few words, for lists."""
        return ""

    # What follows from it.

    def _split_once(self, data: Any) -> Splits:
        """As `split`; what was made last, for a forecast, is not made again for its run."""
        return _last_split.of(data, tuple(getattr(self, name) for name in self.split_by), self.split)

    def load_part(self, reporter: Reporter) -> tuple[Any, float]:
        return self.load_data(reporter), 1.0

    def prepare(self, data: Any, run: Run, reporter: Reporter) -> Splits:
        splits = self._split_once(data)
        atomic_write(
            run.path / PREPROCESSING_NAME, json.dumps(splits.facts, ensure_ascii=False, indent=1) + "\n"
        )
        return splits

    def workload(self, data: Any, *, scale: float = 1.0) -> Workload:
        assert self.batch_size
        splits = self._split_once(data)
        batches = Batches(examples=splits.train, batch_size=self.batch_size, seed=self.seed)
        num_validated, num_tested = (
            math.ceil(len(each) / self.batch_size) for each in (splits.validation, splits.test)
        )
        # What every recipe has, such as data and length, does not change what a step costs, nor does the rate.
        left_out = {field.name for field in dataclasses.fields(Recipe)} | {"learning_rate"}
        settings = {
            field.name: getattr(self, field.name)
            for field in dataclasses.fields(self)
            if field.name not in left_out
        }
        return Workload(
            recipe=self.name,
            settings=settings,
            length=self.length,
            checkpoint_interval_s=self.checkpoint_interval_s,
            build=lambda: quick(self.build_model(splits.facts)),
            optimizer=self.optimizer,
            loss=splits.goal.loss,
            batch_at=batches.batch_at,
            steps_per_epoch=batches.steps_per_epoch,
            unit=SupervisedTask.unit,
            units_per_step=self.batch_size,
            prepare_s=0.0,  # a forecast, which every run makes, has prepared the data already
            data_bytes=0,
            num_evaluations=num_evaluations(self.patience),
            evaluation=ForwardWork(batches=num_validated, num_traced=0, num_kept=1),
            final=ForwardWork(batches=2 * num_tested, num_traced=2, num_compiled=1),
            preprocessing_bytes=len(json.dumps(splits.facts)),
        )

    def smaller(self) -> Iterator[Recipe]:
        assert self.batch_size
        for divisor in (2, 4, 8):
            if self.batch_size >= divisor:
                yield dataclasses.replace(self, batch_size=self.batch_size // divisor)

    def build(self, splits: Splits) -> Any:
        return self.build_model(splits.facts)

    def optimizer(self) -> Any:
        """A new AdamW; scales and biases do not decay."""
        import keras

        optimizer = keras.optimizers.AdamW(
            learning_rate=self.learning_rate, weight_decay=self.weight_decay, global_clipnorm=1.0
        )
        optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta", "embeddings"])
        return optimizer

    @property
    def make_step(self) -> Any:
        """What makes the training step from model, optimizer and loss."""
        from openbook.training.step import compile_train_step

        return compile_train_step

    def fit(self, model: Any, splits: Splits, run: Run, reporter: Reporter) -> FitResult:
        from openbook.training.fit import FitSettings, fit

        assert self.learning_rate is not None
        settings = FitSettings(
            optimizer=self.optimizer(),
            schedule=Schedule(peak=self.learning_rate),
            length=self.length,
            checkpoint_interval_s=self.checkpoint_interval_s,
            make_step=self.make_step,
        )
        return fit(self._task(model, splits), settings, run=run, reporter=reporter)

    def finish(self, model: Any, splits: Splits, run: Run, reporter: Reporter) -> Finished:
        reporter.message(f"Scoring {len(splits.test):,} held-out examples …")
        task = self._task(model, splits)
        score = task.test_score()
        outputs, targets = task.test_outputs()
        score |= custom_scores(current_watch().metrics, outputs, targets)
        held_out = HeldOut(splits=splits, outputs=outputs, targets=targets, run=run, reporter=reporter)
        samples = self.samples(held_out)
        self._keep_examples(splits, outputs, targets, run)
        return Finished(score=score, samples=samples)

    def samples(self, held_out: HeldOut) -> list[str]:
        """What a person looks at after training, each a text; pictures go into the run's `samples_folder`."""
        return []

    def findings(self, facts: Mapping[str, Any]) -> Mapping[str, Callable[[HeldOut], Finding]]:
        """What there is to see in the held-out examples, by the name of the lens that draws it."""
        return {}

    def _task(self, model: Any, splits: Splits) -> SupervisedTask:
        assert self.batch_size
        return SupervisedTask(model, splits, batch_size=self.batch_size, seed=self.seed)

    def _keep_examples(self, splits: Splits, outputs: np.ndarray, targets: np.ndarray, run: Run) -> None:
        """Test examples for the page: the worst mistakes, then the best answers."""
        order = np.argsort(-splits.goal.losses(outputs, targets), kind="stable")
        half = _NUM_EXAMPLES // 2
        chosen = order if len(order) <= _NUM_EXAMPLES else np.r_[order[:half], order[-half:]]
        inputs, _ = splits.test.batch(chosen)
        arrays = inputs if isinstance(inputs, dict) else {"input": inputs}
        with (run.path / EXAMPLES_NAME).open("wb") as file:
            np.savez_compressed(file, **arrays)
        rows = []
        for position, index in enumerate(chosen):
            one: Any = {name: array[position] for name, array in arrays.items()}
            one = one if isinstance(inputs, dict) else one["input"]
            answer = self.answer_of(splits.facts, outputs[index])
            target = self.target_text(splits.facts, targets[index])
            rows.append(
                {
                    "text": self.describe_example(splits.facts, one) or f"example {position + 1}",
                    "target": target,
                    "answer": str(answer["answer"]),
                    "is_mistake": splits.goal.one_of is not None and target != str(answer["answer"]),
                    "score": answer.get("probability"),
                }
            )
        run.save_examples(rows)

    @classmethod
    def target_text(cls, facts: Mapping[str, Any], target: Any) -> str:
        """A target as a person reads it."""
        classes = cls.goal(facts).one_of
        return "" if classes is None else str(classes[int(target)])

    # A finished run.

    @classmethod
    def facts_of(cls, run: Run) -> dict[str, Any]:
        """What the run's preprocessing was fitted to.

        Raises:
            RunError: it is not there.
        """
        try:
            facts: dict[str, Any] = json.loads((run.path / PREPROCESSING_NAME).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise RunError(
                f"{run.path / PREPROCESSING_NAME}: cannot be read ({error}). Copy the run again, or train anew"
            ) from error
        return facts

    @classmethod
    def model_inputs(cls, run: Run, input_text: str | None) -> Any:
        if input_text is not None:
            return cls.read_input(cls.facts_of(run), run.section("settings"), input_text)
        arrays = cls.example_arrays(run)
        first = {name: array[:1] for name, array in arrays.items()}
        return first["input"] if list(first) == ["input"] else first

    @classmethod
    def example_arrays(cls, run: Run) -> dict[str, np.ndarray]:
        """Inputs of the kept test examples by the model's input names, "input" where it has one only."""
        path = run.path / EXAMPLES_NAME
        if not path.exists():
            raise RunError(f"{run.name} has kept no examples. Give an input of your own")
        with np.load(path, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}

    @classmethod
    def build_for(cls, run: Run) -> Any:
        recipe = cls(**run.section("settings"))
        with seeded(recipe.seed):
            return recipe.build_model(cls.facts_of(run))

    @classmethod
    def look(cls, run: Run, model: Any) -> ModelLook:
        facts = cls.facts_of(run)
        goal = cls.goal(facts)
        recipe = cls(**run.section("settings"))
        return ModelLook(
            classes=goal.one_of,
            columns=facts.get("columns"),
            examples=cls.example_arrays(run) if (run.path / EXAMPLES_NAME).exists() else {},
            loss=lambda expected, outputs: goal.loss(outputs, expected),
            optimizer=recipe.optimizer,
            value_range=cls.value_range,
            crop=facts.get("crop"),
            invert=facts.get("invert"),
            typed=cls.typed_look(facts),
        )

    @classmethod
    def typed_look(cls, facts: Mapping[str, Any]) -> WordsLook | LineLook | None:
        """How the page reads what a person types; None where it takes pictures or numbers as they are."""
        return None

    value_range: ClassVar[str] = "0…1"

    @classmethod
    def answer(cls, run: Run, input_text: str, **options: Any) -> dict[str, Any]:
        if options:
            names = ", ".join(f"--{name.replace('_', '-')}" for name in options)
            raise UsageError(f"{names} is for models that write texts. Leave it out")
        if not run.model_path.exists():
            raise RunError(
                f"{run.name} has no model yet. Go on training it with: openbook train --resume {run.name}"
            )
        run.verify()
        facts = cls.facts_of(run)
        inputs = cls.read_input(facts, run.section("settings"), input_text)
        output = np.asarray(load_model(run.model_path)(inputs, training=False))[0]
        return cls.answer_of(facts, output)

    @classmethod
    def use(cls, run: Run, input_text: str, **options: Any) -> Iterator[str]:
        yield answer_text(cls.answer(run, input_text, **options))


def answer_text(answer: Mapping[str, Any]) -> str:
    """An answer in lines."""
    lines = [f"{answer['answer']}"]
    for name, share in list((answer.get("probabilities") or {}).items())[:5]:
        lines.append(f"  {share:6.1%}  {'█' * max(1, round(24 * share)) if share >= 0.005 else ''}  {name}")
    return "\n".join(lines)


class _LastSplit:
    """One split, for as long as its data is there."""

    def __init__(self) -> None:
        self._data: Callable[[], Any] = lambda: None
        self._key: tuple[Any, ...] = ()
        self._splits: Splits | None = None

    def of(self, data: Any, key: tuple[Any, ...], make: Callable[[Any], Splits]) -> Splits:
        if self._splits is None or self._data() is not data or self._key != key:
            self._forget()
            self._splits, self._key = make(data), key
            self._data = weakref.ref(data, self._forget)
        return self._splits

    def _forget(self, _: object = None) -> None:
        self._splits = None


_last_split = _LastSplit()
