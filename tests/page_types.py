"""Holds answers of the page's server to the types of the front end, frontend/src/lib/api/types.ts.

A small reading of TypeScript: interfaces and type aliases made of primitives, literals, arrays, records, unions
and objects, which is all that the file uses.
"""

import functools
import re
from pathlib import Path

TYPES = Path(__file__).resolve().parent.parent / "frontend" / "src" / "lib" / "api" / "types.ts"
_TOKEN = re.compile(r'"[^"]*"|[A-Za-z_][A-Za-z_0-9]*|\[\]|[{}<>()|;:?,\[\]]')


class Wrong(AssertionError):
    """An answer is not of its type; the message says where."""


def check_type(value, name):
    """Check a value from JSON against a type of the front end, such as "TraceInfo" or "Summary[]".

    Raises:
        Wrong: a field is missing, unknown or of another type.
    """
    parsed, rest = _union(_TOKEN.findall(name))
    assert not rest
    _check(value, parsed, name)


@functools.cache
def _named():
    text = re.sub(r"/\*.*?\*/", "", TYPES.read_text("utf-8"), flags=re.DOTALL)
    text = re.sub(r"//.*", "", text)
    found = {}
    for match in re.finditer(r"export interface (\w+) (?=\{)", text):
        found[match[1]] = _union(_TOKEN.findall(text[match.end() :]))[0]
    for match in re.finditer(r"export type (\w+) =", text):
        found[match[1]] = _union(_TOKEN.findall(text[match.end() :]))[0]
    return found


def _union(tokens):
    if tokens and tokens[0] == "|":
        tokens = tokens[1:]
    first, tokens = _array(tokens)
    choices = [first]
    while tokens and tokens[0] == "|":
        choice, tokens = _array(tokens[1:])
        choices.append(choice)
    return (("union", choices) if len(choices) > 1 else first), tokens


def _array(tokens):
    parsed, tokens = _single(tokens)
    while tokens and tokens[0] == "[]":
        parsed, tokens = ("array", parsed), tokens[1:]
    return parsed, tokens


def _single(tokens):
    head, tokens = tokens[0], tokens[1:]
    if head == "(":
        parsed, tokens = _union(tokens)
        return parsed, tokens[1:]
    if head == "{":
        return _object(tokens)
    if head.startswith('"'):
        return ("literal", head[1:-1]), tokens
    if tokens and tokens[0] == "<":
        arguments = []
        while tokens[0] != ">":
            argument, tokens = _union(tokens[1:])
            arguments.append(argument)
        return (head, arguments), tokens[1:]
    return ("name", head), tokens


def _object(tokens):
    fields = {}
    while tokens[0] != "}":
        name, tokens = tokens[0], tokens[1:]
        is_optional = tokens[0] == "?"
        tokens = tokens[2:] if is_optional else tokens[1:]
        parsed, tokens = _union(tokens)
        fields[name] = (parsed, is_optional)
        if tokens[0] in (";", ","):
            tokens = tokens[1:]
    return ("object", fields), tokens[1:]


def _check(value, parsed, where):
    kind, content = parsed
    if kind == "union":
        problems = []
        for choice in content:
            try:
                return _check(value, choice, where)
            except Wrong as problem:
                problems.append(str(problem))
        raise Wrong(" or ".join(problems))
    if kind == "array":
        _expect(isinstance(value, list), value, "a list", where)
        for number, each in enumerate(value):
            _check(each, content, f"{where}[{number}]")
    elif kind == "literal":
        _expect(value == content, value, repr(content), where)
    elif kind == "object":
        _check_object(value, content, where)
    elif kind in ("Record", "Partial"):
        value_type = content[-1] if kind == "Record" else content[0][1][-1]
        _expect(isinstance(value, dict), value, "an object", where)
        for key, each in value.items():
            _check(each, value_type, f"{where}.{key}")
    else:
        _check_name(value, content, where)
    return None


def _check_object(value, fields, where):
    _expect(isinstance(value, dict), value, "an object", where)
    unknown = set(value) - set(fields)
    _expect(not unknown, unknown, "no other fields", where)
    for name, (parsed, is_optional) in fields.items():
        if name in value:
            _check(value[name], parsed, f"{where}.{name}")
        else:
            _expect(is_optional, None, f"a field {name!r}", where)


def _check_name(value, name, where):
    primitives = {
        "string": lambda: isinstance(value, str),
        "number": lambda: isinstance(value, int | float) and not isinstance(value, bool),
        "boolean": lambda: isinstance(value, bool),
        "null": lambda: value is None,
        "unknown": lambda: True,
    }
    if name in primitives:
        _expect(primitives[name](), value, name, where)
    else:
        _check(value, _named()[name], where)


def _expect(is_right, value, expected, where):
    if not is_right:
        raise Wrong(f"{where}: expected {expected}, got {str(value)[:80]!r}")
