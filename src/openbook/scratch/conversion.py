"""A Keras model as a scratch model with the same weights."""

import inspect
from typing import Any

from openbook.errors import ModelError
from openbook.scratch import layers, sequences, windows
from openbook.scratch.layers import ReLU, Sigmoid, Softmax, Tanh
from openbook.scratch.training import Sequential

__all__ = ["SCRATCH_LAYERS", "from_keras"]

# By class name in Keras; None for what does nothing outside training, or nothing but its activation.
SCRATCH_LAYERS: dict[str, Any] = {
    "Activation": None,
    "AveragePooling2D": windows.AveragePooling,
    "Conv2D": windows.Convolution,
    "Dense": layers.Linear,
    "Dropout": None,
    "Embedding": layers.Embedding,
    "Flatten": layers.Flatten,
    "GlobalAveragePooling1D": windows.GlobalAveragePooling,
    "GlobalAveragePooling2D": windows.GlobalAveragePooling,
    "InputLayer": None,
    "LSTM": sequences.LSTM,
    "LayerNormalization": layers.LayerNorm,
    "MaxPooling2D": windows.MaxPooling,
    "ReLU": ReLU,
    "Rescaling": layers.Rescaling,
    "SimpleRNN": sequences.SimpleRNN,
    "Softmax": Softmax,
}
_ACTIVATIONS: dict[str, Any] = {"relu": ReLU, "sigmoid": Sigmoid, "softmax": Softmax, "tanh": Tanh}
_SWITCHED_OFF = ("go_backwards", "keepdims", "mask_zero", "return_state", "rms_scaling", "stateful")
# Settings of which scratch knows these values only, in whatever layer has them.
_KNOWN: dict[str, tuple[Any, ...]] = {
    **dict.fromkeys(_SWITCHED_OFF, (False,)),
    "axis": (-1, [-1]),
    "data_format": ("channels_last",),
    "dilation_rate": ((1, 1),),
    "groups": (1,),
    "max_value": (None,),
    "negative_slope": (0,),
    "recurrent_activation": ("sigmoid",),
    "threshold": (0,),
}


def from_keras(model: Any) -> Sequential:
    """The same layers with copies of the same weights, for a built Keras model whose layers form one chain.

    An activation inside a Keras layer becomes a layer; dropout is left out, since only training knows it.

    Raises:
        ModelError: not such a model, or a layer or setting that scratch does not have; the message names it.
    """
    import keras

    if not isinstance(model, keras.Model) or not getattr(model, "outputs", None):
        name = getattr(model, "name", model)
        raise ModelError(f"{name}: expected a built Sequential or functional Keras model. Give it an Input")
    converted: list[layers.Layer] = []
    ends = [model.inputs[0], *(layer.output for layer in model.layers)]
    for layer, reached in zip(model.layers, ends[:-1], strict=True):
        kind = type(layer).__name__
        if kind not in SCRATCH_LAYERS or type(layer) is not getattr(keras.layers, kind):
            raise ModelError(f"{layer.name}: scratch has no {kind}, only {', '.join(SCRATCH_LAYERS)}")
        if kind != "InputLayer" and layer.input is not reached:
            raise ModelError(f"{layer.name}: does not follow the layer before it; scratch has one chain only")
        converted += _converted(layer, kind)
    if len(model.outputs) != 1 or model.outputs[0] is not ends[-1]:
        raise ModelError(f"{model.name}: the output is not its last layer's; scratch has one chain only")
    return Sequential(converted)


def _converted(layer: Any, kind: str) -> list[layers.Layer]:
    is_recurrent = kind in ("LSTM", "SimpleRNN")
    known = _KNOWN | {"activation": ("tanh",) if is_recurrent else ("linear", *_ACTIVATIONS)}
    for setting in known.keys() & set(dir(layer)):
        found = getattr(layer, setting)
        if getattr(found, "__name__", found) not in known[setting]:
            values = " or ".join(repr(each) for each in known[setting])
            raise ModelError(f"{layer.name}: {setting} is {found!r}; scratch knows {values} only")
    converted: list[layers.Layer] = []
    if scratch_layer := SCRATCH_LAYERS[kind]:
        # Settings and weights have the same names on both sides.
        names = inspect.signature(scratch_layer).parameters
        settings = {name: getattr(layer, name) for name in names if hasattr(layer, name)}
        weights = zip((variable.name for variable in layer.weights), layer.get_weights(), strict=True)
        converted.append(scratch_layer(**settings, **dict(weights)))
    name = "" if is_recurrent else getattr(getattr(layer, "activation", None), "__name__", "")
    return [*converted, _ACTIVATIONS[name]()] if name in _ACTIVATIONS else converted
