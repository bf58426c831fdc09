"""What the page is given to show: a run, a file or a model, with all that is known about it."""

from __future__ import annotations

import dataclasses
import functools
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openbook.errors import ModelError, RunError, UsageError

if TYPE_CHECKING:
    from openbook.page.subject import Checkpoint, Example, Subject, Weights
    from openbook.recipes.look import TextLook
    from openbook.runs import Run


def prepare() -> None:
    """Keep what JAX compiles on disk, so that a model opens sooner the next time.

    Raises:
        ModelError: Keras runs on another backend than JAX.
    """
    from openbook.data.cache import cache_folder
    from openbook.training.devices import prepare_jax

    prepare_jax(cache_folder())


PICTURE_ENDINGS = frozenset({".png", ".jpg", ".jpeg", ".webp", ".gif"})


def subject_of(thing: Any, inputs: Any = None, *, pictures: Sequence[Path] = ()) -> Subject:
    """A model with what is known about it.

    Args:
        thing: a run (by name, path or `Run`), the path of a `.keras` file, or a Keras model.
        inputs: what to look at first: for a run a text or several, else arrays as for `openbook.trace`.
        pictures: for a model of pictures, files to look at first.
    Raises:
        RunError, ModelError, UsageError: it cannot be looked at; the message says why.
    """
    from openbook.page.bare_models import bare_model
    from openbook.program.model import is_model
    from openbook.runs import Run, find_run
    from openbook.saved_models import load_model

    if isinstance(thing, Run):
        return _run_subject(thing, inputs)
    addresses = {path.name: _address_of(path) for path in pictures}
    if not isinstance(thing, str | os.PathLike):
        if not is_model(thing):
            raise ModelError(
                f"expected a run, the path of a .keras file or a Keras model, got {type(thing).__name__}"
            )
        subject = bare_model(thing, inputs, title=str(thing.name), kind="model", pictures=addresses)
        return _with_lenses(subject, None)
    path = Path(thing)
    if path.suffix == ".keras":
        subject = bare_model(load_model(path), inputs, title=path.name, kind="file", pictures=addresses)
        return _with_lenses(subject, None)
    return _run_subject(find_run(os.fspath(thing)), inputs, addresses)


def _with_lenses(subject: Subject, run: Run | None) -> Subject:
    from openbook.lensing import LensSubject

    return dataclasses.replace(
        subject, lens_source=LensSubject(name=subject.title, model=subject.model, run=run)
    )


def _address_of(path: Path) -> str:
    """A picture file as a data address; whether it is a picture is seen when it is read."""
    import base64

    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror or error})") from error
    return f"data:image/{path.suffix.lower().removeprefix('.')};base64,{base64.b64encode(content).decode()}"


def _run_subject(run: Run, inputs: Any, pictures: Mapping[str, str] | None = None) -> Subject:
    from openbook.page.bare_models import bare_model
    from openbook.page.subject import Training
    from openbook.recipes import recipe_class
    from openbook.recipes.look import ModelLook
    from openbook.typed_inputs import make_reader, typed_examples

    recipe = recipe_class(run.recipe)
    is_following = run.status == "training" or not run.model_path.exists()
    model = _model_of(run)
    look = recipe.look(run, model)
    if isinstance(look, ModelLook):
        given: Any = dict(look.examples) or None
        texts = [inputs] if isinstance(inputs, str) else inputs
        is_typed = isinstance(texts, list) and all(isinstance(text, str) for text in texts)
        if is_typed and look.typed is not None:
            given = None
        elif inputs is not None:
            given = recipe.model_inputs(run, texts[0]) if is_typed and len(texts) == 1 else inputs
        elif given is not None and list(given) == ["input"]:
            given = given["input"]
        subject = bare_model(
            model,
            given,
            title=run.name,
            kind="run",
            pictures=pictures,
            classes=look.classes,
            columns=look.columns,
            picture_settings={
                name: value
                for name, value in (("crop", look.crop), ("invert", look.invert), ("range", look.value_range))
                if value is not None
            },
            training=lambda: Training(
                loss=look.loss,
                optimizer=look.optimizer(),
                note="The first step of a new optimizer, as training began.",
            ),
            shown=run.examples() if inputs is None else (),
            typed=None if look.typed is None else make_reader(look, texts if is_typed else ()),
        )
        if is_typed and look.typed is not None:
            subject = dataclasses.replace(subject, examples=typed_examples(subject.reader, texts))
    else:
        if pictures:
            raise UsageError(f"{run.name} takes a text, not a picture")
        subject = _text_subject(run, look, inputs, model)
    return dataclasses.replace(
        _with_lenses(subject, run),
        recipe=run.recipe,
        story=recipe.story(run),
        run=run,
        checkpoints=lambda: _checkpoints(run),
        current=_Newest(run).weights if is_following else None,
    )


