"""Two arms side by side: timed in turns (A B A B …), or trained to the same scores; results kept as they come."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from openbook.runs.atomic import atomic_write

RESULTS = Path(__file__).parent / "results"

# Epoch, seconds of training until its end (compilation included), and held-out score.
ScoredEpochs = Iterator[tuple[int, float, float]]

# Parts of a row's key that one setting has several of.
_NOT_SETTINGS = ("seed", "arm", "length")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Pair:
    """Seconds of each round.

    Attributes:
        first_s, second_s: durations in the order they were measured.
    """

    first_s: tuple[float, ...]
    second_s: tuple[float, ...]

    @property
    def medians_s(self) -> tuple[float, float]:
        return statistics.median(self.first_s), statistics.median(self.second_s)

    @property
    def ratio(self) -> float:
        """Median of second over median of first."""
        first, second = self.medians_s
        return second / first


def side_by_side(
    first: Callable[[], object], second: Callable[[], object], *, rounds: int = 11, warm_up: int = 2
) -> Pair:
    """Time two functions in turns; each must have finished its work when it returns."""
    durations: tuple[list[float], list[float]] = ([], [])
    for round_number in range(warm_up + rounds):
        for function, measured in zip((first, second), durations, strict=True):
            begin = time.perf_counter()
            function()
            if round_number >= warm_up:
                measured.append(time.perf_counter() - begin)
    return Pair(first_s=tuple(durations[0]), second_s=tuple(durations[1]))


def scores_arguments(name: str, description: str | None, models: Sequence[str]) -> argparse.ArgumentParser:
    """What every benchmark of scores can be told."""
    parser = argparse.ArgumentParser(prog=f"python -m bench.{name}", description=description)
    if models:
        parser.add_argument("--model", nargs="+", choices=models, default=list(models))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--book-epochs", type=int, help="of the book's arm at most; as published if left out")
    parser.add_argument("--results", type=Path, default=RESULTS / f"{name}.json", help="file of the results")
    parser.add_argument("--anew", action="store_true", help="forget what the file holds of these settings")
    return parser


def train_side_by_side(
    rows: Rows,
    key: Mapping[str, Any],
    *,
    book: Callable[[], ScoredEpochs],
    openbook: Callable[[float], Mapping[str, Any]],
    lengths: Sequence[float],
    patience: int,
) -> None:
    """Train both arms with one seed; what the rows hold already is not trained again.

    The book's arm ends with its last epoch, or when its score has not risen for `patience` epochs. Then openbook
    trains for each length, from the start, until it is as good as the book's best epoch.

    Args:
        key: settings and the seed, which name the rows.
        openbook: trains for so many epochs; gives "train_s" and "score".
    """
    key_book = {**key, "arm": "book"}
    published = rows.find(key_book)
    if published is None or not published["is_whole"]:
        epochs: list[dict[str, Any]] = []
        for number, train_s, score in book():
            epochs.append({"epoch": number, "train_s": round(train_s, 3), "score": score})
            rows.put(key_book, {"epochs": epochs, "is_whole": False})
            best_epoch = max(epochs, key=_score_of)["epoch"]
            if number - best_epoch >= patience:
                break
        published = rows.put(key_book, {"epochs": epochs, "is_whole": True})
    wanted = max(map(_score_of, published["epochs"]))
    for length in lengths:
        key_ours = {**key, "arm": "openbook", "length": length}
        found = rows.find(key_ours) or rows.put(key_ours, openbook(length))
        if found["score"] >= wanted:
            break


class Rows:
    """The rows of one benchmark's file, written as they come: a stopped benchmark goes on where it was.

    Rows of another machine are dropped: a ratio needs both arms on the same one.

    Args:
        summarise: what the file says of all rows; `summary` when None.
    """

    def __init__(
        self,
        path: Path,
        *,
        command: str,
        summarise: Callable[[Sequence[Mapping[str, Any]]], Any] | None = None,
    ) -> None:
        self._path, self._command, self._summarise = path, command, summarise or summary
        self._facts = facts()
        known = json.loads(path.read_text("utf-8")) if path.exists() else {}
        is_ours = known.get("machine") == self._facts["machine"]
        self._rows: list[dict[str, Any]] = known.get("rows", []) if is_ours else []

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self._rows)

    def find(self, key: Mapping[str, Any]) -> dict[str, Any] | None:
        """The row of these settings, where there is one."""
        return next((row for row in self._rows if row["key"] == key), None)

    def forget(self, some: Mapping[str, Any]) -> None:
        """Drop the rows whose settings have these among them."""
        self._rows = [row for row in self._rows if not some.items() <= row["key"].items()]

    def put(self, key: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
        """Keep a row in the place of an earlier one, write the file, and say it."""
        row = {
            "key": dict(key),
            **found,
            "date": time.strftime("%Y-%m-%d"),
            "load_average": round(os.getloadavg()[0], 2),
        }
        self._rows = [*(each for each in self._rows if each["key"] != key), row]
        content = {
            "command": self._command,
            **self._facts,
            "summary": self._summarise(self._rows),
            "rows": self._rows,
        }
        atomic_write(self._path, json.dumps(content, indent=1) + "\n")
        # The row of the book's arm is written after each epoch, and once more when it is whole.
        if not found.get("is_whole"):
            last = found["epochs"][-1] if "epochs" in found else found
            print(json.dumps({**key, **last}), flush=True)
        return row


def summary(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """For each setting, the seconds to the score of each of the book's epochs and of its best; over the seeds."""
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        if "seed" in row["key"]:
            settings = {name: value for name, value in row["key"].items() if name not in _NOT_SETTINGS}
            groups.setdefault(json.dumps(settings), []).append(row)
    return [{**json.loads(settings), **_of_setting(group)} for settings, group in groups.items()]


