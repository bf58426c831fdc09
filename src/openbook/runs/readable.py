"""Numbers of a run in the words a person reads: times, sizes, scores and small curves."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeGuard

__all__ = [
    "SCORES",
    "Score",
    "bin_means",
    "headline_score",
    "plain_text",
    "readable_duration",
    "readable_score",
    "readable_size",
    "readable_value",
    "score_label",
    "score_text",
    "scores_text",
    "sparkline",
]

_BARS = "▁▂▃▄▅▆▇█"
# For terminals that can show nothing but ASCII.
_ASCII_BARS = "_.-=+*%#"


@dataclass(frozen=True, kw_only=True)
class Score:
    """How one kind of score is named and read."""

    label: str
    higher_is_better: bool
    is_share: bool = False


# The first of these that a run has is its headline. Bits per byte compare across tokenizers, the others do
# not.
SCORES: Mapping[str, Score] = {
    "bits_per_byte": Score(label="bits per byte", higher_is_better=False),
    "iou": Score(label="mean IoU", higher_is_better=True, is_share=True),
    "accuracy": Score(label="accuracy", higher_is_better=True, is_share=True),
    "mae": Score(label="mean absolute error", higher_is_better=False),
    "rmse": Score(label="root mean squared error", higher_is_better=False),
    "f1": Score(label="F1", higher_is_better=True, is_share=True),
    "perplexity": Score(label="perplexity", higher_is_better=False),
    "loss": Score(label="loss", higher_is_better=False),
}


def headline_score(score: Mapping[str, object]) -> tuple[str, float] | None:
    """The one score that stands for the run, as (name, value); None when there is none."""
    numbers = {name: float(value) for name, value in score.items() if _is_finite_number(value)}
    ranked = [name for name in SCORES if name in numbers] or list(numbers)
    return (ranked[0], numbers[ranked[0]]) if ranked else None


def readable_score(name: str, value: object) -> str:
    """A score without its name: 0.412 as "41.2 %" where it is a share, a count whole, else four digits."""
    if not _is_finite_number(value):
        return "–"
    if isinstance(value, int) and name not in SCORES:
        return f"{value:,}"
    known = SCORES.get(name)
    # "#" keeps closing zeros, so that 1.880 stands beside 1.919.
    return f"{100 * float(value):.1f} %" if known and known.is_share else f"{float(value):#.4g}".rstrip(".")


def score_text(score: Mapping[str, object]) -> str:
    """The headline score with its name, such as "1.845 bits per byte"; a dash when there is none."""
    found = headline_score(score)
    if found is None:
        return "–"
    name, value = found
    return f"{readable_score(name, value)} {score_label(name)}"


def scores_text(score: Mapping[str, object]) -> str:
    """All scores of a known kind in one line: "2.042 bits per byte, loss 4.543, …"."""
    headline = headline_score(score)
    shown = [score_text(score)] if headline else []
    others = [name for name in SCORES if name in score and headline and name != headline[0]]
    return ", ".join(
        [*shown, *(f"{score_label(name)} {readable_score(name, score[name])}" for name in others)]
    )


def score_label(name: str) -> str:
    """How a score is called in text."""
    return SCORES[name].label if name in SCORES else plain_text(name).replace("_", " ")


def readable_duration(seconds: object) -> str:
    """0.42 s, 12.3 s, 1 min 30 s, 2 h 05 min; a dash when it is not known."""
    if not _is_finite_number(seconds) or float(seconds) < 0:
        return "–"
    duration_s = float(seconds)
    if duration_s < 59.95:
        return f"{duration_s:.2f} s" if duration_s < 1 else f"{duration_s:.1f} s"
    whole_s = round(duration_s)
    if whole_s < 3600:
        return f"{whole_s // 60} min {whole_s % 60:02d} s"
    return f"{whole_s // 3600} h {whole_s % 3600 // 60:02d} min"


def readable_size(size_bytes: int) -> str:
    """512 B, 13.1 MB, 1.4 GB; in thousands, as disks are sold."""
    size = float(size_bytes)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 999.5:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def readable_value(value: object) -> str:
    """A setting's value in one line."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{plain_text(str(key))}={readable_value(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(readable_value(item) for item in value)
    return plain_text(str(value)).replace("\n", " ")


def plain_text(text: str) -> str:
    """The text without control characters: what stands in a run must not steer the reader's terminal."""
    return "".join(sign if sign == "\n" or sign.isprintable() else "·" for sign in text.replace("\t", "    "))


def bin_means(values: Sequence[float | None], num_bins: int) -> list[float]:
    """The means of at most `num_bins` neighbouring groups of equal size; None and NaN are left out."""
    num_bins = min(num_bins, len(values))
    means = []
    for index in range(num_bins):
        group = values[index * len(values) // num_bins : (index + 1) * len(values) // num_bins]
        finite = [value for value in group if value is not None and math.isfinite(value)]
        if finite:
            means.append(math.fsum(finite) / len(finite))
    return means


def sparkline(values: Sequence[float | None], *, width: int = 40, ascii_only: bool = False) -> str:
    """The values as one line of bars, the lowest and the highest in full; empty when there are none."""
    means = bin_means(values, width)
    if not means:
        return ""
    bars = _ASCII_BARS if ascii_only else _BARS
    low, high = min(means), max(means)
    if high == low:
        return bars[len(bars) // 2] * len(means)
    # Dividing before subtracting keeps the difference of two huge numbers finite.
    return "".join(
        bars[round((value / 2 - low / 2) / (high / 2 - low / 2) * (len(bars) - 1))] for value in means
    )


def _is_finite_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
