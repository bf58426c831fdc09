"""What `openbook lens` works on: a run or a `.keras` file as the question that a lens answers."""

# N = rows, H = height, W = width, C = channels

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openbook.cli.subject import read_arrays
from openbook.errors import RunError, UsageError

if TYPE_CHECKING:
    import numpy as np

    from openbook.lenses import Examples, Lens, Question
    from openbook.runs import Run
    from openbook.training.reporter import Reporter

__all__ = ["LensSubject", "subject_of"]

_ARRAYS = (".npy", ".npz", ".json")


@dataclasses.dataclass(frozen=True, kw_only=True)
class LensSubject:
    """A model with what is known of it.

    Attributes:
        run: None for a file.
        model: None for a run that has saved none yet.
    """

    name: str
    model: Any
    run: Run | None

    def question(
        self,
        lens: Lens,
        given: Sequence[str],
        *,
        layer: str | None,
        class_name: str | None,
        seed: int,
        reporter: Reporter,
    ) -> Question:
        """What the lens is asked, from what a person typed.

        Args:
            given: a picture, arrays, a word, or more runs, whatever the lens takes.
        Raises:
            UsageError: the lens does not take it.
        """
        from openbook.lenses import Question

        _check_taken(lens, given, layer=layer, class_name=class_name)
        question = Question(model=self.model, layer=layer, class_name=class_name, seed=seed)
        first = given[0] if given else None
        if "runs" in lens.takes:
            from openbook.runs import find_run

            own = [] if self.run is None else [self.run]
            question = dataclasses.replace(question, runs=[*own, *map(find_run, given)])
        if "word" in lens.takes:
            names = None if self.run is None else _row_names(self.run, self.model)
            question = dataclasses.replace(question, word=first, row_names=names)
        if "inputs" in lens.takes:
            question = dataclasses.replace(question, inputs=self._inputs(first))
        if "class_name" in lens.takes and self.run is not None:
            question = dataclasses.replace(question, classes=_classes(self.run, self.model))
        if "examples" in lens.takes:
            question = dataclasses.replace(question, examples=self._examples(first, reporter))
        return question

    def _inputs(self, given: str | None) -> Any:
        from openbook.recipes import recipe_class
        from openbook.recipes.supervised import SupervisedRecipe

        if given is not None and Path(given).suffix.lower() in _ARRAYS:
            return read_arrays(given)
        if self.run is None:
            return None if given is None else _picture(self.model, given)
        recipe = recipe_class(self.run.recipe)
        is_number = given is not None and given.isdecimal() and not Path(given).exists()
        if is_number and issubclass(recipe, SupervisedRecipe):
            assert given is not None
            arrays = recipe.example_arrays(self.run)
            number, num_kept = int(given), len(next(iter(arrays.values())))
            if not 1 <= number <= num_kept:
                raise UsageError(f"{self.run.name} has kept {num_kept} examples; there is no number {number}")
            one = {name: array[number - 1 : number] for name, array in arrays.items()}
            return one["input"] if list(one) == ["input"] else one
        return recipe.model_inputs(self.run, given)

    def _examples(self, given: str | None, reporter: Reporter) -> Any:
        if given is not None:
            return lambda: _examples_of_file(given)
        if self.run is None:
            return None
        run = self.run
        return lambda: _examples_of_run(run, reporter)


def subject_of(thing: str) -> LensSubject:
    """A run by name or path, or a `.keras` file.

    Raises:
        RunError, ModelError: it cannot be read.
    """
    from openbook.runs import find_run
    from openbook.saved_models import load_model

    if thing.endswith(".keras"):
        return LensSubject(name=Path(thing).name, model=load_model(thing), run=None)
    run = find_run(thing)
    if run.model_path.exists():
        run.verify()
    model = load_model(run.model_path) if run.model_path.exists() else None
    return LensSubject(name=run.name, model=model, run=run)


