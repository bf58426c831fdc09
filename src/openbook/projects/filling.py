"""Templates of projects: Python files that run as they are, with settings and parts that are filled in."""

from __future__ import annotations

import re
import string
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

_TEMPLATES = Path(__file__).parent / "templates"
_LINE_LENGTH = 110


def filled(
    template: str,
    *,
    constants: Mapping[str, object],
    parts: Collection[str] = (),
    sources: Mapping[str, str] | None = None,
) -> str:
    """A Python template with a run's numbers.

    Its marks are comments, so that it is a program itself: `NAME = …  #: fill` takes a value, what ends in
    `#: if PART …` or stands between a line `#: if PART …` and `#: end` is kept where one of the parts is wanted,
    what stands between `#: source NAME` and `#: end` is replaced, and `#: include TEMPLATE` stands for another
    one.

    Args:
        template: path below the folder of templates.
        constants: values by name; each must be in the template.
        parts: those that are wanted.
        sources: Python source by name.
    """
    lines: list[str] = []
    is_kept, used = True, set()
    for line in _with_included(template):
        code, mark, words = line.partition("#: ")
        if not mark:
            lines += [line] if is_kept else []
            continue
        kind, *names = words.split()
        is_wanted = kind != "if" or any(name in parts for name in names)
        if kind == "end":
            is_kept = True
        elif kind == "source":
            lines += (sources or {})[names[0]].splitlines()
            is_kept = False
        elif not code.strip():
            is_kept = is_wanted
        elif kind == "if":
            lines += [code.rstrip()] if is_kept and is_wanted else []
        elif is_kept:
            name = code.split()[0].rstrip(":")
            lines += _assignment(name, constants[name])
            used.add(name)
    unused = set(constants) - used
    assert not unused, f"{template} has no place for {unused}"
    text = re.sub(r"\n{4,}", "\n\n\n", "\n".join(lines).rstrip()) + "\n"
    # Where the last import was left out, one line is enough before the constants.
    return re.sub(r"(\n(?:from|import) [^\n]+\n\n)\n(?=[#A-Z])", r"\1", text)


def _with_included(template: str) -> Iterator[str]:
    for line in (_TEMPLATES / template).read_text(encoding="utf-8").splitlines():
        if line.startswith("#: include "):
            _, *rest = _with_included(line.split()[-1])  # without its docstring
            yield from ("", "", *rest, "", "")
        else:
            yield line


def has_template(template: str) -> bool:
    """Whether there is one of this name."""
    return (_TEMPLATES / template).is_file()


def filled_text(template: str, words: Mapping[str, str]) -> str:
    """A template of prose, with `$name` where a word is filled in."""
    text = (_TEMPLATES / template).read_text(encoding="utf-8")
    return string.Template(text).substitute(words)


def python_value(value: object) -> str:
    """A value as formatted Python; strings in double quotes."""
    if isinstance(value, str):
        quoted = repr(value)
        if quoted.startswith("'") and '"' not in quoted and "\\'" not in quoted:
            quoted = f'"{quoted[1:-1]}"'
        return quoted
    if isinstance(value, tuple | list):
        inner = ", ".join(python_value(each) for each in value)
        return f"({inner}{',' if len(value) == 1 else ''})"
    if isinstance(value, dict):
        inner = ", ".join(f"{python_value(name)}: {python_value(each)}" for name, each in value.items())
        return f"{{{inner}}}"
    return repr(value)


def _assignment(name: str, value: object) -> list[str]:
    line = f"{name} = {python_value(value)}"
    if len(line) <= _LINE_LENGTH or not isinstance(value, tuple | list):
        return [line]
    return [f"{name} = (", *(f"    {python_value(each)}," for each in value), ")"]
