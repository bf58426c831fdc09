"""What each pixel does to a classifier's answer: integrated gradients from a plain picture to the given one."""

# S = points on the way, H = height, W = width, C = channels

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from openbook.errors import UsageError
from openbook.lenses.layer_taps import (
    first_example,
    picture_shape,
    run_tapped,
    squashing_layer,
    weights_of,
)
from openbook.lenses.lens import Lens, Question, class_of, class_title
from openbook.lenses.panels import draw_picture, save

__all__ = ["LENS", "PixelGradients", "draw_pixel_gradients", "pixel_gradients"]

_POINTS_AT_ONCE = 16
_FEWEST_POINTS = 32
_MOST_POINTS = 1024
_TOLERANCE = 0.01
_SHARE_SAID = 0.05


@dataclasses.dataclass(frozen=True, kw_only=True)
class PixelGradients:
    """The share of each pixel in a score.

    Attributes:
        attributions_HWC: float64; they sum to `score - baseline_score`, up to `gap`.
        baseline: brightness of the plain picture that the way begins with.
        score, baseline_score: of the class, before a softmax or sigmoid, for the picture and for the plain one.
        gap: the sum minus the difference of the scores; what the steps of the integral leave.
        num_points: of the integral.
    """

    class_index: int
    class_name: str
    picture_HWC: np.ndarray
    attributions_HWC: np.ndarray
    baseline: float
    score: float
    baseline_score: float
    gap: float
    num_points: int

    @property
    def pixel_shares(self) -> np.ndarray:
        """The shares of all channels of a pixel together."""
        return np.asarray(self.attributions_HWC.sum(axis=-1))

    def text(self) -> str:
        """The two scores, how exact the sum is, and how the shares are spread, in lines."""
        shares_HW = self.pixel_shares
        order = np.sort(np.abs(shares_HW), axis=None)[::-1]
        num_few = max(1, round(_SHARE_SAID * order.size))
        total = float(order.sum()) or 1.0
        return "\n".join(
            [
                f"{self.class_name}: score {self.score:+.3f}, of a plain picture of {self.baseline:g} "
                f"{self.baseline_score:+.3f}",
                f"  pixels for it sum to {shares_HW[shares_HW > 0].sum():+.3f}, against it to "
                f"{shares_HW[shares_HW < 0].sum():+.3f}; {_SHARE_SAID:.0%} of the pixels hold "
                f"{order[:num_few].sum() / total:.0%} of what there is",
                f"  the sum is off the difference of the scores by {self.gap:+.2g} ({self.num_points} points)",
            ]
        )

    def to_dict(self) -> dict[str, Any]:
        """The numbers as plain lists."""
        return {
            "class": self.class_name,
            "class_index": self.class_index,
            "score": self.score,
            "baseline": self.baseline,
            "baseline_score": self.baseline_score,
            "gap": self.gap,
            "num_points": self.num_points,
            "attributions": self.attributions_HWC.tolist(),
        }


