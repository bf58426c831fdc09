"""Pictures with a class for each pixel: from files matched by name, cut-outs with alpha, or a data set by name."""

# N = pictures, H = height, W = width, C = channels

from __future__ import annotations

import dataclasses
import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from openbook.data.address import AddressOrigin
from openbook.data.archive import files_of_archive
from openbook.data.cache import Progress, silent
from openbook.data.display import counted, harmless
from openbook.data.facts_report import FactsReport
from openbook.data.files import FoundFile, Reason, SkippedFile, files_of_folder, suffix_of
from openbook.data.masks import MaskFile, as_classes, is_cut_out, read_mask
from openbook.data.own_source import own_source
from openbook.data.picture_arrays import PICTURE_SUFFIXES, PictureForm
from openbook.data.picture_catalog import CHINA, FLOWER, OPENMOJI
from openbook.data.scenes import on_background, scenes
from openbook.data.skipped import skipped_texts
from openbook.data.source import Source, fetch
from openbook.errors import DataError, UsageError
from openbook.pictures.decode import FILE_FORMATS, decode_picture

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["MASKED_CATALOG", "MaskedDataSet", "MaskedPictures", "load_masked_pictures"]

MAX_BYTES = 4 << 30
# Folders that say what is in them; the rest of a path and the name must be the same for a picture and its mask.
_MASK_FOLDER = re.compile(
    r"(masks?|labels?|annotations?|segmentations?|segmentationclass|trimaps?|gt|targets?)", re.I
)
_PICTURE_FOLDER = re.compile(r"(images?|imgs?|pictures?|photos?|jpegimages|inputs?)", re.I)
_MASK_NAME = re.compile(r"[_\-. ](mask|label|seg|segmentation|gt|trimap|matte)$", re.I)
_PICTURE_NAME = re.compile(r"[_\-. ](image|img|picture|photo|sat)$", re.I)
_ASPECT_TOLERANCE = 0.02
_NUM_NAMED = 3


@dataclasses.dataclass(frozen=True, kw_only=True)
class MaskedPictures:
    """Pictures and masks of one size, each picture once.

    Attributes:
        form: what each picture was brought into.
        pictures_NHWC: uint8, in colour.
        masks_NHW: uint8 positions in `classes`.
        hashes: 16 bytes of each picture's content, which decide its side of the split.
    """

    form: PictureForm
    pictures_NHWC: np.ndarray
    masks_NHW: np.ndarray
    classes: tuple[str, ...]
    hashes: tuple[bytes, ...]
    report: FactsReport
    fingerprint: str
    origin: dict[str, object]


@dataclasses.dataclass(frozen=True, kw_only=True)
class MaskedDataSet:
    """Sources whose files together are one data set.

    Attributes:
        classes: names by the number in the masks.
        made_of: pictures (RGB) with alpha masks out of the fetched files, where they are no pictures with masks.
    """

    title: str
    licence: str
    sources: tuple[Source, ...]
    classes: Mapping[int, str] = dataclasses.field(default_factory=dict)
    made_of: Callable[..., Iterator[tuple[str, Image, Image]]] | None = None


_PETS = "https://thor.robots.ox.ac.uk/datasets/pets/"
MASKED_CATALOG: Mapping[str, MaskedDataSet] = {
    "oxford-pets": MaskedDataSet(
        title="Oxford-IIIT pets, 7,390 photos of cats and dogs",
        licence="Creative Commons Attribution-ShareAlike 4.0",
        sources=tuple(
            Source(name=f"oxford-pets {name}", origins=(AddressOrigin(address=f"{_PETS}{name}.tar.gz"),))
            for name in ("images", "annotations")
        ),
        classes={1: "pet", 2: "background", 3: "border"},
    ),
    "openmoji-scenes": MaskedDataSet(
        title="Scenes made here: drawings of OpenMoji, turned and scaled, on parts of two photos",
        licence="Creative Commons Attribution-ShareAlike 4.0 (OpenMoji), Attribution (both photos)",
        sources=tuple(
            Source(name=name, origins=(origin,))
            for name, origin in (("openmoji", OPENMOJI), ("china", CHINA), ("flower", FLOWER))
        ),
        made_of=scenes,
    ),
}


