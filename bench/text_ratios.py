"""How many times sooner openbook reaches the scores of the book's text generator; from the benchmark's rows."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

# The book trains for so many epochs.
PUBLISHED_EPOCHS = 200


def ratios(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """For each scored epoch of each form of the book's arm, openbook's shortest run that is as good.

    Medians over the seeds; where some seeds of openbook's do not reach a score, no ratio is given.
    """
    ours: dict[int, list[Mapping[str, Any]]] = {}
    for row in rows:
        if row["key"]["arm"] == "openbook":
            ours.setdefault(row["key"]["seed"], []).append(row)
    found = []
    for arm in ("published", "strongest"):
        seeds = [row["epochs"] for row in rows if row["key"]["arm"] == arm]
        for index in range(max((len(epochs) for epochs in seeds), default=0)):
            there = [epochs[index] for epochs in seeds if index < len(epochs)]
            found.append(_ratio(arm, there, list(ours.values())))
        # What is not trained until it becomes no better has no best epoch yet.
        if seeds and all(map(has_stopped, seeds)):
            best = [min(epochs, key=lambda each: float(each["bits_per_byte"])) for epochs in seeds]
            found.append({**_ratio(arm, best, list(ours.values())), "is_best": True})
            found.append(_against_all(arm, seeds, found[-1]))
    return found


def has_stopped(epochs: Sequence[Mapping[str, Any]], *, patience: float = 3.0) -> bool:
    """Whether the held-out score has not become better for so many epochs."""
    best = min(epochs, key=lambda row: float(row["bits_per_byte"]))
    return bool(epochs[-1]["epoch"] - best["epoch"] >= patience)


def _ratio(
    arm: str, epochs: Sequence[Mapping[str, Any]], seeds: Sequence[Sequence[Mapping[str, Any]]]
) -> dict[str, Any]:
    score = statistics.median(each["bits_per_byte"] for each in epochs)
    book_s, book_total_s = (
        statistics.median(each[name] for each in epochs) for name in ("train_s", "total_s")
    )
    result: dict[str, Any] = {
        "arm": arm,
        "book_epoch": round(statistics.median(each["epoch"] for each in epochs), 2),
        "bits_per_byte": round(score, 4),
        "book_s": round(book_s, 1),
        "book_total_s": round(book_total_s, 1),
        "seeds": [len(epochs), len(seeds)],
    }
    reached = []
    for runs in seeds:
        as_good = [run for run in runs if run["bits_per_byte"] <= score]
        if as_good:
            reached.append(min(as_good, key=lambda run: float(run["train_s"])))
    if seeds and len(reached) == len(seeds):
        train_s, total_s = (
            statistics.median(run[name] for run in reached) for name in ("train_s", "total_s")
        )
        result |= {
            "openbook_train_s": round(train_s, 1),
            "openbook_total_s": round(total_s, 1),
            "ratio_train": round(book_s / train_s, 2),
            "ratio_total": round(book_total_s / total_s, 2),
            "spread_train_s": [round(each(run["train_s"] for run in reached), 1) for each in (min, max)],
        }
    return result


def _against_all(
    arm: str, seeds: Sequence[Sequence[Mapping[str, Any]]], best: Mapping[str, Any]
) -> dict[str, Any]:
    """The same score against all the epochs that the book trains for, from the seconds of those measured."""
    epoch_s = statistics.median(epochs[-1]["train_s"] / epochs[-1]["epoch"] for epochs in seeds)
    result: dict[str, Any] = {
        "arm": arm,
        "book_epoch": PUBLISHED_EPOCHS,
        "bits_per_byte": best["bits_per_byte"],
        "book_s": round(PUBLISHED_EPOCHS * epoch_s, 1),
        "is_from_measured_epochs": True,
    }
    if "openbook_train_s" in best:
        result["openbook_train_s"] = best["openbook_train_s"]
        result["ratio_train"] = round(PUBLISHED_EPOCHS * epoch_s / best["openbook_train_s"], 1)
    return result
