"""A Markdown file of which some parts are openbook's and the rest is the reader's.

    <!-- openbook run digits-1 2026-11-30T20:55:04+00:00 1f3a9c07 -->
    … written anew at every rewrite …
    <!-- openbook end -->

A mark stands at the beginning of its line. The number at the end of the first one is a hash of what openbook wrote
below it, so that words of the reader's in there are noticed. They are kept below the part; so is everything whose
marks were damaged. Nothing that somebody wrote is thrown away.
"""

from __future__ import annotations

import dataclasses
import hashlib
import re
from collections.abc import Mapping, Sequence

__all__ = ["END", "Block", "Document", "parse", "rewrite"]

END = "<!-- openbook end -->"
KEPT = "*Kept from within the part above, which openbook writes anew:*"
_START = re.compile(r"<!-- openbook (?P<key>[a-z]+(?: \S+)*) (?P<digest>[0-9a-f]{8}) -->\s*")
_ANY_MARK = re.compile(r"\s*<!-- openbook .*-->\s*")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Block:
    """A part that openbook writes.

    Attributes:
        key: what it is about, such as "run digits-1 2026-11-30T20:55:04+00:00"; words without signs of their own.
        digest: of what openbook wrote.
        lines: what stands there now.
    """

    key: str
    digest: str
    lines: tuple[str, ...]

    @property
    def is_untouched(self) -> bool:
        """Whether it is as openbook left it."""
        return digest_of(self.lines) == self.digest


@dataclasses.dataclass(frozen=True, kw_only=True)
class Document:
    """A file, cut into the reader's lines and openbook's blocks, and what was damaged in it."""

    parts: tuple[Block | str, ...]
    problems: tuple[str, ...] = ()

    def blocks(self) -> dict[str, Block]:
        """The blocks by key."""
        return {part.key: part for part in self.parts if isinstance(part, Block)}


def digest_of(lines: Sequence[str]) -> str:
    """A short hash of lines; spaces at their ends, which editors remove, do not count."""
    text = "\n".join(line.rstrip() for line in lines).strip("\n")
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def parse(text: str) -> Document:
    """Cut a file into its parts; whatever was done to it, no line is lost."""
    lines = text.splitlines()
    parts: list[Block | str] = []
    problems: list[str] = []
    seen: set[str] = set()
    place = 0
    while place < len(lines):
        line = lines[place]
        place += 1
        if line.rstrip() == END:
            problems.append(f"line {place}: an end mark without a beginning; it was taken out")
            continue
        start = _START.fullmatch(line)
        if start is None:
            parts.append(line)
            continue
        end = _end_of(lines, place)
        if end is None:
            end = place + _length_as_written(lines[place:], start["digest"])
            problems.append(
                f"line {place}: the end mark of {_called(start['key'])} is gone; "
                f"what is not openbook's is kept as your words"
            )
            block = Block(key=start["key"], digest=start["digest"], lines=tuple(lines[place:end]))
            place = end
        else:
            block = Block(key=start["key"], digest=start["digest"], lines=tuple(lines[place:end]))
            place = end + 1
        if block.key in seen:
            problems.append(f"{_called(block.key)} is there twice; one is kept")
            parts.extend(() if block.is_untouched else [KEPT, "", *_readers_lines(block.lines, ())])
            continue
        seen.add(block.key)
        parts.append(block)
    return Document(parts=tuple(parts), problems=tuple(problems))


def rewrite(document: Document, fresh: Mapping[str, Sequence[str]]) -> tuple[str, tuple[str, ...]]:
    """The file with its blocks written anew.

    Args:
        fresh: lines by key; a new key comes at the end of the file, a block without fresh lines stays as it is.
    Returns:
        the text, and what was found damaged and kept.
    """
    problems = list(document.problems)
    lines: list[str] = []
    for part in document.parts:
        if isinstance(part, str):
            lines.append(part)
            continue
        new = fresh.get(part.key)
        if new is None:
            lines += [_mark(part.key, part.digest), *part.lines, END]
            continue
        lines += [_mark(part.key, digest_of(new)), *new, END]
        if not part.is_untouched:
            kept = _readers_lines(part.lines, new)
            if kept:
                problems.append(
                    f"{_called(part.key)}: words were written into openbook's part; they are kept below it"
                )
                lines += ["", KEPT, "", *kept]
    present = document.blocks()
    for key, new in fresh.items():
        if key not in present:
            lines += [
                *([""] if lines and lines[-1].strip() else []),
                _mark(key, digest_of(new)),
                *new,
                END,
                "",
            ]
    return "\n".join(lines).rstrip("\n") + "\n", tuple(problems)


def _mark(key: str, digest: str) -> str:
    return f"<!-- openbook {key} {digest} -->"


def _called(key: str) -> str:
    """A block's key in words."""
    words = key.split(" ")
    return f"the part of {words[1]}" if words[0] == "run" and len(words) > 1 else f"the part {key!r}"


def _end_of(lines: Sequence[str], place: int) -> int | None:
    """Where the block that begins before `place` ends; None where another begins first, or the file ends."""
    for index in range(place, len(lines)):
        if lines[index].rstrip() == END:
            return index
        if _START.fullmatch(lines[index]):
            return None
    return None


def _length_as_written(lines: Sequence[str], digest: str) -> int:
    """How many lines of a block without an end are as openbook wrote them; 0 where that cannot be told."""
    for number in range(len(lines), 0, -1):
        if digest_of(lines[:number]) == digest:
            return number
    return 0


def _readers_lines(lines: Sequence[str], new: Sequence[str]) -> list[str]:
    """The lines that openbook does not write there itself."""
    written = {line.strip() for line in new}
    kept = [line for line in lines if line.strip() not in written and not _ANY_MARK.fullmatch(line)]
    while kept and not kept[0].strip():
        kept.pop(0)
    while kept and not kept[-1].strip():
        kept.pop()
    return kept