def _check_taken(lens: Lens, given: Sequence[str], *, layer: str | None, class_name: str | None) -> None:
    """No option and no input that would do nothing."""
    for option, value, name in (("--layer", layer, "layer"), ("--class", class_name, "class_name")):
        if value is not None and name not in lens.takes:
            raise UsageError(f"the lens {lens.name} has no {option}. Leave it out")
    most = 0 if not lens.takes & {"inputs", "word", "examples", "runs"} else 1
    if len(given) > most and "runs" not in lens.takes:
        takes = "one input" if most else "no input"
        raise UsageError(f"the lens {lens.name} takes {takes}; got {' '.join(given)}")


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
        return ["(padding)", "(unknown)", *facts["words"]] if "words" in facts else None
    look = recipe.look(run, model)
    if not isinstance(look, TextLook):
        return None
    return list(look.tokenizer.token_texts(range(look.tokenizer.vocabulary_size)))


def _classes(run: Run, model: Any) -> Sequence[str] | None:
    from openbook.recipes import recipe_class
    from openbook.recipes.look import ModelLook

    look = recipe_class(run.recipe).look(run, model)
    return look.classes if isinstance(look, ModelLook) else None


def _picture(model: Any, given: str) -> np.ndarray:
    """A picture file as the model takes it: brightness 0 to 255 where a layer scales it down, else 0 to 1."""
    import numpy as np

    from openbook.data.picture_arrays import PictureForm
    from openbook.lenses.layer_taps import picture_shape, picture_value_range

    path = Path(given).expanduser()
    if not path.is_file():
        raise UsageError(f"expected a picture, or a .npy or .npz file, and there is no file {given!r}")
    shape = picture_shape(model)
    if shape is None or None in shape or shape[-1] not in (1, 3):
        raise UsageError(
            f"{model.name} does not take a picture of a known size in grey or colour. "
            f"Give a .npy file of its input"
        )
    height, width, channels = (size or 0 for size in shape)
    form = PictureForm(height=height, width=width, channels=channels)
    _, high = picture_value_range(model)
    return form.array_of(path.read_bytes())[None].astype(np.float32) * np.float32(high / 255.0)


def _examples_of_run(run: Run, reporter: Reporter) -> Examples:
    """The held-out rows of a run, from its data read and split as for training."""
    import numpy as np

    from openbook.lenses import Examples
    from openbook.recipes import recipe_class
    from openbook.recipes.supervised import SupervisedRecipe

    recipe = recipe_class(run.recipe)
    if not issubclass(recipe, SupervisedRecipe):
        raise UsageError(f"{run.name} is of {run.recipe}, which learns from no table")
    made = recipe(**run.section("settings"))
    splits = made.split(made.load_data(reporter))
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


def _examples_of_file(given: str) -> Examples:
    """The arrays `inputs` and `targets` of an .npz file, scored by the mean squared error."""
    import numpy as np

    from openbook.lenses import Examples

    arrays = read_arrays(given)
    if not isinstance(arrays, dict) or not {"inputs", "targets"} <= set(arrays):
        raise UsageError(f"{given}: expected an .npz file with the arrays inputs (N, F) and targets (N,)")

    def score(outputs: np.ndarray, targets: np.ndarray) -> float:
        return float(np.square(outputs.reshape(targets.shape) - targets).mean())

    inputs_NF, targets = arrays["inputs"], arrays["targets"]
    if len(inputs_NF) != len(targets):
        raise UsageError(f"{given}: {len(inputs_NF)} inputs, but {len(targets)} targets")
    return Examples(
        inputs_NF=inputs_NF.astype(np.float32),
        targets_N=targets,
        score=score,
        score_name="mean squared error",
    )


def check_has_model(subject: LensSubject, lens: Lens) -> None:
    """Raise RunError where a run has no model, and the lens needs one."""
    if subject.model is None and lens.takes != {"runs"}:
        raise RunError(
            f"{subject.name} has no model yet. Go on training it with: openbook train --resume {subject.name}"
        )
