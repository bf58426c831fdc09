"""From a request to a trace: the input is read, the model run, and the trace kept."""

from __future__ import annotations

import contextlib
import dataclasses
import re
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

from openbook.errors import UsageError
from openbook.page.answers import NoSuchThing
from openbook.page.drawing import Drawer
from openbook.page.inputs.reading import Json, ReadInput
from openbook.page.lens_views import LensDesk
from openbook.page.looked import Looked
from openbook.page.planes import Pyramids
from openbook.page.programs import MODES, Programs, Report
from openbook.page.store import TraceStore
from openbook.page.subject import Example, Subject, Training, Weights
from openbook.page.trace_info import trace_info

_LIMIT_BYTES = 2**30


class Library:
    """The models that one server shows, and the traces made of them.

    Args:
        subjects: shown in this order.
        limit_bytes: of the traces' values together.
    """

    def __init__(self, subjects: Sequence[Subject], *, limit_bytes: int = _LIMIT_BYTES) -> None:
        self.subjects = dict(zip(_ids(subjects), subjects, strict=True))
        self.pyramids = Pyramids()
        self.traces = TraceStore(limit_bytes, self._forget)
        self._infos: dict[str, Json] = {}
        self._stories: dict[str, Json] = {}
        self._story_lock = threading.Lock()
        self._programs = {model_id: Programs(subject) for model_id, subject in self.subjects.items()}
        self._desks = {model_id: LensDesk(subject) for model_id, subject in self.subjects.items()}
        self._drawers = {model_id: Drawer(subject) for model_id, subject in self.subjects.items()}

    def subject(self, model_id: str) -> Subject:
        """A model by its id.

        Raises:
            NoSuchThing: there is none.
        """
        if model_id not in self.subjects:
            raise NoSuchThing(f"This server shows no model {model_id!r}.")
        return self.subjects[model_id]

    def warm_up(self) -> None:
        """Compile the models' forward passes; what goes wrong is told when one is traced."""
        for programs in self._programs.values():
            with contextlib.suppress(Exception):
                programs.warm_up()

    def story(self, model_id: str) -> Json:
        """`Story` of a model: its own, or one made from its layers."""
        self.subject(model_id)
        with self._story_lock:
            if model_id not in self._stories:
                self._stories[model_id] = self._programs[model_id].story()
            return self._stories[model_id]

    def info(self, trace_id: str) -> Json:
        """`TraceInfo` of a trace that is there."""
        self.traces.get(trace_id)
        return self._infos[trace_id]

    def make(self, model_id: str, request: Mapping[str, Any], report: Report) -> Json:
        """Make the trace that a `TraceRequest` asks for; returns its `TraceInfo`.

        Raises:
            UsageError, ModelError: the request does not fit the model.
        """
        begin_s = time.monotonic()
        subject = self.subject(model_id)
        mode = request.get("mode", "forward")
        if mode not in MODES:
            raise UsageError(f"mode is one of {', '.join(MODES)}, not {mode!r}")
        read, example = read_input(subject, request.get("input"))
        edits = checked_edits(request.get("edits"))
        weights = self._weights(subject, request)
        notes = [] if weights is None else [f"With the weights {weights.label}."]
        targets = None
        if mode == "step":
            target = request.get("target")
            if target is None and example is not None:
                target = example.shown.get("target")
            training = training_of(subject)
            targets = subject.reader.targets(read, target)
            notes += [training.note] if training.note else []
            read = _with(read, target=None if target is None else str(target))
        read = _with(read, notes=[*read.preview["notes"], *notes])
        trace, compiled = self._programs[model_id].run(
            read,
            report,
            mode=mode,
            targets=targets,
            weights=weights,
            edits=edits,
        )
        looked = Looked(
            trace,
            subject,
            read,
            model_id=model_id,
            mode=mode,
            token_axes=compiled.token_axes,
            request={"edits": edits, "checkpoint": request.get("checkpoint")},
        )
        report("naming", "Listing all values …")
        return self._keep(looked, compiled.outline, {"duration_s": round(time.monotonic() - begin_s, 3)})

    def draw(self, model_id: str, request: Mapping[str, Any], report: Report) -> Json:
        """Draw the next token, as a trace of its own; returns its `TraceInfo`."""
        begin_s = time.monotonic()
        subject = self.subject(model_id)
        source = self.traces.get(str(request.get("trace")))
        if source.subject is not subject:
            raise UsageError("this trace is of another model")
        looked, more = self._drawers[model_id].draw(source, request, report)
        more = {**more, "duration_s": round(time.monotonic() - begin_s, 3)}
        return self._keep(looked, looked.trace.outline().to_dict(), more)

    def lenses(self, model_id: str) -> list[Json]:
        """`LensInfo` of every lens, those that have something to show of the model first."""
        self.subject(model_id)
        return self._desks[model_id].listed()

    def look_through(self, model_id: str, lens: str, request: Mapping[str, Any], report: Report) -> Json:
        """What a lens finds, as a `LensRequest` asks for it; returns its `LensView`.

        Raises:
            UsageError, ModelError, DataError: the request does not fit, or there is nothing to find.
        """
        subject = self.subject(model_id)
        given = request.get("input")
        read = None if given is None else read_input(subject, given)[0]
        return self._desks[model_id].read(lens, request, read, report)

    def _keep(self, looked: Looked, outline: Json, more: Json) -> Json:
        info = trace_info(looked, outline)
        trace_id = self.traces.add(looked)
        info = {"id": trace_id, **info, **more}
        self._infos[trace_id] = info
        return info

    def _weights(self, subject: Subject, request: Mapping[str, Any]) -> Weights | None:
        """Those of a checkpoint, those after a step, the newest of a run in training, or the model's own."""
        after = request.get("weights_after")
        if after is not None:
            return _weights_after(self.traces.get(str(after)), subject)
        checkpoint_id = request.get("checkpoint")
        if checkpoint_id is None:
            return subject.current() if subject.current is not None else None
        for checkpoint in subject.checkpoints():
            if checkpoint.id == checkpoint_id:
                return checkpoint.load()
        raise UsageError(f"{subject.title} has no checkpoint {checkpoint_id!r}")

    def _forget(self, trace_id: str) -> None:
        self._infos.pop(trace_id, None)
        self.pyramids.forget(trace_id)


