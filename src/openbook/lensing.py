"""What lenses are asked about: a run, a file or a model, with all that a lens may read of it."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from openbook.errors import DataError, UsageError

if TYPE_CHECKING:
    import numpy as np

    from openbook.lenses import Examples, Finding, Lens, Question
    from openbook.recipes.supervised import SupervisedRecipe
    from openbook.runs import Run
    from openbook.supervised.task import Splits
    from openbook.training.reporter import Reporter

__all__ = ["LensSubject"]

Say = Callable[[str], None]


@dataclasses.dataclass(frozen=True, kw_only=True)
class LensSubject:
    """A model with what is known of it.

    Attributes:
        run: None for a file, or for a model in a notebook.
        model: None for a run that has saved none yet.
    """

    name: str
    model: Any
    run: Run | None

    def why_not(self, lens: Lens) -> str | None:
        """Why the lens has nothing to see here; None where it has."""
        if self.run is None and lens.takes & {"finding", "runs"}:
            return "it comes from no run"
        if lens.takes == {"runs"}:
            return None
        if self.model is None:
            return "it has no model yet"
        if self.run is not None and "finding" in lens.takes and lens.name not in self._findings:
            return f"this run of {self.run.recipe} has nothing of the kind"
        return lens.fits(self.model)

    def question(self, lens: Lens, wanted: Question, *, say: Say) -> Question:
        """What a person wants to know, with what the lens needs besides.

        Args:
            wanted: inputs, layer, class, word, seed and other runs; none of them must be there.
            say: told what takes a while, once the lens asks for it.
        """
        known: dict[str, Any] = {"model": self.model}
        run = self.run
        if run is not None:
            if "runs" in lens.takes:
                known["runs"] = [run, *wanted.runs]
            if "row_names" in lens.takes:
                known["row_names"] = _row_names(run, self.model)
            if "class_name" in lens.takes:
                known["classes"] = self.classes
            if "examples" in lens.takes and wanted.examples is None:
                known["examples"] = lambda: _examples_of_run(run, say)
            if "finding" in lens.takes:
                known["finding"] = lambda: self._finding(lens, say)
        return dataclasses.replace(wanted, **known)

    @functools.cached_property
    def classes(self) -> Sequence[str] | None:
        """Names of the classes that a run's model tells apart."""
        from openbook.recipes import recipe_class
        from openbook.recipes.look import ModelLook

        if self.run is None:
            return None
        look = recipe_class(self.run.recipe).look(self.run, self.model)
        return look.classes if isinstance(look, ModelLook) else None

    def other_runs(self) -> list[str]:
        """Names of the runs that lie beside this one."""
        from openbook.runs import list_runs

        if self.run is None:
            return []
        return [run.name for run in list_runs(self.run.path.parent) if run.path != self.run.path]

    @functools.cached_property
    def _findings(self) -> Mapping[str, Any]:
        """What the run's recipe makes of held-out examples, by the name of the lens."""
        recipe = None if self.run is None else _supervised(self.run)
        if recipe is None or self.run is None:
            return {}
        return recipe.findings(recipe.facts_of(self.run))

    def _finding(self, lens: Lens, say: Say) -> Finding:
        import numpy as np

        from openbook.recipes.supervised import HeldOut
        from openbook.supervised.task import predict

        assert self.run is not None
        make = self._findings.get(lens.name)
        if make is None:
            raise UsageError(f"this run of {self.run.recipe} has nothing of the kind")
        recipe, splits = _splits_of(self.run, say)
        assert recipe.batch_size
        say(f"Running the model on {len(splits.test):,} held-out examples …")
        outputs = predict(self.model, splits.test, batch_size=recipe.batch_size)
        _, targets = splits.test.batch(np.arange(len(splits.test)))
        held_out = HeldOut(
            splits=splits, outputs=outputs, targets=targets, run=self.run, reporter=_reporter(say)
        )
        found: Finding = make(held_out)
        return found


