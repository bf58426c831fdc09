"""The beginning of data that is too large to be read just for a look."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from openbook.data.catalog import TEXT_CATALOG

__all__ = ["beginning_of"]

# Files whose beginning, cut at the end of a line, is a file of the same kind.
_LINE_SUFFIXES = (".txt", ".csv", ".tsv", ".jsonl", ".ndjson", ".md", ".text")
_LOOKED_AT_BYTES = 1 << 16


@contextlib.contextmanager
def beginning_of(source: str, *, max_bytes: int, limit: int) -> Iterator[tuple[str, int | None, float]]:
    """A path to read instead of a source, for a look at it.

    Args:
        source: as for `load_texts`.
        max_bytes: how much to read at most.
        limit: how much the run itself will read at most.
    Yields:
        the source to read; a limit of bytes for it, None where it needs none; and how many times larger the whole
        is. Archives, addresses, tables that are not written in lines, and what the run will refuse are read whole.
    """
    path = Path(source).expanduser()
    with contextlib.ExitStack() as stack:
        sizes = [] if source in TEXT_CATALOG else _sizes(path)
        is_file = len(sizes) == 1 and not path.is_dir()
        if sum(sizes) <= max_bytes or max(sizes) > (limit if is_file else max_bytes):
            yield source, None, 1.0
        elif not is_file:
            yield source, max_bytes, min(sum(sizes), limit) / max_bytes
        else:
            head = _whole_lines(path, max_bytes)
            if b"\0" in head[:_LOOKED_AT_BYTES]:  # UTF-16, or no text at all
                yield source, None, 1.0
                return
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="openbook-"))
            copy = Path(folder) / path.name
            copy.write_bytes(head)
            yield str(copy), None, sizes[0] / max(1, len(head))


def _sizes(path: Path) -> list[int]:
    """Sizes of the files that are written in lines; none where it is neither a file nor a folder."""
    try:
        if not path.is_dir():
            return [path.stat().st_size] if path.suffix.lower() in _LINE_SUFFIXES else []
        return [
            os.path.getsize(os.path.join(folder, name))
            for folder, _, names in os.walk(path)
            for name in names
            if name.lower().endswith(_LINE_SUFFIXES) and os.path.isfile(os.path.join(folder, name))
        ]
    except (OSError, ValueError):
        return []  # reading it says what is wrong


def _whole_lines(path: Path, max_bytes: int) -> bytes:
    with path.open("rb") as file:
        content = file.read(max_bytes)
    end = content.rfind(b"\n")
    return content[: end + 1] if end > max_bytes // 2 else content
