"""From a model or a function to a trace or a NumPy program."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from openbook.errors import ModelError
from openbook.program.inputs import call_arguments, first_line, structure_names
from openbook.program.model import forward_program, is_model, step_program, trace_model, trace_model_step
from openbook.program.program import Program, program_of
from openbook.program.reading import LIMIT_BYTES, Reading
from openbook.program.roles import Roles
from openbook.program.trace import Trace

if TYPE_CHECKING:
    from openbook.program.numpy_source import NumpyProgram


def trace(model: Any, inputs: Sequence[Any], *, training: bool, limit_bytes: int | None) -> Trace:
    """See `openbook.trace`."""
    limit = LIMIT_BYTES if limit_bytes is None else limit_bytes
    if _needs_child(model):
        from openbook.program.child import trace_in_child

        return trace_in_child(model, call_arguments(model, inputs), training=training, limit_bytes=limit)
    if is_model(model):
        return trace_model(model, call_arguments(model, inputs), training=training, limit_bytes=limit)
    return _trace_function(model, inputs, limit)


def trace_step(model: Any, inputs: Any, targets: Any, *, loss: Any, optimizer: Any) -> Trace:
    """See `openbook.trace_step`."""
    _check_model(model)
    if _needs_child(model):
        from openbook.program.child import trace_step_in_child

        return trace_step_in_child(model, inputs, targets, loss=loss, optimizer=optimizer)
    return trace_model_step(model, inputs, targets, loss=loss, optimizer=optimizer)


def numpy_program(model: Any, inputs: Any, *, targets: Any, loss: Any, optimizer: Any) -> NumpyProgram:
    """See `openbook.to_numpy`."""
    from openbook.program.numpy_source import to_source

    _check_model(model)
    example = example_inputs(model) if inputs is None else inputs
    if _needs_child(model):
        return _numpy_program_by_child(model, example, targets=targets, loss=loss, optimizer=optimizer)
    if targets is None:
        program, roles, arrays = forward_program(model, example)
    else:
        program, roles, arrays = step_program(model, example, targets, loss=loss, optimizer=optimizer)
    return to_source(program, roles, arrays, title=model.name)


def _numpy_program_by_child(
    model: Any, inputs: Any, *, targets: Any, loss: Any, optimizer: Any
) -> NumpyProgram:
    from openbook.program.numpy_source import to_source

    if targets is None:
        read = trace(model, [inputs], training=False, limit_bytes=None)
    else:
        read = trace_step(model, inputs, targets, loss=loss, optimizer=optimizer)
    arrays = [read.array(value_id) for value_id in read.program.inputs]
    return to_source(read.program, read.roles, arrays, title=model.name)


def _trace_function(function: Any, arguments: Sequence[Any], limit_bytes: int) -> Trace:
    import jax

    if not callable(function):
        raise ModelError(
            f"expected a Keras model, the path of a .keras file, or a function, got {type(function).__name__}"
        )
    leaves, structure = jax.tree.flatten(tuple(arguments))
    paths = [path for path, _ in jax.tree_util.tree_flatten_with_path(tuple(arguments))[0]]
    outputs: list[str] = []

    def read(is_array: list[bool]) -> Program:
        """With all other leaves, such as names of a mode, as the Python values that they are."""

        def flat(*arrays: Any) -> Any:
            given = iter(arrays)
            whole = [next(given) if each else leaf for each, leaf in zip(is_array, leaves, strict=True)]
            results = function(*jax.tree.unflatten(structure, whole))
            outputs[:] = structure_names("output", results)
            return results

        return program_of(flat, *(leaf for each, leaf in zip(is_array, leaves, strict=True) if each))

    is_array = [_is_traceable(leaf) for leaf in leaves]
    is_fixed_size = [isinstance(leaf, int) for leaf in leaves]
    try:
        try:
            program = read(is_array)
        except ModelError:
            # A Python integer may be a number of rounds or a size, which a program has fixed.
            if not any(is_fixed_size):
                raise
            is_array = [one and not other for one, other in zip(is_array, is_fixed_size, strict=True)]
            program = read(is_array)
    except ModelError:
        raise
    except (TypeError, ValueError) as error:
        raise ModelError(f"the function cannot be run on these arguments: {first_line(error)}") from error
    names = tuple(_argument_name(path) for path, each in zip(paths, is_array, strict=True) if each)
    output_names = ["output"] if len(outputs) == 1 else outputs
    roles = Roles.of(program, inputs=names, outputs=output_names)
    arrays = [leaf if hasattr(leaf, "dtype") else np.asarray(leaf) for leaf in leaves]
    used = [array for array, each in zip(arrays, is_array, strict=True) if each]
    return Trace(Reading(program, roles, limit_bytes=limit_bytes), used)


def _is_traceable(leaf: Any) -> bool:
    return hasattr(leaf, "dtype") or isinstance(leaf, bool | int | float | complex | list)


def _argument_name(path: Sequence[Any]) -> str:
    first, *rest = path
    parts = [f"input/{first.idx + 1}", *(str(getattr(key, "key", getattr(key, "idx", key))) for key in rest)]
    return "/".join(parts)


def _check_model(model: Any) -> None:
    if not is_model(model):
        raise ModelError(f"expected a Keras model, got {type(model).__name__}")


def _needs_child(model: Any) -> bool:
    import keras

    return is_model(model) and keras.backend.backend() != "jax"


def example_inputs(model: Any) -> Any:
    """One example of zeros in the shapes of the model's inputs; open axes get 16 places."""
    import keras

    tensors = getattr(model, "inputs", None)
    if not tensors:
        raise ModelError(
            f"{model.name} does not say the shapes of its inputs. Give an example: to_numpy(model, inputs)"
        )
    arrays = [
        np.zeros([1, *(16 if size is None else size for size in tensor.shape[1:])], str(tensor.dtype))
        for tensor in tensors
    ]
    structure = getattr(model, "_inputs_struct", None)
    if structure is not None:
        return keras.tree.pack_sequence_as(structure, arrays)
    return arrays[0] if len(arrays) == 1 else arrays
