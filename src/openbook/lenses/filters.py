"""What the filters of a convolution layer look for: their weights, and the input that each answers to most."""

# F = filters, H = height, W = width, C = channels of the input, I = channels that a filter reads, h, w = its sides

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from openbook.errors import UsageError
from openbook.lenses.layer_taps import (
    check_layer,
    layer_at,
    output_shapes,
    picture_shape,
    picture_value_range,
    run_tapped,
    weights_of,
)
from openbook.lenses.lens import Lens
from openbook.lenses.panels import draw_picture, grid_of, save

__all__ = ["LENS", "Filters", "draw_filters", "filters_of"]

_MAX_FILTERS = 24
_NUM_STEPS = 40
# Of the range of the input's values, moved by a pixel in one step of typical size.
_STEP_SHARE = 0.05
_START_SHARE = 0.1
_NUM_SAID = 6
_NUM_COLUMNS = 12
_OPEN_SIDE = 64


@dataclasses.dataclass(frozen=True, kw_only=True)
class Filters:
    """The first filters of a layer.

    Attributes:
        kernels_FhwI: their weights.
        inputs_FHWC: the inputs that raise their mean activations, within `value_range`.
        before_F, after_F: mean activation of each filter for the start of the ascent, and for its end.
        num_filters: of the layer.
    """

    layer: str
    kernels_FhwI: np.ndarray
    inputs_FHWC: np.ndarray
    before_F: np.ndarray
    after_F: np.ndarray
    num_filters: int
    num_steps: int
    value_range: tuple[float, float]

    def text(self) -> str:
        """How far the activations rose, and the filters with the largest weights, in lines."""
        num_shown, height, width, num_channels = self.kernels_FhwI.shape
        sizes_F = np.sqrt(np.square(self.kernels_FhwI).mean(axis=(1, 2, 3)))
        largest = ", ".join(
            f"{index} ({sizes_F[index]:.2g})" for index in np.argsort(-sizes_F, kind="stable")[:_NUM_SAID]
        )
        has_risen = self.after_F > self.before_F
        lines = [
            f"{self.layer}: {num_shown} of {self.num_filters} filters, {height} × {width} over "
            f"{num_channels} channels",
            f"  weights largest (root of the mean square): {largest}",
            f"  {self.num_steps} steps uphill from noise: the mean activation rose in {int(has_risen.sum())} of "
            f"{num_shown} filters, in the median from {np.median(self.before_F):.3g} to "
            f"{np.median(self.after_F):.3g}",
        ]
        if not has_risen.all():
            silent = ", ".join(map(str, np.flatnonzero(~has_risen)[:_NUM_SAID]))
            lines.append(f"  no way uphill was found for {silent}: nothing in the start moves them")
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """The numbers as plain lists."""
        return {
            "layer": self.layer,
            "num_filters": self.num_filters,
            "num_steps": self.num_steps,
            "value_range": list(self.value_range),
            "kernels": self.kernels_FhwI.tolist(),
            "activation_before": self.before_F.tolist(),
            "activation_after": self.after_F.tolist(),
        }


