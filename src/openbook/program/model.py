"""Keras models as programs: the forward pass, and a whole training step."""

from __future__ import annotations

import dataclasses
import re
import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from openbook.errors import ModelError
from openbook.program.program import UPDATE, Program, Scope, Step, program_of
from openbook.program.reading import LIMIT_BYTES, Reading
from openbook.program.roles import Roles
from openbook.program.trace import Trace

_readings: weakref.WeakKeyDictionary[Any, dict[Any, Reading]] = weakref.WeakKeyDictionary()


def is_model(thing: Any) -> bool:
    """Whether something is a Keras model or layer."""
    import keras

    return isinstance(thing, keras.layers.Layer)


def trace_model(model: Any, inputs: Any, *, training: bool, limit_bytes: int = LIMIT_BYTES) -> Trace:
    """Run a model's forward pass and keep every value.

    Raises:
        ModelError: not built, inputs of another number, shape or kind, or not traceable.
    """
    arrays = checked_inputs(model, inputs)
    reading = _reading_of(model, ("forward", training, limit_bytes), arrays, (), limit_bytes, training)
    weights = [variable.value for variable in _variables(model)]
    return Trace(reading, [*weights, *_leaves(arrays)])


def forward_program(model: Any, inputs: Any, *, training: bool = False) -> tuple[Program, Roles, list[Any]]:
    """The forward pass as a program, its names, and its inputs' arrays."""
    arrays = checked_inputs(model, inputs)
    variables = _variables(model)

    def forward(values: Sequence[Any], arguments: Any) -> Any:
        num_trainable = len(model.trainable_variables)
        return model.stateless_call(
            values[:num_trainable], values[num_trainable:], *_as_call(arguments), **_mode(model, training)
        )

    weights = [variable.value for variable in variables]
    program = _read(model, forward, weights, arrays)
    outputs = _output_names(model, len(program.outputs) - len(model.non_trainable_variables))
    new_state = [f"new/{_path(model, variable)}" for variable in model.non_trainable_variables]
    names = [*[_path(model, variable) for variable in variables], *_input_names(model, arrays)]
    roles = Roles.of(
        program,
        inputs=_unique(names),
        outputs=[*outputs, *new_state],
        weights=frozenset(_path(model, variable) for variable in variables),
    )
    return program, roles, [*weights, *_leaves(arrays)]


def step_program(
    model: Any, inputs: Any, targets: Any, *, loss: Any = None, optimizer: Any = None
) -> tuple[Program, Roles, list[Any]]:
    """A training step as a program: forward, loss, backward, update; its names, and its inputs' arrays.

    Raises:
        ModelError: the model is not compiled and no loss or optimizer is given, or inputs do not fit.
    """
    import jax

    arrays = checked_inputs(model, inputs)
    targets = _to_arrays(targets)
    compute_loss = _loss_of(model, loss)
    _build_compiled_loss(model, arrays, targets)
    optimizer = _optimizer_of(model, optimizer)
    trainable, others = list(model.trainable_variables), list(model.non_trainable_variables)

    def loss_of(values: Any, other_values: Any, arguments: Any, expected: Any) -> Any:
        outputs, new_others, losses = model.stateless_call(
            values, other_values, *_as_call(arguments), **_mode(model, True), return_losses=True
        )
        value = compute_loss(expected, outputs)
        for extra in losses:
            value = value + extra
        return value, (new_others, outputs)

    def step(values: Any, other_values: Any, slots: Any, arguments: Any, expected: Any) -> Any:
        (value, (new_others, outputs)), gradients = jax.value_and_grad(loss_of, has_aux=True)(
            values, other_values, arguments, expected
        )
        with jax.named_scope(_UPDATE_SCOPE):
            new_values, new_slots = optimizer.stateless_apply(slots, gradients, values)
        return value, outputs, gradients, new_values, new_others, new_slots

    value_lists = [[variable.value for variable in each] for each in (trainable, others, optimizer.variables)]
    program = _with_update_phase(_read(model, step, *value_lists, arrays, targets))
    paths = [[_path(model, variable) for variable in each] for each in (trainable, others)]
    slots = [_slot_name(variable) for variable in optimizer.variables]
    num_outputs = len(program.outputs) - 1 - 2 * len(trainable) - len(others) - len(slots)
    output_names = [
        "loss",
        *_output_names(model, num_outputs),
        *(f"gradients/{path}" for path in paths[0]),
        *(f"updates/{path}" for path in paths[0]),
        *(f"new/{path}" for path in paths[1]),
        *(f"updates/{slot}" for slot in slots),
    ]
    target_names = _numbered("target", len(_leaves(targets)))
    names = _unique([*paths[0], *paths[1], *slots, *_input_names(model, arrays), *target_names])
    roles = Roles.of(
        program,
        inputs=names,
        outputs=output_names,
        weights=frozenset([*paths[0], *paths[1], *slots]),
    )
    flat = [array for values in value_lists for array in values]
    return program, roles, [*flat, *_leaves(arrays), *_leaves(targets)]


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
    arrays = _to_arrays(inputs)
    if not model.built:
        try:
            model(*_as_call(arrays))
        except Exception as error:
            raise ModelError(
                f"{model.name} has no weights yet and cannot be built from these inputs ({_first_line(error)}). "
                f"Call it once on an example, or give it a keras.Input"
            ) from error
    expected = getattr(model, "inputs", None)
    if expected is None:
        return arrays
    leaves = _leaves(arrays)
    if len(leaves) != len(expected):
        raise ModelError(f"{model.name} takes {len(expected)} inputs, but {len(leaves)} were given")
    for tensor, array in zip(_ordered(model, arrays, expected), leaves, strict=True):
        shape = tuple(tensor.shape)
        fits = len(shape) == array.ndim and all(
            size is None or size == given for size, given in zip(shape, array.shape, strict=True)
        )
        if not fits:
            wanted = f"({', '.join('any' if size is None else str(size) for size in shape)})"
            raise ModelError(
                f"input {tensor.name!r} of {model.name} has shape {wanted}, but the array given has {array.shape}"
            )
    return _cast(model, arrays, expected)


