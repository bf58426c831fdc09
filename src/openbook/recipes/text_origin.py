"""Where a text generator begins: what differs between training from scratch and from a checkpoint."""

from __future__ import annotations

import abc
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from openbook.recipes.text_task import TextTask

if TYPE_CHECKING:
    from openbook.forecasting.workload import Workload
    from openbook.recipes.text_generator import TextGenerator
    from openbook.recipes.text_task import TextData, TextSplits
    from openbook.runs import Run
    from openbook.text.tokenizer import Tokenizer
    from openbook.training.fit import FitResult, FitSettings
    from openbook.training.reporter import Reporter


class TextOrigin(abc.ABC):
    """The beginning of one recipe with its settings; what it does nothing about stands here, and does nothing.

    Attributes:
        scored_bytes, compared_bytes: at most so much held-out text for the final score, and to compare weights.
    """

    scored_bytes: ClassVar[int] = 400_000
    compared_bytes: ClassVar[int] = 60_000

    def __init__(self, recipe: TextGenerator) -> None:
        self.recipe = recipe

    @property
    def backend(self) -> str:
        """What takes the steps where a person leaves it open."""
        return "jax"

    @abc.abstractmethod
    def check(self) -> None:
        """Raise UsageError where settings do not go together."""

    def fetch(self, say: Callable[[str], None]) -> None:  # noqa: B027
        """Get what training begins with, once."""

    @abc.abstractmethod
    def resolved(self, data: TextData) -> TextGenerator:
        """The recipe with every number chosen that is open."""

    @property
    def tokenizer(self) -> Tokenizer | None:
        """None where one is learned from the texts."""
        return None

    def note(self, run: Run) -> None:  # noqa: B027
        """Keep in the run what it begins with; raise RunError where it was begun with something else."""

    def workload(self, work: Workload) -> Workload:
        """A run's work, from the work of a model from scratch."""
        return work

    @abc.abstractmethod
    def smaller(self) -> Iterator[TextGenerator]:
        """Settings that need less time or memory, the nearest first."""

    def changes(self, changed: dict[str, Any]) -> dict[str, Any]:
        """The settings to say, of those that changed."""
        return changed

    @abc.abstractmethod
    def build(self, *, vocabulary_size: int) -> Any:
        """The model before the first step."""

    @abc.abstractmethod
    def optimizer(self) -> Any:
        """A new optimizer."""

    def fit(
        self, model: Any, splits: TextSplits, settings: FitSettings, *, run: Run, reporter: Reporter
    ) -> FitResult:
        """Train to the end."""
        from openbook.training.fit import fit

        return fit(TextTask(self.recipe, model, splits), settings, run=run, reporter=reporter)

    def say_score(self, run: Run, score: Mapping[str, float], reporter: Reporter) -> None:  # noqa: B027
        """Say what the final score means beside the beginning."""

    def weights_at(self, arrays: Mapping[str, list[Any]]) -> tuple[list[Any], list[Any]] | None:
        """Trainable and other weights at a checkpoint; None where the checkpoint holds them as they are."""
        return None

    @property
    def trains_the_weights(self) -> bool:
        """Whether the optimizer's state belongs to the model's own weights."""
        return True

    def story(self, story: dict[str, Any]) -> dict[str, Any]:
        """The story as it is told of this model."""
        return story
