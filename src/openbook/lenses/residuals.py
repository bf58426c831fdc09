"""How far a model's numbers are off: in words, and as picture files."""

# N = examples, K = folds

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np

_NUM_WORST = 8
_MAX_POINTS = 5000
# Okabe and Ito (2008): told apart with every common kind of colour blindness.
_BLUE, _ORANGE = "#0072B2", "#D55E00"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Residuals:
    """Numbers a model said beside the observed ones, all in the target's unit.

    Attributes:
        guess: what one would say without a model: the median of the training targets.
    """

    predicted_N: np.ndarray
    observed_N: np.ndarray
    target: str
    unit: str
    guess: float

    @property
    def errors(self) -> np.ndarray:
        """Said − observed."""
        return np.asarray(self.predicted_N - self.observed_N)

    @property
    def mae(self) -> float:
        return float(np.abs(self.errors).mean())

    @property
    def worst(self) -> np.ndarray:
        """Positions of the largest errors, the largest first."""
        return np.argsort(-np.abs(self.errors), kind="stable")[:_NUM_WORST]

    def text(self, descriptions: Sequence[str]) -> str:
        """The mean error and the largest ones, in lines.

        Args:
            descriptions: of the examples at `worst`.
        """
        digits, unit = self._digits, f" {self.unit}" if self.unit else ""
        guess = float(np.abs(self.observed_N - self.guess).mean())
        lines = [
            f"off by {self.mae:.{digits + 1}f}{unit} on average on {len(self.observed_N):,} held-out rows; "
            f"always saying {self.guess:.{digits}f} would be off by {guess:.{digits + 1}f}",
            "the largest errors:",
        ]
        for position, description in zip(self.worst, descriptions, strict=True):
            predicted, observed = self.predicted_N[position], self.observed_N[position]
            lines.append(f"  said {predicted:.{digits}f}, was {observed:.{digits}f}: {description}")
        return "\n".join(lines)

    @property
    def _digits(self) -> int:
        return num_decimals(float(self.observed_N.std()))


def num_decimals(spread: float) -> int:
    """Decimals with which numbers of such a spread are told apart."""
    return int(np.clip(np.ceil(1.3 - np.log10(spread)), 0, 12)) if spread > 0 else 2


def draw_residuals(residuals: Residuals, path: Path) -> None:
    """A picture file: what was said over what was observed, and how the errors are spread."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 5), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(3, 2))
    unit = f" ({residuals.unit})" if residuals.unit else ""
    # Of very many points a picture shows no more than of some thousand.
    every = -(-len(residuals.observed_N) // _MAX_POINTS)
    observed, predicted = residuals.observed_N[::every], residuals.predicted_N[::every]
    low, high = (
        float(pick((observed.min(), predicted.min(), observed.max(), predicted.max()))) for pick in (min, max)
    )
    left.plot([low, high], [low, high], color="#555555", linewidth=1.2, label="no error")
    left.scatter(observed, predicted, s=18, alpha=0.6, color=_BLUE, edgecolors="white", linewidths=0.4)
    worst = residuals.worst
    left.scatter(
        residuals.observed_N[worst],
        residuals.predicted_N[worst],
        s=46,
        marker="s",
        facecolors="none",
        edgecolors=_ORANGE,
        label="largest errors",
    )
    _label(left, f"observed {residuals.target}{unit}", f"said by the model{unit}")
    left.set_title(f"off by {residuals.mae:.3g}{unit} on average", loc="left", fontsize=12)
    left.legend(frameon=False)
    # Wider than the errors, which may all be the same.
    margin = 1e-6 * float(np.abs(residuals.observed_N).max() + 1.0)
    span = (float(residuals.errors.min()) - margin, float(residuals.errors.max()) + margin)
    right.hist(residuals.errors, bins=min(40, max(5, len(residuals.errors) // 4)), range=span, color=_BLUE)
    right.axvline(0.0, color="#555555", linewidth=1.2)
    _label(right, f"said − observed{unit}", "held-out rows")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)


@dataclasses.dataclass(frozen=True, kw_only=True)
class FoldErrors:
    """Errors of K models, each on the rows that it never saw.

    Attributes:
        errors: said − observed of each fold's rows, in the target's unit.
    """

    errors: Sequence[np.ndarray]
    unit: str

    @property
    def maes(self) -> list[float]:
        return [float(np.abs(each).mean()) for each in self.errors]

    @property
    def mae(self) -> float:
        """Mean over the folds."""
        return float(np.mean(self.maes))

    @property
    def spread(self) -> float:
        """Standard deviation between the folds."""
        return float(np.std(self.maes))

    @property
    def rmse(self) -> float:
        return float(np.sqrt(np.mean(np.square(np.concatenate(self.errors)))))

    def text(self) -> str:
        """All folds in two lines."""
        digits = num_decimals(self.mae) + 1
        unit = f" {self.unit}" if self.unit else ""
        number = sum(map(len, self.errors))
        each = ", ".join(f"{mae:.{digits}f}" for mae in self.maes)
        return (
            f"{len(self.errors)}-fold: off by {self.mae:.{digits}f}{unit} on average on all {number:,} rows, each "
            f"predicted by a model that never saw it\n"
            f"  folds {each}; they differ by {self.spread:.{digits}f} (standard deviation)"
        )


def draw_folds(folds: FoldErrors, path: Path) -> None:
    """A picture file: the mean absolute error of each fold, and their mean."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 4.2), layout="constrained")
    axes = figure.subplots()
    numbers = range(1, len(folds.errors) + 1)
    bars = axes.bar(numbers, folds.maes, color=_BLUE, width=0.6)
    axes.bar_label(bars, fmt="%.3g", padding=2)
    axes.axhline(
        folds.mae, color=_ORANGE, linewidth=1.5, linestyle=(0, (6, 2)), label=f"mean {folds.mae:.3g}"
    )
    axes.axhspan(
        folds.mae - folds.spread, folds.mae + folds.spread, color=_ORANGE, alpha=0.15, label="spread"
    )
    unit = f" ({folds.unit})" if folds.unit else ""
    _label(axes, "fold", f"mean absolute error{unit}")
    axes.set_xticks(list(numbers))
    axes.legend(loc="lower right", framealpha=0.9)
    axes.margins(y=0.12)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)


def _label(axes: object, x_label: str, y_label: str) -> None:
    """Names of the axes, without mathematics: a column's name may hold a "$"."""
    for text in (axes.set_xlabel(x_label), axes.set_ylabel(y_label)):  # type: ignore[attr-defined]
        text.set_parse_math(False)
    axes.grid(alpha=0.25)  # type: ignore[attr-defined]
    axes.spines[["top", "right"]].set_visible(False)  # type: ignore[attr-defined]
