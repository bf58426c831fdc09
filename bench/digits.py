"""openbook's digits beside the book's, on the same data, split and backend: `python -m bench.digits`.

For each network and seed the book's recipe trains first, scored after each epoch. Then openbook trains for a half,
one, two, … epochs, each from the start with its rate falling to zero at the end, until it is as good as the book's
best epoch: that many epochs and seconds (compilation included, without the cache on disk) stand beside the book's.
Both arms hold their data in memory. Results go to `bench/results/digits.json`.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.book import digits as book
from bench.side_by_side import facts
from bench.train_once import arrays_of, prepared, train_once

RESULTS = Path(__file__).parent / "results" / "digits.json"
EPOCHS = (0.5, 1.0, 1.5, 2.0, 3.0, 5.0, 8.0)


def main() -> None:
    """Run both arms and print the ratios."""
    parser = argparse.ArgumentParser(prog="python -m bench.digits", description=__doc__)
    parser.add_argument("--data", default="mnist-5k", help="as for `openbook train digits`")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--models", nargs="+", default=["dense", "convnet"])
    given = parser.parse_args()
    rows = [measure(model, given.data, seed) for model in given.models for seed in range(given.seeds)]
    content = {
        "command": f"python -m bench.digits --data {Path(given.data).name}",
        "date": time.strftime("%Y-%m-%d"),
        **facts(),
        "summary": {model: summary([row for row in rows if row["model"] == model]) for model in given.models},
        "rows": rows,
    }
    known = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {}
    known[Path(given.data).name] = content
    RESULTS.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(content["summary"], indent=1))


def measure(model: str, data: str, seed: int) -> dict[str, Any]:
    """Both arms with one seed."""
    _, splits = prepared("digits", data=data, model=model, seed=seed)
    train, test = arrays_of(splits.train), arrays_of(splits.test)
    published = [
        {"epoch": epoch, "train_s": round(train_s, 3), "accuracy": accuracy}
        for epoch, train_s, accuracy in book.train(
            model, train, test, num_classes=len(splits.facts["classes"]), seed=seed
        )
    ]
    best = max(published, key=lambda row: row["accuracy"])
    ours = []
    for epochs in EPOCHS:
        result = train_once("digits", data=data, model=model, seed=seed, epochs=epochs)
        ours.append({"epochs": epochs, **{name: result[name] for name in ("train_s", "accuracy")}})
        if ours[-1]["accuracy"] >= best["accuracy"]:
            break
    reached = ours[-1]["accuracy"] >= best["accuracy"]
    return {
        "model": model,
        "seed": seed,
        "num_train": len(splits.train),
        "num_test": len(splits.test),
        "book": published,
        "openbook": ours,
        "reached": reached,
        "ratio_epochs": best["epoch"] / ours[-1]["epochs"] if reached else None,
        "ratio_s": best["train_s"] / ours[-1]["train_s"] if reached else None,
    }


def summary(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Medians over the seeds; a seed in which openbook did not get there has no ratio."""
    found = [row for row in rows if row["reached"]]
    return {
        "seeds": len(rows),
        "reached": len(found),
        "book_best_accuracy": statistics.mean(max(each["accuracy"] for each in row["book"]) for row in rows),
        "openbook_accuracy": statistics.mean(row["openbook"][-1]["accuracy"] for row in rows),
        "ratio_epochs": statistics.median(row["ratio_epochs"] for row in found) if found else None,
        "ratio_s": statistics.median(row["ratio_s"] for row in found) if found else None,
    }


if __name__ == "__main__":
    main()
