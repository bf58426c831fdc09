"""A project from a run of the recipe forecasting: its rows on their regular grid as a CSV table."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from openbook.data.time_split import split_in_time
from openbook.errors import UsageError
from openbook.projects.pieces import Pieces
from openbook.projects.run_again import read_again, sha256_of, tolerance_of
from openbook.runs import Run

_DATA = "data/series.csv"
_OWN_COLUMNS = ("series", "time", "state")


def pieces_of(run: Run, folder: Path) -> Iterator[Pieces]:
    """The rows go into the folder.

    Raises:
        UsageError: a column of values has the name of one that the project's table needs.
    """
    again = read_again(run)
    data, splits, settings = again.data, again.splits, again.settings
    facts = splits.facts
    taken = [name for name in data.columns if name in _OWN_COLUMNS]
    if taken:
        raise UsageError(
            f"{run.name} has a column of values called {taken[0]!r}, and the table of its project has one "
            f"of that name. Call it something else and train anew"
        )
    path = folder / _DATA
    path.parent.mkdir(parents=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*_OWN_COLUMNS, *data.columns])
        writer.writerows(_rows(data))
    starts = split_in_time(
        data,
        window=settings["window"],
        horizon=settings["horizon"],
        held_out_share=settings["held_out_share"],
    )
    cycles = {"time of day": "days", "time of year": "years"}
    parts = [cycles[name] for name in facts["cycles"]]
    parts += ["angles"] if facts["angles"] else []
    parts += ["filled"] if facts["has_filled"] else []
    is_naive = settings["model"] == "naive"
    notes = (
        " The naive forecast has no weights, so there is nothing to train: put a network into `model.py`, name "
        "the steps after which it is scored in `CHECKED_STEPS` at the top of `train.py`, and the last of them in "
        "`NUM_STEPS`."
        if is_naive
        else f" The naive forecast ({facts['naive']['words']}) comes to mae {facts['naive_mae']:.4g}."
    )
    yield Pieces(
        template="forecasting",
        goal="regression",
        constants={
            "DATA": _DATA,
            "FINGERPRINT": sha256_of(path),
            "COLUMNS": tuple(data.columns),
            "TARGET": data.target,
            "UNIT": data.unit,
            **({"ANGLES": tuple(facts["angles"])} if facts["angles"] else {}),
            "WINDOW": settings["window"],
            "HORIZON": settings["horizon"],
            "BORDERS": tuple(_time_text(border) for border in starts.borders),
        },
        parts=("array", *parts),
        made_first=("dropout",),
        num_test=len(splits.test),
        tolerance=facts["target_scale"] * tolerance_of(again, of_each=splits.goal.losses),
        about=f"{data.target}, told {facts['ahead']} ahead",
        given="TABLE.csv",
        data=_DATA,
        data_note="the rows the run had, on a regular grid of times, with what was measured and what filled in",
        examples="windows",
        own_data="write your table to `data/series.csv`: a column `time` such as 2024-05-31T12:00, one row after "
        "another at the same distance, and your values without gaps; `state` and, for one series, `series` may be "
        "left out. Name the columns and the moments that part it at the top of `data.py`, and give the input in "
        "`model.py` as many channels as there are.",
        notes=notes,
    )


def _rows(data: Any) -> Iterator[Sequence[str]]:
    states = np.select(
        [~data.is_usable_T, ~data.is_measured_T, data.is_filled_T], ["gap", "guessed", "filled"], "measured"
    )
    for name, (start, stop) in zip(data.names, data.bounds, strict=True):
        for row in range(start, stop):
            values = [str(value) for value in data.values_TC[row]]  # the shortest that are read back alike
            yield [name, _time_text(int(data.stamps_T[row])), str(states[row]), *values]


def _time_text(stamp: int) -> str:
    """A moment in microseconds since 1970 as a person writes it."""
    moment = np.datetime64(stamp, "us")
    for unit in ("m", "s"):
        if moment.astype(f"datetime64[{unit}]") == moment:
            return str(moment.astype(f"datetime64[{unit}]"))
    return str(moment)
