"""Keras models as programs: the forward pass, and a whole training step."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

from openbook.errors import ModelError
from openbook.program.inputs import (
    as_call,
    checked_inputs,
    first_line,
    input_names,
    leaves,
    structure_names,
    to_arrays,
)
from openbook.program.kept_readings import kept_reading
from openbook.program.loss import loss_of
from openbook.program.program import UPDATE, Program, Scope, Step, program_of
from openbook.program.reading import LIMIT_BYTES, Reading
from openbook.program.roles import Roles
from openbook.program.trace import Trace


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

    def read() -> Reading:
        program, roles, _ = forward_program(model, arrays, training=training)
        return Reading(program, roles, limit_bytes=limit_bytes)

    reading = kept_reading(model, ("forward", training, limit_bytes), arrays, read)
    weights = [variable.value for variable in _variables(model)]
    return Trace(reading, [*weights, *leaves(arrays)])


def trace_model_step(
    model: Any, inputs: Any, targets: Any, *, loss: Any = None, optimizer: Any = None
) -> Trace:
    """Run a training step and keep every value.

    Raises:
        ModelError: as `step_program`.
    """
    arrays = checked_inputs(model, inputs)
    expected = _checked_targets(targets)
    chosen = _optimizer_of(model, optimizer)

    def read() -> Reading:
        program, roles, _ = step_program(model, arrays, expected, loss=loss, optimizer=chosen)
        return Reading(program, roles)

    # An optimizer made from its name is another object each time, and always the same.
    parts = (
        getattr(model, "_compile_loss", None) if loss is None else loss,
        optimizer if isinstance(optimizer, str) else chosen,
    )
    named = tuple(part for part in parts if isinstance(part, str))
    objects = tuple(part for part in parts if not isinstance(part, str))
    reading = kept_reading(model, ("step", named), (as_call(arrays), expected), read, parts=objects)
    values = [variable.value for variable in (*_variables(model), *chosen.variables)]
    return Trace(reading, [*values, *leaves(arrays), *leaves(expected)])


def forward_program(model: Any, inputs: Any, *, training: bool = False) -> tuple[Program, Roles, list[Any]]:
    """The forward pass as a program, its names, and its inputs' arrays."""
    arrays = checked_inputs(model, inputs)
    variables = _variables(model)
    outputs: list[str] = []

    def forward(values: Sequence[Any], arguments: Sequence[Any]) -> Any:
        num_trainable = len(model.trainable_variables)
        results, state = model.stateless_call(
            values[:num_trainable], values[num_trainable:], *arguments, **_mode(model, training)
        )
        outputs[:] = _output_names(model, results)
        return results, state

    weights = [variable.value for variable in variables]
    program = _read(model, forward, weights, as_call(arrays))
    paths = _paths(model, variables)
    new_state = [f"new/{path}" for path in paths[len(model.trainable_variables) :]]
    names = [*paths, *input_names(model, arrays)]
    roles = Roles.of(
        program,
        inputs=_unique(names),
        outputs=[*outputs, *new_state],
        weights=frozenset(paths),
    )
    return program, roles, [*weights, *leaves(arrays)]


def step_program(
    model: Any, inputs: Any, targets: Any, *, loss: Any = None, optimizer: Any = None
) -> tuple[Program, Roles, list[Any]]:
    """A training step as a program: forward, loss, backward, update; its names, and its inputs' arrays.

    Raises:
        ModelError: the model is not compiled and no loss or optimizer is given, or inputs do not fit.
    """
    import jax

    arrays = checked_inputs(model, inputs)
    targets = _checked_targets(targets)
    compute_loss = loss_of(model, loss, arrays, targets)
    optimizer = _optimizer_of(model, optimizer)
    trainable, others = list(model.trainable_variables), list(model.non_trainable_variables)

    outputs_named: list[str] = []

    def scaled_loss(values: Any, other_values: Any, scale: Any, arguments: Any, expected: Any) -> Any:
        outputs, new_others, added = model.stateless_call(
            values, other_values, *arguments, **_mode(model, True), return_losses=True
        )
        outputs_named[:] = _output_names(model, outputs)
        value = compute_loss(arguments, expected, outputs, added)
        return value if scale is None else value * scale, (value, new_others, outputs)

    def step(values: Any, other_values: Any, slots: Any, arguments: Any, expected: Any) -> Any:
        scale = _loss_scale(optimizer, slots)
        (_, (value, new_others, outputs)), gradients = jax.value_and_grad(scaled_loss, has_aux=True)(
            values, other_values, scale, arguments, expected
        )
        with jax.named_scope(_UPDATE_SCOPE):
            new_values, new_slots = optimizer.stateless_apply(slots, gradients, values)
        if scale is not None:
            gradients = [gradient / scale for gradient in gradients]
        return value, outputs, gradients, new_values, new_others, new_slots

    value_lists = [[variable.value for variable in each] for each in (trainable, others, optimizer.variables)]
    program = _with_update_phase(_read(model, step, *value_lists, as_call(arrays), targets))
    slots = [_slot_name(variable) for variable in optimizer.variables]
    # Some optimizers call all that they keep of a weight by the weight's name.
    weights = _unique([*_paths(model, trainable), *_paths(model, others), *slots])
    first_slot = len(weights) - len(slots)
    paths = (weights[: len(trainable)], weights[len(trainable) : first_slot])
    slots = weights[first_slot:]
    output_names = [
        "loss",
        *outputs_named,
        *(f"gradients/{path}" for path in paths[0]),
        *(f"updates/{path}" for path in paths[0]),
        *(f"new/{path}" for path in paths[1]),
        *(f"updates/{slot}" for slot in slots),
    ]
    target_names = structure_names("target", targets)
    names = _unique([*weights, *input_names(model, arrays), *target_names])
    roles = Roles.of(
        program,
        inputs=names,
        outputs=output_names,
        weights=frozenset(weights),
    )
    flat = [array for values in value_lists for array in values]
    return program, roles, [*flat, *leaves(arrays), *leaves(targets)]


