"""The Keras source of a functional model: each layer a line, named in the model's own textbook terms."""

from __future__ import annotations

import inspect
import keyword
import re
from collections.abc import Collection, Mapping
from typing import Any

from openbook.errors import UsageError
from openbook.projects.filling import python_value
from openbook.projects.layer_source import LayerSource

_LINE_LENGTH = 110
_OWN_LAYERS = "openbook.layers."
# What only says where a layer came from, or what Keras would choose by itself.
_LEFT_OUT = {"self", "name", "kwargs", "args", "trainable", "dtype", "data_format"}
_BACKEND = """# Keras reads its backend when it is imported.
os.environ["KERAS_BACKEND"] = "jax"
"""


def model_module(model: Any, *, made_first: Collection[str] = ()) -> str:
    """A module with a function `build_model`, and with the layers of openbook's own that it takes.

    Args:
        made_first: names of layers that the recipe made before those they follow; each takes its seed when made.
    Raises:
        UsageError: a layer is neither Keras' nor openbook's.
    """
    own = dict.fromkeys(
        type(each) for each in model.operations if type(each).__module__.startswith(_OWN_LAYERS)
    )
    layers = LayerSource(own)
    needed = {"import os", *(each for each in layers.imports if each != "import keras")}
    imports = "\n".join(sorted(needed, key=lambda line: (line.startswith("from "), line)))
    head = ['"""The network of this project."""', layers.legend, imports, _BACKEND + "\nimport keras"]
    return (
        "\n\n".join(part for part in head if part)
        + "\n\n\n"
        + (layers.text + "\n\n\n" if layers.text else "")
        + model_source(model, made_first=made_first)
    )


def model_source(model: Any, *, made_first: Collection[str] = ()) -> str:
    """A function `build_model` that makes the model anew, untrained.

    Raises:
        UsageError: a layer is neither Keras' nor openbook's.
    """
    lines = ["def build_model() -> keras.Model:", '    """The network, untrained."""']
    names: dict[int, str] = {}
    nodes = _in_order(model)
    operations = [node.operation for node in nodes if node.operation.name in made_first]
    first = {_variable(each.name): each for each in operations}
    made_lines = [
        f"    {name} = {_kind(each)}({', '.join(_arguments(each))})" for name, each in first.items()
    ]
    if made_lines:
        lines += [
            "    # Made before what it follows, as in the run: so all weights begin as they did there.",
            *made_lines,
        ]
    for node, following in zip(nodes, [*nodes[1:], None], strict=True):
        operation = node.operation
        variable = _variable(operation.name) if _is_kept(node, following, nodes, model) else "x"
        if type(operation).__name__ == "InputLayer":
            shape = [python_value(tuple(operation.batch_shape[1:]))]
            # Several inputs are told apart by their names.
            shape += [f"name={python_value(operation.name)}"] if len(model.inputs) > 1 else []
            shape += [] if operation.dtype == "float32" else [f"dtype={python_value(operation.dtype)}"]
            lines.append(f"    {variable} = keras.Input({', '.join(shape)})")
        else:
            called_with, own_name = _given(node.arguments, names), _variable(operation.name)
            lines += (
                [f"    {variable} = {own_name}({called_with})"]
                if own_name in first
                else _layer_lines(variable, operation, called_with)
            )
        for tensor in node.output_tensors:
            names[id(tensor)] = variable
    taken, made = (_structure(each, names) for each in (model._inputs_struct, model._outputs_struct))
    lines.append(f"    return keras.Model({taken}, {made})")
    return "\n".join(lines) + "\n"


def _is_kept(node: Any, following: Any, nodes: list[Any], model: Any) -> bool:
    """Whether what a call gives has its own name: it is an input, an output, or not for the next line alone."""
    given = {id(tensor) for tensor in node.output_tensors}
    takers = [each for each in nodes if any(id(tensor) in given for tensor in each.input_tensors)]
    is_end = node.is_input or any(id(tensor) in given for tensor in model.outputs)
    return is_end or takers != [following]


def _in_order(model: Any) -> list[Any]:
    """The calls of a model: its inputs, then each branch to its end, as a person would write them down."""
    found: dict[int, Any] = {}

    def visit(tensor: Any) -> None:
        node = tensor._keras_history.operation._inbound_nodes[tensor._keras_history.node_index]
        if id(node) not in found:
            for each in node.input_tensors:
                visit(each)
            found[id(node)] = node

    for tensor in [*model.inputs, *model.outputs]:
        visit(tensor)
    return list(found.values())


