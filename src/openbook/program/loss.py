"""The loss of a training step: the one that was given, or the model's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from openbook.errors import ModelError
from openbook.program.inputs import as_call, first_line

# From the call's arguments, targets, outputs and the losses that layers added, to one number.
LossFunction = Callable[[Sequence[Any], Any, Any, Sequence[Any]], Any]


def loss_of(model: Any, loss: Any, arguments: Any, targets: Any) -> LossFunction:
    """The loss to differentiate, with everything made that must not be made while JAX traces.

    Args:
        loss: a Keras loss, its name, a function, or a list or dictionary of these, one for each output; the
            compiled one when left out.
    Raises:
        ModelError: there is none, or it does not fit the model's outputs.
    """
    has_own = loss is None and _brings_its_own(model)
    needs_targets = loss is not None or (getattr(model, "loss", None) is not None and not has_own)
    if targets is None and needs_targets:
        raise ModelError(f"the loss of {model.name} compares outputs with targets, and the targets are None")
    if loss is not None:
        return _with_added(_given_loss(model, loss, arguments, targets))
    if not getattr(model, "compiled", False):
        raise ModelError(_no_loss(model))
    if has_own:
        return _own_loss(model)
    compiled = getattr(model, "_compile_loss", None)
    if compiled is None:
        return _only_added(model)
    _build(model, compiled, arguments, targets)
    return _with_added(_stateless(compiled))


def _given_loss(model: Any, loss: Any, arguments: Any, targets: Any) -> Callable[[Any, Any], Any]:
    import keras
    from keras.src.trainers.compile_utils import CompileLoss

    is_one_for_all = not isinstance(loss, Mapping | list | tuple)
    if is_one_for_all and not isinstance(_outputs_of(model, arguments), Mapping | list | tuple):
        chosen = _resolved(loss)
        if isinstance(chosen, keras.losses.Loss):
            given: Callable[[Any, Any], Any] = chosen
            return given
        return lambda expected, outputs: keras.ops.mean(chosen(expected, outputs))
    parts = loss.values() if isinstance(loss, Mapping) else loss if isinstance(loss, list | tuple) else [loss]
    for part in parts:
        _resolved(part)
    structure = dict(loss) if isinstance(loss, Mapping) else loss
    compiled = CompileLoss(structure, output_names=getattr(model, "output_names", None))
    _build(model, compiled, arguments, targets)
    return _stateless(compiled)


def _resolved(loss: Any) -> Any:
    import keras

    try:
        return keras.losses.get(loss)
    except (ValueError, TypeError) as error:
        raise ModelError(
            f"{loss!r} is no loss ({first_line(error)}). "
            f"Give a name such as 'mse', a keras.losses object, or a function of targets and outputs"
        ) from error


def _with_added(compute: Callable[[Any, Any], Any]) -> LossFunction:
    def with_added(_: Sequence[Any], expected: Any, outputs: Any, added: Sequence[Any]) -> Any:
        value = compute(expected, outputs)
        for extra in added:
            value = value + extra
        return value

    return with_added


def _only_added(model: Any) -> LossFunction:
    """Models compiled without a loss, whose layers add what is to be minimised."""

    def added_alone(_: Sequence[Any], _targets: Any, _outputs: Any, added: Sequence[Any]) -> Any:
        if not added:
            raise ModelError(_no_loss(model))
        value = added[0]
        for extra in added[1:]:
            value = value + extra
        return value

    return added_alone


def _brings_its_own(model: Any) -> bool:
    import keras

    return getattr(type(model), "compute_loss", None) is not keras.Model.compute_loss


def _own_loss(model: Any) -> LossFunction:
    """A model that says itself how its loss is computed."""
    import keras

    def own(arguments: Sequence[Any], expected: Any, outputs: Any, added: Sequence[Any]) -> Any:
        [inputs] = arguments
        model._losses_override.clear()
        model._losses_override.extend(added)
        try:
            with keras.StatelessScope():
                return model.compute_loss(x=inputs, y=expected, y_pred=outputs, training=True)
        finally:
            model._losses_override.clear()

    return own


def _stateless(compiled: Any) -> Callable[[Any, Any], Any]:
    import keras

    def compiled_loss(expected: Any, outputs: Any) -> Any:
        # The compiled loss counts in metric variables; in this scope they stay as they are.
        with keras.StatelessScope():
            value = compiled(expected, outputs)
            return 0.0 if value is None else value

    return compiled_loss


def _build(model: Any, compiled: Any, arguments: Any, targets: Any) -> None:
    """Keras makes the metrics of a compiled loss when it is first used, which must not be inside a trace."""
    import jax

    if compiled.built:
        return
    shapes = _outputs_of(model, arguments)
    outputs = jax.tree.map(lambda shape: np.zeros(shape.shape, shape.dtype), shapes)
    try:
        compiled.build(targets, outputs)
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(f"the loss does not fit the outputs of {model.name}: {first_line(error)}") from error


def _outputs_of(model: Any, arguments: Any) -> Any:
    """Shapes of the outputs, in their structure; nothing is computed."""
    import jax

    values = [
        [variable.value for variable in each]
        for each in (model.trainable_variables, model.non_trainable_variables)
    ]
    try:
        return jax.eval_shape(lambda *given: model.stateless_call(*values, *given)[0], *as_call(arguments))
    except Exception as error:
        raise ModelError(f"{model.name} cannot be run on these inputs: {first_line(error)}") from error


def _no_loss(model: Any) -> str:
    return (
        f"{model.name} is not compiled with a loss. "
        f"Give one: trace_step(model, inputs, targets, loss='mse', optimizer='sgd')"
    )
