"""What a model is called with: arrays of its dtypes, in the structure that its call takes."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from openbook.errors import ModelError


class CallArguments(tuple[Any, ...]):
    """Several positional arguments of one call, such as the query and the value of an attention layer."""


def call_arguments(model: Any, inputs: Sequence[Any]) -> Any:
    """What was given for a model, as its call takes it: one thing, a list, or several arguments.

    Raises:
        ModelError: nothing was given.
    """
    if not inputs:
        raise ModelError(f"{model.name} needs inputs to run on, and none were given: trace(model, inputs)")
    if len(inputs) == 1:
        return inputs[0]
    if getattr(model, "inputs", None) is None and len(inputs) <= _num_positional(model):
        return CallArguments(inputs)
    return list(inputs)


def as_call(arguments: Any) -> tuple[Any, ...]:
    """The positional arguments of the call."""
    return tuple(arguments) if isinstance(arguments, CallArguments) else (arguments,)


def checked_inputs(model: Any, inputs: Any) -> Any:
    """The inputs as arrays of the model's dtypes.

    Raises:
        ModelError: the model is not built, or the inputs do not fit it; the message names the input.
    """
    import keras

    if keras.backend.backend() != "jax":
        raise ModelError(
            f"a model is read on Keras' JAX backend; this process runs {keras.backend.backend()!r}. "
            f"Save the model and trace the file, or set KERAS_BACKEND=jax before starting"
        )
    expected = getattr(model, "inputs", None)
    arrays = to_arrays(_split(inputs, expected), what="inputs")
    if not model.built:
        try:
            model(*as_call(arrays))
        except Exception as error:
            raise ModelError(
                f"{model.name} has no weights yet and cannot be built from these inputs ({first_line(error)}). "
                f"Call it once on an example, or give it a keras.Input"
            ) from error
        expected = getattr(model, "inputs", None)
    if expected is None:
        return arrays
    return _fitted(model, arrays, expected)


def to_arrays(inputs: Any, *, what: str) -> Any:
    """Nested inputs with NumPy arrays as leaves; `None` stays where it leaves a part out.

    Raises:
        ModelError: something in it is no array of numbers.
    """
    if isinstance(inputs, Mapping):
        return {key: _part(value, what) for key, value in inputs.items()}
    if isinstance(inputs, tuple | list) and any(map(_is_structure, inputs)):
        parts = [_part(each, what) for each in inputs]
        is_record = isinstance(inputs, tuple) and hasattr(inputs, "_fields")
        return type(inputs)(*parts) if is_record else type(inputs)(parts)
    if inputs is None:
        raise ModelError(f"the {what} are None; expected an array, or a list or a dictionary of arrays")
    try:
        array = np.asarray(inputs)
    except Exception as error:
        raise ModelError(f"the {what} are no arrays: {first_line(error)}") from error
    if array.dtype == object or array.dtype.kind in "US":
        raise ModelError(
            f"the {what} are of kind {array.dtype}, but a model takes numbers. "
            f"Turn text into tokens, and rows of different length into one length, first"
        )
    return array


def leaves(arrays: Any) -> list[Any]:
    """All arrays of a structure, in the order in which JAX counts them."""
    import jax

    plain = tuple(arrays) if isinstance(arrays, CallArguments) else arrays
    return list(jax.tree.leaves(plain))


def input_names(model: Any, arrays: Any) -> list[str]:
    """A name for each array of the inputs, in the order of `leaves`."""
    expected = getattr(model, "inputs", None)
    if expected is None:
        return structure_names("input", tuple(arrays) if isinstance(arrays, CallArguments) else arrays)
    if len(expected) == 1 and re.fullmatch(r"(keras_tensor|input_layer)(_\d+)?", expected[0].name):
        return ["input"]
    keys = _keys(model, expected)
    given = _flat(model, arrays, keys)
    names = [f"input/{key}" for key, array in zip(keys, given, strict=True) if array is not None]
    return sorted(names) if _is_by_name(arrays, keys) else names


def structure_names(name: str, arrays: Any) -> list[str]:
    """A name for each array of a structure: its keys, and numbers from 1 in lists."""
    import jax

    paths = [path for path, _ in jax.tree_util.tree_flatten_with_path(arrays)[0]]
    return ["/".join([name, *map(_key_text, path)]) for path in paths]


def first_line(error: BaseException) -> str:
    """What an error says, in one line; Keras puts the layer in front and the cause below."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", str(error))
    lines = [line.strip() for line in plain.splitlines() if line.strip()]
    told = [line for line in lines if not line.startswith("Exception encountered when calling")]
    return (told or lines or [type(error).__name__])[0].rstrip(".")


