"""Which columns of a table a model's answers rest on: how much worse they get when a column is shuffled."""

# N = rows, F = features, G = columns or groups of features, R = repeats

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from openbook.errors import UsageError
from openbook.lenses.layer_taps import leaf_layers, run_tapped, weights_of
from openbook.lenses.lens import Lens, Question
from openbook.lenses.panels import save

__all__ = ["LENS", "PermutedColumns", "draw_permuted_columns", "permuted_columns", "predictions_of"]

_NUM_REPEATS = 5
_MAX_DRAWN = 25
_NUM_SAID = 12
_ROWS_AT_ONCE = 4096


@dataclasses.dataclass(frozen=True, kw_only=True)
class PermutedColumns:
    """What shuffling each column does to a score of which the lower is the better.

    Attributes:
        names: of the columns, or groups of features.
        increases_GR: score with the column shuffled minus `score`, for each shuffle.
        score: of the rows as they are.
    """

    names: tuple[str, ...]
    increases_GR: np.ndarray
    score: float
    score_name: str
    num_rows: int

    @property
    def increases(self) -> np.ndarray:
        """Mean over the shuffles."""
        return np.asarray(self.increases_GR.mean(axis=1))

    @property
    def order(self) -> np.ndarray:
        """The columns, the one that matters most first."""
        return np.argsort(-self.increases, kind="stable")

    def text(self) -> str:
        """The columns that matter most, in lines."""
        means_G, spreads_G = self.increases, self.increases_GR.std(axis=1)
        order = self.order[:_NUM_SAID]
        width = max(len(self.names[index]) for index in order)
        lines = [
            f"{self.score_name} of {self.num_rows:,} rows: {self.score:.4g}; by so much it rises when a column is "
            f"shuffled ({self.increases_GR.shape[1]} times):"
        ]
        lines += [
            f"  {self.names[index]:<{width}} {means_G[index]:+.4g} ± {spreads_G[index]:.2g}"
            for index in order
        ]
        if len(self.names) > len(order):
            lines.append(f"  and {len(self.names) - len(order)} more columns")
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """The numbers as plain lists, the column that matters most first."""
        spreads_G = self.increases_GR.std(axis=1)
        return {
            "score": self.score,
            "score_name": self.score_name,
            "num_rows": self.num_rows,
            "columns": [
                {
                    "name": self.names[index],
                    "increase": float(self.increases[index]),
                    "spread": float(spreads_G[index]),
                }
                for index in self.order
            ],
        }


def permuted_columns(
    predict: Callable[[np.ndarray], np.ndarray],
    inputs_NF: np.ndarray,
    targets_N: np.ndarray,
    score: Callable[[np.ndarray, np.ndarray], float],
    *,
    groups: Mapping[str, Sequence[int]] | None = None,
    score_name: str = "score",
    num_repeats: int = _NUM_REPEATS,
    seed: int = 0,
) -> PermutedColumns:
    """How much a score rises when the values of a column are dealt to other rows.

    That cuts its tie to the target. Two columns that tell the same stand in for each other, so that each alone may
    seem not to matter.

    Args:
        predict: from rows to outputs, such as `predictions_of(model)`.
        score: from outputs and targets; the lower the better.
        groups: features that are shuffled together, such as those of one category; each alone when None.
    Raises:
        UsageError: there are fewer than two rows.
    Source: Breiman (2001), "Random forests", section 10; for any model Fisher, Rudin and Dominici (2019).
    """
    if len(inputs_NF) < 2:
        raise UsageError(f"a column can be shuffled among two rows or more, and there are {len(inputs_NF)}")
    if groups is None:
        groups = {f"column {index}": [index] for index in range(inputs_NF.shape[1])}
    rng = np.random.default_rng(seed)
    whole = float(score(predict(inputs_NF), targets_N))
    increases_GR = np.zeros((len(groups), num_repeats))
    for repeat in range(num_repeats):
        # The same order for all columns of a repeat, so that they differ in nothing else.
        order_N = rng.permutation(len(inputs_NF))
        for place, features in enumerate(groups.values()):
            changed_NF = inputs_NF.copy()
            changed_NF[:, list(features)] = inputs_NF[order_N][:, list(features)]
            increases_GR[place, repeat] = float(score(predict(changed_NF), targets_N)) - whole
    return PermutedColumns(
        names=tuple(groups),
        increases_GR=increases_GR,
        score=whole,
        score_name=score_name,
        num_rows=len(inputs_NF),
    )


def predictions_of(model: Any) -> Callable[[np.ndarray], np.ndarray]:
    """A model of rows as a compiled function from (N, F) to its outputs."""
    import jax

    call = jax.jit(lambda weights, rows_NF: run_tapped(model, weights, rows_NF)[0])
    weights = weights_of(model)

    def predict(rows_NF: np.ndarray) -> np.ndarray:
        parts = [
            np.asarray(call(weights, rows_NF[start : start + _ROWS_AT_ONCE]))
            for start in range(0, len(rows_NF), _ROWS_AT_ONCE)
        ]
        return np.concatenate(parts)

    return predict


def draw_permuted_columns(found: PermutedColumns, path: Path) -> None:
    """A picture file: a bar for each column with a dot for each shuffle, the one that matters most on top."""
    from matplotlib.figure import Figure

    order = found.order[:_MAX_DRAWN]
    figure = Figure(figsize=(7.5, 1.5 + 0.27 * len(order)), layout="constrained")
    axes = figure.subplots()
    places = np.arange(len(order))
    axes.barh(places, found.increases[order], color="#56B4E9")
    for repeats in found.increases_GR[order].T:
        axes.plot(repeats, places, linestyle="", marker="o", markersize=3, color="#000000", alpha=0.5)
    axes.set_yticks(places, [found.names[index].replace("$", r"\$") for index in order])
    axes.invert_yaxis()
    axes.axvline(0.0, color="black", linewidth=0.8)
    label = axes.set_xlabel("")
    label.set_parse_math(False)
    label.set_text(f"rise of the {found.score_name} when the column is shuffled")
    axes.set_title(f"{found.score:.4g} with all columns as they are", loc="left", fontsize=11)
    axes.grid(axis="x", alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    save(figure, path)


def _why_not(model: Any) -> str | None:
    import keras

    tensors: Sequence[Any] = getattr(model, "inputs", None) or ()
    if len(tensors) != 1 or len(tensors[0].shape) != 2:
        return "it takes no single table (rows, columns)"
    is_float = str(tensors[0].dtype).startswith(("float", "bfloat"))
    if not is_float or any(isinstance(each, keras.layers.Embedding) for each in leaf_layers(model).values()):
        return "it takes words or tokens, and no columns of a table"
    return None


def _read(question: Question) -> PermutedColumns:
    reason = _why_not(question.model)
    if reason is not None:
        raise UsageError(reason)
    if question.examples is None:
        raise UsageError(
            "this lens needs rows with their targets: a run of a recipe for tables, or for a .keras file an .npz "
            "file with the arrays inputs and targets"
        )
    examples = question.examples()
    return permuted_columns(
        predictions_of(question.model),
        examples.inputs_NF,
        examples.targets_N,
        examples.score,
        groups=examples.groups,
        score_name=examples.score_name,
        seed=question.seed,
    )


LENS = Lens(
    name="permuted-columns",
    title="Permutation importance",
    says="which columns of a table a model's answers rest on",
    source="Breiman (2001); Fisher, Rudin and Dominici (2019)",
    takes=frozenset({"examples", "seed"}),
    fits=_why_not,
    read=_read,
    draw=draw_permuted_columns,
)
