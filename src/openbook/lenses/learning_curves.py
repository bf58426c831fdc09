"""How one or several runs learned: their loss while training and their held-out scores."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openbook.errors import UsageError
from openbook.lenses.lens import Lens, needs_no_model
from openbook.runs.compare import Comparison, compare_runs
from openbook.runs.curve_picture import draw_curves
from openbook.runs.curves import Curve, held_out_curve, held_out_names, training_curve
from openbook.runs.readable import SCORES, score_label
from openbook.runs.summary import summarize

if TYPE_CHECKING:
    from openbook.runs import Run

__all__ = ["LENS", "LearningCurves", "draw_learning_curves", "learning_curves"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class LearningCurves:
    """The curves of runs.

    Attributes:
        training: the loss of each run by its label.
        held_out: of each run, each score by its name.
        comparison: the runs side by side; it has their labels.
    """

    training: Mapping[str, Curve]
    held_out: Mapping[str, Mapping[str, Curve]]
    comparison: Comparison

    def text(self) -> str:
        """Where each curve begins, where it ends, and where it was best, in lines."""
        lines = []
        for label, curve in self.training.items():
            lines.append(f"{label}: {int(curve.steps[-1]) if len(curve) else 0:,} steps")
            lines += _curve_lines("training loss", curve, is_higher_better=False)
            for name, held_out in self.held_out[label].items():
                is_higher_better = name in SCORES and SCORES[name].higher_is_better
                title = f"held-out {score_label(name)}"
                lines += _curve_lines(title, held_out, is_higher_better=is_higher_better)
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """The curves as plain lists."""
        return {
            "runs": {
                label: {
                    "training": {"loss": _plain(curve)},
                    "held_out": {name: _plain(each) for name, each in self.held_out[label].items()},
                }
                for label, curve in self.training.items()
            }
        }


def learning_curves(runs: Sequence[Run]) -> LearningCurves:
    """The curves of one run, or of several different ones.

    Raises:
        UsageError: there is no run, or one is given twice.
        RunError: the metrics of a run are damaged.
    """
    if not runs:
        raise UsageError("learning curves are of runs; give the name of one. `openbook runs` lists them")
    comparison = compare_runs(runs) if len(runs) > 1 else _alone(runs[0])
    rows = {label: run.metrics() for label, run in zip(comparison.labels, runs, strict=True)}
    return LearningCurves(
        training={label: training_curve(each) for label, each in rows.items()},
        held_out={
            label: {name: held_out_curve(each, name) for name in held_out_names(each)}
            for label, each in rows.items()
        },
        comparison=comparison,
    )


def draw_learning_curves(found: LearningCurves, path: Path) -> None:
    """A picture file: losses over the steps, and the held-out score over time, as `openbook compare` draws."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draw_curves(found.comparison, path)


def _alone(run: Run) -> Comparison:
    return Comparison(
        runs=(run,),
        labels=(run.name,),
        summaries=(summarize(run),),
        settings={},
        scores={},
        best={},
        warnings=(),
    )


def _curve_lines(title: str, curve: Curve, *, is_higher_better: bool) -> list[str]:
    if not len(curve):
        return []
    best = (max if is_higher_better else min)(range(len(curve)), key=lambda place: curve.values[place])
    return [
        f"  {title}: {curve.values[0]:.4g} at step {int(curve.steps[0]):,}, {curve.values[-1]:.4g} at the end; "
        f"best {curve.values[best]:.4g} at step {int(curve.steps[best]):,}"
    ]


def _plain(curve: Curve) -> dict[str, list[float]]:
    return {"steps": list(curve.steps), "values": list(curve.values)}


LENS = Lens(
    name="learning-curves",
    title="Learning curves",
    says="how the loss and the held-out scores of runs went while they trained",
    source="the run's own metrics",
    takes=frozenset({"runs"}),
    fits=needs_no_model,
    read=lambda question: learning_curves(question.runs),
    draw=draw_learning_curves,
)