def pixel_gradients(
    model: Any,
    inputs: Any,
    *,
    class_name: str | None = None,
    classes: Sequence[str] | None = None,
    baseline: float = 0.0,
) -> PixelGradients:
    """The gradient of a class's score by the pixels, integrated from a plain picture to the given one.

    It is multiplied by the way. The number of points doubles until the shares sum to the difference of the scores
    within a hundredth of it.

    Args:
        inputs: (N, H, W, C), of which the first picture is looked at.
        class_name: a name among `classes`, or a number; the model's answer when None.
        baseline: the value of all pixels of the plain picture; 0 is black where pictures begin at 0.
    Raises:
        UsageError: the model does not fit, or there is no such class.
    Source: Sundararajan, Taly and Yan (2017), "Axiomatic attribution for deep networks", section 3; points in the
        middle of equal parts of the way.
    """
    import jax
    import jax.numpy as jnp

    reason = _why_not(model)
    if reason is not None:
        raise UsageError(reason)
    example_1HWC = jnp.asarray(first_example(model, inputs))
    dtype = example_1HWC.dtype
    weights = weights_of(model)
    linear = squashing_layer(model, np.asarray(example_1HWC))
    # The way runs over broken numbers also where the model takes whole ones.
    picture_HWC = example_1HWC[0].astype(jnp.float32)
    plain_HWC = jnp.full_like(picture_HWC, baseline)

    def scores(weights: Any, pictures_SHWC: Any) -> Any:
        return run_tapped(model, weights, pictures_SHWC.astype(dtype), linear=linear)[0].astype(jnp.float32)

    ends_SC = np.asarray(jax.jit(scores)(weights, jnp.stack([plain_HWC, picture_HWC])))
    index = class_of(class_name, ends_SC[1], classes)

    @jax.jit
    def gradient_sum(weights: Any, shares_S: Any) -> Any:
        points_SHWC = plain_HWC + shares_S[:, None, None, None] * (picture_HWC - plain_HWC)
        return jax.grad(lambda points: jnp.sum(scores(weights, points)[:, index]))(points_SHWC).sum(axis=0)

    baseline_score, score = (float(value) for value in ends_SC[:, index])
    tolerance = _TOLERANCE * max(abs(score - baseline_score), 1e-2)
    num_points, gap, attributions_HWC = _FEWEST_POINTS // 2, np.inf, np.zeros(picture_HWC.shape)
    way_HWC = np.asarray(picture_HWC - plain_HWC, np.float64)
    while abs(gap) > tolerance and num_points < _MOST_POINTS:
        num_points *= 2
        shares_S = ((np.arange(num_points) + 0.5) / num_points).astype(np.float32)
        gradients_HWC = sum(
            np.asarray(gradient_sum(weights, part), np.float64)
            for part in np.split(shares_S, num_points // _POINTS_AT_ONCE)
        )
        attributions_HWC = gradients_HWC / num_points * way_HWC
        gap = float(attributions_HWC.sum()) - (score - baseline_score)
    return PixelGradients(
        class_index=index,
        class_name=class_title(index, classes),
        picture_HWC=np.asarray(picture_HWC),
        attributions_HWC=attributions_HWC,
        baseline=baseline,
        score=score,
        baseline_score=baseline_score,
        gap=gap,
        num_points=num_points,
    )


def draw_pixel_gradients(found: PixelGradients, path: Path) -> None:
    """A picture file: the input, and the share of each pixel: red for the class, blue against it."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.6, 3.7), layout="constrained")
    picture_axes, shares_axes = figure.subplots(1, 2)
    draw_picture(picture_axes, found.picture_HWC)
    picture_axes.set_title("input", fontsize=9)
    shares_HW = found.pixel_shares
    # A few pixels would leave all others white on their scale.
    limit = float(np.quantile(np.abs(shares_HW), 0.995)) or float(np.abs(shares_HW).max()) or 1.0
    image = shares_axes.imshow(shares_HW, cmap="RdBu_r", vmin=-limit, vmax=limit, interpolation="nearest")
    shares_axes.set_axis_off()
    shares_axes.set_title("share of each pixel: red for it, blue against it", fontsize=9)
    figure.colorbar(image, ax=shares_axes, shrink=0.8)
    title = figure.suptitle("", fontsize=11)
    title.set_parse_math(False)
    title.set_text(
        f"{found.class_name}: score {found.score:+.2f}, of a plain picture {found.baseline_score:+.2f}"
    )
    save(figure, path)


def _why_not(model: Any) -> str | None:
    if model is None or picture_shape(model) is None:
        return "it takes no single picture (height, width, channels)"
    if len(model.outputs) != 1 or len(model.outputs[0].shape) != 2:
        return "it gives no single row of scores, one for each class"
    if not str(model.inputs[0].dtype).startswith(("float", "bfloat")):
        return "it takes whole numbers, which have no gradients"
    return None


def _read(question: Question) -> PixelGradients:
    return pixel_gradients(
        question.model, question.inputs, class_name=question.class_name, classes=question.classes
    )


LENS = Lens(
    name="pixel-gradients",
    title="Integrated gradients",
    says="what each pixel adds to the score of a class, in shares that sum to it",
    source="Sundararajan et al. (2017)",
    takes=frozenset({"inputs", "class_name"}),
    fits=_why_not,
    read=_read,
    draw=draw_pixel_gradients,
)
