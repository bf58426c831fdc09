"""What kind of value a value is, for the view that fits it, and what its axes stand for."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from openbook.page import draw_names

if TYPE_CHECKING:
    from openbook.page.looked import Looked
    from openbook.program.trace import Trace

_QUERY, _KEY = "query position", "key position"
_SAME_SHAPE = ("gradients/", "updates/", "new/")


@dataclasses.dataclass(frozen=True, kw_only=True)
class AxisInfo:
    """A value's kind and axes.

    Attributes:
        kind: `ValueKind` of docs/page-protocol.md.
        role: "input", "weight", "constant" or "value".
        axes: what each stands for, "" where that is not known.
        labels: what names its positions: "tokens", "vocabulary", "classes", "columns", "rows",
            "ranked" or "".
    """

    kind: str
    role: str
    axes: tuple[str, ...]
    labels: tuple[str, ...]


@dataclasses.dataclass(frozen=True, kw_only=True)
class LastProduct:
    """Names of the values from the last product to the result (logits, probabilities), and of its weights."""

    results: frozenset[str] = frozenset()
    weights: frozenset[str] = frozenset()


def axis_info(looked: Looked, name: str) -> AxisInfo:
    """What is known of a value."""
    role = _role(looked, name)
    shape = looked.shape(name)
    axes = list(looked.trace.axis_names(name) or [""] * len(shape))
    axes = axes if len(axes) == len(shape) else [""] * len(shape)
    # A gradient, and a weight after the step, are read like the weight itself.
    plain_name = name
    for prefix in _SAME_SHAPE:
        plain_name = plain_name.removeprefix(prefix)
    is_weight = role == "weight" or plain_name in looked.trace.roles.weights
    kind = _weight_kind(plain_name, shape) if is_weight else _value_kind(looked, name, role, shape, axes)
    _name_axes(kind, is_weight, looked, name, axes)
    labels = _labels(looked, name, plain_name, is_weight, shape, axes, kind)
    if shape and labels[-1] in ("vocabulary", "classes", "ranked") and not is_weight and shape[-1] > 1:
        kind = "logits"
    return AxisInfo(kind=kind, role=role, axes=tuple(axes), labels=tuple(labels))


def _role(looked: Looked, name: str) -> str:
    trace = looked.trace
    if name in trace.roles.weights:
        return "weight"
    if name in trace.roles.inputs:
        return "input"
    return "constant" if name.rpartition("/")[2].startswith("constant") else "value"


def _weight_kind(name: str, shape: tuple[int, ...]) -> str:
    if name.endswith("/embeddings") and len(shape) == 2:
        return "embedding_table"
    if len(shape) == 4 and "kernel" in name.rpartition("/")[2]:
        return "kernels"
    return {0: "scalar", 1: "vector", 2: "matrix"}.get(len(shape), "tensor")


def _value_kind(looked: Looked, name: str, role: str, shape: tuple[int, ...], axes: list[str]) -> str:
    rank = len(shape)
    if role == "input" and looked.num_tokens is not None:
        is_ids = looked.token_axes(name) and not _is_float(looked, name)
        if name.endswith("tokens") or is_ids:
            return "tokens"
    if rank == 4 and axes[-2:] == [_QUERY, _KEY]:
        return "attention"
    is_picture = looked.read.preview["kind"] == "image"
    if rank == 4 and ("channel" in axes or (is_picture and "" in axes)):
        return "feature_maps"
    if rank == 3 and looked.num_tokens is None and not is_picture:
        return "series"
    return {0: "scalar", 1: "vector", 2: "matrix"}.get(rank, "matrix" if looked.num_tokens else "tensor")


def _name_axes(kind: str, is_weight: bool, looked: Looked, name: str, axes: list[str]) -> None:
    """Fill in what the structure of the program did not say."""
    known: dict[str, tuple[str, ...]] = {
        "kernels": ("height", "width", "input channel", "output channel"),
        "embedding_table": ("token", "feature"),
        "feature_maps": ("batch", "height", "width", "channel"),
    }
    words: tuple[str, ...] = known.get(kind, ())
    if is_weight and kind == "matrix" and name.endswith("kernel"):
        words = ("input feature", "output feature")
    for axis, word in enumerate(words):
        axes[axis] = axes[axis] or word
    if is_weight:
        return
    for axis in looked.token_axes(name):
        axes[axis] = axes[axis] or "position"
    if axes[-2:] == ["position", ""] and _is_float(looked, name):
        axes[-1] = "feature"
    if len(axes) > 1 and looked.shape(name)[0] == 1 and not axes[0]:
        axes[0] = "batch"


def _is_float(looked: Looked, name: str) -> bool:
    return "float" in str(looked.trace.program.values[looked.trace.id_of(name)].dtype)


def _labels(
    looked: Looked,
    name: str,
    plain_name: str,
    is_weight: bool,
    shape: tuple[int, ...],
    axes: list[str],
    kind: str,
) -> list[str]:
    labels = [""] * len(shape)
    if not shape:
        return labels
    if looked.mode == "draw":
        return (
            [*labels[:-1], draw_names.label_of(name)] if shape[-1] == looked.shape("logits")[-1] else labels
        )
    if not is_weight:
        for axis in looked.token_axes(name):
            labels[axis] = "tokens"
    num_classes = len(looked.subject.classes or ())
    names_outputs = "vocabulary" if looked.says_tokens else "classes" if num_classes else ""
    size = looked.output_size
    if names_outputs and size == shape[-1] and (names_outputs == "vocabulary" or size == num_classes):
        is_result = not is_weight and name in looked.last_product.results
        if is_result or plain_name in looked.last_product.weights:
            labels[-1] = names_outputs
    vocabulary_size = getattr(looked.subject.reader, "vocabulary_size", None)
    if kind == "embedding_table" and looked.num_tokens is not None and shape[0] == vocabulary_size:
        labels[0] = "vocabulary"
    if (
        name in looked.trace.roles.inputs
        and not is_weight
        and looked.columns
        and shape[-1] == len(looked.columns)
    ):
        labels[-1] = "columns"
        if looked.read.row_names is not None and len(shape) == 3 and shape[1] == len(looked.read.row_names):
            labels[1] = "rows"
    return labels


def last_product(trace: Trace, output_name: str) -> LastProduct:
    """Walk from a result back to the last product with as many columns."""
    program = trace.program
    producer = {value_id: step for step in program.steps for value_id in step.outputs}
    output = trace.id_of(output_name)
    size = program.values[output].shape[-1:]
    results, weights, waiting = set(), set(), [output]
    while waiting:
        value_id = waiting.pop()
        name = trace.name_of(value_id)
        if value_id in program.inputs:
            if name is not None and name in trace.roles.weights:
                weights.add(name)
            continue
        if program.values[value_id].shape[-1:] != size or name in results:
            continue
        if name is not None:
            results.add(name)
        step = producer.get(value_id)
        if step is not None:
            is_product = step.primitive in ("dot_general", "conv_general_dilated")
            waiting += [each for each in step.inputs if not is_product or each in program.inputs]
    return LastProduct(results=frozenset(results), weights=frozenset(weights))
