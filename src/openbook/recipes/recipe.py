"""What every recipe is: settings, data, a model, training, and a use for a person."""

from __future__ import annotations

import abc
import dataclasses
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from openbook.errors import UsageError
from openbook.training.length import Length, parse_duration
from openbook.training.schedule import SHAPES, check_shape

if TYPE_CHECKING:
    from openbook.forecasting.workload import Workload
    from openbook.recipes.look import ModelLook, TextLook
    from openbook.runs import Run
    from openbook.training.fit import FitResult
    from openbook.training.reporter import Reporter


def setting(default: Any, help: str) -> Any:
    """A field of a recipe with the sentence that `--help` shows; `None` means chosen by the recipe."""
    return dataclasses.field(default=default, metadata={"help": help})


@dataclasses.dataclass(frozen=True, kw_only=True)
class Finished:
    """What a recipe knows after training.

    Attributes:
        score: held-out score of the kept weights, for run.json and `--json`.
        samples: what the model made, for a person to look at.
    """

    score: Mapping[str, float]
    samples: list[str]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Recipe(abc.ABC):
    """One system of the book; the fields are its settings, its command-line flags and what run.json records.

    A recipe is one file in this folder whose class is found by its place; `name` is the file's name with
    hyphens.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    chapter: ClassVar[int]
    learns: ClassVar[str]
    default_budget: ClassVar[str]
    # Whether what a person gives is the beginning of what comes out.
    writes_on: ClassVar[bool] = False

    data: str = setting("", "a data set by name, or a path to your own data")
    budget: str | None = setting(None, "time to train, such as 90s, 10m or 2h")
    steps: int | None = setting(None, "number of training steps, instead of a budget")
    epochs: float | None = setting(None, "times to go through the data, instead of a budget")
    checkpoint_interval_s: float = setting(30.0, "seconds between checkpoints")
    seed: int = setting(0, "same seed, same machine, same result")
    schedule: str = setting("trapezoid", f"{', '.join(SHAPES)}: how the learning rate goes over the run")
    patience: int | None = setting(None, "end after so many held-out scores without a better one")
    tensorboard: bool = setting(False, "also write the curves for TensorBoard, into the run's folder")

    def __post_init__(self) -> None:
        if not 0 <= self.seed < 2**32:
            raise UsageError(f"--seed must be between 0 and 4294967295, not {self.seed}")
        if not self.checkpoint_interval_s >= 0.0:
            raise UsageError(
                f"--checkpoint-interval-s must be 0 (after every step) or more, "
                f"not {self.checkpoint_interval_s}"
            )
        check_shape(self.schedule)
        if self.patience is not None and self.patience < 1:
            raise UsageError(f"--patience must be 1 or more, not {self.patience}")
        _ = self.length

    @property
    def length(self) -> Length:
        """How long to train; the recipe's default budget when nothing was said."""
        budget = self.budget
        if (self.budget, self.steps, self.epochs) == (None, None, None):
            budget = self.default_budget
        return Length(
            steps=self.steps,
            epochs=self.epochs,
            budget_s=None if budget is None else parse_duration(budget),
        )

    @abc.abstractmethod
    def load_data(self, reporter: Reporter) -> Any:
        """The data, split, with its report: an object with `report`, `fingerprint` and `origin`.

        Raises:
            DataError: it cannot be used.
        """

    @abc.abstractmethod
    def resolve(self, data: Any) -> Recipe:
        """The same recipe with every setting that was left open decided, from the data and the machine."""

    @abc.abstractmethod
    def prepare(self, data: Any, run: Run, reporter: Reporter) -> Any:
        """Splits as arrays, with the fitted preprocessing, which is kept in the run's folder."""

    @abc.abstractmethod
    def load_part(self, reporter: Reporter) -> tuple[Any, float]:
        """The data as `load_data` gives it, or a part of it where the whole would take long to read.

        Returns:
            the data, and how many times larger the whole is.
        """

    @abc.abstractmethod
    def workload(self, data: Any, *, scale: float = 1.0) -> Workload:
        """What a run of this resolved recipe consists of, from a part of the data; nothing is trained.

        Args:
            data: as `load_part` gives it.
            scale: how many times larger the whole data is.
        """

    def smaller(self) -> Iterator[Recipe]:
        """Recipes that need less time or memory, the nearest first; of a resolved one."""
        yield from ()

    def changes_to(self, other: Recipe) -> dict[str, Any]:
        """The settings by which another recipe of this kind differs, as one would type them."""
        values = {field.name: getattr(other, field.name) for field in dataclasses.fields(self)}
        return {
            name: value
            for name, value in values.items()
            if value is not None and value != getattr(self, name)
        }

    @abc.abstractmethod
    def build(self, splits: Any) -> Any:
        """A functional Keras model for these splits, every layer named in textbook terms."""

    @abc.abstractmethod
    def fit(self, model: Any, splits: Any, run: Run, reporter: Reporter) -> FitResult:
        """Train the model; calls `training.fit` once."""

    @abc.abstractmethod
    def finish(self, model: Any, splits: Any, run: Run, reporter: Reporter) -> Finished:
        """Score the trained model on held-out data and let it show what it can do."""

    @classmethod
    @abc.abstractmethod
    def model_inputs(cls, run: Run, input_text: str | None) -> Any:
        """Arrays for a run's model made from what a person types; from the recipe's example when None."""

    @classmethod
    @abc.abstractmethod
    def build_for(cls, run: Run) -> Any:
        """The untrained model of a run, with its first weights, for one that has not saved its model yet."""

    @classmethod
    def weights_at(cls, run: Run, arrays: Mapping[str, list[Any]]) -> tuple[list[Any], list[Any]]:
        """Weights and statistics of a run's model, from the groups of arrays in one of its checkpoints."""
        return arrays["trainable"], arrays.get("non_trainable", [])

    @classmethod
    @abc.abstractmethod
    def look(cls, run: Run, model: Any) -> TextLook | ModelLook:
        """What the page must know about a run's model."""

    @classmethod
    def story(cls, run: Run) -> dict[str, Any] | None:
        """The way through the model in stages: the file `<recipe>_story.json` beside the recipe, if there is one.

        Blocks are numbered from 1 to the setting `num_blocks`.
        """
        path = Path(__file__).parent / f"{cls.name.replace('-', '_')}_story.json"
        if not path.exists():
            return None
        story: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        num_blocks = int(run.section("settings").get("num_blocks") or 0)
        for stage in story["stages"]:
            has_blocks = any("{block}" in name for name in stage["values"])
            stage["blocks"] = [f"block_{number}" for number in range(1, num_blocks + 1)] if has_blocks else []
        return story

    @classmethod
    @abc.abstractmethod
    def use(cls, run: Run, input_text: str, **options: Any) -> Iterator[str]:
        """What a finished run does for a person, piece by piece."""

    @classmethod
    def answer(cls, run: Run, input_text: str, **options: Any) -> dict[str, Any]:
        """The same as one object for `--json`, with an entry "answer"."""
        return {"answer": "".join(cls.use(run, input_text, **options))}


def recipe_settings(recipe: Recipe) -> dict[str, Any]:
    """All settings by name."""
    return dataclasses.asdict(recipe)


def default_settings(recipe_class: type[Recipe]) -> dict[str, Any]:
    """The settings a recipe has when nothing is said."""
    return {field.name: field.default for field in dataclasses.fields(recipe_class)}