def load_masked_pictures(
    source: str,
    *,
    side: int,
    catalog: Mapping[str, MaskedDataSet] = MASKED_CATALOG,
    max_bytes: int = MAX_BYTES,
    progress: Progress = silent,
) -> MaskedPictures:
    """Read pictures with their masks.

    Args:
        source: a data set by name, or the path or address of a folder or archive. In it a mask has its
            picture's name, in a folder `masks` beside `images`, or `x_mask.png` beside `x.jpg`; or the pictures
            are cut-outs, whose alpha is the mask.
        side: height and width that pictures and masks are brought to, without regard to their shape.
    Raises:
        DataError: it cannot be used; the message says what was found and what would do.
    """
    known = catalog.get(source)
    if known is None and suffix_of(source) in PICTURE_SUFFIXES and Path(source).expanduser().is_file():
        raise DataError(f"{harmless(source)}: is one picture. Give a folder or an archive with masks")
    sources = known.sources if known is not None else (own_source(source, catalog),)
    fetched = [fetch(each, max_bytes=max_bytes, progress=progress) for each in sources]
    reading = _Reading(side=side)
    if known is not None and known.made_of is not None:
        progress("Making the scenes, which takes half a minute at most …")
        for name, picture, alpha in known.made_of(*(each.path for each in fetched)):
            reading.keep(name, picture, (np.asarray(alpha) >= 128).astype(np.int32), way="drawings on photos")
    else:
        for each in fetched:
            path = each.path
            is_folder = path.is_dir()
            files = (files_of_folder if is_folder else files_of_archive)(path, max_bytes=max_bytes)
            reading.read_files(files)
        reading.match()
    origin: dict[str, object] = dict(fetched[0].record)
    if len(fetched) > 1:
        origin["files"] = [each.record for each in fetched]
    return reading.finished(harmless(source), origin=origin, known=known)


@dataclasses.dataclass(frozen=True, kw_only=True)
class _PictureFile:
    """A picture as it came, made small; `alpha` where it has one."""

    name: str
    picture: Image
    size: tuple[int, int]


