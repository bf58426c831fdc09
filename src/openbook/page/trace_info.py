"""What the page is told of a trace: outline, values, answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from openbook.page.answers import number
from openbook.page.inputs.reading import Json
from openbook.page.lines import top
from openbook.page.looked import Looked
from openbook.page.scratch_code import scratch_by_value

_NUM_ANSWERS = 8


def trace_info(looked: Looked, outline: Mapping[str, Any]) -> Json:
    """`TraceInfo` of docs/page-protocol.md, but for its id and what the request adds.

    Args:
        outline: of the program, as `Outline.to_dict` gives it.
    """
    trace = looked.trace
    values = {name: _value_info(looked, name) for name in trace.names()}
    others = [name for name, info in values.items() if info["role"] == "weight"]
    scratch = scratch_by_value(looked.subject.model, outline, others)
    for name, info in values.items():
        info["scratch"] = scratch.get(name, [])
    bad = trace.first_nonfinite()
    return {
        "model": looked.model_id,
        "mode": looked.mode,
        "input": looked.read.preview,
        "outline": _outline(outline, values),
        "values": values,
        "outputs": list(looked.outputs),
        "loss": number(trace["loss"]) if "loss" in looked.outputs else None,
        "answer": _answer(looked),
        "drawn": None,
        "first_nonfinite": None if bad is None else {"name": bad[0], "index": list(bad[1])},
        **looked.request,
    }


def _value_info(looked: Looked, name: str) -> Json:
    info = looked.axes(name)
    value = looked.trace.program.values[looked.trace.id_of(name)]
    return {
        "shape": list(looked.shape(name)),
        "dtype": str(value.dtype),
        "kind": info.kind,
        "role": info.role,
        "axes": list(info.axes),
        "labels": list(info.labels),
    }


def _outline(node: Mapping[str, Any], values: Mapping[str, Json]) -> Json:
    """The tree, with shapes as they are shown."""
    names = node["names"]
    if len(names) == len(node["shapes"]):
        pairs = zip(names, node["shapes"], strict=True)
        shapes = [values[name]["shape"] if name in values else shape for name, shape in pairs]
    else:
        shapes = node["shapes"]
    return {
        **{key: value for key, value in node.items() if key not in ("shapes", "children", "num_steps")},
        "shapes": shapes,
        "children": [_outline(child, values) for child in node.get("children", ())],
    }


def _answer(looked: Looked) -> list[Json]:
    """What the model says: the next token after the text, the likeliest classes, or the numbers it gives."""
    if not looked.outputs:
        return []
    name = looked.outputs[0]
    shape = looked.shape(name)
    if not shape:
        return [{"index": 0, "label": name, "value": number(looked.array(name)), "probability": None}]
    at = [0 if axis == 0 else size - 1 for axis, size in enumerate(shape)]
    return top(looked, name, at, len(shape) - 1, _NUM_ANSWERS)
