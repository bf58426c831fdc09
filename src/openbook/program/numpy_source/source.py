"""From a program to the text of a NumPy module, and the arrays it needs."""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from openbook.program.numpy_source.expressions import text_of
from openbook.program.numpy_source.graph import Graph
from openbook.program.numpy_source.helpers import helper_definitions, needed_definitions
from openbook.program.numpy_source.layout import INDENT, Heading, paragraphs, wrapped
from openbook.program.numpy_source.matching import replace_composites
from openbook.program.numpy_source.names import Namer, identifier
from openbook.program.numpy_source.reading import read_graph
from openbook.program.numpy_source.repeats import find_repeats, repeat_definition, step_sizes
from openbook.program.numpy_source.simplify import simplify
from openbook.program.numpy_source.writing import Writer
from openbook.program.program import Program

if TYPE_CHECKING:
    from openbook.program.roles import Roles

# Constants with more elements stand in the file of arrays.
_LARGEST_INLINE = 16
_GROUPS = ("weights", "optimizer")


@dataclasses.dataclass(frozen=True, kw_only=True)
class NumpyProgram:
    """A program as NumPy source.

    Attributes:
        text: the module's source; it reads its arrays from a file beside it, `<same name>.npz`.
        arrays: "weights/<name>", "optimizer/<name>" and "inputs/<argument>", as they stand in that file.
        function: name of the function that computes the program.
        arguments: names of its arguments, in order.
        results: names of the program's results in the order of the returned arrays; "a/b" is result["a"]["b"]. Of
            a single result the array itself is returned.
    """

    text: str
    arrays: Mapping[str, np.ndarray] = dataclasses.field(repr=False)
    function: str
    arguments: tuple[str, ...]
    results: tuple[str, ...]

    def save(self, path: Path) -> tuple[Path, Path]:
        """Write the module, and the arrays beside it.

        Args:
            path: of the module, such as `model.py`.
        Returns:
            both paths.
        """
        arrays_path = path.with_suffix(".npz")
        with arrays_path.open("wb") as file:
            np.savez(file, allow_pickle=False, **self.arrays)
        path.write_text(self.text, encoding="utf-8")
        return path, arrays_path


def to_source(program: Program, roles: Roles, arrays: Sequence[Any], *, title: str) -> NumpyProgram:
    """Write a program as NumPy source.

    Args:
        roles: names of the program's inputs and outputs.
        arrays: the values of the program's inputs, in order: weights, and an example to run.
        title: what the program is, such as the model's name.
    Raises:
        ModelError: a primitive is not in the table; the message names it and its layer.
    """
    graph = read_graph(program)
    results = _results(program, graph, roles)
    graph.block.outputs[:] = list(results.values())
    simplify(graph)
    replace_composites(graph)
    known = dict(zip(graph.block.inputs, roles.inputs, strict=True))
    by_value = {value_id: name for name, value_id in zip(results, graph.block.outputs, strict=True)}
    repeats = find_repeats(graph, known, by_value)
    results = dict(zip(results, graph.block.outputs, strict=True))

    uses = graph.uses()
    arguments, atoms, stored = _arguments(program, graph, roles, arrays, used=set(uses))
    stored.update(_stored_constants(graph, atoms, arguments))
    is_step = "loss" in results
    function = "training_step" if is_step else "forward"
    wanted: dict[int, str] = {}
    for name, value_id in results.items():
        if value_id not in graph.block.inputs and len(results) > 1:
            wanted.setdefault(value_id, _variable_name(name))
    wanted = {**step_sizes(repeats, graph, known), **wanted}
    names = [*arguments, function, "gradients", "updates"]
    used: set[str] = set()

    def helper(name: str) -> str:
        used.add(name)
        return name

    # Helper names are taken by whatever needs them, so they are known before variables get theirs.
    names += [*helper_definitions(), *(repeat.function for repeat in repeats)]
    namer = Namer(graph, wanted, names)
    writer = Writer(graph, namer, atoms, helper)
    writer.results = frozenset(wanted)
    writer.all_gradients = {
        name.removeprefix("gradients/"): value_id
        for name, value_id in results.items()
        if name.startswith("gradients/")
    }
    writer.write_nodes(graph.block)
    returned = _write_return(writer, results)
    body = paragraphs(writer.lines, depth=1)
    definitions = [repeat_definition(each, graph, known, by_value, names, helper) for each in repeats]
    used -= {repeat.function for repeat in repeats}
    definitions = [*needed_definitions(used), *definitions]
    text = _module(title, function, list(arguments), [*body, *returned], definitions, is_step=is_step)
    return NumpyProgram(
        text=text,
        arrays=stored,
        function=function,
        arguments=tuple(arguments),
        results=tuple(results),
    )


def _results(program: Program, graph: Graph, roles: Roles) -> dict[str, int]:
    """The values to return, by name; weights that are passed through unchanged are left out."""
    by_original = dict(zip(program.outputs, graph.block.outputs, strict=True))
    results: dict[str, int] = {}
    for original, value_id in by_original.items():
        if original in roles.outputs:
            results[roles.outputs[original]] = value_id
    names = dict(zip(program.inputs, roles.inputs, strict=True))
    for name, original in roles.aliases.items():
        if original in by_original and names.get(original) not in roles.weights:
            results.setdefault(name, by_original[original])
    return results


def _variable_name(result: str) -> str:
    kind, _, rest = result.partition("/")
    if not rest:
        return identifier(kind)
    prefix = {"gradients": "d_", "updates": "new_", "new": "new_"}.get(kind, "")
    if rest.startswith("optimizer/"):
        rest = rest.removeprefix("optimizer/")
    return identifier(prefix + rest)


