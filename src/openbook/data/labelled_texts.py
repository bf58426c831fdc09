"""Texts with labels: from tables, folders with one folder per class, or a data set by name."""

# N = texts, C = classes

from __future__ import annotations

import dataclasses
import hashlib
import statistics
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

import numpy as np

from openbook.data.archive import ARCHIVE_SUFFIXES, files_of_archive
from openbook.data.cache import Progress, silent
from openbook.data.catalog import TEXT_CATALOG
from openbook.data.class_labels import checked_classes, class_warnings, said_counts
from openbook.data.clean import clean_text
from openbook.data.decode import decode
from openbook.data.display import counted, harmless, shortened
from openbook.data.facts_report import FactsReport
from openbook.data.files import (
    FoundFile,
    Reason,
    SkippedFile,
    UnusableFileError,
    files_of_folder,
    read_file,
    suffix_of,
)
from openbook.data.own_source import own_source
from openbook.data.skipped import said_nothing_but, skipped_texts
from openbook.data.source import fetch
from openbook.data.split import HELD_OUT_SHARE, content_hash, split_by_content
from openbook.data.table_formats import TABLE_SUFFIXES
from openbook.data.table_labels import LabelledTable, labels_of_cells, read_labelled_table
from openbook.errors import DataError, UsageError

__all__ = ["LabelledTexts", "load_labelled_texts"]

MAX_BYTES = 1 << 30
_NUM_EXAMPLES = 4
_EXAMPLE_CHARS = 200
_LABEL_NAMES: Mapping[str, str] = {"0": "negative", "1": "positive", "neg": "negative", "pos": "positive"}


@dataclasses.dataclass(frozen=True, kw_only=True)
class KnownTexts:
    """A data set by name: the files of an archive and the rows of a table that have labels, and their names."""

    target: str | None
    keep_rows: tuple[str, str] | None
    members: str
    label_names: Mapping[str, str]


