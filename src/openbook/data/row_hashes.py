"""Rows of a table by their content: hashes, how many are equal, a fingerprint, and folds."""

# N = rows

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from openbook.data.typed_columns import CATEGORY, DATE

if TYPE_CHECKING:
    import polars

__all__ = ["fingerprint_of", "fold_of_rows", "num_unique", "row_hashes", "with_targets"]


def row_hashes(frame: polars.DataFrame, kinds: Mapping[str, str]) -> np.ndarray:
    """128 bits of each row, uint64 (N, 2); they do not depend on the order of rows or columns."""
    import polars

    sums_N2 = np.zeros((frame.height, 2), np.uint64)
    for name, kind in kinds.items():
        series = frame.get_column(name)
        if kind == CATEGORY:
            words = series.unique()
            numbers = [_number_of("" if word is None else f"={word}") for word in words]
            bits_N = series.replace_strict(
                words, polars.Series(numbers, dtype=polars.UInt64), return_dtype=polars.UInt64
            ).to_numpy()
        elif kind == DATE:
            bits_N = series.dt.timestamp("ms").fill_null(-(2**62)).to_numpy().astype(np.int64).view(np.uint64)
        else:
            bits_N = _bits(series.to_numpy())
        salt = _number_of(name) % 2**62
        for half in range(2):
            sums_N2[:, half] += _mixed(_mixed(bits_N, salt), salt + half)
    return np.stack([_mixed(sums_N2[:, half], half) for half in range(2)], axis=1)


def with_targets(hashes_N2: np.ndarray, targets_N: np.ndarray) -> np.ndarray:
    """Hashes of rows together with what is learned from them."""
    return np.asarray(hashes_N2 + _mixed(_bits(targets_N), 1)[:, None] * np.array([3, 5], np.uint64))


def num_unique(hashes_N2: np.ndarray) -> int:
    """How many different rows there are, of one at least."""
    ordered_N = np.sort(hashes_N2[:, 0])  # half the hash will do to count
    return 1 + int((ordered_N[1:] != ordered_N[:-1]).sum())


def fingerprint_of(hashes_N2: np.ndarray, names: Sequence[str]) -> str:
    """Of the rows in any order, and of the columns; the last name is the target's."""
    ordered_N2 = hashes_N2[np.argsort(hashes_N2[:, 0], kind="stable")]
    digest = hashlib.sha256("\0".join([*sorted(names[:-1]), names[-1]]).encode())
    digest.update(ordered_N2.astype(">u8").tobytes())
    return digest.hexdigest()


def fold_of_rows(hashes: Sequence[bytes], num_folds: int) -> np.ndarray:
    """For each row its fold, int (N,): nearly equal ones, by content, equal rows in one fold."""
    unique = {found: rank for rank, found in enumerate(sorted(set(hashes)))}
    return np.array([unique[found] * num_folds // len(unique) for found in hashes], np.int64)


def _bits(numbers_N: np.ndarray) -> np.ndarray:
    """The same for equal numbers: one zero, one NaN."""
    plain = np.where(np.isnan(numbers_N), np.nan, numbers_N) + 0.0
    return np.asarray(plain.astype(np.float64).view(np.uint64))


def _mixed(bits_N: np.ndarray, salt: int) -> np.ndarray:
    """Well-mixed 64 bits. Source: Steele et al. (2014), splitmix64."""
    with np.errstate(over="ignore"):
        mixed = bits_N + np.uint64((0x9E3779B97F4A7C15 * (2 * salt + 1)) % 2**64)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return np.asarray(mixed ^ (mixed >> np.uint64(31)))


def _number_of(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")
