"""openbook's forecasting beside the book's, on the same data, windows and backend: `python -m bench.forecasting`.

For each network the book's recipe trains first; its score is the test error of the epoch with the best
validation error, its seconds those until that epoch's end. Then openbook trains for a quarter, a half, one, two …
epochs, each from the start, until its test error is as low: those seconds (compilation included on both sides,
held-out scores on neither) stand beside the book's. The book forecasts the value in its own unit, which in °F and
with few steps hardly leaves the mean of zero; so its targets are standardised here unless `--raw-targets` is
given, which is kinder to the book. Results go to `bench/results/forecasting.json`.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.book import forecasting as book
from bench.side_by_side import facts
from bench.train_once import prepare, train_once

RESULTS = Path(__file__).parent / "results" / "forecasting.json"
EPOCHS = (0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 8.0, 12.0)
# openbook's network beside each of the book's.
OURS = {"dense": "dense", "conv1d": "conv1d", "lstm": "lstm", "lstm_dropout": "lstm", "gru": "gru"}
# Epochs of the book's arm with --quick, where the published number would take an hour.
QUICK_EPOCHS = {"dense": 10, "lstm": 10, "lstm_dropout": 10, "gru": 6}


def main() -> None:
    """Run both arms and print the ratios."""
    parser = argparse.ArgumentParser(prog="python -m bench.forecasting", description=__doc__)
    parser.add_argument("--data", default="weather", help="as for `openbook train forecasting`")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--models", nargs="+", default=["dense", "lstm", "lstm_dropout", "gru"])
    parser.add_argument(
        "--raw-targets", action="store_true", help="the book's targets in their own unit, as published"
    )
    parser.add_argument("--quick", action="store_true", help="one seed, fewer epochs of the book's arm")
    given = parser.parse_args()
    seeds = 1 if given.quick else given.seeds
    rows = []
    for model in given.models:
        for seed in range(seeds):
            num_epochs = (QUICK_EPOCHS if given.quick else book.EPOCHS)[model]
            rows.append(
                measure(model, given.data, seed, num_epochs=num_epochs, raw_targets=given.raw_targets)
            )
            print(
                json.dumps({key: value for key, value in rows[-1].items() if not isinstance(value, list)}),
                flush=True,
            )
    name = (
        Path(given.data).name
        + (" raw targets" if given.raw_targets else "")
        + (" quick" if given.quick else "")
    )
    known = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {}
    known[name] = {
        "date": time.strftime("%Y-%m-%d"),
        **facts(),
        "summary": {model: summary([row for row in rows if row["model"] == model]) for model in given.models},
        "rows": rows,
    }
    RESULTS.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(known[name]["summary"], indent=1))


def measure(model: str, data: str, seed: int, *, num_epochs: int, raw_targets: bool) -> dict[str, Any]:
    """Both arms with one seed."""
    from openbook.recipes import make_recipe
    from openbook.training.reporter import Reporter

    prepare()
    recipe = make_recipe("forecasting", {"data": data, "model": OURS[model], "seed": seed})
    loaded = recipe.load_data(Reporter())
    splits = recipe.resolve(loaded).split(loaded)
    known = splits.facts
    # The book sees the columns as they are, each standardised with the training part.
    series_TC = ((loaded.values_TC - np.array(known["mean"])) / np.array(known["scale"])).astype(np.float32)
    scale, mean = (known["target_scale"], known["target_mean"]) if raw_targets else (1.0, 0.0)

    def windows(part: Any, order_seed: int | None = None) -> Any:
        targets_N = part.targets_N * scale + mean
        return book.windows(series_TC, part.starts_N, targets_N, window=known["window"], seed=order_seed)

    unit = 1.0 if raw_targets else known["target_scale"]
    published = [
        {
            "epoch": epoch,
            "train_s": round(train_s, 3),
            "validation_mae": validation * unit,
            "test_mae": test * unit,
        }
        for epoch, train_s, validation, test in book.train(
            model,
            windows(splits.train, seed),
            windows(splits.validation),
            windows(splits.test),
            window=known["window"],
            num_columns=series_TC.shape[1],
            seed=seed,
            num_epochs=num_epochs,
        )
    ]
    best = min(published, key=lambda row: row["validation_mae"])
    ours = []
    for epochs in EPOCHS:
        result = train_once("forecasting", data=data, model=OURS[model], seed=seed, epochs=epochs)
        ours.append({"epochs": epochs, "train_s": result["train_s"], "test_mae": result["mae"]})
        if ours[-1]["test_mae"] <= best["test_mae"]:
            break
    is_reached = ours[-1]["test_mae"] <= best["test_mae"]
    return {
        "model": model,
        "seed": seed,
        "num_train": len(splits.train),
        "num_test": len(splits.test),
        "naive_mae": known["naive_mae"],
        "book_mae": best["test_mae"],
        "book_s": best["train_s"],
        "openbook_mae": ours[-1]["test_mae"],
        "openbook_s": ours[-1]["train_s"],
        "reached": is_reached,
        "ratio_s": best["train_s"] / ours[-1]["train_s"] if is_reached else None,
        "book": published,
        "openbook": ours,
    }


def summary(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Medians over the seeds; a seed in which openbook did not get there has no ratio."""
    found = [row["ratio_s"] for row in rows if row["reached"]]
    return {
        "seeds": len(rows),
        "reached": len(found),
        "naive_mae": rows[0]["naive_mae"],
        "book_mae": statistics.mean(row["book_mae"] for row in rows),
        "openbook_mae": statistics.mean(row["openbook_mae"] for row in rows),
        "book_s": statistics.median(row["book_s"] for row in rows),
        "openbook_s": statistics.median(row["openbook_s"] for row in rows),
        "ratio_s": statistics.median(found) if found else None,
    }


if __name__ == "__main__":
    main()
