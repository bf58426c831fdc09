"""Windows of time series in three parts, one after another in time; no window crosses a border."""

# T = rows of all series, N = windows

from __future__ import annotations

import dataclasses

import numpy as np

from openbook.data.series_reading import TimeSeries
from openbook.errors import DataError

__all__ = ["WindowStarts", "split_in_time"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class WindowStarts:
    """First rows of the windows of each part.

    Attributes:
        borders: microseconds since 1970 at which validation and test begin.
        first_stamp: of the training part.
    """

    train_N: np.ndarray
    validation_N: np.ndarray
    test_N: np.ndarray
    borders: tuple[int, int]
    first_stamp: int


def split_in_time(series: TimeSeries, *, window: int, horizon: int, held_out_share: float) -> WindowStarts:
    """The last part of the time is the test, the one before it chooses the weights, the first one trains.

    All series are cut at the same moments, so that no series tells what comes in another. A window counts with the
    row it should tell: both lie within one part, no row of them lies in a long gap, and the last row and the row
    to tell were measured.

    Raises:
        DataError: a part has no window.
    """
    validation_share = min(held_out_share, (1.0 - held_out_share) / 3)
    first, last = int(series.stamps_T.min()), int(series.stamps_T.max()) + 1
    borders = (
        first + int((1.0 - held_out_share - validation_share) * (last - first)),
        first + int((1.0 - held_out_share) * (last - first)),
    )
    reach = window + horizon
    num_unusable_T = np.r_[0, np.cumsum(~series.is_usable_T)]
    starts_N = np.concatenate(
        [np.arange(start, max(start, stop - reach + 1)) for start, stop in series.bounds]
    )
    last_N, told_N = starts_N + window - 1, starts_N + reach - 1
    is_whole_N = num_unusable_T[told_N + 1] == num_unusable_T[starts_N]
    is_whole_N &= series.is_measured_T[last_N] & series.is_measured_T[told_N]
    starts_N, told_N = starts_N[is_whole_N], told_N[is_whole_N]
    begins_N, ends_N = series.stamps_T[starts_N], series.stamps_T[told_N]
    parts = (
        starts_N[ends_N < borders[0]],
        starts_N[(begins_N >= borders[0]) & (ends_N < borders[1])],
        starts_N[begins_N >= borders[1]],
    )
    for name, part in zip(("training", "validation", "test"), parts, strict=True):
        if not len(part):
            raise DataError(
                f"{dict(series.report.facts).get('Source', 'the data')}: the {name} part holds no window of "
                f"{window:,} rows with its target {horizon:,} rows ahead, without long gaps. Take a smaller "
                f"--window or --horizon, or another --held-out-share"
            )
    return WindowStarts(
        train_N=parts[0], validation_N=parts[1], test_N=parts[2], borders=borders, first_stamp=first
    )
