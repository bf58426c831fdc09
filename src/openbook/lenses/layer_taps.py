"""What leaves each layer inside any Keras model: read, or shifted by a probe, while the model runs.

A layer's `call` is wrapped for the time of one run, so that nested, shared and subclassed models are read alike.
Layers have the paths that `openbook.trace` gives them, such as "backbone/convolution_1"; the second call of a
shared layer is "convolution_1 (2)".
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from openbook.errors import UsageError

__all__ = [
    "check_layer",
    "first_example",
    "is_convolution",
    "layer_at",
    "leaf_layers",
    "output_shapes",
    "picture_shape",
    "picture_value_range",
    "run_tapped",
    "squashing_layer",
    "weights_of",
]

# For reading shapes only: an axis without a size gets this one.
_OPEN_SIDE = 64
_SQUASHING = ("softmax", "sigmoid")


def leaf_layers(model: Any) -> dict[str, Any]:
    """Every layer that is no model itself, by its path, each once."""
    found: dict[int, tuple[str, Any]] = {}

    def walk(owner: Any, prefix: str) -> None:
        for layer in owner.layers:
            path = prefix + layer.name
            if _is_model(layer):
                walk(layer, f"{path}/")
            else:
                found.setdefault(id(layer), (path, layer))

    walk(model, "")
    return dict(found.values())


def layer_at(model: Any, name: str) -> Any:
    """The layer of a path, also of a second call."""
    return leaf_layers(model)[name.partition(" (")[0]]


def is_convolution(layer: Any) -> bool:
    """Whether it slides windows over pictures, with channels last."""
    import keras

    kinds = (
        keras.layers.Conv2D,
        keras.layers.SeparableConv2D,
        keras.layers.DepthwiseConv2D,
        keras.layers.Conv2DTranspose,
    )
    return isinstance(layer, kinds) and layer.data_format == "channels_last"


def picture_shape(model: Any) -> tuple[int | None, ...] | None:
    """(H, W, C) of the model's only input; None where it takes something else."""
    tensors: Sequence[Any] = getattr(model, "inputs", None) or ()
    if len(tensors) != 1 or len(tensors[0].shape) != 4:
        return None
    return tuple(tensors[0].shape[1:])


def picture_value_range(model: Any) -> tuple[float, float]:
    """What pictures are between: 0 and 255 where a layer of the model scales them down itself, else 0 and 1."""
    is_scaled = any(map(_rescales, leaf_layers(model).values()))
    return (0.0, 255.0) if is_scaled else (0.0, 1.0)


def weights_of(model: Any) -> tuple[list[Any], list[Any]]:
    """Trainable and other values, as `run_tapped` takes them."""
    return (
        [variable.value for variable in model.trainable_variables],
        [variable.value for variable in model.non_trainable_variables],
    )


def first_example(model: Any, inputs: Any) -> Any:
    """The first of the inputs, as a batch of 1 in the model's dtypes.

    Raises:
        UsageError: there are none.
        ModelError: they do not fit the model.
    """
    import jax

    from openbook.program.inputs import checked_inputs

    if inputs is None:
        raise UsageError("this lens needs an input to look at: a picture, or a .npy or .npz file of arrays")
    return jax.tree.map(lambda array: np.asarray(array)[:1], checked_inputs(model, inputs))


def run_tapped(
    model: Any,
    weights: tuple[Any, Any],
    inputs: Any,
    *,
    keep: Collection[str] | None = (),
    shifts: Mapping[str, Any] | None = None,
    linear: Any = None,
) -> tuple[Any, dict[str, Any]]:
    """The model's outputs without dropout, and what left some layers; JAX can trace it.

    Args:
        weights: as of `weights_of`.
        inputs: a batch, as the model takes it.
        keep: names of the outputs to give back; all when None.
        shifts: arrays to add to outputs by name, in their shapes; gradients by them are those by the outputs.
        linear: a layer whose activation is left out; one that is nothing else gives its input.
    Returns:
        the outputs, and those asked for by name in the order of the calls; what is no array is left out.
    """
    kept: dict[str, Any] = {}
    num_calls: dict[str, int] = {}
    layers = leaf_layers(model)

    def after(path: str, output: Any) -> Any:
        num_calls[path] = num_calls.get(path, 0) + 1
        name = path if num_calls[path] == 1 else f"{path} ({num_calls[path]})"
        if not hasattr(output, "shape"):
            return output
        if shifts is not None and name in shifts:
            output = output + shifts[name]
        if keep is None or name in keep:
            kept[name] = output
        return output

    with _wrapped(layers, after, linear):
        outputs, _ = model.stateless_call(*weights, inputs, training=False)
    return outputs, kept


