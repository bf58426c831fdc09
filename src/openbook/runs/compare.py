"""Compares runs: the settings that differ, the scores, and which is best where that can be said."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from openbook.errors import UsageError
from openbook.runs.names import shown_path
from openbook.runs.readable import SCORES
from openbook.runs.run import Run
from openbook.runs.summary import RunSummary, summarize

__all__ = ["Comparison", "compare_runs"]

# Counted per token, so only comparable between runs that cut the text into the same tokens.
_PER_TOKEN = ("loss", "perplexity", "accuracy")


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Several runs side by side; every tuple has one entry per run, in their order.

    Attributes:
        labels: a short name for each run, all different.
        summaries: the facts of each run.
        settings: the settings, and the seed, that differ; None where a run has no such setting.
        scores: all scores that some run has.
        best: for each score that can be compared, the label of the best run; only where one is best.
        warnings: what the reader must know before comparing.
    """

    runs: tuple[Run, ...]
    labels: tuple[str, ...]
    summaries: tuple[RunSummary, ...]
    settings: dict[str, tuple[Any, ...]]
    scores: dict[str, tuple[float | None, ...]]
    best: dict[str, str]
    warnings: tuple[str, ...]

    def to_dict(self) -> dict[str, object]:
        """The comparison as `openbook compare --json` prints it."""
        return {
            "runs": [
                {"label": label, **summary.to_dict()}
                for label, summary in zip(self.labels, self.summaries, strict=True)
            ],
            "differing_settings": self._by_label(self.settings),
            "scores": self._by_label(self.scores),
            "best": self.best,
            "warnings": list(self.warnings),
        }

    def _by_label(self, table: dict[str, tuple[Any, ...]]) -> dict[str, dict[str, Any]]:
        return {name: dict(zip(self.labels, values, strict=True)) for name, values in table.items()}


def compare_runs(runs: Sequence[Run]) -> Comparison:
    """Compares two or more different runs.

    Raises:
        UsageError: there are fewer than two, or one is given twice.
    """
    _check(runs)
    labels = _labels(runs)
    settings = _differing_settings(runs)
    scores = _scores(runs)
    incomparable, warnings = _incomparable(runs, settings=settings, scores=scores)
    best = {
        name: label
        for name, values in scores.items()
        if name not in incomparable and (label := _best_label(name, values, labels)) is not None
    }
    return Comparison(
        runs=tuple(runs),
        labels=labels,
        summaries=tuple(summarize(run) for run in runs),
        settings=settings,
        scores=scores,
        best=best,
        warnings=warnings,
    )


def _check(runs: Sequence[Run]) -> None:
    if len(runs) < 2:
        raise UsageError(
            f"expected two or more runs to compare, got {len(runs)}. `openbook runs` lists the runs there are"
        )
    resolved = [run.path.resolve() for run in runs]
    twice = [run.name for index, run in enumerate(runs) if resolved[index] in resolved[:index]]
    if twice:
        raise UsageError(f"expected different runs to compare, got {twice[0]} twice. Leave one of them out")


def _labels(runs: Sequence[Run]) -> tuple[str, ...]:
    names = [run.name for run in runs]
    if len(set(names)) == len(names):
        return tuple(names)
    # Runs of the same name in different folders, such as a copy from another machine.
    return tuple(shown_path(run.path) for run in runs)


def _differing_settings(runs: Sequence[Run]) -> dict[str, tuple[Any, ...]]:
    all_settings = [{"seed": run.record.get("seed"), **run.section("settings")} for run in runs]
    names = dict.fromkeys(name for settings in all_settings for name in settings)
    table = {name: tuple(settings.get(name) for settings in all_settings) for name in names}
    return {
        name: values for name, values in table.items() if any(not _same(values[0], value) for value in values)
    }


def _same(left: object, right: object) -> bool:
    # True and 1 are equal in Python but not the same setting.
    return left == right and isinstance(left, bool) == isinstance(right, bool)


def _scores(runs: Sequence[Run]) -> dict[str, tuple[float | None, ...]]:
    names = dict.fromkeys(name for run in runs for name in run.section("score"))
    ranked = sorted(names, key=lambda name: list(SCORES).index(name) if name in SCORES else len(SCORES))
    return {name: tuple(_number(run.section("score").get(name)) for run in runs) for name in ranked}


def _number(value: object) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _incomparable(
    runs: Sequence[Run], *, settings: dict[str, tuple[Any, ...]], scores: dict[str, tuple[float | None, ...]]
) -> tuple[set[str], tuple[str, ...]]:
    if len({run.recipe for run in runs}) > 1:
        return set(scores), (
            "these runs are of different recipes: their scores do not measure the same thing",
        )
    fingerprints = {run.section("data").get("fingerprint") for run in runs} - {None}
    if len(fingerprints) > 1:
        return set(scores), ("these runs were scored on different data: no score says which is better",)
    has_other_tokens = any("vocabulary" in name or "token" in name for name in settings)
    if "bits_per_byte" in scores and has_other_tokens:
        names = ", ".join(name for name in scores if name in _PER_TOKEN)
        return set(_PER_TOKEN), (
            f"the tokenizers differ, and {names} count tokens: only bits per byte says which is better",
        )
    return set(), ()


def _best_label(name: str, values: tuple[float | None, ...], labels: tuple[str, ...]) -> str | None:
    known = {label: value for label, value in zip(labels, values, strict=True) if value is not None}
    if name not in SCORES or len(known) < 2:
        return None
    best = (max if SCORES[name].higher_is_better else min)(known.values())
    winners = [label for label, value in known.items() if value == best]
    return winners[0] if len(winners) == 1 else None
