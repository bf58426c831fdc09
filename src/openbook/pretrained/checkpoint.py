"""A checkpoint of a pretrained language model: sizes, tensors and tokenizer, from whatever files they lie in."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from openbook.pretrained.plan import LlamaPlan

if TYPE_CHECKING:
    from openbook.text.tokenizer import Tokenizer

__all__ = ["Checkpoint"]


class Checkpoint(Protocol):
    """One per kind of file. `str(checkpoint)` says where it lies."""

    plan: LlamaPlan

    def files(self) -> Sequence[Path]:
        """That the weights and sizes lie in, in a fixed order."""

    def names(self) -> Collection[str]:
        """Of all tensors, as Hugging Face calls them."""

    def read(self, name: str) -> np.ndarray:
        """One tensor as float32, kernels (out, in), rotary features in halves."""

    def tokenizer(self) -> Tokenizer:
        """The model's own.

        Raises:
            ModelError: it is missing or damaged.
        """
