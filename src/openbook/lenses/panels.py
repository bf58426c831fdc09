"""Small pictures in rows and columns, as several lenses draw them."""

# H = height, W = width, C = channels

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from openbook.runs.atomic import atomic_replace

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_picture", "grid_of", "save", "shown_picture"]

_CELL = 0.85


def grid_of(num_rows: int, num_columns: int, *, cell: float = _CELL) -> tuple[Figure, Any]:
    """A figure with empty cells (rows, columns), each `cell` inches wide."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(max(4.0, cell * num_columns), 1.5 * cell * num_rows + 0.2), layout="constrained")
    return figure, figure.subplots(num_rows, num_columns, squeeze=False)


def shown_picture(picture_HWC: np.ndarray) -> np.ndarray:
    """A picture between 0 and 1, as Matplotlib takes it: (H, W) or (H, W, 3); other channels are averaged."""
    low, high = float(picture_HWC.min()), float(picture_HWC.max())
    if low >= 0.0 and high <= 255.0:
        low, high = 0.0, 255.0 if high > 1.5 else 1.0
    scaled = (picture_HWC - low) / ((high - low) or 1.0)
    if scaled.ndim == 2 or scaled.shape[-1] == 3:
        return np.asarray(scaled)
    return np.asarray(scaled.mean(axis=-1))


def draw_picture(axes: Axes, values: np.ndarray, *, title: str = "", colours: str | None = None) -> None:
    """A picture, or a plane of values in a colour map, without axes.

    Args:
        values: (H, W, C) for a picture; (H, W) with `colours`, from its lowest to its highest value.
    """
    if colours is None:
        axes.imshow(shown_picture(values), cmap="gray", vmin=0.0, vmax=1.0, interpolation="nearest")
    else:
        axes.imshow(values, cmap=colours, interpolation="nearest")
    axes.set_axis_off()
    axes.set_title(title, fontsize=7, pad=2, parse_math=False)


def save(figure: Figure, path: Path) -> None:
    """Write the picture file; its ending says the format.

    Raises:
        RunError: it cannot be written; an earlier file is intact.
    """
    import warnings

    path.parent.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        # A name may hold signs that the font lacks; a box in their place is good enough.
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from", category=UserWarning)
        with atomic_replace(path) as temporary:
            figure.savefig(temporary, format=path.suffix.lower().removeprefix(".") or "png", dpi=130)
