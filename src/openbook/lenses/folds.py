"""K-fold: how far K models are off, each on the rows that it never saw, and how much they differ."""

# K = folds

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from openbook.lenses.lens import Lens, made_by_recipe, needs_no_model
from openbook.lenses.residuals import label_axes, num_decimals

__all__ = ["LENS", "FoldErrors", "draw_folds"]


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

    def to_dict(self) -> dict[str, Any]:
        """The numbers as plain lists."""
        return {
            "unit": self.unit,
            "mae": self.mae,
            "spread": self.spread,
            "rmse": self.rmse,
            "folds": [
                {"fold": number, "rows": len(errors), "mae": mae}
                for number, (errors, mae) in enumerate(zip(self.errors, self.maes, strict=True), start=1)
            ],
        }


def draw_folds(folds: FoldErrors, path: Path) -> None:
    """A picture file: the mean absolute error of each fold, and their mean."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 4.2), layout="constrained")
    axes = figure.subplots()
    numbers = range(1, len(folds.errors) + 1)
    bars = axes.bar(numbers, folds.maes, color="#0072B2", width=0.6)
    axes.bar_label(bars, fmt="%.3g", padding=2)
    axes.axhline(
        folds.mae, color="#D55E00", linewidth=1.5, linestyle=(0, (6, 2)), label=f"mean {folds.mae:.3g}"
    )
    axes.axhspan(
        folds.mae - folds.spread, folds.mae + folds.spread, color="#D55E00", alpha=0.15, label="spread"
    )
    unit = f" ({folds.unit})" if folds.unit else ""
    label_axes(axes, "fold", f"mean absolute error{unit}")
    axes.set_xticks(list(numbers))
    axes.legend(loc="lower right", framealpha=0.9)
    axes.margins(y=0.12)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)


LENS = Lens(
    name="folds",
    title="K-fold",
    says="how far models are off that were trained on other parts of a small table, and how much that differs",
    source="Chollet (2021), section 4.3.4",
    takes=frozenset({"finding"}),
    fits=needs_no_model,
    read=made_by_recipe,
    draw=draw_folds,
)
