"""Running sums, products, maxima and minima along an axis.

Operations, by definition: one for each element but the first of each row.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from openbook.program.primitives.elementwise import in_wide, is_integer, wide
from openbook.program.primitives.reduction import as_place, over_all
from openbook.program.primitives.source_texts import dtype_text
from openbook.program.primitives.table import (
    ATOM,
    Element,
    Factor,
    Formula,
    Params,
    Primitive,
    Reason,
    Selection,
    Shape,
    Source,
    SourceCall,
    Sum,
)


def _cumulative(name: str, function: np.ufunc, sign: str) -> Primitive:
    """The entry of a running reduction by one NumPy function of two numbers."""

    def value(
        params: Params, operands: Sequence[np.ndarray], results: Sequence[Shape]
    ) -> Sequence[np.ndarray]:
        operand, axis = wide(operands[0]), params["axis"]
        if params["reverse"]:
            operand = np.flip(operand, axis)
        if not operand.size:
            return [np.zeros(results[0].shape, results[0].dtype)]
        # Whole numbers wrap around in their own width; the comparing functions take no dtype.
        running = function.accumulate(operand, axis=axis, dtype=operand.dtype)
        if params["reverse"]:
            running = np.flip(running, axis)
        return [running.astype(results[0].dtype)]

    def explain(element: Element) -> Reason:
        rows = _rows_so_far(element)
        if function is np.add:
            axis, reverse = element.params["axis"], element.params["reverse"]
            text = f"Σ of {{0}} along axis {axis} {'from here on' if reverse else 'up to here'}"
            return Sum(factors=(Factor(operand=0, indices=rows),), text=text)
        if function in (np.maximum, np.minimum):
            numbers = wide(element.operands[0])[tuple(rows.T)]
            chosen = int(numbers.argmax() if function is np.maximum else numbers.argmin())
            return Selection(
                chosen=(0, as_place(rows[chosen])),
                candidates=Factor(operand=0, indices=rows),
                why=f"the {sign} so far along axis {element.params['axis']}",
            )
        if function is np.logaddexp:
            places = tuple((0, as_place(row)) for row in rows)
            summands = " + ".join(f"exp({{{position}}})" for position in range(len(rows)))
            return Formula(operands=places, compute=in_wide(_log_sum_exp), text=f"ln({summands})")
        return over_all(rows, function, sign)

    def write(call: SourceCall) -> Source:
        [operand], axis = call.inputs, call.params["axis"]
        dtype = np.dtype(call.results[0].dtype)
        method = {"cumsum": "cumsum", "cumprod": "cumprod"}.get(name)

        def running(text: str) -> str:
            if method is None:
                return f"np.{function.__name__}.accumulate({text}, axis={axis})"
            narrow = is_integer(dtype) and dtype.itemsize < 8
            return f"np.{method}({text}, axis={axis}{f', dtype={dtype_text(dtype)}' if narrow else ''})"

        if call.params["reverse"]:
            return Source(text=f"np.flip({running(f'np.flip({operand}, {axis})')}, {axis})", binding=ATOM)
        return Source(text=running(operand), binding=ATOM)

    def count(params: Params, operands: Sequence[Shape], results: Sequence[Shape]) -> float:
        length = operands[0].shape[params["axis"]]
        return float(operands[0].num_elements // max(length, 1) * max(length - 1, 0))

    return Primitive(name=name, value=value, explain=explain, source=write, operations=count)


def _rows_so_far(element: Element) -> np.ndarray:
    """Indices of the elements that have gone into this one."""
    axis, length = element.params["axis"], element.operands[0].shape[element.params["axis"]]
    here = element.index[axis]
    along = np.arange(here, length) if element.params["reverse"] else np.arange(here + 1)
    rows = np.tile(np.asarray(element.index, dtype=int), (len(along), 1))
    rows[:, axis] = along
    return rows


def _log_sum_exp(*numbers: Any) -> Any:
    return np.logaddexp.reduce(np.stack(numbers))


PRIMITIVES = (
    _cumulative("cumsum", np.add, "+"),
    _cumulative("cumprod", np.multiply, "·"),
    _cumulative("cummax", np.maximum, "largest"),
    _cumulative("cummin", np.minimum, "smallest"),
    _cumulative("cumlogsumexp", np.logaddexp, "⊕"),
)
