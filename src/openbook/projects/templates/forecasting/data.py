"""The time series of this project: read, brought to what a network sees of each row, and split in time."""

# T = rows, C = columns of the table, K = channels, W = rows of a window, N = windows

import csv
import dataclasses
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

# A row for each moment, one series after another, without gaps. The column `state` says what a row is:
# "measured"; "filled" where some value was filled in; "guessed" where the target itself was; or "gap" where
# too much is missing for a window to hold it.
DATA = "data/series.csv"  #: fill
# SHA-256 of the file that the run's rows were written to.
FINGERPRINT = ""  #: fill
# The columns of values, in the order in which the network sees them.
COLUMNS = ("warmth", "pressure")  #: fill
TARGET = "warmth"  #: fill
UNIT = ""  #: fill
#: if angles
# Directions in degrees, where 359 and 1 are neighbours: seen as sine and cosine.
ANGLES = ("wind direction",)  #: fill
#: end
# Rows that a forecast looks back on, and rows from the last of them to the moment that is forecast.
WINDOW = 120  #: fill
HORIZON = 24  #: fill
# Up to the first moment is trained on; between them weights are chosen; from the second on is scored.
BORDERS = ("2016-01-01", "2016-07-01")  #: fill
GIVEN = "TABLE.csv"
#: if years
YEAR_S = 365.2425 * 86_400
#: end


#: include common/examples.py
class Series(NamedTuple):
    """The table."""

    values: np.ndarray  # (T, C)
    times: np.ndarray  # (T,) datetime64
    states: np.ndarray  # (T,)
    names: np.ndarray  # (T,) which series a row belongs to


def load() -> Splits:
    """All windows, each on its side of the split; no window crosses a border."""
    series = read()
    borders = np.array(BORDERS, "datetime64[us]")
    channels, mean, scale = channels_of(series, series.times < borders[0])
    # A view: the windows of all rows lie in memory once.
    windows = np.lib.stride_tricks.sliding_window_view(channels, WINDOW, axis=0).transpose(0, 2, 1)
    targets = np.full(len(windows), np.nan, np.float32)
    column = series.values[:, COLUMNS.index(TARGET)]
    targets[: len(column) - WINDOW - HORIZON + 1] = (column[WINDOW + HORIZON - 1 :] - mean) / scale
    return Splits(*(Examples(windows, targets, starts, scale) for starts in sides_of(series, borders)))


def sides_of(series: Series, borders: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """First rows of the windows of each side: to train on, to choose weights by, and to score."""
    reach = WINDOW + HORIZON
    starts = np.arange(len(series.times) - reach + 1)
    last, told = starts + WINDOW - 1, starts + reach - 1
    num_gaps = np.r_[0, np.cumsum(series.states == "gap")]
    is_measured = np.isin(series.states, ["measured", "filled"])
    is_whole = series.names[starts] == series.names[told]
    is_whole &= num_gaps[told + 1] == num_gaps[starts]
    is_whole &= is_measured[last] & is_measured[told]
    begins, ends = series.times[starts], series.times[told]
    return (
        starts[is_whole & (ends < borders[0])],
        starts[is_whole & (begins >= borders[0]) & (ends < borders[1])],
        starts[is_whole & (begins >= borders[1])],
    )


def channels_of(series: Series, train: np.ndarray) -> tuple[np.ndarray, float, float]:
    """What the network sees of each row, float32 (T, K); and mean and standard deviation of the target."""
    channels = []
    for column, name in enumerate(COLUMNS):
        values = series.values[:, column].astype(np.float64)
        #: if angles
        if name in ANGLES:
            channels += circle(values / 360)
            continue
        #: end
        mean, scale = values[train].mean(), values[train].std()
        if scale <= 1e-6 * (1 + abs(mean)):
            scale = 1.0
        standard = (values - mean) / scale
        if name == TARGET:
            target_mean, target_scale = float(mean), float(scale)
        else:
            standard = np.clip(standard, -10, 10)  # a broken sensor's 1000 must not drown a window
        channels.append(standard)
    #: if days years
    seconds = series.times.astype("datetime64[us]").astype(np.int64) / 1e6
    #: end
    channels += circle(seconds / 86_400)  #: if days
    channels += circle(seconds / YEAR_S)  #: if years
    channels.append(np.isin(series.states, ["filled", "guessed", "gap"]))  #: if filled
    return np.stack(channels, axis=1).astype(np.float32), target_mean, target_scale


#: if angles days years
def circle(turns: np.ndarray) -> list[np.ndarray]:
    """Sine and cosine of so many turns: the end of a day lies beside its beginning."""
    angles = 2 * np.pi * (turns % 1)
    return [np.sin(angles), np.cos(angles)]


#: end
def read(path: Path | None = None) -> Series:
    """The table's rows; "measured" and of one series where nothing else is said."""
    with (path or path_of_data()).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return Series(
        values=np.array([[row[name] for name in COLUMNS] for row in rows], np.float32),
        times=np.array([row["time"] for row in rows], "datetime64[us]"),
        states=np.array([row.get("state", "measured") for row in rows]),
        names=np.array([row.get("series", "") for row in rows]),
    )


def path_of_data() -> Path:
    """Where the table is."""
    return Path(__file__).parent / DATA


def fingerprint() -> str:
    """Of the table as it is now."""
    return hashlib.sha256(path_of_data().read_bytes()).hexdigest()


def inputs_of(given: str) -> np.ndarray:
    """The last rows of a table with the columns of this one, as the network takes them (1, W, K)."""
    series, new = read(), read(Path(given))
    if len(new.times) < WINDOW:
        raise SystemExit(f"{given} has {len(new.times)} rows, and a forecast looks back on {WINDOW}")
    is_training = series.times < np.array(BORDERS[0], "datetime64[us]")
    # After the rows that everything is fitted to.
    both = Series(*(np.concatenate(pair) for pair in zip(series, new, strict=True)))
    channels, _, _ = channels_of(both, np.r_[is_training, np.zeros(len(new.times), bool)])
    return channels[None, -WINDOW:]


def answer(output: np.ndarray) -> str:
    """What the network says, in the target's unit."""
    series = read()
    _, mean, scale = channels_of(series, series.times < np.array(BORDERS[0], "datetime64[us]"))
    return (
        f"{TARGET}, {HORIZON} rows after the last one: {mean + scale * float(output[0]):.4g} {UNIT}".strip()
    )
