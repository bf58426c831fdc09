"""Putting and adding: windows of a copy of an array are written, one for each index.

A window not wholly inside is left out (also where the program promises that there is none, as XLA does), or moved
inside.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from openbook.program.primitives.index_windows import (
    layout_text,
    mode_of,
    plain_integers,
    window_places,
    without_last_axis,
)
from openbook.program.primitives.table import (
    ATOM,
    Element,
    Factor,
    Formula,
    Index,
    Params,
    Primitive,
    Reason,
    Selection,
    Shape,
    Source,
    SourceCall,
    Sum,
)

Operands = Sequence[np.ndarray]
Results = Sequence[Shape]
Place = tuple[int, Index]


def scatter(
    x: np.ndarray,
    indices: np.ndarray,
    updates: np.ndarray,
    combine: Any = None,
    *,
    window_axes: Sequence[int],
    clip: bool = False,
    **layout: Any,
) -> np.ndarray:
    """A copy of x with updates put where the indices say, one after the other.

    Args:
        combine: such as np.add, takes the element and the update; None puts the update in its place.
        window_axes: the axes of the updates that run within a window; the others run over the windows.
        clip: move windows inside that do not lie wholly there; else they are left out.
        layout: see `window_places`.
    """
    num_batch = indices.ndim - 1
    updates = np.moveaxis(updates, window_axes, range(num_batch, updates.ndim))
    places, inside = window_places(x.shape, indices, **layout)
    places = [np.broadcast_to(place, updates.shape) for place in places]
    if not clip:
        places, updates = [place[inside] for place in places], updates[inside]
    result = x.copy()
    if combine is None:
        result[tuple(places)] = updates
    else:
        combine.at(result, tuple(places), updates)
    return result


def _scatter_layout(
    params: Params, operand: Shape | np.ndarray, updates: Shape | np.ndarray
) -> dict[str, Any]:
    numbers = params["dimension_numbers"]
    lacking = {*numbers.inserted_window_dims, *numbers.operand_batching_dims}
    kept = iter(numbers.update_window_dims)
    sizes = [1 if axis in lacking else updates.shape[next(kept)] for axis in range(len(operand.shape))]
    return {
        "sizes": plain_integers(sizes),
        "named": plain_integers(numbers.scatter_dims_to_operand_dims),
        "dropped": plain_integers(numbers.inserted_window_dims),
        "batching": plain_integers(numbers.operand_batching_dims),
        "index_batching": plain_integers(numbers.scatter_indices_batching_dims),
    }


def _scattering(
    name: str, combine: np.ufunc | None, explain: Callable[[Element, Index, np.ndarray], Reason]
) -> Primitive:
    """An entry that puts updates into a copy of its operand, or combines them with what is there."""

    def value(params: Params, operands: Operands, results: Results) -> list[np.ndarray]:
        x, indices, updates = operands
        layout = _scatter_layout(params, x, updates)
        window_axes = plain_integers(params["dimension_numbers"].update_window_dims)
        clip = mode_of(params) == "clip"
        plain = _rows_of(params, x, updates)
        if plain:  # whole rows: NumPy adds each at once
            rows = indices[..., 0].astype(int).reshape(-1)
            updates = updates.reshape(len(rows), *x.shape[1:])
            inside = (rows >= 0) & (rows < len(x))
            if clip:
                rows = np.clip(rows, 0, len(x) - 1)
            elif not inside.all():
                rows, updates = rows[inside], updates[inside]
            result = x.copy()
            if combine is None:
                result[rows] = updates
            else:
                combine.at(result, rows, updates)
            return [result]
        return [scatter(x, indices, updates, combine, window_axes=window_axes, clip=clip, **layout)]

    def why(element: Element) -> Reason:
        rows = _landing(element)
        return explain(element, element.index, rows)

    def write(call: SourceCall) -> Source:
        x, indices, updates = call.inputs
        layout = _scatter_layout(call.params, call.operands[0], call.operands[2])
        arguments = [x, indices, updates] + ([f"np.{combine.__name__}"] if combine is not None else [])
        if _rows_of(call.params, call.operands[0], call.operands[2]) and mode_of(call.params) != "clip":
            arguments[1] = without_last_axis(indices, len(call.operands[1].shape))
            if combine is np.add:
                return Source(text=f"{call.helper('add_rows')}({', '.join(arguments[:3])})", binding=ATOM)
            helper = call.helper("put_rows" if combine is None else "combine_rows")
            return Source(text=f"{helper}({', '.join(arguments)})", binding=ATOM)
        window_axes = plain_integers(call.params["dimension_numbers"].update_window_dims)
        arguments.append(f"window_axes={window_axes}")
        arguments += ["clip=True"] if mode_of(call.params) == "clip" else []
        return Source(
            text=f"{call.helper('scatter')}({', '.join(arguments)}, {layout_text(layout)})", binding=ATOM
        )

    def count(params: Params, operands: Results, results: Results) -> float:
        return 0.0 if combine is None else float(operands[2].num_elements)

    return Primitive(name=name, value=value, explain=why, source=write, operations=count)


def put_rows(x: np.ndarray, rows: np.ndarray, updates: np.ndarray) -> np.ndarray:
    """A copy of x with some of its rows replaced; rows that it does not have are left out."""
    inside = (rows >= 0) & (rows < len(x))
    result = x.copy()
    result[rows[inside]] = updates[inside]
    return result


def add_rows(x: np.ndarray, rows: np.ndarray, updates: np.ndarray) -> np.ndarray:
    """A copy of x with updates added to some of its rows; several updates of the same row are all added."""
    inside = (rows >= 0) & (rows < len(x))
    result = x.copy()
    np.add.at(result, rows[inside], updates[inside])
    return result


def combine_rows(x: np.ndarray, rows: np.ndarray, updates: np.ndarray, combine: Any) -> np.ndarray:
    """A copy of x with some of its rows combined with updates by a function such as np.maximum."""
    inside = (rows >= 0) & (rows < len(x))
    result = x.copy()
    combine.at(result, rows[inside], updates[inside])
    return result


def _rows_of(params: Params, x: Shape | np.ndarray, updates: Shape | np.ndarray) -> bool:
    """Whether each update is a whole row, as in the gradient of an embedding."""
    numbers, layout = params["dimension_numbers"], _scatter_layout(params, x, updates)
    num_updates, num_window = len(updates.shape), len(x.shape) - 1
    return (
        layout["named"] == layout["dropped"] == (0,)
        and not layout["batching"]
        and layout["sizes"][1:] == tuple(x.shape[1:])
        and plain_integers(numbers.update_window_dims) == tuple(range(num_updates - num_window, num_updates))
    )


def _landing(element: Element) -> np.ndarray:
    """Indices of the updates that land on an element, in the order in which they do."""
    x, indices, updates = element.operands
    layout = _scatter_layout(element.params, x, updates)
    window_axes = plain_integers(element.params["dimension_numbers"].update_window_dims)
    lands = np.ones(indices.shape[:-1], bool)
    within: list[np.ndarray | int] = []
    for axis, size in enumerate(layout["sizes"]):
        offset: np.ndarray | int = element.index[axis]
        if axis in layout["named"]:
            start, last = indices[..., layout["named"].index(axis)].astype(int), x.shape[axis] - size
            if mode_of(element.params) == "clip":
                start = np.clip(start, 0, last)
            else:
                lands &= (start >= 0) & (start <= last)
            offset = element.index[axis] - start
            lands &= (offset >= 0) & (offset < size)
        elif axis in layout["batching"]:
            along = layout["index_batching"][layout["batching"].index(axis)]
            only = np.zeros(indices.shape[along], bool)
            only[element.index[axis]] = True
            lands &= np.expand_dims(only, [n for n in range(lands.ndim) if n != along])
        elif element.index[axis] >= size:
            lands &= False
        if axis not in layout["dropped"] and axis not in layout["batching"]:
            within.append(offset)
    found = np.stack(np.nonzero(lands), axis=1) if lands.ndim else np.zeros((int(lands), 0), int)
    rows = np.empty((len(found), updates.ndim), int)
    batch_axes = [axis for axis in range(updates.ndim) if axis not in window_axes]
    rows[:, batch_axes] = found
    for axis, offset in zip(window_axes, within, strict=True):
        rows[:, axis] = offset[tuple(found.T)] if isinstance(offset, np.ndarray) else offset
    return rows


def _place(row: np.ndarray) -> Index:
    return tuple(int(at) for at in row)


def _untouched(index: Index) -> Selection:
    return Selection(chosen=(0, index), why="the same element; no update lands here")


def _put_explain(element: Element, index: Index, rows: np.ndarray) -> Reason:
    if not len(rows):
        return _untouched(index)
    return Selection(
        chosen=(2, _place(rows[-1])),
        candidates=Factor(operand=2, indices=rows),
        why="the update that lands here" if len(rows) == 1 else "the last update that lands here",
    )


def _add_explain(sign: int) -> Callable[[Element, Index, np.ndarray], Reason]:
    def explain(element: Element, index: Index, rows: np.ndarray) -> Reason:
        if not len(rows):
            return _untouched(index)
        if element.operands[0][index] == 0:  # as in every gradient
            signs = None if sign == 1 else np.full(len(rows), -1.0)
            text = "Σ {0} over the updates that land here"
            return Sum(factors=(Factor(operand=2, indices=rows),), coefficients=signs, text=text)
        updates = tuple((2, _place(row)) for row in rows)
        dtype = element.results[0].dtype

        def compute(start: Any, *numbers: Any) -> Any:
            return dtype.type(start + sign * np.sum(numbers, dtype=np.result_type(dtype, np.float64)))

        shown = " + ".join(f"{{{number}}}" for number in range(1, min(len(rows), 8) + 1))
        more = " + …" if len(rows) > 8 else ""
        text = f"{{0}} {'+' if sign == 1 else '−'} ({shown}{more}), the updates that land here"
        return Formula(operands=((0, index), *updates), compute=compute, text=text)

    return explain


def _multiply_explain(element: Element, index: Index, rows: np.ndarray) -> Reason:
    if not len(rows):
        return _untouched(index)
    updates = tuple((2, _place(row)) for row in rows)

    def compute(*numbers: Any) -> Any:
        return np.prod(np.asarray(numbers), dtype=element.results[0].dtype)

    text = " · ".join(f"{{{number}}}" for number in range(min(len(rows) + 1, 9)))
    return Formula(operands=((0, index), *updates), compute=compute, text=text)


def _extreme_explain(word: str, choose: Callable[[np.ndarray], Any]) -> Callable[..., Reason]:
    def explain(element: Element, index: Index, rows: np.ndarray) -> Reason:
        if not len(rows):
            return _untouched(index)
        x, _, updates = element.operands
        numbers = np.concatenate([x[index][None], updates[tuple(rows.T)]])
        chosen = int(choose(numbers))
        place: Place = (0, index) if chosen == 0 else (2, _place(rows[chosen - 1]))
        return Selection(
            chosen=place,
            candidates=Factor(operand=2, indices=rows),
            deciders=((0, index),),
            why=f"the {word} of the element and the updates that land here",
        )

    return explain


PRIMITIVES = (
    _scattering("scatter", None, _put_explain),
    _scattering("scatter-add", np.add, _add_explain(1)),
    _scattering("scatter-sub", np.subtract, _add_explain(-1)),
    _scattering("scatter-mul", np.multiply, _multiply_explain),
    _scattering("scatter-min", np.minimum, _extreme_explain("smallest", np.argmin)),
    _scattering("scatter-max", np.maximum, _extreme_explain("largest", np.argmax)),
)

HELPERS = {
    function.__name__: function
    for function in (
        scatter,
        put_rows,
        add_rows,
        combine_rows,
    )
}