def _arguments(
    program: Program, graph: Graph, roles: Roles, arrays: Sequence[Any], *, used: set[int]
) -> tuple[dict[str, str], dict[int, ast.expr], dict[str, np.ndarray]]:
    """The function's arguments, the expression of each input, and the arrays to store."""
    arguments: dict[str, str] = {}
    groups: dict[str, str] = {}
    atoms: dict[int, ast.expr] = {}
    stored: dict[str, np.ndarray] = {}
    for value_id, name, array in zip(graph.block.inputs, roles.inputs, arrays, strict=True):
        if name in roles.weights:
            if value_id not in used:
                continue
            group, key = ("optimizer", name.removeprefix("optimizer/"))
            if not name.startswith("optimizer/"):
                group, key = "weights", name
            groups[group] = group
            atoms[value_id] = ast.Subscript(value=ast.Name(id=group), slice=ast.Constant(value=key))
            stored[f"{group}/{key}"] = _storable(array)
            continue
        argument = _argument_name(name, len(roles.inputs) - len(roles.weights))
        while argument in arguments or argument in _GROUPS:
            argument += "_"
        arguments[argument] = argument
        atoms[value_id] = ast.Name(id=argument)
        stored[f"inputs/{argument}"] = _storable(array)
    for group in _GROUPS:
        if group in groups:
            arguments[group] = group
    return arguments, atoms, stored


def _argument_name(name: str, num_arguments: int) -> str:
    kind, _, rest = name.partition("/")
    if kind != "input" or not rest:
        return {"input": "x", "target": "y"}.get(name, identifier(name))
    plain = identifier(rest)
    if plain.startswith(("keras_tensor", "input")) or rest.isdigit():
        digits = "".join(character for character in plain if character.isdigit())
        return "x" if num_arguments <= 2 or not digits else f"x_{digits}"
    return plain


def _storable(array: Any) -> np.ndarray:
    """An array as NumPy alone can read it: small floats as float32, random keys as their words."""
    import jax

    if hasattr(array, "dtype") and jax.numpy.issubdtype(array.dtype, jax.dtypes.prng_key):
        array = jax.random.key_data(array)
    plain = np.asarray(array)
    if plain.dtype.kind not in "biufc":
        return plain.astype(np.float32)
    return plain


def _stored_constants(
    graph: Graph, atoms: dict[int, ast.expr], arguments: dict[str, str]
) -> dict[str, np.ndarray]:
    """Large constants as further weights."""
    stored: dict[str, np.ndarray] = {}
    used = graph.uses()
    for value_id, array in graph.constants.items():
        if array.size <= _LARGEST_INLINE or not used[value_id]:
            continue
        key = f"constant_{len(stored) + 1}"
        stored[f"weights/{key}"] = _storable(array)
        atoms[value_id] = ast.Subscript(value=ast.Name(id="weights"), slice=ast.Constant(value=key))
    if stored and "weights" not in arguments:
        arguments["weights"] = "weights"
    return stored


def _write_return(writer: Writer, results: Mapping[str, int]) -> list[str]:
    """The last lines of the function."""
    if len(results) == 1:
        [value_id] = results.values()
        writer_lines = len(writer.lines)
        text = f"return {text_of(writer.value(value_id, typed=True))}"
        assert len(writer.lines) == writer_lines
        writer.emit(text, writer.pending_heading(value_id) or Heading(phase="forward", path=()))
        return []
    for value_id in results.values():
        writer.named(value_id)
    nested: dict[str, Any] = {}
    lines = [""]
    for name, value_id in results.items():
        kind, _, rest = name.partition("/")
        text = text_of(writer.value(value_id, typed=True))
        if writer.gradients and kind in ("gradients", "updates"):
            if kind == "updates" and text != f'updates["{rest}"]':
                lines.append(f'{INDENT}updates["{rest}"] = {text}')
            nested[kind] = kind
        elif rest:
            nested.setdefault(kind, {})[rest] = text
        else:
            nested[kind] = text
    parts = []
    for kind, value in nested.items():
        if isinstance(value, dict):
            inside = ", ".join(f'"{key}": {text}' for key, text in value.items())
            parts.append(f'"{kind}": {{{inside}}}')
        else:
            parts.append(f'"{kind}": {value}')
    lines += wrapped(f"return {{{', '.join(parts)}}}", 1)
    return lines


def _module(
    title: str,
    function: str,
    arguments: Sequence[str],
    body: Sequence[str],
    definitions: Sequence[str],
    *,
    is_step: bool,
) -> str:
    what = "one training step: forward, loss, backward, update" if is_step else "forward pass"
    parts = [f'"""{title}: {what}, in plain NumPy."""\n\nimport numpy as np']
    parts += definitions
    signature = f"def {function}({', '.join(arguments)}):"
    parts.append("\n".join([*wrapped(signature, 0), *body]))
    return "\n\n\n".join([*parts, _main(function, arguments)]) + "\n"


def _main(function: str, arguments: Sequence[str]) -> str:
    lines = [
        'if __name__ == "__main__":',
        f'{INDENT}arrays = np.load(__file__.removesuffix(".py") + ".npz")',
    ]
    for group in _GROUPS:
        if group in arguments:
            lines.append(
                f'{INDENT}{group} = {{key.removeprefix("{group}/"): arrays[key] '
                f'for key in arrays if key.startswith("{group}/")}}'
            )
    given = [argument if argument in _GROUPS else f'arrays["inputs/{argument}"]' for argument in arguments]
    lines += wrapped(f"print({function}({', '.join(given)}))", 1)
    return "\n".join(lines)
