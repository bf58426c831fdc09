"""The model of a trace, or one layer of it, as NumPy source."""

from __future__ import annotations

import re

from openbook.page.looked import Looked

_HEADING = re.compile(r"\s*# (\S+)$")


def source_text(looked: Looked, path: str) -> str:
    """The program as NumPy; of one layer the paragraphs that its path heads, else those of the layer around it."""
    text = looked.source
    lines = text.split("\n")
    while path:
        found = _paragraphs(lines, path)
        if found:
            return found
        path = path.rpartition("/")[0]
    return text


def _paragraphs(lines: list[str], path: str) -> str:
    chosen: list[str] = []
    is_inside = False
    indent = ""
    for line in lines:
        heading = _HEADING.match(line)
        if heading is not None:
            is_inside = heading[1] == path or heading[1].startswith(f"{path}/")
            indent = indent or (line[: len(line) - len(line.lstrip())] if is_inside else "")
        elif line and not line.startswith(indent or " "):
            is_inside = False
        if is_inside:
            chosen.append(line.removeprefix(indent))
    return "\n".join(chosen).strip("\n")
