"""The table of this project: read, brought to numbers that a network takes, and split."""

# N = rows, F = features

import csv
import dataclasses
import hashlib
from collections import Counter  #: if categories
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

DATA = "data/table.csv"  #: fill
# SHA-256 of the file that the run's rows were written to.
FINGERPRINT = ""  #: fill
TARGET = "price"  #: fill
UNIT = ""  #: fill
# The columns to learn from, and what stands in them.
COLUMNS = {"size": "number", "town": "category"}  #: fill
# Says for each row "train", "validation" or "test". Without this column the sides are drawn.
SIDE = "side"  #: fill
#: if folds
# Says for each row its fold, counted from 0. Without this column folds are drawn.
FOLD = "fold"  #: fill
NUM_FOLDS = 4  #: fill
#: end
HELD_OUT_SHARE = 0.2  #: fill
VALIDATION_SHARE = 0.1
#: if categories
# A category has a feature of its own when so many rows to train on have it; the others share one.
MIN_CATEGORY_ROWS = 5
MAX_CATEGORIES = 64
#: end
GIVEN = '"column=value, column=value"'

Table = dict[str, list[str]]
#: include common/examples.py


def load() -> Splits:
    """All rows, each on its side of the split."""
    table = read()
    sides = sides_of(table)
    train = sides == "train"
    features, (targets, _, scale) = features_of(table, train), standardised(table, train)
    return Splits(
        *(
            Examples(features, targets, np.flatnonzero(sides == side), scale)
            for side in ("train", "validation", "test")
        )
    )


#: if folds
def load_fold(fold: int) -> tuple[Examples, Examples]:
    """The rows of the other folds to train on, and those of this one to tell."""
    table = read()
    is_in_fold = folds_of(table) == fold
    features, (targets, _, scale) = features_of(table, ~is_in_fold), standardised(table, ~is_in_fold)
    others, own = (
        Examples(features, targets, np.flatnonzero(rows), scale) for rows in (~is_in_fold, is_in_fold)
    )
    return others, own


#: end
def read() -> Table:
    """The table's columns, as texts; nothing where a value is missing."""
    with path_of_data().open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {name: [row[name] for row in rows] for name in rows[0]}


def path_of_data() -> Path:
    """Where the table is."""
    return Path(__file__).parent / DATA


def fingerprint() -> str:
    """Of the file as it is now."""
    return hashlib.sha256(path_of_data().read_bytes()).hexdigest()


def sides_of(table: Table) -> np.ndarray:
    """The side of each row."""
    if SIDE in table:
        return np.array(table[SIDE])
    draws = np.random.default_rng(0).random(len(table[TARGET]))
    validation_end = HELD_OUT_SHARE + (1 - HELD_OUT_SHARE) * VALIDATION_SHARE
    return np.select([draws < HELD_OUT_SHARE, draws < validation_end], ["test", "validation"], "train")


#: if folds
def folds_of(table: Table) -> np.ndarray:
    """The fold of each row."""
    if FOLD in table:
        return np.array(table[FOLD], int)
    return np.random.default_rng(0).permutation(len(table[TARGET])) % NUM_FOLDS


#: end
def standardised(table: Table, train: np.ndarray) -> tuple[np.ndarray, float, float]:
    """The targets (N,) as the network tells them, and mean and standard deviation of those to train on."""
    targets = np.array(table[TARGET], np.float64)
    mean, scale = float(targets[train].mean()), float(targets[train].std()) or 1.0
    return ((targets - mean) / scale).astype(np.float32), mean, scale


def features_of(table: Table, train: np.ndarray) -> np.ndarray:
    """What the network sees of each row, float32 (N, F); all is fitted to the rows to train on alone."""
    features = []
    for name, kind in COLUMNS.items():
        #: if numbers
        if kind == "number":
            numbers = np.array([float(text) if text else np.nan for text in table[name]])
            features += number_features([numbers], train)
        #: end
        #: if dates
        if kind == "date":
            features += number_features(parts_of_dates(table[name]), train)
        #: end
        #: if categories
        if kind == "category":
            features += category_features(table[name], train)
        #: end
    return np.stack(features, axis=1).astype(np.float32)


#: if numbers dates
def number_features(parts: list[np.ndarray], train: np.ndarray) -> list[np.ndarray]:
    """Each part standardised, the median where a value is missing; and whether it is, if that happens."""
    features = []
    is_missing = np.isnan(parts[0])
    for numbers in parts:
        if is_missing[train].all():
            continue
        filled = np.where(is_missing, np.nanmedian(numbers[train]), numbers)
        mean, scale = filled[train].mean(), filled[train].std()
        if scale > 1e-9 * np.abs(filled[train]).max():  # else it is the same in all rows and teaches nothing
            features.append((filled - mean) / scale)
    return [*features, is_missing] if is_missing[train].any() else features


#: end
#: if dates
def parts_of_dates(texts: list[str]) -> list[np.ndarray]:
    """Year, month, weekday (Monday is 1) and seconds since 1970; NaN where the date is missing."""
    moments = np.array([text or "NaT" for text in texts], "datetime64[ms]")
    years, months, days = (moments.astype(f"datetime64[{unit}]").astype(np.int64) for unit in "YMD")
    parts = [years + 1970, months % 12 + 1, (days + 3) % 7 + 1, moments.astype(np.int64) / 1000]
    return [np.where(np.isnat(moments), np.nan, part) for part in parts]


#: end
#: if categories
def category_features(words: list[str], train: np.ndarray) -> list[np.ndarray]:
    """1 in the feature of a row's category, else 0: the frequent ones, then all others, then missing."""
    column = np.array(words)
    counts = sorted(
        Counter(column[train & (column != "")].tolist()).items(), key=lambda item: (-item[1], item[0])
    )
    own = [word for word, number in counts[:MAX_CATEGORIES] if number >= MIN_CATEGORY_ROWS]
    features = [column == word for word in own]
    if len(own) < len(counts):
        features.append((column != "") & ~np.isin(column, own))
    if (column[train] == "").any():
        features.append(column == "")
    return features


#: end
def inputs_of(given: str) -> np.ndarray:
    """A row given by names, such as "size=120, town=Oslo", as the network takes it (1, F)."""
    values = dict(pair.strip().split("=", 1) for pair in given.split(","))
    unknown = set(values) - set(COLUMNS)
    if unknown:
        raise SystemExit(f"there is no column {', '.join(unknown)}; there are: {', '.join(COLUMNS)}")
    table = read()
    # As the last row of the table, beside those that everything is fitted to.
    train = np.append(sides_of(table) == "train", False)
    longer = {name: [*table[name], values.get(name, "")] for name in COLUMNS}
    return features_of(longer, train)[-1:]


def answer(output: np.ndarray) -> str:
    """What the network says, in the target's unit."""
    table = read()
    _, mean, scale = standardised(table, sides_of(table) == "train")
    return f"{TARGET}: {mean + scale * float(output[0]):.4g} {UNIT}".strip()