def _given(arguments: Any, names: Mapping[int, str]) -> str:
    """What a layer is called with: tensors, in place or by name."""
    placed = [_structure(each, names) for each in arguments.args if each is not None]
    named = [
        f"{name}={_structure(each, names)}" for name, each in arguments.kwargs.items() if id(each) in names
    ]
    return ", ".join([*placed, *named])


def _structure(value: Any, names: Mapping[int, str]) -> str:
    if id(value) in names:
        return names[id(value)]
    if isinstance(value, dict):
        return "{" + ", ".join(f'"{name}": {_structure(each, names)}' for name, each in value.items()) + "}"
    if isinstance(value, list | tuple):
        inner = [_structure(each, names) for each in value]
        return inner[0] if len(inner) == 1 else f"[{', '.join(inner)}]"
    return python_value(value)


def _layer_lines(variable: str, layer: Any, given: str) -> list[str]:
    kind = _kind(layer)
    arguments = _arguments(layer)
    head = f"    {variable} = {kind}({', '.join(arguments)})"
    if len(f"{head}({given})") <= _LINE_LENGTH:
        return [f"{head}({given})"]
    if len(f"{head}(") <= _LINE_LENGTH:
        return [f"{head}(", f"        {given}", "    )"]
    inner = f"        {', '.join(arguments)}"
    inside = [inner] if len(inner) <= _LINE_LENGTH else [f"        {each}," for each in arguments]
    return [f"    {variable} = {kind}(", *inside, f"    )({given})"]


def _kind(layer: Any) -> str:
    """A layer's class as the project names it."""
    import keras

    name = type(layer).__name__
    if type(layer).__module__.startswith(_OWN_LAYERS):
        return name
    if getattr(keras.layers, name, None) is not type(layer):
        raise UsageError(
            f"layer {layer.name} is a {name}, which is neither Keras' nor openbook's: a project without your code "
            f"cannot have it. Take the model with: openbook export"
        )
    return f"keras.layers.{name}"


def _arguments(layer: Any) -> list[str]:
    """The layer's own settings that are not the defaults, the required ones first and without their names."""
    import keras

    config = layer.get_config()
    found = []
    for name, parameter in inspect.signature(type(layer).__init__).parameters.items():
        if name in _LEFT_OUT or name not in config or name == "backward_layer":
            continue
        value = tuple(config[name]) if isinstance(config[name], list) else config[name]
        if name == "layer":  # a wrapper names what it wraps
            inner = keras.layers.deserialize(value)
            found.append(f"{_kind(inner)}({', '.join(_arguments(inner))})")
        elif name == "strides" and value == getattr(layer, "pool_size", None):
            continue
        elif parameter.default is inspect.Parameter.empty:
            found.append(_number_written(layer, value))
        elif not _is_default(value, parameter.default):
            found.append(f"{name}={_written(value)}")
    return found


def _number_written(layer: Any, value: Any) -> str:
    is_rescaling = type(layer).__name__ == "Rescaling"
    if is_rescaling and value and round(2 / value) == 2 / value:
        return f"1 / {1 / value:g}"
    return _written(value)


def _is_default(value: Any, default: Any) -> bool:
    if isinstance(value, dict) and isinstance(default, str):
        return _by_name(value) == _by_name({"class_name": default})
    if isinstance(value, tuple) and isinstance(default, int):
        return set(value) == {default}
    # "linear" is the activation that changes nothing, and what stands in the place of none.
    return bool(value == default) or (value == "linear" and default is None)


def _written(value: Any) -> str:
    # As many rows as columns, as a window or a stride mostly has.
    if isinstance(value, tuple) and len(set(value)) == 1 and isinstance(value[0], int):
        return python_value(value[0])
    if not isinstance(value, dict):
        return python_value(value)
    name = _by_name(value)
    if name:
        return python_value(name)
    settings = {name: each for name, each in value.get("config", {}).items() if name not in ("seed", "dtype")}
    inner = ", ".join(f"{name}={python_value(each)}" for name, each in settings.items())
    place = str(value.get("module", "")).removeprefix("keras.")
    return f"keras.{place}.{value['class_name']}({inner})"


def _by_name(value: Mapping[str, Any]) -> str:
    """The name that stands for an initializer with its usual settings; "" where it has others."""
    import keras

    name = _snake(value["class_name"])
    try:
        usual = keras.initializers.get(name).get_config()
    except ValueError:
        return ""
    given = value.get("config", usual)
    same = all(given.get(key) == each for key, each in usual.items() if key != "seed")
    # Keras knows some by two names.
    return {"random_uniform": "uniform", "random_normal": "normal"}.get(name, name) if same else ""


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def _variable(name: str) -> str:
    written = re.sub(r"\W", "_", name)
    return f"{written}_" if keyword.iskeyword(written) or written[:1].isdigit() else written