def _num_positional(model: Any) -> int:
    parameters = inspect.signature(model.call).parameters.values()
    if any(each.kind is each.VAR_POSITIONAL for each in parameters):
        return 2**31
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(each.kind in kinds and each.name not in ("training", "mask") for each in parameters)


def _is_structure(part: Any) -> bool:
    if isinstance(part, tuple | list):
        return any(map(_is_structure, part))
    return hasattr(part, "shape") or isinstance(part, Mapping)


def _part(part: Any, what: str) -> Any:
    return None if part is None else to_arrays(part, what=what)


def _split(inputs: Any, expected: Sequence[Any] | None) -> Any:
    """Plain Python lists for a model of several inputs are one array each, not one array together."""
    is_listed = isinstance(inputs, tuple | list) and not any(map(_is_structure, inputs))
    if expected is None or not is_listed or len(expected) < 2 or len(inputs) != len(expected):
        return inputs
    return [to_arrays(each, what="inputs") for each in inputs]


def _fitted(model: Any, arrays: Any, expected: Sequence[Any]) -> Any:
    import keras

    keys = _keys(model, expected)
    flat = _flat(model, arrays, keys)
    fitted = [
        None if array is None else _cast(model, tensor, _of_rank(model, tensor, array))
        for tensor, array in zip(expected, flat, strict=True)
    ]
    if _is_by_name(arrays, keys):
        return dict(zip(keys, fitted, strict=True))
    structure = getattr(model, "_inputs_struct", None)
    if structure is None:
        return fitted[0] if len(fitted) == 1 else fitted
    return keras.tree.pack_sequence_as(structure, fitted)


def _keys(model: Any, expected: Sequence[Any]) -> list[str]:
    """What the inputs are called: the keys of a model made with a dictionary, else the tensors' names."""
    structure = getattr(model, "_inputs_struct", None)
    if isinstance(structure, Mapping) and len(structure) == len(expected):
        return sorted(structure)
    return [tensor.name for tensor in expected]


def _is_by_name(arrays: Any, keys: Sequence[str]) -> bool:
    return isinstance(arrays, Mapping) and set(arrays) == set(keys)


def _flat(model: Any, arrays: Any, keys: Sequence[str]) -> list[Any]:
    """One array for each of the model's inputs, in the model's order."""
    import keras

    if _is_by_name(arrays, keys):
        return [arrays[key] for key in keys]
    structure = getattr(model, "_inputs_struct", None)
    if isinstance(arrays, Mapping) and not (isinstance(structure, Mapping) and set(structure) == set(arrays)):
        raise ModelError(f"{model.name} takes inputs {sorted(keys)}, but {sorted(arrays)} were given")
    given = keras.tree.flatten(arrays)
    if len(given) != len(keys):
        raise ModelError(f"{model.name} takes {len(keys)} inputs, but {len(given)} were given")
    return list(given)


def _of_rank(model: Any, tensor: Any, array: np.ndarray) -> np.ndarray:
    """As Keras does, with a last axis of size 1 added or dropped where the model has or lacks it."""
    shape = tuple(tensor.shape)
    if array.ndim == len(shape) - 1 and array.ndim and shape[-1] == 1:
        array = array[..., None]
    elif array.ndim == len(shape) + 1 and array.shape[-1] == 1:
        array = array[..., 0]
    fits = len(shape) == array.ndim and all(
        size is None or size == given for size, given in zip(shape, array.shape, strict=True)
    )
    if not fits:
        wanted = f"({', '.join('any' if size is None else str(size) for size in shape)})"
        raise ModelError(
            f"input {tensor.name!r} of {model.name} has shape {wanted}, but the array given has {array.shape}"
        )
    return array


def _cast(model: Any, tensor: Any, array: np.ndarray) -> np.ndarray:
    if str(tensor.dtype) == "bfloat16":
        return array
    dtype = np.dtype(str(tensor.dtype))
    if array.dtype.kind == "c" and dtype.kind != "c":
        raise ModelError(
            f"input {tensor.name!r} of {model.name} takes real numbers ({dtype}), not {array.dtype}. "
            f"Give the real and the imaginary part each for itself"
        )
    if dtype.kind in "iu" and array.dtype.kind == "f" and not np.array_equal(array, np.round(array)):
        raise ModelError(f"input {tensor.name!r} takes whole numbers ({dtype}), not fractions")
    return array.astype(dtype)


def _key_text(key: Any) -> str:
    if hasattr(key, "idx"):
        return str(key.idx + 1)
    return str(getattr(key, "key", getattr(key, "name", key)))
