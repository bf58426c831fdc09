"""Element-wise steps that hand a value on unchanged: adding 0, multiplying by 1, choosing by what is known."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from openbook.program.numpy_source.views import View
from openbook.program.program import Step

if TYPE_CHECKING:
    from openbook.program.numpy_source.reading import Reader


def same_value(reader: Reader, step: Step, views: Sequence[View]) -> View | None:
    """The view that an element-wise step hands on unchanged."""
    name = step.primitive
    numbers = [reader.graph.scalar(view.value_id) for view in views]
    output = reader.dtype(step.outputs[0])
    if name == "convert_element_type":
        return _converted(reader, views[0], output)
    if name == "select_n":
        if numbers[0] is not None and len(views[0].axes) == len(views[1].axes):
            return views[1 + int(numbers[0])]
        if numbers[0] is not None:
            return views[1 + int(numbers[0])]
        if len(views) == 3 and views[1] == views[2]:
            return views[1]
        is_test = numbers[1:] == [False, True] and output == np.bool_
        if is_test and len(views[0].axes) == len(views[1].axes):
            return views[0]
        return None
    if len(views) != 2:
        return None
    neutral: dict[str, tuple[Any, Any]] = {
        "add": (0, 0),
        "add_any": (0, 0),
        "sub": (None, 0),
        "mul": (1, 1),
        "div": (None, 1),
        "and": (True, True),
        "or": (False, False),
        "shift_left": (None, 0),
        "shift_right_logical": (None, 0),
    }
    if name in ("and", "or") and output != np.bool_:
        return None
    left, right = neutral.get(name, (None, None))
    if np.issubdtype(np.dtype(output) if not _is_extended(output) else np.bool_, np.floating):
        left, right = {"max": (-math.inf, -math.inf), "min": (math.inf, math.inf)}.get(name, (left, right))
    if left is not None and numbers[0] is not None and numbers[0] == left:
        return views[1]
    if right is not None and numbers[1] is not None and numbers[1] == right:
        return views[0]
    return None


def _converted(reader: Reader, view: View, dtype: Any) -> View | None:
    current = reader.graph.dtypes[view.value_id]
    if current == dtype:
        return view
    # Class numbers that Keras takes through float32 and back are whole either way.
    producer = reader.producer.get(view.value_id)
    if producer is not None and producer.operation == "convert_element_type":
        [source] = producer.inputs
        if reader.graph.dtypes[source] == dtype and np.dtype(dtype).kind in "iub":
            return View(source, view.axes)
    return None


def _is_extended(dtype: Any) -> bool:
    return not isinstance(dtype, np.dtype)
