"""What a forecasting model sees of each row: standardised values, angles and the calendar as sine and cosine."""

# T = rows, C = columns of the table, K = channels, N = windows

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

__all__ = ["NaiveLine", "channel_names", "channels_of", "is_angle", "naive_lines"]

_YEAR_S = 365.2425 * 86_400
_DAY_S = 86_400


@dataclasses.dataclass(frozen=True, kw_only=True)
class NaiveLine:
    """A forecast that takes no learning: the value so many rows before the last one of the window."""

    rows_back: int
    words: str


def naive_lines(horizon: int, window: int, season: tuple[int, str] | None) -> list[NaiveLine]:
    """The last value; and that of one season before the moment to tell, where the window reaches back to it."""
    lines = [NaiveLine(rows_back=0, words="the last value")]
    if season is not None:
        length, name = season
        rows_back = -horizon % length
        num_seasons = -(-horizon // length)
        before = f"{num_seasons} {name}s before" if num_seasons > 1 else f"one {name} before"
        moment = {"day": "the same time of day", "week": "the same weekday", "year": "the same month"}[name]
        if rows_back == 0:
            lines[0] = NaiveLine(rows_back=0, words=f"the last value, which is that of {moment} {before}")
        elif rows_back < window:
            lines.append(NaiveLine(rows_back=rows_back, words=f"the value at {moment} {before}"))
    return lines


def is_angle(name: str, values_T: np.ndarray) -> bool:
    """Whether a column holds directions in degrees, where 359 and 1 are neighbours."""
    by_name = re.search(r"dir|bearing|heading|azimuth|\bwd\b", name, re.IGNORECASE) is not None
    return by_name and float(values_T.min()) >= 0 and 180 < float(values_T.max()) <= 360


def channel_names(facts: Mapping[str, Any]) -> list[str]:
    """Names along the last axis of the model's input."""
    names = []
    for column in facts["value_columns"]:
        names += [f"{column} (sine)", f"{column} (cosine)"] if column in facts["angles"] else [column]
    for cycle in facts["cycles"]:
        names += [f"{cycle} (sine)", f"{cycle} (cosine)"]
    return [*names, *(["filled in"] if facts["has_filled"] else [])]


def channels_of(
    values_TC: np.ndarray, stamps_T: np.ndarray, is_filled_T: np.ndarray, facts: Mapping[str, Any]
) -> np.ndarray:
    """The channels of each row, float32 (T, K).

    Args:
        values_TC: without gaps.
        stamps_T: int64 microseconds since 1970.
        facts: `mean` and `scale` of each column, `angles`, `cycles` ("time of day", "time of year"),
            `has_filled`.
    """
    channels: list[np.ndarray] = []
    for index, column in enumerate(facts["value_columns"]):
        values_T = values_TC[:, index].astype(np.float64)
        if column in facts["angles"]:
            channels += _circle(values_T / 360)
        else:
            # A broken sensor's 1000 must not drown a window.
            standard_T = (values_T - facts["mean"][index]) / facts["scale"][index]
            channels.append(np.clip(standard_T, -10, 10) if column != facts["target"] else standard_T)
    for cycle in facts["cycles"]:
        length_s = _DAY_S if cycle == "time of day" else _YEAR_S
        channels += _circle(stamps_T / 1e6 / length_s)
    if facts["has_filled"]:
        channels.append(is_filled_T.astype(np.float64))
    return np.stack(channels, axis=1).astype(np.float32)


def _circle(turns_T: np.ndarray) -> list[np.ndarray]:
    angles_T = 2 * np.pi * (turns_T % 1)
    return [np.sin(angles_T), np.cos(angles_T)]
