"""What `openbook lens` works on: a run or a `.keras` file as the question that a lens answers."""

# N = rows, H = height, W = width, C = channels

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openbook.cli.subject import read_arrays
from openbook.errors import RunError, UsageError

if TYPE_CHECKING:
    import numpy as np

    from openbook.lenses import Examples, Lens, Question
    from openbook.lensing import LensSubject

__all__ = ["check_has_model", "question_of", "subject_of"]

_ARRAYS = (".npy", ".npz", ".json")


def question_of(
    subject: LensSubject,
    lens: Lens,
    given: Sequence[str],
    *,
    layer: str | None,
    class_name: str | None,
    seed: int,
    say: Callable[[str], None],
) -> Question:
    """What the lens is asked, from what a person typed.

    Args:
        given: a picture, arrays, a word, or more runs, whatever the lens takes.
    Raises:
        UsageError: the lens does not take it.
    """
    from openbook.lenses import Question
    from openbook.runs import find_run

    _check_taken(lens, given, layer=layer, class_name=class_name)
    first = given[0] if given else None
    wanted = Question(
        layer=layer,
        class_name=class_name,
        seed=seed,
        word=first if "word" in lens.takes else None,
        runs=[find_run(name) for name in given] if "runs" in lens.takes else (),
        inputs=_inputs(subject, first) if "inputs" in lens.takes else None,
        examples=(lambda: _examples_of_file(first))
        if "examples" in lens.takes and first is not None
        else None,
    )
    return subject.question(lens, wanted, say=say)


def _inputs(subject: LensSubject, given: str | None) -> Any:
    from openbook.recipes import recipe_class
    from openbook.recipes.supervised import SupervisedRecipe

    if given is not None and Path(given).suffix.lower() in _ARRAYS:
        return read_arrays(given)
    if subject.run is None:
        return None if given is None else _picture(subject.model, given)
    recipe = recipe_class(subject.run.recipe)
    is_number = given is not None and given.isdecimal() and not Path(given).exists()
    if is_number and issubclass(recipe, SupervisedRecipe):
        assert given is not None
        arrays = recipe.example_arrays(subject.run)
        number, num_kept = int(given), len(next(iter(arrays.values())))
        if not 1 <= number <= num_kept:
            raise UsageError(f"{subject.name} has kept {num_kept} examples; there is no number {number}")
        one = {name: array[number - 1 : number] for name, array in arrays.items()}
        return one["input"] if list(one) == ["input"] else one
    return recipe.model_inputs(subject.run, given)


def subject_of(thing: str) -> LensSubject:
    """A run by name or path, or a `.keras` file.

    Raises:
        RunError, ModelError: it cannot be read.
    """
    from openbook.lensing import LensSubject
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
