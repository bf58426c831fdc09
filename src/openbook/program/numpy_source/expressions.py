"""One node as a NumPy expression, kept as a syntax tree so that parentheses stand only where they are needed."""

from __future__ import annotations

import ast
import functools
import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from openbook.program.numpy_source.graph import Graph, Node, unknown_primitive
from openbook.program.numpy_source.views import ELEMENTWISE, REDUCTIONS
from openbook.program.primitives.table import Shape, SourceCall, primitives

_REDUCERS = {
    "reduce_sum": "np.sum",
    "reduce_max": "np.max",
    "reduce_min": "np.min",
    "reduce_prod": "np.prod",
    "reduce_and": "np.all",
    "reduce_or": "np.any",
    "mean": "np.mean",
    "variance": "np.var",
}
_COMPARISONS = frozenset(("eq", "ne", "lt", "le", "gt", "ge"))
# The largest whole number that is written without its decimal point where a float is meant.
_LARGEST_WHOLE = 10**6


def template(node: Node, graph: Graph, helper: Callable[[str], str]) -> ast.expr:
    """The expression of a node with placeholders for its inputs.

    Args:
        helper: marks a helper function as used, and returns its name.
    Returns:
        an expression; of a node with several results, a tuple or a call that gives one.
    Raises:
        ModelError: a primitive is not in the table.
    """
    names = [placeholder(position) for position in range(len(node.inputs))]
    own = _OWN.get(node.operation)
    if own is not None:
        return _parsed(own(node, graph, names, helper))
    if node.operation in REDUCTIONS:
        return _parsed(_reduction(node, graph, names, helper))
    return _parsed(_of_table(node, graph, names, helper))


def _of_table(node: Node, graph: Graph, names: Sequence[str], helper: Callable[[str], str]) -> str:
    entry = primitives().get(node.operation)
    if entry is None:
        raise unknown_primitive(node.operation, node.scope)
    call = SourceCall(
        params=node.params,
        inputs=names,
        operands=[_shape(graph, value_id) for value_id in node.inputs],
        results=[_shape(graph, value_id) for value_id in node.outputs],
        helper=helper,
    )
    return entry.source(call).text


def placeholder(position: int) -> str:
    """The name that stands for an operand in a template."""
    return f"operand_{position}_"


def count_names(tree: ast.expr) -> Counter[str]:
    """How often each name stands in an expression."""
    return Counter(each.id for each in ast.walk(tree) if isinstance(each, ast.Name))


@functools.lru_cache(maxsize=4096)
def _parsed(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


class _Substitution(ast.NodeTransformer):
    def __init__(self, names: Mapping[str, ast.expr]) -> None:
        self.names = names

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        """An axis that is put at the end and taken away again: x[..., None][..., 0] is x."""
        visited = self.generic_visit(node)
        if ast.unparse(visited).endswith("[..., None][..., 0]"):
            assert isinstance(visited, ast.Subscript) and isinstance(visited.value, ast.Subscript)
            return visited.value.value
        return visited

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self.names.get(node.id, node)


def substitute(tree: ast.expr, names: Mapping[str, ast.expr]) -> ast.expr:
    """A copy of an expression with other expressions in the place of some names."""
    copied: ast.expr = _Substitution(names).visit(_copied(tree))
    return copied


def _copied(tree: Any) -> Any:
    """A copy of a syntax tree; several times faster than copy.deepcopy."""
    if isinstance(tree, ast.AST):
        return type(tree)(**{field: _copied(value) for field, value in ast.iter_fields(tree)})
    if isinstance(tree, list):
        return [_copied(each) for each in tree]
    return tree


def text_of(tree: ast.AST) -> str:
    """Source of a syntax tree, with double quotes around names of weights."""
    return re.sub(r"'([^'\"\\\n]*)'", r'"\1"', ast.unparse(tree))


def sum_terms(tree: ast.expr) -> list[ast.expr]:
    """The terms of a sum or difference, left to right."""
    if isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.Add | ast.Sub):
        return [*sum_terms(tree.left), tree.right]
    return [tree]


def literal(array: np.ndarray, *, typed: bool) -> ast.expr:
    """A known number or small array; a plain Python number takes the dtype of the arrays beside it."""
    from openbook.program.primitives.source_texts import dtype_text

    dtype = dtype_text(array.dtype)
    if array.ndim == 0:
        number = number_text(array)
        if typed and array.dtype != np.bool_:
            number = f"{dtype}({number})"
        return _parsed(number)
    numbers = _nested_text(array)
    return _parsed(f"np.array({numbers}, {dtype})")