def _supervised(run: Run) -> SupervisedRecipe | None:
    """The run's recipe with its settings, where it learns from examples."""
    from openbook.recipes import recipe_class
    from openbook.recipes.session import data_as_it_lay
    from openbook.recipes.supervised import SupervisedRecipe

    recipe = recipe_class(run.recipe)
    if not issubclass(recipe, SupervisedRecipe):
        return None
    return recipe(**{**run.section("settings"), **data_as_it_lay(run)})


def _splits_of(run: Run, say: Say) -> tuple[SupervisedRecipe, Splits]:
    """The data of a run, read and split as for training.

    Raises:
        UsageError: the recipe learns from no examples.
        DataError: the data cannot be read, or is another by now.
    """
    recipe = _supervised(run)
    if recipe is None:
        raise UsageError(f"{run.name} is of {run.recipe}, which learns from no examples")
    say("Reading the data …")
    data = recipe.load_data(_reporter(say))
    if data.fingerprint != run.section("data").get("fingerprint"):
        raise DataError(
            f"the data at {recipe.data!r} is not what {run.name} was trained with, so its held-out examples would "
            f"be others. Put the earlier data back, or train anew"
        )
    return recipe, recipe.split(data)


def _reporter(say: Say) -> Reporter:
    from openbook.training.reporter import Reporter

    class Saying(Reporter):
        def message(self, text: str) -> None:
            say(text)

    return Saying()


def _row_names(run: Run, model: Any) -> list[str] | None:
    """Names of the rows of the embedding of words or tokens, where the recipe has them."""
    from openbook.recipes import recipe_class
    from openbook.recipes.look import TextLook
    from openbook.recipes.supervised import SupervisedRecipe

    recipe = recipe_class(run.recipe)
    if issubclass(recipe, SupervisedRecipe):
        facts = recipe.facts_of(run)
        if "terms" in facts:
            return ["(padding)", *facts["terms"]]
        return ["(padding)", "[?]", *facts["words"]] if "words" in facts else None
    look = recipe.look(run, model)
    if not isinstance(look, TextLook):
        return None
    return list(look.tokenizer.token_texts(range(look.tokenizer.vocabulary_size)))


def _examples_of_run(run: Run, say: Say) -> Examples:
    """The held-out rows of a run."""
    import numpy as np

    from openbook.lenses import Examples

    _, splits = _splits_of(run, say)
    inputs_NF, targets_N = splits.test.batch(np.arange(len(splits.test)))
    goal = splits.goal
    # Scores that rise with the quality are turned by none: the loss is there for every goal.
    name = goal.score_key

    def score(outputs: np.ndarray, targets: np.ndarray) -> float:
        sums = goal.sums(outputs, targets, np.ones(len(targets), np.float32))
        return goal.score({key: np.asarray(value, np.float64) for key, value in sums.items()})[name]

    title = "mean absolute error" if name == "mae" else name
    unit = splits.facts.get("unit") if name == "mae" else ""
    return Examples(
        inputs_NF=inputs_NF,
        targets_N=targets_N,
        score=score,
        score_name=f"{title} ({unit})" if unit else title,
        groups=_groups(splits.facts, inputs_NF.shape[1]),
    )


def _groups(facts: Mapping[str, Any], num_features: int) -> dict[str, list[int]] | None:
    """The features of each column of the table; None where columns are not named."""
    names: Sequence[str] = facts.get("columns") or ()
    if len(names) != num_features:
        return None
    groups: dict[str, list[int]] = {}
    position = 0
    for field in facts.get("fields") or ({"name": name, "parts": (name,)} for name in names):
        if "parts" in field:
            count = len(field["parts"]) + bool(field.get("has_missing"))
        else:
            own = (name.startswith(f"{field['name']}=") for name in names[position:])
            count = next((place for place, is_own in enumerate(own) if not is_own), len(names) - position)
        groups[field["name"]] = list(range(position, position + count))
        position += count
    return {name: features for name, features in groups.items() if features}
