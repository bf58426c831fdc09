"""Reduction by a function of the user's own, which is a small program of scalars."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from openbook.program.primitives.reduction import as_place, reduced_rows
from openbook.program.primitives.table import (
    ATOM,
    Element,
    Formula,
    Params,
    Primitive,
    Shape,
    Source,
    SourceCall,
    primitives,
)

if TYPE_CHECKING:
    from openbook.program.program import Program


def _fold(params: Params, numbers: Sequence[Sequence[Any]], starts: Sequence[Any]) -> list[Any]:
    """Combine scalars one after the other by the reduction's own program.

    Args:
        numbers: for each operand its elements.
        starts: for each operand what it begins with.
    """
    from openbook.program.numpy_run import run_numpy

    program = body_of(params)
    so_far = [np.asarray(start) for start in starts]
    for elements in zip(*numbers, strict=True):
        values = run_numpy(program, [*so_far, *(np.asarray(each) for each in elements)])
        so_far = [np.asarray(values[output]) for output in program.outputs]
    return so_far


def body_of(params: Params) -> Program:
    """The reduction's own function, of scalars, as a program."""
    import jax.extend

    from openbook.program.program import program_of_jaxpr

    closed = params["jaxpr"]
    if not hasattr(closed, "consts"):
        closed = jax.extend.core.ClosedJaxpr(closed, params.get("consts", ()))
    return program_of_jaxpr(closed)


def _reduce_value(
    params: Params, operands: Sequence[np.ndarray], results: Sequence[Shape]
) -> Sequence[np.ndarray]:
    half = len(operands) // 2
    arrays, starts = operands[:half], operands[half:]
    found = [np.zeros(result.shape, result.dtype) for result in results]
    for index in np.ndindex(*results[0].shape):
        rows = tuple(reduced_rows(arrays[0].shape, params["dimensions"], index).T)
        for result, number in zip(found, _fold(params, [each[rows] for each in arrays], starts), strict=True):
            result[index] = number
    return found


def _reduce_explain(element: Element) -> Formula:
    half = len(element.operands) // 2
    rows = reduced_rows(element.operands[0].shape, element.params["dimensions"], element.index)
    places = [as_place(row) for row in rows]

    def compute(*numbers: Any) -> Any:
        starts, elements = numbers[:half], numbers[half:]
        columns = [elements[len(places) * position :][: len(places)] for position in range(half)]
        return _fold(element.params, columns, starts)[element.output]

    starts = tuple((half + position, ()) for position in range(half))
    elements = tuple((position, place) for position in range(half) for place in places)
    return Formula(
        operands=(*starts, *elements),
        compute=compute,
        text=f"{len(places)} elements combined one after the other, beginning with {{0}}",
    )


def _reduce_source(call: SourceCall) -> Source:
    half = len(call.inputs) // 2
    names = [f"{letter}{number}" for letter in "ab" for number in (range(half) if half > 1 else ("",))]
    results = ", ".join(_expressions(body_of(call.params), names, call))
    arrays, starts = (", ".join(part) for part in (call.inputs[:half], call.inputs[half:]))
    function = f"lambda {', '.join(names)}: {results if half == 1 else f'({results})'}"
    axes = tuple(call.params["dimensions"])
    helper = call.helper("fold" if half == 1 else "fold_several")
    if half > 1:
        arrays, starts = f"({arrays})", f"({starts})"
    return Source(text=f"{helper}({function}, {arrays}, {starts}, axes={axes})", binding=ATOM)


def _expressions(program: Program, names: Sequence[str], call: SourceCall) -> list[str]:
    """The results of a small program as expressions of its inputs' names."""
    texts = dict(zip(program.inputs, names, strict=True))
    texts.update({value_id: repr(array.item()) for value_id, array in program.constants.items()})
    for step in program.steps:
        operands, results = (
            [Shape(shape=program.values[each].shape, dtype=program.values[each].dtype) for each in value_ids]
            for value_ids in (step.inputs, step.outputs)
        )
        source = primitives()[step.primitive].source(
            SourceCall(
                params=step.params,
                inputs=[texts[value_id] for value_id in step.inputs],
                operands=operands,
                results=results,
                helper=call.helper,
            )
        )
        texts[step.outputs[0]] = source.text if source.binding == ATOM else f"({source.text})"
    return [texts[value_id] for value_id in program.outputs]


def fold(function: Callable[..., Any], x: np.ndarray, start: Any, axes: Sequence[int]) -> Any:
    """Combine the elements along some axes one after the other."""
    x = np.moveaxis(x, axes, range(len(axes)))
    result = start
    for element in x.reshape(-1, *x.shape[len(axes) :]):
        result = function(result, element)
    return result


def fold_several(
    function: Callable[..., Any], arrays: Sequence[np.ndarray], starts: Sequence[Any], axes: Sequence[int]
) -> Any:
    """Combine the elements of several arrays at once, along some axes, one after the other."""
    arrays = [np.moveaxis(x, axes, range(len(axes))) for x in arrays]
    results = starts
    for elements in zip(*(x.reshape(-1, *x.shape[len(axes) :]) for x in arrays), strict=True):
        results = function(*results, *elements)
    return results


def _reduce_operations(params: Params, operands: Sequence[Shape], results: Sequence[Shape]) -> float:
    body_steps = sum(1 for _ in body_of(params).all_steps())
    return float(body_steps * math.prod(operands[0].shape))


PRIMITIVES = (
    Primitive(
        name="reduce",
        value=_reduce_value,
        explain=_reduce_explain,
        source=_reduce_source,
        operations=_reduce_operations,
    ),
)

HELPERS = {"fold": fold, "fold_several": fold_several}