def number_text(array: np.ndarray) -> str:
    """A number in the shortest form that reads back as the same number of its dtype."""
    if array.dtype == np.bool_:
        return str(bool(array))
    if array.dtype.kind in "iu":
        return str(int(array))
    if array.dtype.kind == "c":
        return repr(complex(array))
    number = float(array)
    if math.isnan(number):
        return "np.nan"
    if math.isinf(number):
        return "np.inf" if number > 0 else "-np.inf"
    if number == int(number) and abs(number) < _LARGEST_WHOLE and math.copysign(1, number) * number >= 0:
        return "-0.0" if number == 0 and math.copysign(1, number) < 0 else str(int(number))
    return repr(float(str(array.astype(array.dtype))))


def _nested_text(array: np.ndarray) -> str:
    if array.ndim == 0:
        return number_text(array)
    return "[" + ", ".join(_nested_text(np.asarray(each)) for each in array) + "]"


def needs_typed_literal(node: Node, graph: Graph, position: int) -> bool:
    """Whether a number must say its dtype, as no array beside it does."""
    operation = node.operation
    if operation in _COMPARISONS:
        return False
    if operation in ("mul", "div", "add", "sub", "pow", "max", "min", "add_any", "atan2", "rem", "nextafter"):
        return all(graph.scalar(value_id) is not None for value_id in node.inputs) and position == 0
    if operation == "select_n":
        cases = node.inputs[1:]
        return position == 1 and all(graph.scalar(value_id) is not None for value_id in cases)
    if operation in ("clamp", "pad", "call", "dynamic_slice", "dynamic_update_slice"):
        return False
    return operation in ELEMENTWISE or operation not in _OWN


def _shape(graph: Graph, value_id: int) -> Shape:
    return Shape(shape=graph.shapes[value_id], dtype=graph.dtypes[value_id])


def axis_text(axes: Sequence[int], rank: int) -> str:
    """An axis argument; the last axis is -1."""
    if len(axes) == 1:
        return "-1" if axes[0] == rank - 1 and rank > 1 else str(axes[0])
    return str(tuple(int(axis) for axis in axes))


def _reduction(node: Node, graph: Graph, names: Sequence[str], helper: Callable[[str], str]) -> str:
    rank = len(graph.shapes[node.inputs[0]])
    axes = tuple(node.params["axes"])
    arguments = [names[0]]
    if len(axes) < rank or node.params.get("keepdims"):
        arguments.append(f"axis={axis_text(axes, rank)}")
    if node.params.get("keepdims"):
        arguments.append("keepdims=True")
    dtype = graph.dtypes[node.outputs[0]]
    if node.operation in ("reduce_sum", "reduce_prod") and np.dtype(dtype).kind in "iu":
        arguments.append(f"dtype=np.{np.dtype(dtype).name}")
    return f"{_REDUCERS[node.operation]}({', '.join(arguments)})"


def _contraction(node: Node, graph: Graph, names: Sequence[str], helper: Callable[[str], str]) -> str:
    """As the table writes it, but np.einsum with telling letters and the axes of its result in any order."""
    (left_sum, right_sum), (left_batch, right_batch) = node.params["dimension_numbers"]
    left_rank, right_rank = (len(graph.shapes[value_id]) for value_id in node.inputs)
    order = node.params.get("permutation")
    if order is None:
        text = _of_table(node, graph, names, helper)
        if not text.startswith("np.einsum("):
            return text
    left_letters, right_letters = _letters(node, graph)
    result = [left_letters[axis] for axis in left_batch]
    result += [left_letters[axis] for axis in range(left_rank) if axis not in (*left_batch, *left_sum)]
    result += [right_letters[axis] for axis in range(right_rank) if axis not in (*right_batch, *right_sum)]
    if order is not None:
        result = [result[axis] for axis in order]
    graph.axis_letters[node.outputs[0]] = "".join(result)
    for value_id, letters in zip(node.inputs, (left_letters, right_letters), strict=True):
        if not graph.letters_of(value_id):
            graph.axis_letters[value_id] = "".join(letters)
    operands = [("".join(left_letters), names[0]), ("".join(right_letters), names[1])]
    free = [letter for letter in result if (letter in left_letters) != (letter in right_letters)]
    if free and free[0] not in left_letters:
        operands.reverse()
    (first, first_name), (second, second_name) = operands
    return f'np.einsum("{first},{second}->{"".join(result)}", {first_name}, {second_name}, optimize=True)'


