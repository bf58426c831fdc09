"""How far a model's numbers are off: in words, and as picture files."""

# N = examples

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from openbook.lenses.lens import Lens, made_by_recipe, needs_no_model

__all__ = ["LENS", "Residuals", "draw_residuals", "label_axes", "num_decimals"]

_NUM_WORST = 8
_MAX_POINTS = 5000
# Okabe and Ito (2008): told apart with every common kind of colour blindness.
_BLUE, _ORANGE = "#0072B2", "#D55E00"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Residuals:
    """Numbers a model said beside the observed ones, all in the target's unit.

    Attributes:
        guess: what one would say without a model: the median of the training targets.
        descriptions: of the examples at `worst`, in a few words.
    """

    predicted_N: np.ndarray
    observed_N: np.ndarray
    target: str
    unit: str
    guess: float
    descriptions: tuple[str, ...] = ()

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

    def text(self) -> str:
        """The mean error and the largest ones, in lines."""
        digits, unit = self._digits, f" {self.unit}" if self.unit else ""
        guess = float(np.abs(self.observed_N - self.guess).mean())
        lines = [
            f"off by {self.mae:.{digits + 1}f}{unit} on average on {len(self.observed_N):,} held-out rows; "
            f"always saying {self.guess:.{digits}f} would be off by {guess:.{digits + 1}f}",
            "the largest errors:",
        ]
        for number, position in enumerate(self.worst):
            predicted, observed = self.predicted_N[position], self.observed_N[position]
            description = f": {self.descriptions[number]}" if number < len(self.descriptions) else ""
            lines.append(f"  said {predicted:.{digits}f}, was {observed:.{digits}f}{description}")
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """The numbers as plain lists."""
        return {
            "target": self.target,
            "unit": self.unit,
            "mae": self.mae,
            "guess": self.guess,
            "worst": [
                {
                    "said": float(self.predicted_N[position]),
                    "was": float(self.observed_N[position]),
                    **({"row": self.descriptions[number]} if number < len(self.descriptions) else {}),
                }
                for number, position in enumerate(self.worst)
            ],
            "said": self.predicted_N.tolist(),
            "was": self.observed_N.tolist(),
        }

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
    label_axes(left, f"observed {residuals.target}{unit}", f"said by the model{unit}")
    left.set_title(f"off by {residuals.mae:.3g}{unit} on average", loc="left", fontsize=12)
    left.legend(frameon=False)
    # Wider than the errors, which may all be the same.
    margin = 1e-6 * float(np.abs(residuals.observed_N).max() + 1.0)
    span = (float(residuals.errors.min()) - margin, float(residuals.errors.max()) + margin)
    right.hist(residuals.errors, bins=min(40, max(5, len(residuals.errors) // 4)), range=span, color=_BLUE)
    right.axvline(0.0, color="#555555", linewidth=1.2)
    label_axes(right, f"said − observed{unit}", "held-out rows")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)


def label_axes(axes: object, x_label: str, y_label: str) -> None:
    """Names of the axes, without mathematics: a column's name may hold a "$"."""
    for text in (axes.set_xlabel(x_label), axes.set_ylabel(y_label)):  # type: ignore[attr-defined]
        text.set_parse_math(False)
    axes.grid(alpha=0.25)  # type: ignore[attr-defined]
    axes.spines[["top", "right"]].set_visible(False)  # type: ignore[attr-defined]


LENS = Lens(
    name="residuals",
    title="Residuals",
    says="what a model said of held-out rows over what was observed, and its largest errors",
    source="the run's own held-out examples",
    takes=frozenset({"finding"}),
    fits=needs_no_model,
    read=made_by_recipe,
    draw=draw_residuals,
)