def output_shapes(model: Any, inputs: Any = None) -> dict[str, tuple[int, ...]]:
    """The shapes of all layers' outputs for a batch of 1, in the order of the calls; nothing is computed.

    Args:
        inputs: an example where sizes are open; else 64 for the sides of pictures and 16 for lengths.
    Raises:
        UsageError: the model cannot be run on such an example; the message says why.
    """
    shapes, _ = _read(model, inputs)
    return shapes


def squashing_layer(model: Any, inputs: Any = None) -> Any:
    """The layer whose softmax or sigmoid ends the model; None where its outputs are scores already."""
    _, last = _read(model, inputs)
    if last is None:
        return None
    layer = layer_at(model, last)
    name = getattr(getattr(layer, "activation", None), "__name__", "")
    return layer if name in _SQUASHING or type(layer).__name__ == "Softmax" else None


def check_layer(name: str, known: Collection[str], what: str) -> str:
    """The name, where it is among the known ones.

    Raises:
        UsageError: it is not; the message lists them.
    """
    if name not in known:
        raise UsageError(f"there is no layer {name!r} {what}; there are: {', '.join(known)}")
    return name


def _read(model: Any, inputs: Any) -> tuple[dict[str, tuple[int, ...]], str | None]:
    """Shapes by name, and the name of the layer whose output is the model's."""
    import jax

    from openbook.program.calls import example_inputs
    from openbook.program.inputs import first_line

    found: dict[str, tuple[int, ...]] = {}
    last: list[str] = []

    def run(weights: Any, given: Any) -> Any:
        outputs, kept = run_tapped(model, weights, given, keep=None)
        found.update({name: tuple(value.shape) for name, value in kept.items()})
        last.extend(name for name, value in kept.items() if value is outputs)
        return outputs

    try:
        example = _with_open_sizes(model, example_inputs(model)) if inputs is None else inputs
        jax.eval_shape(run, weights_of(model), example)
    except (ValueError, TypeError, NotImplementedError) as error:
        raise UsageError(f"{model.name} cannot be run on an example ({first_line(error)})") from error
    return found, last[-1] if last else None


def _with_open_sizes(model: Any, example: Any) -> Any:
    """Zeros whose open sides are as large as a picture's."""
    shape = picture_shape(model)
    if shape is None or None not in shape:
        return example
    sizes = [_OPEN_SIDE if size is None else size for size in shape]
    return np.zeros((1, *sizes), example.dtype)


def _rescales(layer: Any) -> bool:
    kind = type(layer).__name__
    return kind == "Normalization" or (kind == "Rescaling" and float(np.max(np.abs(layer.scale))) < 0.1)


def _is_model(layer: Any) -> bool:
    import keras

    return isinstance(layer, keras.Model)


@contextlib.contextmanager
def _wrapped(layers: Mapping[str, Any], after: Callable[[str, Any], Any], linear: Any) -> Iterator[None]:
    import keras

    is_activation = linear is not None and not hasattr(linear, "activation")
    changed: list[tuple[Any, str, Any]] = []

    def change(layer: Any, name: str, value: Any) -> None:
        # Past Keras' own __setattr__, which would track what it is given.
        changed.append((layer, name, vars(layer).get(name)))
        object.__setattr__(layer, name, value)

    try:
        for path, layer in layers.items():
            call = _identity if is_activation and layer is linear else layer.call
            change(layer, "call", _with_hook(call, functools.partial(after, path)))
        if linear is not None and not is_activation:
            change(linear, "activation", keras.activations.linear)
        yield
    finally:
        for layer, name, before in reversed(changed):
            if before is None:
                object.__delattr__(layer, name)
            else:
                object.__setattr__(layer, name, before)


def _with_hook(call: Callable[..., Any], after: Callable[[Any], Any]) -> Callable[..., Any]:
    @functools.wraps(call)
    def hooked(*arguments: Any, **options: Any) -> Any:
        return after(call(*arguments, **options))

    return hooked


def _identity(inputs: Any, *_: Any, **__: Any) -> Any:
    return inputs
