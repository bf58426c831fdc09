"""Lines of source in paragraphs, each under the path of its layer."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence

from openbook.program.program import BACKWARD, FORWARD, UPDATE

LINE_LENGTH = 100
INDENT = "    "
_PHASES = {FORWARD: "", BACKWARD: "backward", UPDATE: "update"}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Heading:
    """What stands above a paragraph."""

    phase: str
    path: tuple[str, ...]

    def text(self) -> str:
        """The comment, without its number sign; empty outside all layers."""
        path = "/".join(self.path)
        phase = _PHASES.get(self.phase, self.phase)
        return f"{phase}: {path}" if phase and path else phase or path


@dataclasses.dataclass(frozen=True, kw_only=True)
class Line:
    """One statement, or the head of a loop."""

    text: str
    heading: Heading
    depth: int = 0


def paragraphs(lines: Sequence[Line], depth: int) -> list[str]:
    """Lines of text: a heading above each paragraph, long statements wrapped."""
    groups = _merged(_grouped(lines))
    written: list[str] = []
    previous = ""
    for heading, members in groups:
        text = heading.text()
        if written:
            written.append("")
        if text and text != previous:
            written.append(f"{INDENT * depth}# {text}")
        previous = text
        for line in members:
            written += wrapped(line.text, depth + line.depth)
    return written


def _grouped(lines: Sequence[Line]) -> list[tuple[Heading, list[Line]]]:
    groups: list[tuple[Heading, list[Line]]] = []
    for line in lines:
        # The inside of a loop stays with its head.
        if groups and (line.depth > 0 or groups[-1][0] == line.heading):
            groups[-1][1].append(line)
        else:
            groups.append((line.heading, [line]))
    return groups


def _merged(groups: list[tuple[Heading, list[Line]]]) -> list[tuple[Heading, list[Line]]]:
    """Short neighbours within one layer stand together under the layer's path."""
    merged: list[tuple[Heading, list[Line]]] = []
    for heading, members in groups:
        if merged:
            before, earlier = merged[-1]
            shared = _shared(before.path, heading.path)
            short = len(members) <= 2 or len(earlier) <= 2
            close = len(shared) >= max(len(before.path), len(heading.path)) - 1
            if before.phase == heading.phase and shared and short and close and len(earlier) < 12:
                merged[-1] = (Heading(phase=heading.phase, path=shared), [*earlier, *members])
                continue
        merged.append((heading, list(members)))
    return merged


def _shared(left: tuple[str, ...], right: tuple[str, ...]) -> tuple[str, ...]:
    length = 0
    while length < min(len(left), len(right)) and left[length] == right[length]:
        length += 1
    return left[:length]


def wrapped(text: str, depth: int) -> list[str]:
    """A statement on as many lines as it needs, broken after the commas of its outermost bracket."""
    indent = INDENT * depth
    if len(indent) + len(text) <= LINE_LENGTH:
        return [indent + text]
    terms = _terms(text)
    if terms is not None:
        head, parts, tail = terms
        return [f"{indent}{head}(", *(f"{indent}{INDENT}{part}" for part in parts), f"{indent}){tail}"]
    opening = _outermost_bracket(text)
    if opening is None:
        return [indent + text]
    closing = _closing(text, opening)
    inside, start = [], opening + 1
    level = 0
    quoted = False
    for position in range(opening + 1, closing):
        character = text[position]
        quoted ^= character == '"'
        level += (character in "([{") - (character in ")]}")
        if character == "," and level == 0 and not quoted:
            inside.append(text[start:position].strip())
            start = position + 1
    last = text[start:closing].strip()
    parts = [*inside, last] if last else inside
    # A bracket around one thing must not become a tuple.
    comma = "," if len(parts) > 1 or not last else ""
    lines = [indent + text[: opening + 1]]
    together = ", ".join(parts)
    if len(indent) + len(INDENT) + len(together) < LINE_LENGTH and text[opening] == "(" and len(parts) < 6:
        ending = "," if len(parts) == 1 and not last else ""
        return [*lines, indent + INDENT + together + ending, indent + text[closing:]]
    for part in parts:
        broken = wrapped(part, depth + 1)
        lines += [*broken[:-1], broken[-1] + comma]
    lines.append(indent + text[closing:])
    return lines


def _terms(text: str) -> tuple[str, list[str], str] | None:
    """An assignment or a return of a sum: what stands before, the terms with their signs, what stands after."""
    match = re.match(r"(?:[A-Za-z_]\w* = |return )", text)
    if match is None:
        return None
    parts = _split(text, match.end(), (" + ", " - "))
    if parts is not None and len(parts) == 1:
        parts = _split(text, match.end(), (" * ", " / "))
    return (match.group(), parts, "") if parts is not None and len(parts) > 1 else None


def _split(text: str, start: int, signs: tuple[str, ...]) -> list[str] | None:
    """The operands of the outermost operators, each with its sign; None where several values are listed."""
    parts: list[str] = []
    level, quoted = 0, False
    for position in range(start, len(text)):
        character = text[position]
        quoted ^= character == '"'
        if quoted:
            continue
        level += (character in "([{") - (character in ")]}")
        if level == 0 and text[position : position + 3] in signs and position > start:
            parts.append(text[start:position].strip())
            start = position + 1
        if level == 0 and character == ",":
            return None
    return [*parts, text[start:].strip()]


def _outermost_bracket(text: str) -> int | None:
    """The bracket with the longest inside among those that stand in no other."""
    best, best_length = None, 0
    calls = text.count("(") > 0
    position = 0
    start = match.end() if (match := re.match(r"[\w, ]+ = ", text)) else 0
    position = start
    while position < len(text):
        if text[position] == '"':
            position = text.index('"', position + 1) + 1
            continue
        if text[position] in "([{":
            closing = _closing(text, position)
            # An index is not broken where a call can be.
            is_index = text[position] == "[" and position > start and calls
            if closing - position > best_length and not is_index:
                best, best_length = position, closing - position
            position = closing
        position += 1
    return best


def _closing(text: str, opening: int) -> int:
    level = 0
    quoted = False
    for position in range(opening, len(text)):
        character = text[position]
        quoted ^= character == '"'
        if quoted:
            continue
        level += (character in "([{") - (character in ")]}")
        if level == 0:
            return position
    raise AssertionError(f"no closing bracket in {text}")
