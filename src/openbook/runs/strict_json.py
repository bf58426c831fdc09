"""JSON as openbook writes it, and reading that names the file when something is wrong.

Any program can read it: numbers that JSON does not know (NaN, infinity) become null.
"""

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from openbook.errors import RunError

__all__ = ["parse_object", "read_content", "read_object", "to_json"]


def to_json(value: object, *, indent: int | None = None) -> str:
    """The value as JSON text; NumPy arrays, paths and sets are written as what they mean."""
    plain = _plain(value)
    text = json.dumps(plain, indent=indent, ensure_ascii=False, allow_nan=False)
    try:
        text.encode()
    except UnicodeEncodeError:  # half a surrogate pair, from a file name that is not UTF-8
        text = json.dumps(plain, indent=indent, ensure_ascii=True, allow_nan=False)
    return text


def parse_object(text: str | bytes, *, origin: str) -> dict[str, Any]:
    """The JSON object in `text`.

    Raises:
        RunError: it is no JSON object; the message begins with `origin`.
    """
    try:
        value = json.loads(
            text.decode("utf-8") if isinstance(text, bytes) else text, parse_constant=lambda _: None
        )
    except (ValueError, RecursionError) as error:
        raise RunError(
            f"{origin}: expected a JSON object, but it cannot be read ({error}); it was cut off, half copied "
            f"or "
            f"changed. Copy the run again from where it is whole"
        ) from error
    if not isinstance(value, dict):
        raise RunError(f"{origin}: expected a JSON object, got {type(value).__name__}. Copy the run again")
    return value


def read_object(path: Path) -> dict[str, Any]:
    """The JSON object in a file.

    Raises:
        RunError: the file is missing, unreadable or no JSON object; the message names it.
    """
    return parse_object(read_content(path), origin=str(path))


def read_content(path: Path) -> bytes:
    """The bytes of a file that a run must have.

    Raises:
        RunError: the file is missing or unreadable; the message names it.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise RunError(f"{path}: is missing; the run is half copied or damaged. Copy it again") from error
    except OSError as error:
        raise RunError(
            f"{path}: cannot be read ({error.strerror or error}). Check its permissions"
        ) from error


def _plain(value: object) -> object:
    if isinstance(value, float):  # also numpy.float64, whose own class JSON would refuse below
        return float(value) if math.isfinite(value) else None
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted((_plain(item) for item in value), key=str)
    if isinstance(value, os.PathLike):
        return Path(value).as_posix()
    if hasattr(value, "tolist"):  # NumPy and JAX scalars and arrays
        return _plain(value.tolist())
    raise TypeError(f"{value!r} of type {type(value).__name__} has no form in JSON")
