"""Grad-CAM: which places of a picture a classifier's answer comes from, seen at a convolution layer."""

# H = height, W = width of the input; h, w = of the layer; K = channels of the layer, C = classes

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
    squashing_layer,
    weights_of,
)
from openbook.lenses.lens import Lens, Question, class_of, class_title
from openbook.lenses.panels import draw_picture, save, shown_picture

__all__ = ["LENS", "GradCam", "draw_grad_cam", "grad_cam"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class GradCam:
    """Where a class comes from in one picture.

    Attributes:
        layer: whose output was looked at.
        is_guessed: whether the layer was chosen here.
        heat_hw: 0 and above; what the places of the layer do for the score.
        channel_weights_K: mean gradient of the score by each channel.
        score: of the class, before a softmax or sigmoid.
    """

    layer: str
    is_guessed: bool
    class_index: int
    class_name: str
    score: float
    heat_hw: np.ndarray
    channel_weights_K: np.ndarray
    picture_HWC: np.ndarray

    @property
    def upsampled(self) -> np.ndarray:
        """The heat map in the picture's size, bilinear."""
        from PIL import Image

        height, width = self.picture_HWC.shape[:2]
        heat = Image.fromarray(self.heat_hw.astype(np.float32))
        return np.asarray(heat.resize((width, height), Image.Resampling.BILINEAR))

    def text(self) -> str:
        """The layer, and where the heat is, in lines."""
        height, width = self.heat_hw.shape
        guessed = ", the last one that gives pictures" if self.is_guessed else ""
        lines = [
            f"{self.class_name}: score {self.score:.3g}, seen at {self.layer} ({height} × {width}{guessed})"
        ]
        if not self.heat_hw.any():
            lines += [
                "  no place of it speaks for the class: what is there lowers the score, on the average place.",
                "  Where a model flattens its places, each has weights of its own, and their mean may say little;",
                "  try an earlier layer",
            ]
            return "\n".join(lines)
        row, column = np.unravel_index(int(np.argmax(self.heat_hw)), self.heat_hw.shape)
        shares = np.sort(self.heat_hw, axis=None)[::-1] / self.heat_hw.sum()
        num_half = int(np.searchsorted(np.cumsum(shares), 0.5)) + 1
        vertical = ("top", "middle", "bottom")[min(2, 3 * int(row) // height)]
        horizontal = ("left", "centre", "right")[min(2, 3 * int(column) // width)]
        lines.append(
            f"  hottest at row {row}, column {column} ({vertical} {horizontal}); half of the heat is in "
            f"{num_half} of {height * width} places"
        )
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """The numbers as plain lists."""
        return {
            "class": self.class_name,
            "class_index": self.class_index,
            "score": self.score,
            "layer": self.layer,
            "is_guessed": self.is_guessed,
            "heat": self.heat_hw.tolist(),
            "channel_weights": self.channel_weights_K.tolist(),
        }


def grad_cam(
    model: Any,
    inputs: Any,
    *,
    layer: str | None = None,
    class_name: str | None = None,
    classes: Sequence[str] | None = None,
) -> GradCam:
    """The channels of a layer, weighted by the mean gradient of the class's score by each, summed, cut at zero.

    Args:
        inputs: (N, H, W, C), of which the first picture is looked at.
        layer: path of one whose output is (B, h, w, K); the last such one when None.
        class_name: a name among `classes`, or a number; the model's answer when None.
    Raises:
        UsageError: the model does not fit, or there is no such layer or class.
    Source: Selvaraju et al. (2017), "Grad-CAM: Visual explanations from deep networks via gradient-based
        localization", equations 1 and 2. The score is y^c, before the softmax.
    """
    import jax
    import jax.numpy as jnp

    reason = _why_not(model)
    if reason is not None:
        raise UsageError(reason)
    example = first_example(model, inputs)
    shapes = {name: shape for name, shape in output_shapes(model, example).items() if len(shape) == 4}
    name = _guess(shapes) if layer is None else check_layer(layer, shapes, "that gives pictures")
    linear = squashing_layer(model, example)
    weights = weights_of(model)

    @jax.jit
    def read(weights: Any, example: Any, probe: Any) -> Any:
        outputs, kept = run_tapped(model, weights, example, keep=(name,), shifts={name: probe}, linear=linear)
        return outputs[0].astype(jnp.float32), kept[name][0].astype(jnp.float32)

    probe = jnp.zeros(shapes[name], jnp.float32)
    scores_C = np.asarray(read(weights, example, probe)[0])
    index = class_of(class_name, scores_C, classes)
    gradient, values_hwK = jax.grad(
        lambda shift: (lambda scores, values: (scores[index], values))(*read(weights, example, shift)),
        has_aux=True,
    )(probe)
    channel_weights_K = np.asarray(gradient[0], np.float64).mean(axis=(0, 1))
    heat_hw = np.maximum(0.0, np.asarray(values_hwK, np.float64) @ channel_weights_K)
    return GradCam(
        layer=name,
        is_guessed=layer is None,
        class_index=index,
        class_name=class_title(index, classes),
        score=float(scores_C[index]),
        heat_hw=heat_hw,
        channel_weights_K=channel_weights_K,
        picture_HWC=np.asarray(example[0], np.float32),
    )


def draw_grad_cam(found: GradCam, path: Path) -> None:
    """A picture file: the input, the heat map as the layer has it, and the heat over the input."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.4), layout="constrained")
    picture_axes, heat_axes, over_axes = figure.subplots(1, 3)
    draw_picture(picture_axes, found.picture_HWC, title="input")
    image = heat_axes.imshow(found.heat_hw, cmap="inferno", interpolation="nearest", vmin=0.0)
    heat_axes.set_axis_off()
    figure.colorbar(image, ax=heat_axes, shrink=0.8)
    heat_axes.set_title(found.layer, fontsize=9, parse_math=False)
    shown = shown_picture(found.picture_HWC)
    grey_HW = shown if shown.ndim == 2 else shown.mean(axis=-1)
    over_axes.imshow(grey_HW, cmap="gray", vmin=0.0, vmax=1.0)
    hottest = float(found.heat_hw.max()) or 1.0
    heat_HW = np.clip(found.upsampled / hottest, 0.0, 1.0)
    over_axes.imshow(heat_HW, cmap="inferno", vmin=0.0, vmax=1.0, alpha=0.15 + 0.6 * heat_HW)
    over_axes.set_axis_off()
    over_axes.set_title("heat over the input", fontsize=9)
    picture_axes.set_title("input", fontsize=9)
    title = figure.suptitle("", fontsize=11)
    title.set_parse_math(False)
    title.set_text(f"Grad-CAM of {found.class_name}: score {found.score:.3g}")
    save(figure, path)


def _guess(shapes: Mapping[str, tuple[int, ...]]) -> str:
    """The last output with more than one place; what is pooled to one says nothing of where."""
    wide = [name for name, shape in shapes.items() if shape[1] * shape[2] > 1]
    return (wide or list(shapes))[-1]


def _why_not(model: Any) -> str | None:
    if model is None or picture_shape(model) is None:
        return "it takes no single picture (height, width, channels)"
    if len(model.outputs) != 1 or len(model.outputs[0].shape) != 2:
        return "it gives no single row of scores, one for each class"
    if not any(is_convolution(layer_at(model, name)) for name in output_shapes(model)):
        return "it has no convolution layer before its output"
    return None


def _picture_layers(model: Any) -> list[str]:
    return [name for name, shape in output_shapes(model).items() if len(shape) == 4]


def _read(question: Question) -> GradCam:
    return grad_cam(
        question.model,
        question.inputs,
        layer=question.layer,
        class_name=question.class_name,
        classes=question.classes,
    )


LENS = Lens(
    name="grad-cam",
    title="Grad-CAM",
    says="which places of a picture a classifier's answer comes from",
    source="Selvaraju et al. (2017)",
    takes=frozenset({"inputs", "layer", "class_name"}),
    fits=_why_not,
    read=_read,
    draw=draw_grad_cam,
    layers=_picture_layers,
)
