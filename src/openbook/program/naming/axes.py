"""What the axes of known values stand for."""

from __future__ import annotations

from collections.abc import Mapping

from openbook.program.composites.graph import Graph
from openbook.program.naming.placing import Placement
from openbook.program.program import Step

Axes = tuple[str, ...]

_QUERY, _KEY, _HEAD, _BATCH, _FEATURE = "query position", "key position", "head", "batch", "feature"
_SPATIAL = {1: ("position",), 2: ("height", "width"), 3: ("depth", "height", "width")}


def known_axes(placement: Placement) -> dict[int, Axes]:
    """Names of axes by value id."""
    graph = placement.graph
    axes: dict[int, Axes] = {}
    for placed in placement.placed:
        composite = placed.composite
        if composite.name == "attention":
            _name_attention(graph, composite.parts, composite.inputs, set(composite.steps), axes)
        elif composite.name in ("lstm_cell", "gru_cell"):
            rank = len(graph.shape(composite.output))
            words = (_BATCH, *_SPATIAL.get(rank - 2, ()), "unit")
            times = ("time step",) * len(graph.values[composite.output].loops)
            if len(words) == rank:
                axes.update(dict.fromkeys(composite.parts.values(), (*times, *words)))
    for step in graph.steps:
        if step.primitive == "conv_general_dilated":
            axes.setdefault(step.outputs[0], _convolution(step))
    for step in graph.steps:
        if step.primitive in ("add", "max", "mul", "tanh", "logistic", "copy", "stop_gradient"):
            output = step.outputs[0]
            for value_id in step.inputs:
                if value_id in axes and output not in axes and graph.shape(value_id) == graph.shape(output):
                    axes[output] = axes[value_id]
    # An input may be queries in one place and keys in another.
    return {value_id: words for value_id, words in axes.items() if value_id not in graph.inputs}


def _convolution(step: Step) -> Axes:
    spec = step.params["dimension_numbers"].out_spec
    words = [""] * len(spec)
    words[spec[0]], words[spec[1]] = _BATCH, "channel"
    for axis, word in zip(spec[2:], _SPATIAL.get(len(spec) - 2, ("",) * (len(spec) - 2)), strict=True):
        words[axis] = word
    return tuple(words)


def _name_attention(
    graph: Graph, parts: Mapping[str, int], inputs: Mapping[str, int], steps: set[int], axes: dict[int, Axes]
) -> None:
    product = graph.producer[parts["product"]]
    if product.primitive != "dot_general":
        _name_additive(graph, parts, axes)
    else:
        _name_product(graph, product, parts, inputs, axes)
    _spread(graph, steps, axes)
    _name_attended(graph, parts, inputs, axes)
    _spread(graph, steps, axes)


def _name_additive(graph: Graph, parts: Mapping[str, int], axes: dict[int, Axes]) -> None:
    rank = len(graph.shape(parts["scores"]))
    if rank == 3:
        axes[parts["scores"]] = axes[parts["product"]] = (_BATCH, _QUERY, _KEY)


def _name_product(
    graph: Graph, product: Step, parts: Mapping[str, int], inputs: Mapping[str, int], axes: dict[int, Axes]
) -> None:
    contracted, batch = product.params["dimension_numbers"]
    ranks = [len(graph.shape(value_id)) for value_id in product.inputs]
    free = [
        [axis for axis in range(ranks[side]) if axis not in contracted[side] and axis not in batch[side]]
        for side in (0, 1)
    ]
    keys_side = 1 if graph.root(product.inputs[1]) == graph.root(inputs["keys"]) else 0
    key_axis = _axis_of_softmax(graph, parts, product, len(batch[0]) + len(free[0]) + len(free[1]))
    if key_axis is not None:
        is_right = key_axis >= len(batch[0]) + len(free[0])
        keys_side = 1 if is_right else 0
    heads = _batch_words(len(batch[0]))
    words = [*heads]
    for side in (0, 1):
        word = _KEY if side == keys_side else _QUERY
        # The position, and for grouped queries one more axis: the heads that share a key.
        words += [word if number == 0 else "query group" for number in range(len(free[side]))]
    axes[product.outputs[0]] = tuple(words)
    for side, name in ((keys_side, "keys"), (1 - keys_side, "queries")):
        labels = [_FEATURE] * ranks[side]
        for axis, word in zip(batch[side], heads, strict=True):
            labels[axis] = word
        offset = len(heads) + (len(free[0]) if side else 0)
        for number, axis in enumerate(free[side]):
            labels[axis] = words[offset + number]
        axes.setdefault(product.inputs[side], tuple(labels))
        value_id = inputs[name]
        if len(graph.shape(value_id)) == ranks[side] and graph.shape(value_id) == graph.shape(
            product.inputs[side]
        ):
            axes.setdefault(value_id, tuple(labels))


