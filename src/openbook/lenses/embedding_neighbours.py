"""Which words or tokens a model holds for alike: the nearest rows of its embedding, and a map of them."""

# V = rows of the embedding, E = numbers of a row, N = rows that are shown

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from openbook.errors import UsageError
from openbook.lenses.layer_taps import check_layer, leaf_layers
from openbook.lenses.lens import Lens
from openbook.lenses.panels import save

__all__ = ["LENS", "EmbeddingNeighbours", "draw_neighbours", "embedding_layers", "embedding_neighbours"]

_NUM_NEIGHBOURS = 12
_MAX_NAME = 24


@dataclasses.dataclass(frozen=True, kw_only=True)
class EmbeddingNeighbours:
    """A row of an embedding, and the rows that point most nearly the same way.

    Attributes:
        rows_N: their numbers; the row that was asked for first, then its neighbours, the nearest first.
        names: of these rows.
        cosines_N: between each and the first.
        map_N2: their places in a plane.
        explained_2: share of the differences among them that each axis of the plane keeps.
    """

    layer: str
    num_rows: int
    rows_N: np.ndarray
    names: tuple[str, ...]
    cosines_N: np.ndarray
    map_N2: np.ndarray
    explained_2: np.ndarray

    def text(self) -> str:
        """The neighbours with their cosines, in lines."""
        width = max(len(name) for name in self.names)
        return "\n".join(
            [
                f"nearest to {self.names[0]} among the {self.num_rows:,} rows of {self.layer}, by cosine:",
                *(
                    f"  {name:<{width}} {cosine:+.3f}"
                    for name, cosine in zip(self.names[1:], self.cosines_N[1:], strict=True)
                ),
            ]
        )

    def to_dict(self) -> dict[str, Any]:
        """The numbers as plain lists."""
        return {
            "layer": self.layer,
            "num_rows": self.num_rows,
            "rows": self.rows_N.tolist(),
            "names": list(self.names),
            "cosines": self.cosines_N.tolist(),
            "map": self.map_N2.tolist(),
            "explained": self.explained_2.tolist(),
        }


def embedding_layers(model: Any) -> dict[str, Any]:
    """Layers that look rows up in a matrix, by path, the one with most rows first."""
    import keras

    found = {
        path: layer for path, layer in leaf_layers(model).items() if isinstance(layer, keras.layers.Embedding)
    }
    return dict(sorted(found.items(), key=lambda item: -item[1].input_dim))


def embedding_neighbours(
    model: Any,
    *,
    word: str | None = None,
    names: Sequence[str] | None = None,
    layer: str | None = None,
    num_neighbours: int = _NUM_NEIGHBOURS,
) -> EmbeddingNeighbours:
    """The rows of an embedding that are nearest to one of them, by the cosine of the angle between them.

    Rows of zeros have no direction and are left out.

    Args:
        word: a name, or the number of a row; the longest row, which training moved most, when None.
        names: of the rows of an embedding of as many rows.
        layer: path of an embedding; the one with most rows when None.
    Raises:
        UsageError: there is no such layer or word.
    Source: the cosine as Mikolov et al. (2013), "Efficient estimation of word representations in vector space",
        compare words; the plane by principal components (Pearson, 1901) of the rows that are shown.
    """
    reason = _why_not(model)
    if reason is not None:
        raise UsageError(reason)
    layers = embedding_layers(model)
    path = next(iter(layers)) if layer is None else check_layer(layer, layers, "that is an embedding")
    matrix_VE = np.asarray(layers[path].embeddings, np.float64)
    known = names if names is not None and len(names) == len(matrix_VE) else None
    lengths_V = np.linalg.norm(matrix_VE, axis=1)
    row = int(np.argmax(lengths_V)) if word is None else _row_of(word, known, len(matrix_VE))
    if not lengths_V[row]:
        raise UsageError(f"row {row} of {path} is all zeros, so nothing is near it. Choose another word")
    cosines_V = matrix_VE @ matrix_VE[row] / np.maximum(lengths_V * lengths_V[row], np.finfo(np.float64).tiny)
    # The row itself comes first whatever rounding says; rows of zeros come last.
    order_V = np.argsort(-np.where(lengths_V > 0.0, cosines_V, -2.0), kind="stable")
    nearest = order_V[(order_V != row) & (lengths_V[order_V] > 0.0)][:num_neighbours]
    rows_N = np.r_[row, nearest]
    map_N2, explained_2 = _plane(matrix_VE[rows_N])
    return EmbeddingNeighbours(
        layer=path,
        num_rows=len(matrix_VE),
        rows_N=rows_N,
        names=tuple(_shown(known[number]) if known is not None else f"row {number}" for number in rows_N),
        cosines_N=cosines_V[rows_N],
        map_N2=map_N2,
        explained_2=explained_2,
    )