_UPDATE_SCOPE = "openbook_update"


def _read(model: Any, function: Callable[..., Any], *arguments: Any) -> Program:
    try:
        return program_of(function, *arguments)
    except ModelError:
        raise
    except Exception as error:
        raise ModelError(
            f"{model.name} cannot be run on these inputs: {first_line(error)}. "
            f"Check their shapes and dtypes; a Python loop over array values cannot be traced"
        ) from error


def _paths(model: Any, variables: Sequence[Any]) -> list[str]:
    """The variables' paths from the model's layers on; some models put their own name first."""
    prefix = f"{model.name}/"
    owners = {id(each): layer.name for layer in getattr(model, "layers", ()) for each in layer.variables}

    def path_of(variable: Any) -> str:
        path = str(variable.path)
        rest = path.removeprefix(prefix)
        owner = owners.get(id(variable))
        # A layer may bear the model's name, and then the first part is the layer.
        return rest if owner is None or rest.startswith(f"{owner}/") else path

    return [path_of(variable) for variable in variables]


def _variables(model: Any) -> list[Any]:
    return [*model.trainable_variables, *model.non_trainable_variables]


def _mode(model: Any, training: bool) -> dict[str, bool]:
    """`training` for models whose `call` takes it; a subclassed one may not."""
    return {"training": training} if model._call_has_training_arg else {}


def _output_names(model: Any, outputs: Any) -> list[str]:
    """A name for each output: the keys of a dictionary, the layers of a functional model, or numbers."""
    names = structure_names("output", outputs)
    if len(names) == 1:
        return ["output"]
    by_layer = getattr(model, "output_names", None)
    is_listed = isinstance(outputs, list | tuple) and by_layer is not None and len(by_layer) == len(names)
    return _unique([f"output/{name}" for name in by_layer]) if is_listed and by_layer else names


def _loss_scale(optimizer: Any, slots: Any) -> Any:
    """What the optimizer multiplies the loss with before gradients are taken; None where it does not."""
    import keras

    with keras.StatelessScope(state_mapping=list(zip(optimizer.variables, slots, strict=True))):
        scale = optimizer.scale_loss(1.0)
    return None if isinstance(scale, float) and scale == 1.0 else scale


def _unique(names: Sequence[str]) -> list[str]:
    seen: dict[str, int] = {}
    unique = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        unique.append(name if seen[name] == 1 else f"{name}_{seen[name]}")
    return unique


def _slot_name(variable: Any) -> str:
    return f"optimizer/{variable.path.partition('/')[2] or variable.path}"


def _checked_targets(targets: Any) -> Any:
    return None if targets is None else to_arrays(targets, what="targets")


def _optimizer_of(model: Any, optimizer: Any) -> Any:
    import keras

    chosen = optimizer if optimizer is not None else getattr(model, "optimizer", None)
    if chosen is None:
        raise ModelError(
            f"{model.name} is not compiled with an optimizer. "
            f"Give one: trace_step(model, inputs, targets, loss='mse', optimizer='sgd')"
        )
    try:
        chosen = keras.optimizers.get(chosen)
    except (ValueError, TypeError) as error:
        raise ModelError(
            f"{chosen!r} is no optimizer ({first_line(error)}). "
            f"Give a name such as 'adam', or a keras.optimizers object"
        ) from error
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