def filters_of(
    model: Any,
    *,
    layer: str | None = None,
    seed: int = 0,
    num_steps: int = _NUM_STEPS,
    max_filters: int = _MAX_FILTERS,
    value_range: tuple[float, float] | None = None,
) -> Filters:
    """The kernels of a layer, and for each filter the input of the highest mean activation that a few steps find.

    The gradient of the mean activation by the input, divided by its root mean square, is added to noise around the
    middle of the range, and the result is kept within the range; all filters at once.

    Args:
        layer: path of a Conv2D; the last one when None.
        value_range: of the model's inputs; when None, 0 to 255 where the model scales them down, else 0 to 1.
    Raises:
        UsageError: there is no such layer.
    Source: Erhan, Bengio, Courville and Vincent (2009), "Visualizing higher-layer features of a deep network";
        Chollet (2021), section 9.4.2.
    """
    import jax
    import jax.numpy as jnp

    reason = _why_not(model)
    if reason is not None:
        raise UsageError(reason)
    names = _convolutions(model)
    name = names[-1] if layer is None else check_layer(layer, names, "that is a Conv2D")
    kernel_hwIF = np.asarray(layer_at(model, name).kernel, np.float32)
    num_filters = kernel_hwIF.shape[-1]
    shown_F = np.arange(min(num_filters, max_filters))
    low, high = value_range or picture_value_range(model)
    shape_HWC = tuple(_OPEN_SIDE if size is None else size for size in picture_shape(model) or ())
    step_size = _STEP_SHARE * (high - low)

    def activation(picture_HWC: Any, weights: Any, filter_index: Any) -> Any:
        dtype = model.inputs[0].dtype
        _, kept = run_tapped(model, weights, picture_HWC[None].astype(dtype), keep=(name,))
        return jnp.mean(kept[name][..., filter_index].astype(jnp.float32))

    @jax.jit
    def climb(weights: Any, start_HWC: Any) -> Any:
        def one(filter_index: Any) -> Any:
            def step(_: Any, picture_HWC: Any) -> Any:
                gradient_HWC = jax.grad(activation)(picture_HWC, weights, filter_index)
                scale = jnp.sqrt(jnp.mean(jnp.square(gradient_HWC)))
                # A filter that nothing moves has the gradient 0, and stays where it is.
                direction_HWC = gradient_HWC / jnp.where(scale > 0.0, scale, 1.0)
                return jnp.clip(picture_HWC + step_size * direction_HWC, low, high)

            end_HWC = jax.lax.fori_loop(0, num_steps, step, start_HWC)
            before, after = (activation(each, weights, filter_index) for each in (start_HWC, end_HWC))
            return end_HWC, before, after

        return jax.vmap(one)(shown_F)

    rng = np.random.default_rng(seed)
    noise_HWC = rng.uniform(-1.0, 1.0, shape_HWC).astype(np.float32)
    start_HWC = (low + high) / 2 + _START_SHARE * (high - low) * noise_HWC
    inputs_FHWC, before_F, after_F = map(np.asarray, climb(weights_of(model), start_HWC.astype(np.float32)))
    return Filters(
        layer=name,
        kernels_FhwI=np.moveaxis(kernel_hwIF, -1, 0)[shown_F],
        inputs_FHWC=inputs_FHWC,
        before_F=before_F,
        after_F=after_F,
        num_filters=num_filters,
        num_steps=num_steps,
        value_range=(low, high),
    )


def draw_filters(found: Filters, path: Path) -> None:
    """A picture file: for each filter its weights, red above and blue below zero, and its input underneath.

    Of a filter over many channels, the channel with the largest weights is drawn.
    """
    num_filters = len(found.kernels_FhwI)
    num_columns = min(_NUM_COLUMNS, num_filters)
    num_rows = -(-num_filters // num_columns)
    figure, cells = grid_of(2 * num_rows, num_columns)
    limit = float(np.abs(found.kernels_FhwI).max()) or 1.0
    low, high = found.value_range
    for axes in cells.flat:
        axes.set_axis_off()
    for index, kernel_hwI in enumerate(found.kernels_FhwI):
        row, column = divmod(index, num_columns)
        channel = int(np.argmax(np.square(kernel_hwI).sum(axis=(0, 1))))
        above, below = cells[2 * row, column], cells[2 * row + 1, column]
        above.imshow(
            kernel_hwI[..., channel], cmap="RdBu_r", vmin=-limit, vmax=limit, interpolation="nearest"
        )
        says_channel = f"\nof channel {channel}" if kernel_hwI.shape[-1] > 1 else ""
        above.set_title(f"filter {index}{says_channel}", fontsize=7, pad=2)
        picture = (found.inputs_FHWC[index] - low) / ((high - low) or 1.0)
        draw_picture(below, picture, title=f"{found.before_F[index]:.2g} → {found.after_F[index]:.2g}")
    title = figure.suptitle("", fontsize=9)
    title.set_parse_math(False)
    title.set_text(
        f"{found.layer}: weights (red above, blue below 0), and the input that raises the mean activation"
    )
    save(figure, path)


def _convolutions(model: Any) -> list[str]:
    import keras

    shapes = output_shapes(model)
    layers = {name: layer_at(model, name) for name in shapes}
    return [
        name
        for name, layer in layers.items()
        if isinstance(layer, keras.layers.Conv2D) and layer.data_format == "channels_last"
    ]


def _why_not(model: Any) -> str | None:
    if model is None or picture_shape(model) is None:
        return "it takes no single picture (height, width, channels)"
    return None if _convolutions(model) else "it has no Conv2D layer"


LENS = Lens(
    name="filters",
    title="Filters",
    says="the weights of a convolution layer's filters, and the input that each answers to most",
    source="Erhan et al. (2009); Chollet (2021), section 9.4.2",
    takes=frozenset({"layer", "seed"}),
    fits=_why_not,
    read=lambda question: filters_of(question.model, layer=question.layer, seed=question.seed),
    draw=draw_filters,
    layers=_convolutions,
)
