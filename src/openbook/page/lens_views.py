"""Lenses on the page: which of them have something to show, and what one of them found."""

from __future__ import annotations

import base64
import json
import tempfile
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from openbook.errors import OpenbookError, UsageError
from openbook.page.answers import NoSuchThing, plain
from openbook.page.inputs.reading import Json, ReadInput
from openbook.page.lens_tables import tables_of
from openbook.page.programs import Report

if TYPE_CHECKING:
    from openbook.lenses import Lens, Question
    from openbook.page.subject import Subject

__all__ = ["LensDesk", "LensSource"]

# Answers that are kept, so that going back to one takes no time.
_MOST_KEPT = 40
_LARGEST_SEED = 2**31 - 1


class LensSource(Protocol):
    """What is known of a model beside itself, for the lenses; `openbook.lensing.LensSubject`."""

    def why_not(self, lens: Lens) -> str | None:
        """Why the lens has nothing to see here; None where it has."""

    def question(self, lens: Lens, wanted: Question, *, say: Callable[[str], None]) -> Question:
        """What a person wants to know, with what the lens needs besides."""

    def other_runs(self) -> Sequence[str]:
        """Names of the runs that lie beside this one."""


class LensDesk:
    """The lenses of one model, and their answers.

    Args:
        subject: what is looked at; without `lens_source` there are no lenses.
    """

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._listed: list[Json] | None = None
        self._kept: OrderedDict[str, Json] = OrderedDict()
        # Models are run and drawn one at a time: the drawing library takes no two at once.
        self._lock = threading.Lock()

    def listed(self) -> list[Json]:
        """`LensInfo` of every lens, those that have something to show first."""
        from openbook.lenses import all_lenses

        if self._listed is None:
            infos = [self._info(lens) for lens in all_lenses().values()]
            self._listed = sorted(infos, key=lambda info: info["why_not"] is not None)
        return self._listed

    def read(self, name: str, request: Mapping[str, Any], read: ReadInput | None, report: Report) -> Json:
        """`LensView`: what a lens found.

        Args:
            request: `LensRequest` of docs/page-protocol.md.
            read: the input that stands above, where the lens is about one.
            report: told what is being done; raises where nobody waits any more.
        Raises:
            NoSuchThing: there is no such lens.
            OpenbookError: it has nothing to show, or a setting does not fit; the message says what would.
        """
        from openbook.lenses import all_lenses

        lens = all_lenses().get(name)
        if lens is None:
            raise NoSuchThing(f"There is no lens {name!r}.")
        info = self._info(lens)
        if info["why_not"] is not None:
            raise UsageError(
                f"{lens.title} has nothing to show of {self._subject.title}: {info['why_not']}. "
                f"Choose another lens"
            )
        settings = _checked(info["settings"], request.get("settings"))
        key = json.dumps(
            [name, settings, request.get("input") if info["reads_input"] else None], sort_keys=True
        )
        with self._lock:
            # Of a run in training the weights change, so nothing is kept.
            if self._subject.current is None and key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
            view = self._made(lens, settings, read, report)
            self._kept[key] = view
            while len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)
        return view

    def _made(self, lens: Lens, settings: Json, read: ReadInput | None, report: Report) -> Json:
        from openbook.lenses import Question
        from openbook.runs import find_run

        begin_s = time.monotonic()
        subject = self._subject
        report("lens", "Looking through the lens …")
        wanted = Question(
            inputs=read.arrays if read is not None and "inputs" in lens.takes else None,
            word=settings.get("word"),
            layer=settings.get("layer"),
            class_name=settings.get("class_name"),
            seed=settings.get("seed", 0),
            classes=subject.classes,
            runs=[find_run(self._run_folder(each)) for each in (settings.get("beside"),) if each],
        )
        weights = self._with_newest_weights()
        question = self._source.question(lens, wanted, say=lambda text: report("lens", text))
        found = lens.read(question)
        report("drawing", "Drawing the picture …")
        text = found.text()
        notes = [] if weights is None else [f"With the weights {weights}."]
        numbers = plain(found.to_dict())
        return {
            "lens": lens.name,
            "title": lens.title,
            "says": lens.says,
            "source": lens.source,
            "text": text,
            "notes": notes,
            "pictures": [
                {
                    "picture": _picture(lens, found),
                    "alt": f"{lens.title} of {subject.title}: {lens.says}. {text.splitlines()[0].strip()}",
                }
            ],
            "tables": tables_of(numbers),
            "numbers": numbers,
            "settings": settings,
            "duration_s": round(time.monotonic() - begin_s, 3),
        }

    @property
    def _source(self) -> LensSource:
        source = self._subject.lens_source
        if source is None:
            raise NoSuchThing(f"There are no lenses for {self._subject.title}.")
        return source

    def _info(self, lens: Lens) -> Json:
        why_not = self._why_not(lens)
        return {
            "name": lens.name,
            "title": lens.title,
            "says": lens.says,
            "source": lens.source,
            "why_not": why_not,
            "reads_input": "inputs" in lens.takes,
            "settings": self._settings(lens) if why_not is None else [],
        }

    def _why_not(self, lens: Lens) -> str | None:
        if "examples" in lens.takes and self._subject.run is None:
            return "it needs rows with their targets; `openbook lens` takes a file of them, and a run has its own"
        try:
            return self._source.why_not(lens)
        except OpenbookError as error:
            return str(error)

    def _settings(self, lens: Lens) -> list[Json]:
        """What can be chosen, as fields of a form; each may be left open."""
        found = []
        if lens.layers is not None:
            layers = list(lens.layers(self._subject.model))
            found.append(_setting("layer", "Layer", "chosen by the lens", layers))
        if "class_name" in lens.takes:
            classes = None if self._subject.classes is None else [str(each) for each in self._subject.classes]
            found.append(_setting("class_name", "Class", "the model's answer", classes))
        if "word" in lens.takes:
            found.append(_setting("word", "Word, or number of a row", "the row that moved most", None))
        if "runs" in lens.takes:
            found.append(_setting("beside", "Another run beside it", "none", list(self._source.other_runs())))
        if "seed" in lens.takes:
            found.append(_setting("seed", "Seed of chance", "0", None, kind="number"))
        return found

    def _run_folder(self, name: str) -> Path:
        assert self._subject.run is not None, "only runs have runs beside them"
        return self._subject.run.path.parent / name

    def _with_newest_weights(self) -> str | None:
        """Give the model of a run in training its newest weights; what they are, or None for its own."""
        weights = None if self._subject.current is None else self._subject.current()
        if weights is None:
            return None
        model = self._subject.model
        for variables, values in (
            (model.trainable_variables, weights.trainable),
            (model.non_trainable_variables, weights.non_trainable),
        ):
            for variable, value in zip(variables, values, strict=False):
                variable.assign(value)
        return weights.label


