"""A zoo of small models that the contracts of `openbook.program` run over; each file is one family."""

import openbook  # noqa: F401 - chooses the backend, so it stands before Keras
from zoo import attention, composition, dense, generative, images, sequences
from zoo.entry import ZooFunction, ZooModel

MODELS: tuple[ZooModel, ...] = (
    *dense.MODELS,
    *images.MODELS,
    *sequences.MODELS,
    *attention.MODELS,
    *composition.MODELS,
    *generative.MODELS,
)
FUNCTIONS: tuple[ZooFunction, ...] = generative.FUNCTIONS

ENTRIES: tuple[ZooModel | ZooFunction, ...] = (*MODELS, *FUNCTIONS)

__all__ = ["ENTRIES", "FUNCTIONS", "MODELS", "ZooFunction", "ZooModel"]
