"""The Keras source of a functional model: each layer a line, named in the model's own textbook terms."""

from __future__ import annotations

import inspect
import keyword
import re
from typing import Any

from openbook.errors import UsageError
from openbook.projects.filling import python_value

_LINE_LENGTH = 110
# What only says where a layer came from, or what Keras would choose by itself.
_LEFT_OUT = {"self", "name", "kwargs", "args", "trainable", "dtype", "seed", "data_format"}


def model_source(model: Any) -> str:
    """A function `build_model` that makes the model anew, untrained.

    Raises:
        UsageError: a layer is not one of Keras' own, or takes several inputs in a way that is not a list.
    """
    lines = ["def build_model() -> keras.Model:", '    """The network, untrained."""']
    names: dict[int, str] = {}
    for operation in model.operations:
        variable = _variable(operation.name)
        if type(operation).__name__ == "InputLayer":
            shape = [python_value(tuple(operation.batch_shape[1:])), f"name={python_value(operation.name)}"]
            shape += [] if operation.dtype == "float32" else [f"dtype={python_value(operation.dtype)}"]
            lines.append(f"    {variable} = keras.Input({', '.join(shape)})")
        else:
            arguments = [names[id(tensor)] for tensor in operation._inbound_nodes[0].input_tensors]
            given = arguments[0] if len(arguments) == 1 else f"[{', '.join(arguments)}]"
            lines += _layer_lines(variable, operation, given)
        for tensor in operation._inbound_nodes[0].output_tensors:
            names[id(tensor)] = variable
    inputs = [names[id(tensor)] for tensor in model.inputs]
    outputs = [names[id(tensor)] for tensor in model.outputs]
    taken, made = (each[0] if len(each) == 1 else f"[{', '.join(each)}]" for each in (inputs, outputs))
    lines.append(f"    return keras.Model({taken}, {made}, name={python_value(model.name)})")
    return "\n".join(lines) + "\n"


def _layer_lines(variable: str, layer: Any, given: str) -> list[str]:
    import keras

    kind = type(layer).__name__
    if getattr(keras.layers, kind, None) is not type(layer):
        raise UsageError(
            f"layer {layer.name} is a {kind}, which is openbook's own: a project without openbook cannot have it. "
            f"Take the model with: openbook export"
        )
    arguments = [*_arguments(layer), f"name={python_value(layer.name)}"]
    line = f"    {variable} = keras.layers.{kind}({', '.join(arguments)})({given})"
    if len(line) <= _LINE_LENGTH:
        return [line]
    return [f"    {variable} = keras.layers.{kind}(", f"        {', '.join(arguments)}", f"    )({given})"]


def _arguments(layer: Any) -> list[str]:
    """The layer's own settings that are not the defaults, the required ones first and without their names."""
    config = layer.get_config()
    found = []
    for name, parameter in inspect.signature(type(layer).__init__).parameters.items():
        if name in _LEFT_OUT or name not in config:
            continue
        value = config[name]
        value = tuple(value) if isinstance(value, list) else value
        if parameter.default is inspect.Parameter.empty:
            is_square = isinstance(value, tuple) and len(set(value)) == 1
            found.append(python_value(value[0] if is_square else value))
        elif not _is_default(value, parameter.default):
            found.append(f"{name}={_written(value)}")
    return found


def _is_default(value: Any, default: Any) -> bool:
    if isinstance(value, dict) and isinstance(default, str):
        return _snake(value.get("class_name", "")) == default
    if isinstance(value, tuple) and isinstance(default, int):
        return set(value) == {default}
    # "linear" is the activation that changes nothing, and what stands in the place of none.
    return bool(value == default) or (value == "linear" and default is None)


def _written(value: Any) -> str:
    if isinstance(value, dict):
        settings = {
            name: each for name, each in value.get("config", {}).items() if name not in ("seed", "dtype")
        }
        inner = ", ".join(f"{name}={python_value(each)}" for name, each in settings.items())
        place = str(value.get("module", "")).removeprefix("keras.")
        return f"keras.{place}.{value['class_name']}({inner})"
    return python_value(value)


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def _variable(name: str) -> str:
    written = re.sub(r"\W", "_", name)
    return f"{written}_" if keyword.iskeyword(written) or written[:1].isdigit() else written