def draw_neighbours(found: EmbeddingNeighbours, path: Path) -> None:
    """A picture file: the cosines as bars, and the rows on the plane of their principal components."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4.6), layout="constrained")
    bars, plane = figure.subplots(1, 2, width_ratios=(2, 3))
    places = np.arange(len(found.names) - 1)
    bars.barh(places, found.cosines_N[1:], color="#0072B2")
    bars.set_yticks(places, [name.replace("$", r"\$") for name in found.names[1:]])
    bars.invert_yaxis()
    bars.set_xlabel("cosine")
    bars.spines[["top", "right"]].set_visible(False)
    colours = ["#D55E00", *["#0072B2"] * (len(found.names) - 1)]
    plane.scatter(found.map_N2[:, 0], found.map_N2[:, 1], c=colours, s=28)
    for name, (x, y) in zip(found.names, found.map_N2, strict=True):
        plane.annotate(
            name,
            (x, y),
            xytext=(5, 4),
            textcoords="offset points",
            fontsize=8,
            parse_math=False,
        )
    plane.margins(0.15)
    plane.set_xlabel(f"first component, {found.explained_2[0]:.0%} of the differences")
    plane.set_ylabel(f"second, {found.explained_2[1]:.0%}")
    plane.grid(alpha=0.25)
    plane.spines[["top", "right"]].set_visible(False)
    title = figure.suptitle("", fontsize=11)
    title.set_parse_math(False)
    title.set_text(f"nearest to {found.names[0]} among {found.num_rows:,} rows of {found.layer}")
    save(figure, path)


def _plane(rows_NE: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The first two principal components of rows, and the shares of the variance that they keep."""
    centred_NE = rows_NE - rows_NE.mean(axis=0)
    left_NK, sizes_K, _ = np.linalg.svd(centred_NE, full_matrices=False)
    places_NK = left_NK * sizes_K
    shares_K = np.square(sizes_K) / (float(np.square(sizes_K).sum()) or 1.0)
    missing = max(0, 2 - len(sizes_K))
    return (
        np.pad(places_NK[:, :2], ((0, 0), (0, missing))),
        np.pad(shares_K[:2], (0, missing)),
    )


def _row_of(word: str, names: Sequence[str] | None, num_rows: int) -> int:
    if names is not None:
        # Tokens of a text often begin with the space before them.
        for wanted in (word, f" {word}", word.lower(), f" {word.lower()}"):
            if wanted in names:
                return list(names).index(wanted)
    if word.isdecimal() and int(word) < num_rows:
        return int(word)
    if names is None:
        raise UsageError(f"the rows have no names; give a number from 0 to {num_rows - 1}, not {word!r}")
    near = difflib.get_close_matches(word, names, n=3)
    hint = f"Near it are {', '.join(near)}" if near else f"Give another, or a number from 0 to {num_rows - 1}"
    raise UsageError(f"{word!r} has no row of its own. {hint}")


def _shown(name: str) -> str:
    shown = name if name.isprintable() and name == name.strip() and name else repr(name)
    return shown if len(shown) <= _MAX_NAME else shown[: _MAX_NAME - 1] + "…"


def _why_not(model: Any) -> str | None:
    if model is None or not embedding_layers(model):
        return "it has no embedding of words or tokens"
    return None


LENS = Lens(
    name="embedding-neighbours",
    title="Neighbours in an embedding",
    says="which words or tokens a model holds for alike",
    source="Mikolov et al. (2013); Pearson (1901)",
    takes=frozenset({"word", "row_names", "layer"}),
    fits=_why_not,
    read=lambda question: embedding_neighbours(
        question.model, word=question.word, names=question.row_names, layer=question.layer
    ),
    draw=draw_neighbours,
    layers=lambda model: list(embedding_layers(model)),
)