def _letters(node: Node, graph: Graph) -> tuple[list[str], list[str]]:
    """Letters of the operands' axes: those that an earlier product gave them, or new ones."""
    (left_sum, right_sum), (left_batch, right_batch) = node.params["dimension_numbers"]
    letters: list[list[str]] = []
    for value_id in node.inputs:
        known = graph.letters_of(value_id)
        letters.append(list(known) if known else [""] * len(graph.shapes[value_id]))
    left, right = letters
    for left_axis, right_axis in zip((*left_batch, *left_sum), (*right_batch, *right_sum), strict=True):
        letter = left[left_axis] or right[right_axis]
        if left[left_axis] and right[right_axis] and left[left_axis] != right[right_axis]:
            letters = [[""] * len(left), [""] * len(right)]
            left, right = letters
            break
        left[left_axis] = right[right_axis] = letter
    shared = {*zip((*left_batch, *left_sum), (*right_batch, *right_sum), strict=True)}
    clash = any(
        letter and letter == other and (axis, place) not in shared
        for axis, letter in enumerate(left)
        for place, other in enumerate(right)
    )
    if clash or len(set(filter(None, left))) < len(list(filter(None, left))):
        letters = [[""] * len(left), [""] * len(right)]
        left, right = letters
    used = {*left, *right}
    pools = {"batch": "bhgnm", "left": "tijkl", "right": "supqrv", "sum": "dexyzw"}
    if not left_batch:
        pools = {"batch": "", "left": "btijklm", "right": "hdupqrv", "sum": "esxyzw"}
    fresh = {kind: (letter for letter in pool if letter not in used) for kind, pool in pools.items()}
    for kind, left_axes, right_axes in (("batch", left_batch, right_batch), ("sum", left_sum, right_sum)):
        for left_axis, right_axis in zip(left_axes, right_axes, strict=True):
            if not left[left_axis]:
                left[left_axis] = right[right_axis] = next(fresh[kind])
    is_mixing = bool(used - {""})
    for side, kind in ((left, "left"), (right, "right")):
        for axis, letter in enumerate(side):
            if not letter:
                side[axis] = next(fresh["sum" if is_mixing else kind])
    return left, right


def _expand(node: Node, graph: Graph, names: Sequence[str], helper: Callable[[str], str]) -> str:
    present = list(node.params["present"])
    if not present[-1] and all(present[:-1]) and len(present) > 2:
        return f"{names[0]}[..., None]"
    while present and present[-1]:
        present.pop()
    return f"{names[0]}[{', '.join(':' if each else 'None' for each in present)}]"


def _full(node: Node, graph: Graph, names: Sequence[str], helper: Callable[[str], str]) -> str:
    from openbook.program.primitives.source_texts import dtype_text

    dtype = dtype_text(graph.dtypes[node.outputs[0]])
    number = node.params["number"]
    if number in (0, 1):
        return f"np.{'ones' if number else 'zeros'}({node.params['shape']}, {dtype})"
    text = number_text(np.asarray(number, graph.dtypes[node.outputs[0]]))
    return f"np.full({node.params['shape']}, {text}, {dtype})"


# Settings that are handed over by name; the others' meaning shows from the function's name.
_KEYWORDS = ("axis", "epsilon")


def _call(node: Node, graph: Graph, names: Sequence[str], helper: Callable[[str], str]) -> str:
    arguments = list(names)
    for name, value in node.params["settings"].items():
        arguments.append(f"{name}={value}" if name in _KEYWORDS else str(value))
    function = node.params["function"]
    name = function if function.startswith("np.") else helper(function)
    return f"{name}({', '.join(arguments)})"


_OWN: Mapping[str, Callable[[Node, Graph, Sequence[str], Callable[[str], str]], str]] = {
    "expand": _expand,
    "full": _full,
    "broadcast": lambda node, graph, names, helper: f"np.broadcast_to({names[0]}, {node.params['shape']})",
    "index": lambda node, graph, names, helper: f"{names[0]}[{node.params['position']}]",
    "take": lambda node, graph, names, helper: f"{names[0]}[{names[1]}]",
    "at_time": lambda node, graph, names, helper: f"{names[0]}[{names[1]}]",
    "mean": _reduction,
    "variance": _reduction,
    "dot_general": _contraction,
    "call": _call,
}
