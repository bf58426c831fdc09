"""The way through a model in five to nine stages: the recipe's own, or one made from the model's layers."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

from openbook.page.inputs.reading import Json
from openbook.program.outline import Outline
from openbook.program.reading import Reading

MAX_STAGES = 9


def story_from_outline(outline: Outline, *, input_name: str, output_name: str) -> Json:
    """`Story` of docs/page-protocol.md for any model: its input, its layers in groups, its result.

    Args:
        outline: of the forward pass.
    """
    parts = _parts(outline.children)
    groups = _grouped(parts, MAX_STAGES - 2)
    stages = [
        _stage("input", "The input", "This is what the model is given, as numbers.", "", [input_name]),
        *(_group_stage(number, group) for number, group in enumerate(groups, start=1)),
    ]
    # The last group's result is the model's own, unless more follows it.
    if not stages[-1]["values"] or stages[-1]["values"][-1] != output_name:
        stages.append(_stage("result", "The result", "This is what the model says.", "", [output_name]))
    return {"stages": stages}


def with_own_names(story: Json, reading: Reading) -> Json:
    """A story in which each value has the name that it has in this model, where it is known by another one too."""
    own = {name: reading.names.get(value_id, name) for name, value_id in reading.ids.items()}
    stages = [
        {**stage, "values": [own.get(name, name) for name in stage["values"]]} for stage in story["stages"]
    ]
    return {"stages": stages}


def _parts(nodes: Sequence[Outline]) -> list[Outline]:
    """The nodes that compute something; where there are only a few, what is inside the blocks."""
    parts = [node for node in nodes if node.names]
    while len(parts) < MAX_STAGES - 4 and any(_inside(part) for part in parts):
        opened: list[Outline] = []
        for part in parts:
            opened += _inside(part) or [part]
        if len(opened) > MAX_STAGES - 2:
            break
        parts = opened
    return parts


def _inside(node: Outline) -> list[Outline]:
    return [child for child in node.children if child.names and child.kind in ("block", "layer", "operation")]


def _grouped(parts: Sequence[Outline], num_groups: int) -> list[list[Outline]]:
    """Neighbours together, as evenly as it goes."""
    num_groups = min(num_groups, len(parts))
    bounds = [math.floor(number * len(parts) / num_groups) for number in range(num_groups + 1)]
    return [list(parts[start:end]) for start, end in itertools.pairwise(bounds)]


def _group_stage(number: int, group: Sequence[Outline]) -> Json:
    labels = [node.label for node in group]
    title = labels[0] if len(labels) == 1 else f"{labels[0]} to {labels[-1]}"
    operations = [each for node in group for each in node if each.kind == "operation" and each.formula]
    kinds = list(dict.fromkeys(each.label for each in operations))
    shape = (
        " × ".join(map(str, group[-1].shapes[0]))
        if group[-1].shapes and group[-1].shapes[0]
        else "one number"
    )
    what = f"{title} computes {', '.join(kinds[:3])}" if kinds else f"{title} takes what came before"
    sentence = f"{what}; what comes out has the shape {shape}."
    formula = operations[0].formula if operations else ""
    values = [name for node in group for name in node.names]
    return _stage(f"stage-{number}", title, sentence, formula, values[-4:])


def _stage(stage_id: str, title: str, explanation: str, formula: str, values: Sequence[str]) -> Json:
    return {
        "id": stage_id,
        "title": title,
        "explanation": explanation,
        "formula": formula,
        "picture": "value",
        "values": list(values),
        "blocks": [],
    }
