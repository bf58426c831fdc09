"""The scratch lines that explain a layer of Keras, to be shown beside it."""

import inspect
import textwrap
from typing import Any

from openbook.scratch.conversion import SCRATCH_LAYERS
from openbook.scratch.sequences import Attention
from openbook.scratch.windows import SlidingConvolution

__all__ = ["scratch_lines"]

# Of the two convolutions the sliding window, since it is what the words of a textbook describe.
_OTHERS: dict[str, Any] = {"Conv2D": SlidingConvolution, "MultiHeadAttention": Attention}


def scratch_lines(layer_kind: str) -> str | None:
    """The source of the scratch `forward` behind a class name of Keras, such as "LSTM"; None if there is none."""
    explained_by = _OTHERS.get(layer_kind) or SCRATCH_LAYERS.get(layer_kind)
    return None if explained_by is None else textwrap.dedent(inspect.getsource(explained_by.forward))
