"""The scratch code that explains a layer of Keras or an operation of a program, to be shown beside it."""

import functools
import inspect
import textwrap
from collections.abc import Mapping
from typing import Any

from openbook.scratch import layers, optimizers, sequences, windows
from openbook.scratch.conversion import SCRATCH_LAYERS

__all__ = ["SCRATCH_OF_LAYER", "SCRATCH_OF_OPERATION", "scratch_code", "scratch_lines"]

# By class name of the layer, the most telling first. Of the two convolutions that is the sliding window, since it
# is what the words of a textbook describe. Several at the end are layers of openbook's own.
SCRATCH_OF_LAYER: Mapping[str, tuple[Any, ...]] = {
    **{kind: (found,) for kind, found in SCRATCH_LAYERS.items() if found is not None},
    "Conv2D": (windows.SlidingConvolution, windows.Convolution),
    "EinsumDense": (layers.Linear,),
    "MultiHeadAttention": (sequences.Attention,),
    "Attention": (sequences.Attention,),
    "BidirectionalLSTM": (sequences.LSTM,),
    "CausalSelfAttention": (sequences.Attention,),
    "LearnedPositions": (layers.Embedding,),
    "PairEmbedding": (layers.Embedding,),
    "Projection": (layers.Linear,),
}

# By what the outline calls an operation (a composite of several steps, or the primitive of one step).
SCRATCH_OF_OPERATION: Mapping[str, tuple[Any, ...]] = {
    "adam_update": (optimizers.Adam,),
    "attention": (sequences.Attention,),
    "cross_entropy": (layers.CrossEntropy,),
    "layer_norm": (layers.LayerNorm,),
    "logistic": (layers.Sigmoid,),
    "looked_up": (layers.Embedding,),
    "lstm_cell": (sequences.LSTM,),
    "mean_squared_error": (layers.MeanSquaredError,),
    "relu": (layers.ReLU,),
    "rmsprop_update": (optimizers.RMSprop,),
    "sgd_momentum_update": (optimizers.Momentum,),
    "sgd_update": (optimizers.SGD,),
    "sigmoid": (layers.Sigmoid,),
    "softmax": (layers.Softmax,),
    "tanh": (layers.Tanh,),
}


def scratch_lines(layer_kind: str) -> str | None:
    """The source of the scratch `forward` behind a class name of Keras, such as "LSTM"; None if there is none."""
    explained_by = SCRATCH_OF_LAYER.get(layer_kind)
    return None if explained_by is None else textwrap.dedent(inspect.getsource(explained_by[0].forward))


@functools.cache
def scratch_code() -> Mapping[str, dict[str, Any]]:
    """The whole code of every class of the two tables by its name: the lines that run, `forward` above `backward`.

    Returns:
        by class name: `says`, the first line of its docstring; `module`; `parts`, each with a title and a text:
        the class, then what it takes from a class that it shares with others.
    """
    classes = {
        each.__name__: each
        for found in (*SCRATCH_OF_LAYER.values(), *SCRATCH_OF_OPERATION.values())
        for each in found
    }
    return {name: _code(each) for name, each in sorted(classes.items())}


def _code(explained_by: Any) -> dict[str, Any]:
    # What every layer has, such as `keep`, explains none of them.
    shared = [base for base in explained_by.__mro__[1:] if base.__name__.startswith("_")]
    return {
        "says": (inspect.getdoc(explained_by) or "").split("\n")[0],
        "module": explained_by.__module__,
        "parts": [
            {"title": each.__name__, "text": inspect.getsource(each).rstrip("\n")}
            for each in (explained_by, *shared)
        ],
    }
