"""Texts to train on: loaded from anywhere, cleaned, deduplicated, counted and split."""

import hashlib
import statistics
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import compress
from pathlib import Path

from openbook.data.cache import Progress, silent
from openbook.data.catalog import TEXT_CATALOG, TextDataSet
from openbook.data.display import counted, harmless, shortened
from openbook.data.language import count_words, script_shares
from openbook.data.own_source import own_source
from openbook.data.reading import RawTexts, Reading, read_texts
from openbook.data.report import TextReport
from openbook.data.source import fetch
from openbook.data.split import HELD_OUT_SHARE, SplitSizes, check_held_out_share, content_hash, held_out_flags
from openbook.errors import DataError, UsageError

__all__ = ["MAX_BYTES", "Documents", "load_texts"]

MAX_BYTES = 1 << 30

_NUM_EXAMPLES = 3
_EXAMPLE_CHARS = 240


@dataclass(frozen=True, kw_only=True)
class Documents:
    """Texts, all different and none empty, in the order of their source."""

    texts: tuple[str, ...] = field(repr=False)
    report: TextReport
    fingerprint: str  # depends on the texts, not on their order
    origin: dict[str, object]  # where they really came from, for run.json
    content_hashes: tuple[bytes, ...] = field(repr=False)

    def split(self, held_out_share: float | None = None) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The training texts and the held-out texts.

        A document falls on its side by its content alone, whatever else is in the data; neither side is ever
        empty.

        Args:
            held_out_share: between 0 and 1; by default the share the texts were loaded with.
        """
        share = self.report.split.held_out_share if held_out_share is None else held_out_share
        flags = held_out_flags(self.content_hashes, share)
        training = tuple(compress(self.texts, (not flag for flag in flags)))
        return training, tuple(compress(self.texts, flags))


def load_texts(
    source: str | Path,
    *,
    text_column: str | None = None,
    max_bytes: int | None = None,
    held_out_share: float = HELD_OUT_SHARE,
    progress: Progress | None = None,
) -> Documents:
    """Load texts to train on.

    Args:
        source: the name of a known data set (`imdb`), an http or https address, or the path of a file, a
            folder or an archive. A name goes before a path of the same name; write `./imdb` for the path.
        text_column: the column of a table that holds the texts; guessed when left out.
        max_bytes: limit of all files together; 1 GiB by default.
        held_out_share: share of documents held out, for the report and for `Documents.split`.
        progress: told what takes long, one line at a time.
    Raises:
        DataError: the source cannot be used; the message says why and what to do.
        FetchError: it could not be fetched.
        UsageError: an argument is impossible.
    """
    check_held_out_share(held_out_share)
    limit = MAX_BYTES if max_bytes is None else max_bytes
    if limit < 1:
        raise UsageError(f"max_bytes: expected a positive number of bytes, got {max_bytes}.")
    progress = progress or silent
    wanted = _wanted(source, text_column)
    fetched = fetch(wanted.source, max_bytes=limit, progress=progress)
    raw = read_texts(fetched.path, wanted.reading, max_bytes=limit, progress=progress)
    if text_column is not None and not raw.num_tables:
        raise UsageError(
            f"{wanted.source.name}: --text-column {harmless(text_column)} was given, but there is no table; "
            f"plain text has no columns. Leave --text-column out."
        )
    return _documents(raw, wanted, origin=fetched.record, held_out_share=held_out_share)


def _wanted(source: str | Path, text_column: str | None) -> TextDataSet:
    if isinstance(source, str) and source in TEXT_CATALOG:
        if text_column is not None:
            raise UsageError(f"{source}: its column of texts is known. Leave --text-column out.")
        return TEXT_CATALOG[source]
    return TextDataSet(source=own_source(source, TEXT_CATALOG), reading=Reading(text_column=text_column))


def _documents(
    raw: RawTexts, data_set: TextDataSet, *, origin: dict[str, object], held_out_share: float
) -> Documents:
    name = data_set.source.name
    texts: list[str] = []
    encoded: list[bytes] = []
    hashes: dict[bytes, None] = {}  # in order, each once
    num_empty = num_duplicates = 0
    for text in raw.texts:
        if not text or text.isspace():
            num_empty += 1
            continue
        text_bytes = text.encode()
        found = content_hash(text_bytes)
        if found in hashes:
            num_duplicates += 1
            continue
        hashes[found] = None
        texts.append(text)
        encoded.append(text_bytes)
    if len(texts) < 2:
        raise _too_few(name, texts, raw, num_empty=num_empty, num_duplicates=num_duplicates)
    content_hashes = tuple(hashes)
    fingerprint = hashlib.sha256(b"".join(sorted(content_hashes))).hexdigest()
    sizes = list(map(len, encoded))
    flags = held_out_flags(content_hashes, held_out_share)
    held_out_bytes = sum(compress(sizes, flags))
    report = TextReport(
        source=name,
        origin=_said_origin(origin),
        title=data_set.title,
        licence=data_set.licence,
        inferred=raw.inferred,
        num_documents=len(texts),
        num_bytes=sum(sizes),
        num_words=count_words(encoded),
        median_document_bytes=int(statistics.median(sizes)),
        longest_document_bytes=max(sizes),
        scripts=script_shares(texts),
        num_duplicates=num_duplicates,
        num_empty=num_empty,
        num_malformed_rows=raw.num_malformed_rows,
        num_control_characters=raw.num_control_characters,
        skipped=raw.skipped,
        limits=raw.limits,
        split=SplitSizes(
            held_out_share=held_out_share,
            num_training=len(texts) - sum(flags),
            num_held_out=sum(flags),
            training_bytes=sum(sizes) - held_out_bytes,
            held_out_bytes=held_out_bytes,
        ),
        examples=tuple(shortened(text, max_chars=_EXAMPLE_CHARS) for text in _spread(texts)),
        fingerprint=fingerprint,
    )
    return Documents(
        texts=tuple(texts),
        report=report,
        fingerprint=fingerprint,
        origin=origin,
        content_hashes=content_hashes,
    )


def _spread(texts: list[str]) -> Iterable[str]:
    """The first, the middle and the last text: collections are often sorted by label."""
    positions = {round(step * (len(texts) - 1) / (_NUM_EXAMPLES - 1)) for step in range(_NUM_EXAMPLES)}
    return [texts[position] for position in sorted(positions)]


def _said_origin(origin: dict[str, object]) -> str:
    match origin["kind"]:
        case "wheel":
            return f"wheel {origin['name']}=={origin['version']}"
        case "address":
            return str(origin["address"])
        case _:
            return f"{origin['kind']} {origin['path']}"


def _too_few(name: str, texts: list[str], raw: RawTexts, *, num_empty: int, num_duplicates: int) -> DataError:
    left_out = [counted(num_empty, "empty one")] if num_empty else []
    left_out += [counted(num_duplicates, "duplicate")] if num_duplicates else []
    left_out += [counted(sum(group.number for group in raw.skipped), "skipped file")] if raw.skipped else []
    besides = f" besides {', '.join(left_out)}" if left_out else ""
    found = "only one document" if texts else "no text"
    return DataError(
        f"{name}: holds {found}{besides}, read as: {'; '.join(raw.inferred)}. Expected two documents or "
        f"more, so that one can be held out. In a text file put blank lines between documents, or each on a "
        f"line of its own."
    )
