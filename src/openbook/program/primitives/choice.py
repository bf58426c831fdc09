"""Choices between operands, element by element: the larger, the smaller, by a condition, within bounds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from openbook.program.primitives.elementwise import same_place, wide
from openbook.program.primitives.key_arrays import also_for_keys
from openbook.program.primitives.table import (
    ATOM,
    Element,
    Given,
    Params,
    Primitive,
    Selection,
    Shape,
    Source,
    SourceCall,
    no_operations,
    one_per_element,
)


def _extreme(name: str, function: np.ufunc, word: str) -> Primitive:
    """The entry of `max` or `min` of two operands."""

    def value(
        params: Params, operands: Sequence[np.ndarray], results: Sequence[Shape]
    ) -> Sequence[np.ndarray]:
        return [np.asarray(function(*(wide(each) for each in operands))).astype(results[0].dtype)]

    def explain(element: Element) -> Selection:
        places = same_place(element)
        left, right = (wide(element.operands[position][index]) for position, index in places)
        best = function(left, right)
        if left != left or right != right:
            chosen, why = int(left == left), "not a number, so no comparison holds"
        elif left == right:
            chosen, why = 0, "both are equal"
        else:
            chosen, why = int(best != left), f"the {word} of the two"
        return Selection(chosen=places[chosen], deciders=places, why=why)

    def write(call: SourceCall) -> Source:
        return Source(text="np.{}({}, {})".format(function.__name__, *call.inputs), binding=ATOM)

    return Primitive(name=name, value=value, explain=explain, source=write, operations=one_per_element)


def _select_value(
    params: Params, operands: Sequence[np.ndarray], results: Sequence[Shape]
) -> Sequence[np.ndarray]:
    which, *cases = operands
    if len(cases) == 1:
        return [cases[0]]
    if which.dtype == np.bool_:
        return [np.where(which, cases[1], cases[0])]
    # A number beyond the cases takes the nearest.
    last = len(cases) - 1
    chosen = np.broadcast_to(np.clip(which, 0, last), results[0].shape)
    result = cases[0].copy()
    for position in range(1, len(cases)):
        result = np.where(chosen == position, cases[position], result)
    return [result]


def _select_explain(element: Element) -> Selection:
    which, *cases = element.operands
    decider = (0, element.index if which.ndim else ())
    asked = which[decider[1]]
    if which.dtype == np.bool_:
        position, why = int(asked), f"the condition is {'true' if asked else 'false'}"
    else:
        position = int(np.clip(asked, 0, len(cases) - 1))
        why = f"case {position} of {len(cases)} is asked for"
    if len(cases) == 1:
        position, why = 0, "the only case"
    return Selection(chosen=(position + 1, element.index), deciders=(decider,), why=why)


def _select_source(call: SourceCall) -> Source:
    which, *cases = call.inputs
    if len(cases) == 1:
        return Source(text=cases[0], binding=ATOM)
    if np.dtype(call.operands[0].dtype) == np.bool_:
        return Source(text=f"np.where({which}, {cases[1]}, {cases[0]})", binding=ATOM)
    return Source(text=f'np.choose({which}, ({", ".join(cases)}), mode="clip")', binding=ATOM)


def _clamp_value(
    params: Params, operands: Sequence[np.ndarray], results: Sequence[Shape]
) -> Sequence[np.ndarray]:
    low, number, high = (wide(each) for each in operands)
    return [np.asarray(np.minimum(np.maximum(number, low), high)).astype(results[0].dtype)]


def _clamp_explain(element: Element) -> Selection:
    places = same_place(element)
    low, number, high = (wide(element.operands[position][index]) for position, index in places)
    if number != number:
        chosen, why = 1, "not a number, so no comparison holds"
    elif high < max(number, low):
        chosen, why = 2, "above the upper bound"
    elif number < low:
        chosen, why = 0, "below the lower bound"
    else:
        chosen, why = 1, "within the bounds"
    return Selection(chosen=places[chosen], deciders=places, why=why)


def _clamp_source(call: SourceCall) -> Source:
    low, number, high = call.inputs
    return Source(text=f"np.clip({number}, {low}, {high})", binding=ATOM)


def _two_per_element(params: Params, operands: Sequence[Shape], results: Sequence[Shape]) -> float:
    return 2.0 * one_per_element(params, operands, results)


def _platform(params: Params) -> int:
    """Position of the first group of platforms that this process runs on; None stands for all others."""
    import jax

    backend = jax.default_backend()
    names = {"gpu", "cuda", "rocm"} if backend == "gpu" else {backend}
    groups = params["platforms"]
    return next(at for at, group in enumerate(groups) if group is None or names.intersection(group))


def _platform_value(
    params: Params, operands: Sequence[np.ndarray], results: Sequence[Shape]
) -> Sequence[np.ndarray]:
    return [np.asarray(_platform(params), results[0].dtype)]


def _platform_explain(element: Element) -> Given:
    return Given(value=_platform(element.params), why="number of the platform this is computed on")


def _platform_source(call: SourceCall) -> Source:
    return Source(text=str(_platform(call.params)), binding=ATOM)


PRIMITIVES = (
    _extreme("max", np.maximum, "larger"),
    _extreme("min", np.minimum, "smaller"),
    also_for_keys(
        Primitive(
            name="select_n",
            value=_select_value,
            explain=_select_explain,
            source=_select_source,
            operations=one_per_element,
        )
    ),
    Primitive(
        name="clamp",
        value=_clamp_value,
        explain=_clamp_explain,
        source=_clamp_source,
        operations=_two_per_element,
    ),
    Primitive(
        name="platform_index",
        value=_platform_value,
        explain=_platform_explain,
        source=_platform_source,
        operations=no_operations,
    ),
)