_UPDATE_SCOPE = "openbook_update"


def _reading_of(
    model: Any, key: tuple[Any, ...], arrays: Any, extra: tuple[Any, ...], limit_bytes: int, training: bool
) -> Reading:
    shapes = tuple((array.shape, str(array.dtype)) for array in _leaves(arrays))
    weights = tuple((variable.path, tuple(variable.shape)) for variable in _variables(model))
    cache = _readings.setdefault(model, {})
    full_key = (*key, shapes, weights, *extra)
    if full_key not in cache:
        program, roles, _ = forward_program(model, arrays, training=training)
        cache[full_key] = Reading(program, roles, limit_bytes=limit_bytes)
    return cache[full_key]


def _read(model: Any, function: Callable[..., Any], *arguments: Any) -> Program:
    try:
        return program_of(function, *arguments)
    except ModelError:
        raise
    except Exception as error:
        raise ModelError(
            f"{model.name} cannot be run on these inputs: {_first_line(error)}. "
            f"Check their shapes and dtypes; a Python loop over array values cannot be traced"
        ) from error


def _path(model: Any, variable: Any) -> str:
    """A variable's path from the model's layers on; some models put their own name first."""
    return str(variable.path).removeprefix(f"{model.name}/")


def _variables(model: Any) -> list[Any]:
    return [*model.trainable_variables, *model.non_trainable_variables]


def _to_arrays(inputs: Any) -> Any:
    """Nested inputs with NumPy arrays as leaves."""
    if isinstance(inputs, Mapping):
        return {key: _to_arrays(value) for key, value in inputs.items()}
    if isinstance(inputs, tuple | list) and any(hasattr(each, "shape") for each in inputs):
        return [_to_arrays(each) for each in inputs]
    try:
        array = np.asarray(inputs)
    except Exception as error:
        raise ModelError(f"the inputs are no arrays: {_first_line(error)}") from error
    if array.dtype == object or array.dtype.kind in "US":
        raise ModelError(
            f"the inputs are of kind {array.dtype}, but a model takes numbers. "
            f"Turn text into tokens, and rows of different length into one length, first"
        )
    return array


def _cast(model: Any, arrays: Any, expected: Any) -> Any:
    import jax

    tensors = list(_ordered(model, arrays, expected))
    leaves, structure = jax.tree.flatten(arrays)
    cast = []
    for tensor, array in zip(tensors, leaves, strict=True):
        is_number_for_index = (
            np.issubdtype(np.dtype(str(tensor.dtype)), np.integer) if tensor.dtype != "bfloat16" else 0
        )
        if is_number_for_index and array.dtype.kind == "f" and not np.array_equal(array, np.round(array)):
            raise ModelError(f"input {tensor.name!r} takes whole numbers ({tensor.dtype}), not fractions")
        cast.append(np.asarray(array).astype(str(tensor.dtype)) if tensor.dtype != "bfloat16" else array)
    return jax.tree.unflatten(structure, cast)


def _ordered(model: Any, arrays: Any, expected: Sequence[Any]) -> Sequence[Any]:
    """The model's input tensors in the order of the arrays' leaves (dictionaries are sorted by key)."""
    if isinstance(arrays, Mapping):
        by_name = {tensor.name: tensor for tensor in expected}
        if set(arrays) != set(by_name):
            raise ModelError(f"{model.name} takes inputs {sorted(by_name)}, but {sorted(arrays)} were given")
        return [by_name[name] for name in sorted(arrays)]
    return expected


