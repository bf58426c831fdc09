"""A project from a run of the recipe regression: its typed rows as a CSV table, with sides and folds."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from openbook.data.row_hashes import fold_of_rows
from openbook.data.split import split_by_content
from openbook.data.typed_columns import CATEGORY, DATE
from openbook.projects.pieces import Pieces
from openbook.projects.run_again import (
    RunAgain,
    free_name,
    read_again,
    sha256_of,
    sides_in_words,
    tolerance_of,
)
from openbook.recipes import regression
from openbook.runs import Run

_DATA = "data/table.csv"


def pieces_of(run: Run, folder: Path) -> Iterator[Pieces]:
    """The rows go into the folder."""
    again = read_again(run)
    data, splits, settings = again.data, again.splits, again.settings
    num_folds = int(settings["num_folds"])
    kinds = {name: kind if kind in (CATEGORY, DATE) else "number" for name, kind in data.kinds.items()}
    side = free_name("side", [*kinds, data.target])
    fold = free_name("fold", [*kinds, data.target, side])
    columns = {name: _texts(data.frame.get_column(name), kinds[name]) for name in kinds}
    columns[data.target] = [repr(float(value)) for value in data.targets_N]
    rows = split_by_content(data.hashes, held_out_share=again.recipe.held_out_share)
    columns[side] = sides_in_words(len(data.targets_N), rows)
    if num_folds:
        columns[fold] = [str(number) for number in fold_of_rows(data.hashes, num_folds)]
    path = folder / _DATA
    path.parent.mkdir(parents=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))
    constants: dict[str, Any] = {
        "DATA": _DATA,
        "FINGERPRINT": sha256_of(path),
        "TARGET": data.target,
        "UNIT": data.unit,
        "COLUMNS": kinds,
        "SIDE": side,
        "HELD_OUT_SHARE": settings["held_out_share"],
        **({"FOLD": fold, "NUM_FOLDS": num_folds} if num_folds else {}),
    }
    parts = {"number": "numbers", DATE: "dates", CATEGORY: "categories"}
    score = run.section("score")
    yield Pieces(
        template="regression",
        goal="regression",
        constants=constants,
        parts=("array", *(["folds"] if num_folds else []), *{parts[kind] for kind in kinds.values()}),
        train_constants=_fold_constants(again) if num_folds else {},
        num_test=len(splits.test),
        tolerance=splits.facts["scale"] * tolerance_of(again, of_each=splits.goal.losses),
        fold_score={name: score[name] for name in ("mae", "rmse")} if num_folds else {},
        about=f"A number ({data.target}) told from a row of a table",
        given=f'"{next(iter(kinds))}=…"',
        data=_DATA,
        data_note="the rows the run had, with the side of the split that each is on",
        examples="rows",
        own_data="write your table to `data/table.csv`, name its columns and what stands in them in `COLUMNS` and "
        "`TARGET` at the top of `data.py`, and leave the column `side` out: then the sides are drawn. Numbers "
        "have a decimal point, dates look like 2024-05-31, and nothing stands where a value is missing.",
        notes=f" The mean over {num_folds} folds, which it says as well, was {score['mae']:.4g}."
        if num_folds
        else "",
    )


def _texts(series: Any, kind: str) -> list[str]:
    """A column as it is written down: exact, and nothing for what is missing."""
    values = series.to_list()
    if kind == DATE:
        return ["" if value is None else value.isoformat() for value in values]
    if kind == CATEGORY:
        return ["" if value is None else str(value) for value in values]
    return ["" if value is None or value != value else repr(float(value)) for value in values]


def _fold_constants(again: RunAgain) -> dict[str, Any]:
    score = again.run.section("score")
    recipe, num_steps = again.recipe, int(again.run.section("actual")["steps"])
    steps = [num_steps] * recipe.num_folds
    if recipe.length.budget_s is not None:
        steps = [
            min(num_steps, regression._MAX_FOLD_EPOCHS * max(1, len(splits.train) // recipe.batch_size))
            for splits in recipe.folds(again.data)
        ]
    return {
        "FOLD_STEPS": tuple(steps),
        "RUN_FOLDS": {name: round(float(score[name]), 6) for name in ("mae", "rmse")},
    }
