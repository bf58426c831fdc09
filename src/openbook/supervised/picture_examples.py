"""Pictures as examples: kept as bytes, given out as the numbers that a model takes."""

# N = examples, B = batch, H = height, W = width, C = channels

from __future__ import annotations

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True, kw_only=True)
class PictureExamples:
    """Pictures with a class each, or a class for each pixel.

    Attributes:
        pictures_NHWC: uint8; a batch of them is float32, still 0…255, four times as large.
        targets: int32 (N,) or uint8 (N, H, W); int32 in a batch.
        rows: positions of these examples in both arrays, which several sides of a split share.
    """

    pictures_NHWC: np.ndarray
    targets: np.ndarray
    rows: np.ndarray

    def __len__(self) -> int:
        return len(self.rows)

    def batch(self, indices_B: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        rows_B = self.rows[indices_B]
        return self.pictures_NHWC[rows_B].astype(np.float32), self.targets[rows_B].astype(np.int32)

    @property
    def size_bytes(self) -> int:
        return len(self.rows) * int(self.pictures_NHWC[0].nbytes + self.targets[0].nbytes)