def _batch_words(count: int) -> list[str]:
    if count == 0:
        return []
    if count == 1:
        return [_BATCH]
    return [_BATCH, *([""] * (count - 2)), _HEAD]


def _axis_of_softmax(graph: Graph, parts: Mapping[str, int], product: Step, rank: int) -> int | None:
    """The axis of the product along which the softmax sums; None where axes moved in between."""
    weights = graph.producer[parts["weights"]]
    for value_id in weights.inputs:
        for each in graph.chain(value_id):
            step = graph.producer.get(each)
            if step is not None and step.primitive == "reduce_sum":
                [axis] = step.params["axes"] if len(step.params["axes"]) == 1 else [None]
                return axis if axis is not None and len(graph.shape(step.inputs[0])) == rank else None
    return None


def _name_attended(
    graph: Graph, parts: Mapping[str, int], inputs: Mapping[str, int], axes: dict[int, Axes]
) -> None:
    step = graph.producer[parts["attended"]]
    contracted, batch = step.params["dimension_numbers"]
    is_weights = [graph.root(value_id) != graph.root(inputs["values"]) for value_id in step.inputs]
    side = 0 if is_weights[0] else 1
    known = axes.get(step.inputs[side])
    if known is None:
        return
    other = 1 - side
    labels = [_FEATURE] * len(graph.shape(step.inputs[other]))
    for one, two in zip((*batch[other], *contracted[other]), (*batch[side], *contracted[side]), strict=True):
        labels[one] = known[two]
    axes.setdefault(step.inputs[other], tuple(labels))
    if graph.shape(inputs["values"]) == graph.shape(step.inputs[other]):
        axes.setdefault(inputs["values"], tuple(labels))
    sides = [known, tuple(labels)] if side == 0 else [tuple(labels), known]
    result = [sides[0][axis] for axis in batch[0]]
    for number in (0, 1):
        skipped = {*batch[number], *contracted[number]}
        result += [word for axis, word in enumerate(sides[number]) if axis not in skipped]
    axes[step.outputs[0]] = tuple(result)


def _spread(graph: Graph, steps: set[int], axes: dict[int, Axes]) -> None:
    """Give the names on to what the steps make of a value."""
    for step_id in sorted(steps):
        step = graph.step_by_id[step_id]
        output = step.outputs[0]
        if output in axes:
            continue
        for value_id in step.inputs:
            known = axes.get(value_id)
            if known is None:
                continue
            if step.primitive == "transpose":
                axes[output] = tuple(known[axis] for axis in step.params["permutation"])
            elif step.primitive == "broadcast_in_dim":
                words = [""] * len(graph.shape(output))
                for word, axis in zip(known, step.params["broadcast_dimensions"], strict=True):
                    words[axis] = word
                axes[output] = tuple(words)
            elif step.primitive.startswith("reduce_"):
                axes[output] = tuple(
                    word for axis, word in enumerate(known) if axis not in step.params["axes"]
                )
            elif graph.shape(value_id) == graph.shape(output) and step.primitive != "dot_general":
                axes[output] = known
            if output in axes:
                break
