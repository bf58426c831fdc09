"""The split into training and held-out texts, by content."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

from openbook.errors import UsageError

if TYPE_CHECKING:
    import numpy as np

__all__ = [
    "HELD_OUT_SHARE",
    "SplitSizes",
    "check_held_out_share",
    "content_hash",
    "held_out_flags",
    "split_by_content",
]

HELD_OUT_SHARE = 0.1
_VALIDATION_SHARE = 0.1


@dataclass(frozen=True, kw_only=True)
class SplitSizes:
    """How many documents and bytes are on each side."""

    held_out_share: float
    num_training: int
    num_held_out: int
    training_bytes: int
    held_out_bytes: int


def content_hash(text_bytes: bytes) -> bytes:
    """16 bytes that depend on the text in UTF-8 and on nothing else."""
    return blake2b(text_bytes, digest_size=16).digest()


def check_held_out_share(held_out_share: float) -> None:
    """Raises UsageError unless the share leaves something on both sides."""
    if not 0.0 < held_out_share < 1.0:
        raise UsageError(
            f"held_out_share: expected a share between 0 and 1 like {HELD_OUT_SHARE}, got {held_out_share}."
        )


def held_out_flags(hashes: Sequence[bytes], held_out_share: float) -> list[bool]:
    """For each document whether it is held out.

    The hash says where a document lies between 0 and 1; below the share it is held out. So a document stays
    on its side whatever else is in the data, and in whatever order. Only where one side would be empty, as
    happens with a handful of documents, the document nearest to the border changes sides.

    Args:
        hashes: content hashes of two documents or more, all different.
        held_out_share: between 0 and 1.
    """
    assert len(hashes) >= 2, "two documents at least, or one side is empty"
    check_held_out_share(held_out_share)
    border = held_out_share * 2.0**64
    flags = [int.from_bytes(found[:8], "big") < border for found in hashes]
    if not any(flags):
        flags[hashes.index(min(hashes))] = True
    elif all(flags):
        flags[hashes.index(max(hashes))] = False
    return flags


def split_by_content(
    hashes: Sequence[bytes], *, held_out_share: float
) -> "tuple[np.ndarray, np.ndarray, np.ndarray]":
    """Positions to train on, to choose weights by (a tenth of what is not scored), and to score.

    Args:
        hashes: content hashes of three examples or more, all different.
        held_out_share: share that is scored.
    """
    import numpy as np

    is_test = np.array(held_out_flags(hashes, held_out_share), np.bool_)
    rest = np.flatnonzero(~is_test)
    if len(rest) < 2:
        return rest, np.flatnonzero(is_test), np.flatnonzero(is_test)
    # The other half of the hash, so that this choice does not depend on the first.
    rest_hashes = [hashes[int(index)][8:] for index in rest]
    is_validation = np.array(held_out_flags(rest_hashes, _VALIDATION_SHARE), np.bool_)
    return rest[~is_validation], rest[is_validation], np.flatnonzero(is_test)
