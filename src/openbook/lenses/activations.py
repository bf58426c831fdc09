"""What the convolution layers of a model see in one picture: each channel of their outputs as a picture."""

# H = height, W = width, C = channels

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from openbook.errors import UsageError
from openbook.lenses.layer_taps import (
    check_layer,
    first_example,
    is_convolution,
    layer_at,
    output_shapes,
    picture_shape,
    run_tapped,
    weights_of,
)
from openbook.lenses.lens import Lens, Question
from openbook.lenses.panels import draw_picture, grid_of, save

__all__ = ["LENS", "Activations", "activations_of", "draw_activations"]

_MAX_LAYERS = 6
_MAX_DRAWN = 16
_NUM_SAID = 4


@dataclasses.dataclass(frozen=True, kw_only=True)
class Activations:
    """Outputs of layers for one picture.

    Attributes:
        picture_HWC: what the model was given.
        layers: (H, W, C) of each layer that is shown, in the order of the calls.
        num_layers: layers that could have been shown.
    """

    picture_HWC: np.ndarray
    layers: Mapping[str, np.ndarray]
    num_layers: int

    def text(self) -> str:
        """Of each layer its size, how much of it is above zero, and its strongest channels, in lines."""
        lines = []
        for name, values_HWC in self.layers.items():
            height, width, num_channels = values_HWC.shape
            means_C = values_HWC.mean(axis=(0, 1))
            strongest = ", ".join(
                f"{channel} ({means_C[channel]:.2g})"
                for channel in np.argsort(-means_C, kind="stable")[:_NUM_SAID]
            )
            lines.append(
                f"{name}: {num_channels} channels of {height} × {width}; {(values_HWC > 0).mean():.0%} of the "
                f"values are above 0; highest on average: {strongest}"
            )
        if len(self.layers) < self.num_layers:
            lines.append(f"{len(self.layers)} of {self.num_layers} layers; name another one to see it")
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Means and maxima of each channel as plain lists; the values themselves are `layers`."""
        return {
            "layers": {
                name: {
                    "shape": list(values_HWC.shape),
                    "means": values_HWC.mean(axis=(0, 1)).tolist(),
                    "maxima": values_HWC.max(axis=(0, 1)).tolist(),
                    "share_above_zero": float((values_HWC > 0).mean()),
                }
                for name, values_HWC in self.layers.items()
            },
            "num_layers": self.num_layers,
        }


def activations_of(model: Any, inputs: Any, *, layers: Sequence[str] | None = None) -> Activations:
    """The outputs of layers for the first picture of a batch, as `openbook.trace` has them.

    Args:
        inputs: (N, H, W, C).
        layers: paths; of the convolution layers at most six, evenly spread, when None.
    Raises:
        UsageError: the model has no such layer, or none at all.
    Source: Chollet (2021), section 9.4.1.
    """
    import jax

    reason = _why_not(model)
    if reason is not None:
        raise UsageError(reason)
    example = first_example(model, inputs)
    known = [name for name, shape in output_shapes(model, example).items() if len(shape) == 4]
    convolutions = [name for name in known if is_convolution(layer_at(model, name))]
    if layers is None:
        places = np.linspace(0, len(convolutions) - 1, min(_MAX_LAYERS, len(convolutions))).round()
        layers = [convolutions[int(place)] for place in places]
    chosen = [check_layer(name, known, "that gives pictures") for name in layers]
    run = jax.jit(lambda weights, given: run_tapped(model, weights, given, keep=chosen)[1])
    found = run(weights_of(model), example)
    return Activations(
        picture_HWC=np.asarray(example[0], np.float32),
        # JAX gives dictionaries back in the order of their keys.
        layers={name: np.asarray(found[name][0], np.float32) for name in chosen},
        num_layers=len(convolutions),
    )


def draw_activations(found: Activations, path: Path) -> None:
    """A picture file: a row for each layer, with its channels that vary most over the picture.

    A channel is drawn on a scale of its own, from its lowest value to its highest.
    """
    num_columns = min(_MAX_DRAWN, max(values.shape[-1] for values in found.layers.values()))
    figure, cells = grid_of(len(found.layers), num_columns + 1)
    for row, (name, values_HWC) in enumerate(found.layers.items()):
        height, width = values_HWC.shape[:2]
        drawn = np.argsort(-values_HWC.std(axis=(0, 1)), kind="stable")[:num_columns]
        for axes, channel in zip(cells[row, 1:], np.sort(drawn), strict=False):
            draw_picture(axes, values_HWC[..., channel], title=str(channel), colours="viridis")
        for axes in cells[row, 1 + len(drawn) :]:
            axes.set_axis_off()
        if row:
            cells[row, 0].set_axis_off()
        heading = cells[row, 1].text(
            0.0,
            1.42,
            f"{name}: {len(drawn)} of {values_HWC.shape[-1]} channels, {height} × {width}",
            transform=cells[row, 1].transAxes,
            fontsize=9,
            parse_math=False,
        )
        # Else its column would become as wide as the words.
        heading.set_in_layout(False)
    draw_picture(cells[0, 0], found.picture_HWC, title="input")
    # Leaves room for the words over the first row.
    figure.suptitle(" ", fontsize=9)
    save(figure, path)


def _why_not(model: Any) -> str | None:
    if model is None or picture_shape(model) is None:
        return "it takes no single picture (height, width, channels)"
    names = output_shapes(model)
    if not any(is_convolution(layer_at(model, name)) for name in names):
        return "it has no convolution layer over pictures"
    return None


def _picture_layers(model: Any) -> list[str]:
    return [name for name, shape in output_shapes(model).items() if len(shape) == 4]


def _read(question: Question) -> Activations:
    layers = None if question.layer is None else [question.layer]
    return activations_of(question.model, question.inputs, layers=layers)


LENS = Lens(
    name="activations",
    title="Activations",
    says="what each channel of the convolution layers sees in a picture",
    source="Chollet (2021), section 9.4.1",
    takes=frozenset({"inputs", "layer"}),
    fits=_why_not,
    read=_read,
    draw=draw_activations,
    layers=_picture_layers,
)