def _of_setting(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    pairs = []
    for row in rows:
        if row["key"]["arm"] == "book" and row["is_whole"]:
            ours = [
                each
                for each in rows
                if each["key"]["arm"] == "openbook" and each["key"]["seed"] == row["key"]["seed"]
            ]
            if ours:
                pairs.append((row["epochs"], sorted(ours, key=lambda each: float(each["key"]["length"]))))
    if not pairs:
        return {"seeds": 0}
    best = [(max(epochs, key=_score_of), ours) for epochs, ours in pairs]
    by_epoch = []
    for index in range(max(len(epochs) for epochs, _ in pairs)):
        # After a seed's last epoch there is nothing of it to compare.
        there = [(epochs[index], ours) for epochs, ours in pairs if index < len(epochs)]
        by_epoch.append({"epoch": index + 1, **_reached(there)})
    return {"best": _reached(best), "by_epoch": by_epoch}


def _reached(pairs: Sequence[tuple[Mapping[str, Any], Sequence[Mapping[str, Any]]]]) -> dict[str, Any]:
    """Where the book's epochs (one of each seed) stand beside openbook's shortest run that is as good."""
    found = []
    for epoch, ours in pairs:
        as_good = [each for each in ours if each["score"] >= epoch["score"]]
        if as_good:
            found.append((epoch, as_good[0]))
    result: dict[str, Any] = {
        "seeds": len(pairs),
        "reached": len(found),
        "book_score": statistics.mean(_score_of(epoch) for epoch, _ in pairs),
        "book_s": statistics.median(epoch["train_s"] for epoch, _ in pairs),
        "book_epochs": statistics.median(epoch["epoch"] for epoch, _ in pairs),
    }
    if found:
        result |= {
            "openbook_score": statistics.mean(ours["score"] for _, ours in found),
            "openbook_s": statistics.median(ours["train_s"] for _, ours in found),
            "openbook_epochs": statistics.median(ours["key"]["length"] for _, ours in found),
            "ratio_epochs": statistics.median(
                epoch["epoch"] / ours["key"]["length"] for epoch, ours in found
            ),
            "ratio_s": statistics.median(epoch["train_s"] / ours["train_s"] for epoch, ours in found),
        }
    return result


def _score_of(epoch: Mapping[str, Any]) -> float:
    return float(epoch["score"])


def facts() -> dict[str, Any]:
    """The machine and the versions."""
    from openbook.runs.machine import describe_machine, package_versions

    return {"machine": describe_machine(), "versions": package_versions()}