def _ids(subjects: Sequence[Subject]) -> list[str]:
    """The models' names as parts of an address, so that a link means the same on another's server."""
    ids: list[str] = []
    for subject in subjects:
        name = re.sub(r"[^A-Za-z0-9._-]+", "-", subject.title).strip("-.") or "model"
        number = 1
        while (one := name if number == 1 else f"{name}-{number}") in ids:
            number += 1
        ids.append(one)
    return ids


def read_input(subject: Subject, given: Any) -> tuple[ReadInput, Example | None]:
    """A `ModelInput` as arrays; and the example, where it is one.

    Raises:
        UsageError: it does not fit the model.
    """
    if not isinstance(given, Mapping) or not isinstance(given.get("kind"), str):
        raise UsageError("a request needs an input with its kind")
    if given["kind"] == "example":
        for example in subject.examples:
            if example.id == given.get("id"):
                if example.read is not None:
                    return example.read, example
                assert example.given is not None
                return subject.reader.read(example.given), example
        raise UsageError(f"there is no example {given.get('id')!r}")
    kind = subject.reader.spec()["kind"]
    if given["kind"] != kind:
        raise UsageError(f"{subject.title} takes input of kind {kind!r}, not {given['kind']!r}")
    return subject.reader.read(given), None


def checked_edits(edits: Any) -> list[Json]:
    """The edits of a request.

    Raises:
        UsageError: not a list of `{name, index, value}`.
    """
    checked = []
    for edit in edits or ():
        fits = (
            isinstance(edit, Mapping)
            and isinstance(edit.get("name"), str)
            and isinstance(edit.get("index"), list)
            and all(isinstance(each, int) for each in edit["index"])
            and isinstance(edit.get("value"), int | float)
        )
        if not fits:
            raise UsageError("an edit has a name, an index of whole numbers and a value")
        checked.append({"name": edit["name"], "index": list(edit["index"]), "value": edit["value"]})
    return checked


def _weights_after(step: Looked, subject: Subject) -> Weights:
    """The weights that a training step left."""
    if step.mode != "step" or step.subject is not subject:
        raise UsageError("only a training step of the same model has weights after it")
    trace = step.trace
    model = subject.model
    names = trace.roles.inputs
    trainable = names[: len(model.trainable_variables)]
    others = names[len(trainable) : len(trainable) + len(model.non_trainable_variables)]

    def after(prefix: str, name: str) -> Any:
        return trace[f"{prefix}/{name}"] if f"{prefix}/{name}" in trace else trace[name]

    return Weights(
        label="after one step",
        trainable=[after("updates", name) for name in trainable],
        non_trainable=[after("new", name) for name in others],
    )


def training_of(subject: Subject) -> Training:
    """How a step of the model is taken.

    Raises:
        UsageError: no loss is known.
    """
    if subject.training is None:
        raise UsageError(f"{subject.title} has no loss, so there is no training step to show")
    return subject.training()


def _with(read: ReadInput, **fields: Any) -> ReadInput:
    return dataclasses.replace(read, preview={**read.preview, **fields})