def _setting(name: str, label: str, left_open: str, choices: list[str] | None, *, kind: str = "text") -> Json:
    """`LensSetting` of docs/page-protocol.md."""
    return {
        "name": name,
        "label": label,
        "kind": kind if choices is None else "choice",
        "choices": choices,
        "left_open": left_open,
    }


def _checked(settings: Sequence[Json], given: Any) -> Json:
    """The settings that were chosen.

    Raises:
        UsageError: there is no such setting or choice.
    """
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise UsageError("the settings of a lens are given by their names")
    known = {each["name"]: each for each in settings}
    checked: Json = {}
    for name, value in given.items():
        text = str(value).strip()
        if name not in known:
            raise UsageError(f"this lens has no setting {name!r}; it has {', '.join(known) or 'none'}")
        if not text:
            continue
        choices = known[name]["choices"]
        if choices is not None and text not in choices:
            raise UsageError(
                f"{known[name]['label']}: there is no {text!r}; there are {', '.join(choices[:12]) or 'none'}"
            )
        checked[name] = text
        if known[name]["kind"] == "number":
            if not text.isdecimal() or int(text) > _LARGEST_SEED:
                raise UsageError(f"{known[name]['label']}: expected a whole number from 0, not {text!r}")
            checked[name] = int(text)
    return checked


def _picture(lens: Lens, found: Any) -> str:
    """The picture file of a finding as a data address."""
    with tempfile.TemporaryDirectory(prefix="openbook-lens-") as folder:
        path = Path(folder) / "lens.png"
        lens.draw(found, path)
        content = path.read_bytes()
    return f"data:image/png;base64,{base64.b64encode(content).decode()}"
