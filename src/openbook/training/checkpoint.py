"""Checkpoints: one file each, written beside and renamed, so that the last good one is always there."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from openbook.errors import RunError
from openbook.runs.atomic import atomic_replace

LATEST_NAME = "latest.safetensors"
_SNAPSHOT = "snapshot-"
_FORMAT = 1


@dataclasses.dataclass(frozen=True, kw_only=True)
class Best:
    """The best held-out score so far and the file with its weights."""

    step: int
    score: Mapping[str, float]
    file: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Position:
    """Where a run stands.

    Attributes:
        step: steps done; with the run's seed it is also the position in the data.
        elapsed_s: training time so far, over all sessions.
        num_steps: planned length, for a run with a budget as last planned.
        best: None before the first evaluation.
    """

    step: int
    elapsed_s: float
    num_steps: int | None
    best: Best | None


def save_latest(folder: Path, arrays: Mapping[str, list[Any]], position: Position) -> None:
    """Replace the latest checkpoint.

    Args:
        arrays: lists of arrays by group, such as "trainable" and "optimizer".
    Raises:
        RunError: it could not be written; the earlier one is intact.
    """
    write_arrays(folder / LATEST_NAME, arrays, {"position": json.dumps(dataclasses.asdict(position))})


def load_latest(folder: Path) -> tuple[dict[str, list[np.ndarray]], Position] | None:
    """The latest checkpoint, or None when the run has none yet.

    Raises:
        RunError: it is damaged.
    """
    path = folder / LATEST_NAME
    if not path.exists():
        return None
    arrays, metadata = read_arrays(path)
    try:
        fields = json.loads(metadata["position"])
        best = Best(**fields.pop("best")) if fields["best"] else fields.pop("best")
        return arrays, Position(best=best, **fields)
    except (KeyError, TypeError, ValueError) as error:
        raise RunError(_damaged(path, f"its position is not readable: {error}")) from error


def save_best(folder: Path, arrays: Mapping[str, list[Any]], *, step: int) -> str:
    """Write the weights of the best step so far under a name of their own; returns the file name."""
    name = f"best-{step}.safetensors"
    write_arrays(folder / name, arrays, {})
    return name


def drop_other_best(folder: Path, keep: str) -> None:
    """Delete best weights that the latest checkpoint no longer names."""
    for path in folder.glob("best-*.safetensors"):
        if path.name != keep:
            path.unlink(missing_ok=True)


def save_snapshot(folder: Path, arrays: Mapping[str, list[Any]], *, step: int) -> None:
    """Keep the weights of a step for good, for looking back at how they came to be."""
    write_arrays(folder / f"{_SNAPSHOT}{step}.safetensors", arrays, {})


def snapshots(folder: Path) -> dict[int, Path]:
    """The files of kept weights by step, in order."""
    found = {}
    for path in folder.glob(f"{_SNAPSHOT}*.safetensors"):
        step = path.stem.removeprefix(_SNAPSHOT)
        if step.isdecimal():
            found[int(step)] = path
    return dict(sorted(found.items()))


def drop_snapshots(folder: Path, *, after_step: int) -> None:
    """Delete kept weights of steps that are taken once more, after going on from an earlier one."""
    for step, path in snapshots(folder).items():
        if step > after_step:
            path.unlink(missing_ok=True)


def latest_step(folder: Path) -> int | None:
    """The step of the latest checkpoint, without reading its arrays; None when there is none, or it is damaged."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(folder / LATEST_NAME, framework="numpy") as file:
            return int(json.loads((file.metadata() or {})["position"])["step"])
    except (OSError, SafetensorError, KeyError, TypeError, ValueError):
        return None


def write_arrays(path: Path, arrays: Mapping[str, list[Any]], metadata: Mapping[str, str]) -> None:
    """Write groups of arrays with a digest of their contents, atomically.

    Raises:
        RunError: no space or no permission; a file of this name is intact.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    named = {
        f"{group}/{index:05d}": np.asarray(array, order="C")
        for group, values in arrays.items()
        for index, array in enumerate(values)
    }
    written = {**metadata, "format": str(_FORMAT), "digest": _digest(named)}
    with atomic_replace(path) as temporary:
        try:
            save_file(named, temporary, metadata=written)
        except SafetensorError as error:  # how the Rust side tells that the disk is full
            raise OSError(str(error)) from error


def read_arrays(path: Path) -> tuple[dict[str, list[np.ndarray]], dict[str, str]]:
    """Groups of arrays and metadata of a file made by `write_arrays`.

    Raises:
        RunError: missing, truncated or changed.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            metadata = dict(file.metadata() or {})
            named = {key: file.get_tensor(key) for key in sorted(file.keys())}
    except (OSError, SafetensorError) as error:
        raise RunError(_damaged(path, str(error))) from error
    if metadata.get("digest") != _digest(named):
        raise RunError(_damaged(path, "its content does not match its digest"))
    arrays: dict[str, list[np.ndarray]] = {}
    for key, array in named.items():
        arrays.setdefault(key.partition("/")[0], []).append(array)
    return arrays, metadata


def _digest(named: Mapping[str, np.ndarray]) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for key in sorted(named):
        array = named[key]
        digest.update(f"{key}{array.dtype}{array.shape}".encode())
        digest.update(array.reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


def _damaged(path: Path, reason: str) -> str:
    return (
        f"{path}: expected a checkpoint, but it is missing, cut short or changed ({reason}). "
        f"Copy the run again from where it was made, or train anew"
    )