def _mode(model: Any, training: bool) -> dict[str, bool]:
    """`training` for models whose `call` takes it; a subclassed one may not."""
    return {"training": training} if model._call_has_training_arg else {}


def _as_call(arguments: Any) -> tuple[Any, ...]:
    return (arguments,)


def _leaves(arrays: Any) -> list[Any]:
    import jax

    return list(jax.tree.leaves(arrays))


def _input_names(model: Any, arrays: Any) -> list[str]:
    expected = getattr(model, "inputs", None)
    if expected is None:
        return _numbered("input", len(_leaves(arrays)))
    if len(expected) == 1 and re.fullmatch(r"(keras_tensor|input_layer)(_\d+)?", expected[0].name):
        return ["input"]
    return [f"input/{tensor.name}" for tensor in _ordered(model, arrays, expected)]


def _output_names(model: Any, num_outputs: int) -> list[str]:
    names = getattr(model, "output_names", None)
    if num_outputs == 1:
        return ["output"]
    if names is not None and len(names) == num_outputs:
        return [f"output/{name}" for name in names]
    return _numbered("output", num_outputs)


def _numbered(name: str, count: int) -> list[str]:
    return [name] if count == 1 else [f"{name}/{number}" for number in range(1, count + 1)]


def _unique(names: Sequence[str]) -> list[str]:
    seen: dict[str, int] = {}
    unique = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        unique.append(name if seen[name] == 1 else f"{name}_{seen[name]}")
    return unique


def _slot_name(variable: Any) -> str:
    return f"optimizer/{variable.path.partition('/')[2] or variable.path}"


def _loss_of(model: Any, loss: Any) -> Callable[[Any, Any], Any]:
    import keras

    if loss is not None:
        if isinstance(loss, str) or (callable(loss) and not isinstance(loss, keras.losses.Loss)):
            function = keras.losses.get(loss)
            return lambda expected, outputs: keras.ops.mean(function(expected, outputs))
        if isinstance(loss, keras.losses.Loss):
            chosen: Callable[[Any, Any], Any] = loss
            return chosen
        losses = list(loss)
        return lambda expected, outputs: sum(
            _loss_of(model, each)(one, other)
            for each, one, other in zip(losses, expected, outputs, strict=True)
        )
    if not getattr(model, "compiled", False) or getattr(model, "loss", None) is None:
        raise ModelError(
            f"{model.name} is not compiled with a loss. "
            f"Give one: trace_step(model, inputs, targets, loss='mse', optimizer='sgd')"
        )

    def compiled_loss(expected: Any, outputs: Any) -> Any:
        # The compiled loss counts in metric variables; in this scope they stay as they are.
        with keras.StatelessScope():
            return model._compile_loss(expected, outputs) if model._compile_loss else 0.0

    return compiled_loss


def _build_compiled_loss(model: Any, arrays: Any, targets: Any) -> None:
    """Keras makes the metrics of a compiled loss when it is first used, which must not be inside a trace."""
    import jax

    compiled = getattr(model, "_compile_loss", None)
    if compiled is None or compiled.built:
        return
    values = [
        [variable.value for variable in each]
        for each in (model.trainable_variables, model.non_trainable_variables)
    ]
    shapes = jax.eval_shape(lambda *given: model.stateless_call(*values, *given)[0], *_as_call(arrays))
    compiled.build(targets, jax.tree.map(lambda shape: np.zeros(shape.shape, shape.dtype), shapes))


def _optimizer_of(model: Any, optimizer: Any) -> Any:
    import keras

    chosen = optimizer if optimizer is not None else getattr(model, "optimizer", None)
    if chosen is None:
        raise ModelError(
            f"{model.name} is not compiled with an optimizer. "
            f"Give one: trace_step(model, inputs, targets, loss='mse', optimizer='sgd')"
        )
    chosen = keras.optimizers.get(chosen)
    if not chosen.built:
        chosen.build(model.trainable_variables)
    return chosen


def _with_update_phase(program: Program) -> Program:
    """Steps of the optimizer marked as such, in loops and branches too; the marking scope leaves their path."""

    def marked(step: Step) -> Step:
        bodies = tuple(_with_update_phase(body) for body in step.bodies)
        path, scope = step.scope.path, step.scope
        if _UPDATE_SCOPE in path:
            plain = tuple(part for part in path if part != _UPDATE_SCOPE)
            scope = Scope(path=plain, calls=scope.calls, phase=UPDATE)
        return dataclasses.replace(step, scope=scope, bodies=bodies)

    return dataclasses.replace(program, steps=tuple(marked(step) for step in program.steps))


def _first_line(error: BaseException) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