# The sources, titles and licences are those of the texts without labels.
LABELLED_CATALOG: Mapping[str, KnownTexts] = {
    "imdb": KnownTexts(
        target="label",
        keep_rows=("source", "imdb"),
        members=r"aclImdb/train/(pos|neg)/\d+_\d+\.txt",
        label_names=_LABEL_NAMES,
    ),
    "imdb-full": KnownTexts(
        target=None,
        keep_rows=None,
        members=r"aclImdb/(train|test)/(pos|neg)/\d+_\d+\.txt",
        label_names=_LABEL_NAMES,
    ),
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class LabelledTexts:
    """Texts, each once and none empty, with what they are.

    Attributes:
        labels: int32 (N,), positions in `classes`; or float32 (N, C), ones for the labels that a text has.
        is_multi_label: whether a text may have any number of labels.
        hashes: 16 bytes of each text, which decide its side of the split.
        fingerprint: depends on texts and labels, not on their order.
    """

    texts: tuple[str, ...] = dataclasses.field(repr=False)
    labels: np.ndarray
    classes: tuple[str, ...]
    is_multi_label: bool
    hashes: tuple[bytes, ...] = dataclasses.field(repr=False)
    report: FactsReport
    fingerprint: str
    origin: dict[str, object]


def load_labelled_texts(
    source: str,
    *,
    text_column: str | None = None,
    target: str | None = None,
    held_out_share: float = HELD_OUT_SHARE,
    max_bytes: int = MAX_BYTES,
    progress: Progress = silent,
) -> LabelledTexts:
    """Read texts with their labels.

    Args:
        source: a data set by name (`imdb`), or the path or address of a table, or of a folder or an archive with
            one folder per class.
        text_column, target: columns of texts and labels, for tables; guessed when left out.
        held_out_share: for the report.
    Raises:
        DataError: it cannot be used; the message says what was found and what would do.
    """
    known = LABELLED_CATALOG.get(source)
    if known is not None:
        if text_column is not None or target is not None:
            raise UsageError(f"{source}: its columns are known. Leave --text-column and --target out.")
        wanted = TEXT_CATALOG[source].source
    else:
        wanted = own_source(source, LABELLED_CATALOG)
    fetched = fetch(wanted, max_bytes=max_bytes, progress=progress)
    reading = _Reading(text_column=text_column, target=target, known=known, max_bytes=max_bytes)
    reading.read(fetched.path)
    named = TEXT_CATALOG[source] if known is not None else None
    facts = [("Source", harmless(source))]
    facts += [("Title", named.title)] if named is not None and named.title else []
    facts += [("Licence", named.licence)] if named is not None and named.licence else []
    return reading.finished(
        harmless(source), facts=facts, origin=dict(fetched.record), held_out_share=held_out_share
    )


class _Reading:
    """Texts and labels as they are found, file after file."""

    def __init__(
        self, *, text_column: str | None, target: str | None, known: KnownTexts | None, max_bytes: int
    ) -> None:
        self.text_column = text_column
        self.target = target
        self.known = known
        self.max_bytes = max_bytes
        self.texts: list[str] = []
        self.cells: list[object] = []
        self.skipped: list[SkippedFile] = []
        self.ways: Counter[str] = Counter()
        self.notes: list[str] = []
        self.num_malformed = 0

    def read(self, path: Path) -> None:
        """One file, archive or folder."""
        for each in self._files(path):
            if isinstance(each, SkippedFile):
                if each.reason is not Reason.HIDDEN:
                    self.skipped.append(each)
                continue
            try:
                suffix = suffix_of(each.name)
                if suffix in TABLE_SUFFIXES:
                    self._keep_table(each, suffix)
                elif suffix in ARCHIVE_SUFFIXES:
                    raise UnusableFileError(Reason.ARCHIVE)
                else:
                    self._keep_file(each)
            except UnusableFileError as error:
                self.skipped.append(SkippedFile(name=each.name, reason=error.reason, detail=error.detail))
        wrong = [each for each in self.skipped if each.reason is Reason.NO_COLUMN]
        if wrong and (self.text_column is not None or self.target is not None):
            # Other files must not hide that the name of a column is wrong.
            raise DataError(f"{harmless(wrong[0].name)}: {wrong[0].detail}.")

    def _files(self, path: Path) -> Iterator[FoundFile | SkippedFile]:
        if path.is_dir():
            yield from files_of_folder(path, max_bytes=self.max_bytes)
        elif suffix_of(path.name) in ARCHIVE_SUFFIXES:
            members = self.known.members if self.known is not None else None
            yield from files_of_archive(path, max_bytes=self.max_bytes, members=members)
        else:
            try:
                yield FoundFile(name=path.name, content=read_file(path, max_bytes=self.max_bytes))
            except UnusableFileError as error:
                yield SkippedFile(name=path.name, reason=error.reason, detail=error.detail)

    def _keep_table(self, file: FoundFile, suffix: str) -> None:
        known = self.known
        table: LabelledTable = read_labelled_table(
            file.content,
            suffix,
            text_column="text" if known is not None and known.target else self.text_column,
            target=known.target if known is not None else self.target,
            keep_rows=known.keep_rows if known is not None else None,
            max_bytes=self.max_bytes,
        )
        self.texts += table.texts
        self.cells += table.cells
        self.ways[table.description] += len(table.texts)
        self.notes += [note for note in table.notes if note not in self.notes]
        self.num_malformed += table.num_malformed

    def _keep_file(self, file: FoundFile) -> None:
        parts = PurePosixPath(file.name.replace("\\", "/")).parts
        if len(parts) < 2:
            raise UnusableFileError(Reason.UNREADABLE, "not in a folder named by its class, and no table")
        self.texts.append(decode(file.content).text.strip())
        self.cells.append(parts[-2])
        self.ways["a folder per class"] += 1

    def finished(
        self, source: str, *, facts: list[tuple[str, str]], origin: dict[str, object], held_out_share: float
    ) -> LabelledTexts:
        """All that was read, cleaned and checked."""
        if not self.texts:
            raise DataError(
                f"{source}: holds no text with a label{said_nothing_but(self.skipped)}. Expected a table with a "
                f"column of texts and one of labels, or one folder per class with text files"
            )
        labels_of, is_multi_label, notes = labels_of_cells(self.cells)
        names = self.known.label_names if self.known is not None else {}
        kept: dict[bytes, tuple[str, tuple[str, ...]]] = {}
        num_empty = num_unlabelled = num_duplicates = num_contrary = 0
        for raw, labels in zip(self.texts, labels_of, strict=True):
            text, _ = clean_text(raw, break_tags=self.known is not None)
            if not text or text.isspace():
                num_empty += 1
                continue
            if labels is None:
                num_unlabelled += 1
                continue
            named = tuple(dict.fromkeys(names.get(label, label) for label in labels))
            found = content_hash(text.encode())
            if found in kept:
                num_duplicates += 1
                num_contrary += set(kept[found][1]) != set(named)
                continue
            kept[found] = (text, named)
        left_out = {
            "empty text": num_empty,
            "text without a label": num_unlabelled,
            "duplicate": num_duplicates,
            "malformed row": self.num_malformed,
        }
        cleaned = [counted(number, what) for what, number in left_out.items() if number]
        counts = Counter(label for _, labels in kept.values() for label in labels)
        if not kept:
            raise DataError(
                f"{source}: all texts are empty or have no label ({', '.join(cleaned)} left out). Expected texts "
                f"with labels"
            )
        classes, lone = checked_classes(source, counts, what="text", left_out=cleaned)
        warnings = class_warnings(counts, classes, lone, what="text")
        if num_contrary:
            warnings.append(
                f"{counted(num_contrary, 'text')} came again with other labels; the first ones count"
            )
        if lone:
            lost = set(lone)
            kept = {
                key: (text, rest)
                for key, (text, labels) in kept.items()
                if (rest := tuple(label for label in labels if label not in lost)) or not labels
            }
        return self._made(
            kept,
            classes,
            is_multi_label=is_multi_label,
            facts=[*facts, *self._read_as(notes)],
            cleaned=cleaned,
            warnings=warnings,
            origin=origin,
            held_out_share=held_out_share,
        )

    def _made(
        self,
        kept: Mapping[bytes, tuple[str, tuple[str, ...]]],
        classes: tuple[str, ...],
        *,
        is_multi_label: bool,
        facts: list[tuple[str, str]],
        cleaned: list[str],
        warnings: list[str],
        origin: dict[str, object],
        held_out_share: float,
    ) -> LabelledTexts:
        positions = {label: position for position, label in enumerate(classes)}
        hashes = tuple(kept)
        texts = tuple(text for text, _ in kept.values())
        labelled = [labels for _, labels in kept.values()]
        if is_multi_label:
            labels = np.zeros((len(texts), len(classes)), np.float32)
            for row, own in zip(labels, labelled, strict=True):
                row[[positions[label] for label in own]] = 1.0
        else:
            labels = np.array([positions[own[0]] for own in labelled], np.int32)
        fingerprint = hashlib.sha256(
            b"".join(
                sorted(
                    found + "\0".join(sorted(own)).encode()
                    for found, own in zip(hashes, labelled, strict=True)
                )
            )
        ).hexdigest()
        counts = Counter(label for own in labelled for label in own)
        lengths = [len(text.split()) for text in texts]
        sides = split_by_content(hashes, held_out_share=held_out_share)
        what = "labels, a text may have several" if is_multi_label else "classes"
        facts = [
            *facts,
            ("Texts", f"{len(texts):,}"),
            ("Labels", f"{len(classes)} {what}: {said_counts(classes, counts)}"),
            (
                "Length",
                f"half are under {counted(int(statistics.median(lengths)), 'word')}, "
                f"the longest has {max(lengths):,}",
            ),
            ("Cleaned", ", ".join(cleaned) or "nothing had to be"),
            *(("Skipped", text) for text in skipped_texts(self.skipped)),
            (
                "Split",
                f"{len(sides[0]):,} to train on, {len(sides[1]):,} to choose weights by, "
                f"{len(sides[2]):,} held out, by content",
            ),
        ]
        examples = [
            f"{harmless(', '.join(labelled[index]) or 'none')}: "
            + shortened(texts[index], max_chars=_EXAMPLE_CHARS)
            for index in _spread(labelled)
        ]
        report = FactsReport(
            facts=tuple(facts),
            fingerprint=fingerprint,
            examples=tuple(examples),
            warnings=tuple(warnings),
            numbers={
                "num_texts": len(texts),
                "classes": {label: counts[label] for label in classes},
                "is_multi_label": is_multi_label,
                "num_skipped": len(self.skipped),
            },
        )
        return LabelledTexts(
            texts=texts,
            labels=labels,
            classes=classes,
            is_multi_label=is_multi_label,
            hashes=hashes,
            report=report,
            fingerprint=fingerprint,
            origin=origin,
        )

    def _read_as(self, notes: Sequence[str]) -> list[tuple[str, str]]:
        said = [f"{way}: {counted(number, 'text')}" for way, number in self.ways.items()]
        return [("Read as", text) for text in (*said, *self.notes, *notes)]


def _spread(labelled: Sequence[tuple[str, ...]]) -> list[int]:
    """The first text of each of the first labels."""
    first: dict[tuple[str, ...], int] = {}
    for index, labels in enumerate(labelled):
        first.setdefault(labels, index)
        if len(first) == _NUM_EXAMPLES:
            break
    return list(first.values())
