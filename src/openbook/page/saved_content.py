"""What a page in one file carries instead of a server: chosen inputs, their values, and where these come from."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from openbook.errors import UsageError
from openbook.page.answers import plain
from openbook.page.comparison import comparison
from openbook.page.explanations import explanation_json
from openbook.page.inputs.reading import Json
from openbook.page.lines import top
from openbook.page.looked import Looked
from openbook.page.model_routes import state_json
from openbook.page.neighbours import neighbours
from openbook.page.numbers import as_floats
from openbook.page.run_info import run_info
from openbook.page.scratch_code import scratch_sources
from openbook.page.sources import source_text
from openbook.page.subject import Subject
from openbook.page.traces import Library

# Of all values together, before they become text.
LIMIT_BYTES = 48 * 2**20
_MAX_EXPLANATIONS = 3000
_NUM_STARTS = 12
_NUM_OPERANDS = 3
# As the page asks for them.
NUM_NEIGHBOURS = 24
NUMS_TOP = (5, 10, 20, 50)

Say = Callable[[str], None]


def default_requests(subject: Subject) -> list[Json]:
    """The inputs to save when none are chosen: the model's example, or the first of its examples.

    Raises:
        UsageError: a model of pictures, and no picture.
    """
    spec = subject.reader.spec()
    if spec["kind"] == "text":
        return [{"kind": "text", "text": spec["example"]}]
    if subject.examples:
        return [{"kind": "example", "id": example.id} for example in subject.examples[:3]]
    if spec["kind"] == "image":
        raise UsageError(
            f"{subject.title} looks at pictures. Give one: --input photo.png, or openbook.look(model, pictures)"
        )
    if spec["kind"] == "line":
        if not spec["text"]:
            raise UsageError(f"{subject.title} has kept no examples. Give one with --input: {spec['hint']}")
        return [{"kind": "line", "text": spec["text"]}]
    read = subject.reader.example()
    arrays = read.arrays if isinstance(read.arrays, list) else [read.arrays]
    named = {each["name"]: array[0].tolist() for each, array in zip(spec["inputs"], arrays, strict=True)}
    return [{"kind": "arrays", "arrays": named}]


def saved_content(
    library: Library,
    inputs: Sequence[tuple[str, Json]],
    *,
    say: Say,
    limit_bytes: int = LIMIT_BYTES,
    lenses: Sequence[str] = (),
) -> Json:
    """`SavedPage` of docs/page-protocol.md.

    Args:
        inputs: the model's id and the `ModelInput`, for each trace.
        say: told what is being done.
        limit_bytes: values of the story come first; what does not fit any more is left out.
        lenses: names of those that are kept, of every model that they fit.
    Raises:
        UsageError: a lens fits none of the models.
    """
    traces: list[Json] = []
    for model_id, given in inputs:
        say(f"Running {library.subject(model_id).title} …")
        request = {"input": given, "mode": "forward"}
        info = library.make(model_id, request, lambda stage, message: None)
        traces.append({"model": model_id, "request": request, "info": info})
    say("Writing down where the numbers come from …")
    looked = {trace["info"]["id"]: library.traces.get(trace["info"]["id"]) for trace in traces}
    share = max(1, _MAX_EXPLANATIONS // max(1, len(traces)))
    arrays, shared = _arrays(library, looked, limit_bytes)
    return {
        "answers": _answers(library, looked),
        "traces": traces,
        "explanations": {
            trace_id: dict(
                _explanations(each, library.info(trace_id), list(_story_names(library, each)), share)
            )
            for trace_id, each in looked.items()
        },
        "arrays": arrays,
        "shared": shared,
        "lenses": list(_lens_views(library, inputs, lenses, say)),
    }


def _lens_views(
    library: Library, inputs: Sequence[tuple[str, Json]], names: Sequence[str], say: Say
) -> Iterator[Json]:
    """What some lenses find, with nothing chosen in their forms: of each input, or once of a model."""
    for name in dict.fromkeys(names):
        fitting = {
            model_id: info
            for model_id in library.subjects
            for info in library.lenses(model_id)
            if info["name"] == name and info["why_not"] is None
        }
        if not fitting:
            raise UsageError(
                f"the lens {name} has nothing to show of what is saved. `openbook lens RUN-OR-FILE` lists those "
                f"that do"
            )
        requests = {
            json.dumps([model_id, request]): (model_id, request)
            for model_id, given in inputs
            if model_id in fitting
            for request in [
                {"input": given, "settings": {}} if fitting[model_id]["reads_input"] else {"settings": {}}
            ]
        }
        for model_id, request in requests.values():
            say(f"{fitting[model_id]['title']} of {library.subject(model_id).title} …")
            view = library.look_through(model_id, name, request, lambda stage, message: None)
            yield {"model": model_id, "lens": name, "request": request, "view": view}


def _answers(library: Library, looked: dict[str, Looked]) -> Json:
    """Answers by what follows "api/", as the page asks for them."""
    answers: Json = {"state": {**state_json(library), "isSaved": True}, "scratch": scratch_sources()}
    for model_id, subject in library.subjects.items():
        if subject.lens_source is not None:
            answers[f"models/{model_id}/lenses"] = library.lenses(model_id)
        answers[f"models/{model_id}/examples"] = [
            {"id": example.id, **example.shown} for example in subject.examples
        ]
        if subject.run is not None:
            answers[f"models/{model_id}/run"] = _without_folders(run_info(subject.run))
    ids = list(looked)
    for first in ids:
        for second in ids:
            if first != second:
                key = f"comparison?first={first}&second={second}"
                answers[key] = comparison(looked[first], looked[second], first_id=first, second_id=second)
    for trace_id, each in looked.items():
        answers |= _top_answers(trace_id, each)
        paths = dict.fromkeys(["", *(node["path"] for node in _layers(library.info(trace_id)["outline"]))])
        for path in paths:
            answers[f"traces/{trace_id}/source?path={path}"] = {"text": source_text(each, path)}
        for name in each.trace.names():
            if each.axes(name).kind == "embedding_table":
                for row in dict.fromkeys(each.read.token_ids or (0,)):
                    key = f"traces/{trace_id}/neighbours?name={name}&row={row}&k={NUM_NEIGHBOURS}"
                    answers[key] = neighbours(each, name, row, NUM_NEIGHBOURS)
    return answers


def _without_folders(info: Json) -> Json:
    """The run without the folders of this machine: the file is given to others."""
    source = str(info["settings"].get("data") or "")

    def cleaned(content: Any) -> Any:
        if isinstance(content, dict):
            return {name: cleaned(each) for name, each in content.items()}
        if isinstance(content, list):
            return [cleaned(each) for each in content]
        if not isinstance(content, str):
            return content
        if Path(source).is_absolute():
            content = content.replace(source, Path(source).name)
        return Path(content).name if Path(content).is_absolute() else content

    parts = ("settings", "settings_default", "data", "machine")
    return info | {part: cleaned(info[part]) for part in parts}


def _top_answers(trace_id: str, looked: Looked) -> Json:
    """The likeliest tokens or classes after each position, in the numbers that the page offers."""
    answers: Json = {}
    for name in looked.outputs:
        shape = looked.shape(name)
        if looked.axes(name).kind != "logits":
            continue
        axis = len(shape) - 1
        for held in np.ndindex(*shape[:-1]):
            at = ",".join(map(str, (*held, 0)))
            for k in NUMS_TOP:
                key = f"traces/{trace_id}/top?name={name}&at={at}&axis={axis}&k={k}"
                answers[key] = top(looked, name, (*held, 0), axis, k)
    return answers


def _layers(node: Json) -> Iterator[Json]:
    if node["kind"] in ("block", "layer"):
        yield node
    for child in node["children"]:
        yield from _layers(child)


def _story_names(library: Library, looked: Looked) -> Iterator[str]:
    """The values that the story shows, in every block, then the results."""
    for stage in library.story(looked.model_id)["stages"]:
        for name in stage["values"]:
            for block in stage["blocks"] or [""]:
                full_name = name.replace("{block}", block)
                if full_name in looked.trace:
                    yield full_name
    yield from looked.outputs


def _arrays(
    library: Library, looked: dict[str, Looked], limit_bytes: int
) -> tuple[dict[str, dict[str, str]], dict[str, str]]:
    """Values by trace and name, and what all traces share."""
    left_bytes = limit_bytes
    arrays: dict[str, dict[str, str]] = {trace_id: {} for trace_id in looked}
    shared: dict[str, str] = {}
    is_alone = len({each.model_id for each in looked.values()}) == 1
    rounds = [[*_story_names(library, each)] for each in looked.values()]
    rounds += [each.trace.names() for each in looked.values()]
    for names, (trace_id, each) in zip(rounds, [*looked.items()] * 2, strict=True):
        for name in names:
            is_shared = is_alone and each.axes(name).role in ("weight", "constant")
            place = shared if is_shared else arrays[trace_id]
            size_bytes = 4 * int(np.prod(each.shape(name), dtype=np.int64))
            if name in place or size_bytes > left_bytes:
                continue
            left_bytes -= size_bytes
            content = np.ascontiguousarray(as_floats(each.array(name)), "<f4").tobytes()
            place[name] = base64.b64encode(content).decode()
    return arrays, shared


def _explanations(looked: Looked, info: Json, names: Sequence[str], limit: int) -> Iterator[tuple[str, Any]]:
    """Explanations of what the page and its story show first, and of what these come from, up to so many.

    Inputs, weights and constants are explained by the page itself.
    """
    waiting = [(name, _first_shown(info, name)) for name in info["values"]]
    waiting += [(name, index) for name in dict.fromkeys(names) for index in _starts(looked, name)]
    seen: set[tuple[str, tuple[int, ...]]] = set()
    while waiting and len(seen) < limit:
        name, index = waiting.pop(0)
        value = info["values"].get(name)
        is_shown = value is None or (value["role"] == "value" and 0 not in value["shape"])
        if (name, index) in seen or name not in looked.trace or not is_shown:
            continue
        seen.add((name, index))
        explanation = looked.explain(name, index)
        yield f"{name}[{','.join(map(str, index))}]", plain(explanation_json(looked, explanation))
        for term in explanation.terms[:_NUM_OPERANDS]:
            waiting += [(operand.name, tuple(operand.index)) for operand in term.operands]


def _first_shown(info: Json, name: str) -> tuple[int, ...]:
    """The element that the page shows first: of what is told for each token the last one's, else the first."""
    value = info["values"][name]
    index = [0] * len(value["shape"])
    if value["kind"] in ("logits", "attention"):
        for axis, label in enumerate(value["labels"]):
            is_key = value["kind"] == "attention" and axis == 3
            if label == "tokens" and not is_key:
                index[axis] = value["shape"][axis] - 1
    if name == info["outputs"][0] and info["answer"] and index:
        index[-1] = info["answer"][0]["index"]
    return tuple(index)


def _starts(looked: Looked, name: str) -> list[tuple[int, ...]]:
    """The first element, the last, and the largest ones."""
    array = as_floats(looked.array(name))
    if not array.size:
        return []
    largest = np.argsort(-np.abs(np.nan_to_num(array.reshape(-1))), kind="stable")[:_NUM_STARTS]
    flat = dict.fromkeys([0, array.size - 1, *(int(place) for place in largest)])
    return [tuple(int(place) for place in np.unravel_index(each, array.shape)) for each in flat]