class _Reading:
    """Pictures and masks as they are found, then as pairs."""

    def __init__(self, *, side: int) -> None:
        self.side = side
        self.pictures: dict[str, _PictureFile] = {}
        self.masks: dict[str, MaskFile] = {}
        self.skipped: list[SkippedFile] = []
        self.lonely: list[str] = []
        self.ways: Counter[str] = Counter()
        self.num_scaled = 0
        self.num_cut_outs = 0
        self._names: list[str] = []
        self._kept: list[np.ndarray] = []
        self._values: list[np.ndarray] = []

    def read_files(self, files: Iterator[FoundFile | SkippedFile]) -> None:
        """Sort files into pictures and masks, each in its final size."""
        for each in files:
            if isinstance(each, SkippedFile):
                if each.reason is not Reason.HIDDEN:
                    self.skipped.append(each)
                continue
            if suffix_of(each.name) not in PICTURE_SUFFIXES:
                continue  # lists and descriptions lie beside the pictures of most data sets
            if not each.content:
                self.skipped.append(SkippedFile(name=each.name, reason=Reason.EMPTY, detail="0 bytes"))
                continue
            key, is_mask = _key(each.name)
            found: Mapping[str, object] = self.masks if is_mask else self.pictures
            if key in found:
                detail = "another file of this name was there already"
                self.skipped.append(SkippedFile(name=each.name, reason=Reason.UNREADABLE, detail=detail))
                continue
            try:
                if is_mask:
                    self.masks[key] = read_mask(each.name, each.content, side=self.side)
                else:
                    self.pictures[key] = self._picture(each.name, each.content)
            except UsageError as error:
                self.skipped.append(SkippedFile(name=each.name, reason=Reason.DAMAGED, detail=str(error)))

    def _picture(self, name: str, content: bytes) -> _PictureFile:
        from PIL import Image

        picture, _ = decode_picture(content, formats=FILE_FORMATS)
        size = picture.size
        mode = "RGBA" if picture.mode == "RGBA" else "RGB"
        small = picture.convert(mode).resize((self.side, self.side), Image.Resampling.BOX)
        return _PictureFile(name=name, picture=small, size=size)

    def match(self) -> None:
        """Pairs of pictures and masks; without any mask, the cut-outs among the pictures."""
        for key, each in self.pictures.items():
            mask = self.masks.get(key)
            if not self.masks and is_cut_out(each.picture):
                picture = on_background(each.picture, seed=key)
                alpha = np.asarray(each.picture.getchannel("A"))
                self.keep(
                    each.name, picture, (alpha >= 128).astype(np.int32), way="cut-outs, alpha is the mask"
                )
                self.num_cut_outs += 1
            elif mask is None:
                self.lonely.append(each.name)
            elif not _same_shape(each.size, mask.size):
                detail = f"{_said(each.size)}, its mask {_said(mask.size)}"
                self.skipped.append(SkippedFile(name=each.name, reason=Reason.DAMAGED, detail=detail))
            else:
                self.num_scaled += each.size != mask.size
                self.keep(
                    each.name, each.picture.convert("RGB"), mask.values_HW, way="pictures and masks by name"
                )
        self.lonely += [mask.name for key, mask in self.masks.items() if key not in self.pictures]

    def keep(self, name: str, picture: Image, values_HW: np.ndarray, *, way: str) -> None:
        """One pair; brought to size where it is not yet."""
        from PIL import Image

        size = (self.side, self.side)
        if picture.size != size:
            picture = picture.resize(size, Image.Resampling.BOX)
        if values_HW.shape != size:
            small = Image.fromarray(values_HW.astype(np.int32)).resize(size, Image.Resampling.NEAREST)
            values_HW = np.asarray(small)
        self._names.append(name)
        self._kept.append(np.asarray(picture, np.uint8))
        self._values.append(values_HW)
        self.ways[way] += 1

    def finished(
        self, source: str, *, origin: dict[str, object], known: MaskedDataSet | None
    ) -> MaskedPictures:
        """All pairs, checked, each picture once."""
        if not self._kept:
            raise DataError(f"{source}: {self._said_nothing()}")
        pictures_NHWC, values_NHW = np.stack(self._kept), np.stack(self._values)
        hashes = [hashlib.blake2b(each.tobytes(), digest_size=16).digest() for each in pictures_NHWC]
        first: dict[bytes, int] = {}
        num_torn = 0
        for index, found in enumerate(hashes):
            if found in first:
                num_torn += not np.array_equal(values_NHW[index], values_NHW[first[found]])
            else:
                first[found] = index
        kept = np.array(list(first.values()))
        masks_NHW, classes, notes = as_classes(values_NHW[kept], dict(known.classes) if known else {})
        if len(classes) < 2:
            raise DataError(
                f"{source}: all masks are empty: every pixel is {classes[0]!r}. Expected two classes or more"
            )
        if len(kept) < 2:
            raise DataError(f"{source}: holds one picture with a mask; two or more are needed, one to score")
        shares_C = np.bincount(masks_NHW.ravel(), minlength=len(classes)) / masks_NHW.size
        kept_hashes = tuple(hashes[int(index)] for index in kept)
        digest = hashlib.sha256(" ".join(classes).encode())
        for found, mask_HW in sorted(
            zip(kept_hashes, (each.tobytes() for each in masks_NHW), strict=True), key=lambda pair: pair[0]
        ):
            digest.update(found + hashlib.blake2b(mask_HW, digest_size=16).digest())
        flat_NP = masks_NHW.reshape(len(kept), -1)
        is_single_N = flat_NP.min(axis=1) == flat_NP.max(axis=1)
        report = self._report(
            source,
            known,
            fingerprint=digest.hexdigest(),
            num_pictures=len(kept),
            num_duplicates=len(hashes) - len(first),
            num_torn=num_torn,
            single=[self._names[int(index)] for index in kept[is_single_N]],
            shares={name: float(share) for name, share in zip(classes, shares_C, strict=True)},
            notes=notes,
        )
        return MaskedPictures(
            form=PictureForm(height=self.side, width=self.side, channels=3, crop="whole"),
            pictures_NHWC=pictures_NHWC[kept],
            masks_NHW=masks_NHW,
            classes=classes,
            hashes=kept_hashes,
            report=report,
            fingerprint=digest.hexdigest(),
            origin=origin,
        )

    def _report(
        self,
        source: str,
        known: MaskedDataSet | None,
        *,
        fingerprint: str,
        num_pictures: int,
        num_duplicates: int,
        num_torn: int,
        single: list[str],
        shares: dict[str, float],
        notes: list[str],
    ) -> FactsReport:
        facts = [("Source", source)]
        facts += [("Title", known.title), ("Licence", known.licence)] if known else []
        facts += [("Read as", f"{way}: {number:,}") for way, number in self.ways.items()]
        facts += [("Read as", note) for note in notes]
        if self.num_cut_outs:
            facts.append(("Made", "each cut-out stands on a background of random colours, by its name"))
        if self.num_scaled:
            facts.append(
                ("Made", f"{counted(self.num_scaled, 'mask')} of another size than the picture, scaled")
            )
        shown = ", ".join(f"{harmless(name)} {share:.0%}" for name, share in shares.items())
        facts += [
            ("Pictures", f"{num_pictures:,}, each brought to {self.side} × {self.side}"),
            ("Classes", f"{len(shares)}, by pixels: {shown}"),
        ]
        if num_duplicates:
            facts.append(("Cleaned", f"{counted(num_duplicates, 'duplicate')} left out, found by content"))
        facts += [("Skipped", text) for text in skipped_texts(self.skipped)]
        warnings = []
        if self.lonely:
            warnings.append(f"{counted(len(self.lonely), 'file')} without a partner: {_named(self.lonely)}")
        if single:
            warnings.append(f"{counted(len(single), 'mask')} with one class only (empty?): {_named(single)}")
        if num_torn:
            warnings.append(
                f"{counted(num_torn, 'picture')} came again with another mask; the first one counts"
            )
        return FactsReport(
            facts=tuple(facts),
            fingerprint=fingerprint,
            warnings=tuple(warnings),
            numbers={
                "num_pictures": num_pictures,
                "classes": shares,
                "num_duplicates": num_duplicates,
                "num_skipped": len(self.skipped),
                "num_without_partner": len(self.lonely),
            },
        )

    def _said_nothing(self) -> str:
        found = f"{counted(len(self.pictures), 'picture')}, {counted(len(self.masks), 'mask')}"
        skipped = "; ".join(skipped_texts(self.skipped)[:3])
        lonely = f"; without a partner: {_named(self.lonely)}" if self.lonely else ""
        return (
            f"no picture has a mask (found {found}{lonely}{'; ' + skipped if skipped else ''}). Expected "
            f"images/x.jpg with masks/x.png, x.jpg with x_mask.png, or cut-outs: PNG with a transparent background"
        )


def _key(name: str) -> tuple[str, bool]:
    """What a picture and its mask have in common, and whether this is the mask."""
    *folders, file = name.replace("\\", "/").split("/")
    stem = file.rsplit(".", 1)[0]
    is_mask = any(_MASK_FOLDER.fullmatch(each) for each in folders) or _MASK_NAME.search(stem) is not None
    stem = (_MASK_NAME if is_mask else _PICTURE_NAME).sub("", stem)
    rest = [each for each in folders if not (_MASK_FOLDER.fullmatch(each) or _PICTURE_FOLDER.fullmatch(each))]
    return "/".join([*rest, stem]).lower(), is_mask


def _same_shape(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return abs(one[0] * other[1] / (one[1] * other[0]) - 1) <= _ASPECT_TOLERANCE


def _said(size: tuple[int, int]) -> str:
    return f"{size[0]:,} × {size[1]:,}"


def _named(names: list[str]) -> str:
    more = f" and {len(names) - _NUM_NAMED:,} more" if len(names) > _NUM_NAMED else ""
    return ", ".join(map(harmless, names[:_NUM_NAMED])) + more