def _text_subject(run: Run, look: TextLook, inputs: Any, model: Any) -> Subject:
    from openbook.page.inputs.text import TextReader
    from openbook.page.subject import DrawProgram, DrawSettings, Subject, Training

    texts = [inputs] if isinstance(inputs, str) else [str(text) for text in inputs or ()]

    @functools.cache
    def training() -> Training:
        optimizer, note = look.optimizer()
        return Training(loss=look.loss, optimizer=optimizer, note=note)

    def draw(logits_V: Any, ids: Sequence[int], settings: DrawSettings) -> DrawProgram:
        function, arrays = look.draw(logits_V, ids, dataclasses.asdict(settings))
        return DrawProgram(function=function, arrays=arrays)

    return Subject(
        title=run.name,
        kind="run",
        model=model,
        reader=TextReader(
            tokenizer=look.tokenizer,
            encode=look.encode,
            max_tokens=look.max_tokens,
            example_text=texts[0] if texts else look.example,
        ),
        examples=_examples(run, texts),
        training=training,
        draw=draw,
    )


def _model_of(run: Run) -> Any:
    """The run's model; of a run in training one that is built anew, whose weights come from checkpoints."""
    from openbook.recipes import recipe_class
    from openbook.saved_models import load_model
    from openbook.training.checkpoint import latest_step

    if run.model_path.exists():
        run.verify()
        return load_model(run.model_path)
    if run.status != "training" and latest_step(run.checkpoints) is None:
        raise RunError(
            f"{run.name} has no model yet. Go on training it with: openbook train --resume {run.name}"
        )
    try:
        return recipe_class(run.recipe).build_for(run)
    except RunError as error:
        raise RunError(
            f"{run.name} has only just begun, so there is no model to look at yet. Look again in a moment"
        ) from error


def _weights(run: Run, path: Path, label: str) -> Weights:
    from openbook.page.subject import Weights
    from openbook.recipes import recipe_class
    from openbook.training.checkpoint import read_arrays

    arrays, _ = read_arrays(path)
    trainable, non_trainable = recipe_class(run.recipe).weights_at(run, arrays)
    return Weights(label=label, trainable=trainable, non_trainable=non_trainable)


class _Newest:
    """The weights of a run's latest checkpoint, read anew when there is another."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._step: int | None = None
        self._weights: Weights | None = None

    def weights(self) -> Weights | None:
        """None before the first checkpoint: the model's own are the ones that training begins with."""
        from openbook.training.checkpoint import LATEST_NAME, latest_step

        step = latest_step(self._run.checkpoints)
        if step != self._step and step is not None:
            path = self._run.checkpoints / LATEST_NAME
            self._weights = _weights(self._run, path, f"of step {step}")
            self._step = step
        return self._weights


def _checkpoints(run: Run) -> list[Checkpoint]:
    from openbook.page.subject import Checkpoint
    from openbook.training.checkpoint import LATEST_NAME, latest_step, snapshots

    files = {step: (f"step-{step}", path) for step, path in snapshots(run.checkpoints).items()}
    last = latest_step(run.checkpoints)
    if last is not None and last not in files:
        files[last] = ("latest", run.checkpoints / LATEST_NAME)
    return [
        Checkpoint(
            id=name,
            label=f"step {step}",
            step=step,
            load=functools.partial(_weights, run, path, f"of step {step}"),
        )
        for step, (name, path) in sorted(files.items())
    ]


def _examples(run: Run, texts: Sequence[str]) -> list[Example]:
    """The texts that were given, then the held-out examples that training left in the run."""
    from openbook.page.subject import Example

    nothing_known = {"target": None, "answer": None, "is_mistake": False, "score": None}
    given = [
        Example(
            id=f"given-{number}",
            shown={"text": text, **nothing_known},
            given={"kind": "text", "text": text},
        )
        for number, text in enumerate(texts, start=1)
    ]
    return given + [
        Example(
            id=f"example-{number}",
            shown=example,
            given={"kind": "text", "text": example["text"]},
        )
        for number, example in enumerate(run.examples(), start=1)
    ]
