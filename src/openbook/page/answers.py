"""Answers: JSON that every browser can read, binary numbers, and refusals in a sentence."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
from starlette.responses import JSONResponse, Response


class NoSuchThing(Exception):
    """What was asked for is not here; the message is for a person."""


class StrictJson(JSONResponse):
    """JSON without NaN and infinity."""

    def render(self, content: Any) -> bytes:
        return json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode(
            "utf-8", "replace"
        )


def binary(array: np.ndarray) -> Response:
    """Numbers as float32, little endian, row by row."""
    content = np.ascontiguousarray(array, dtype="<f4").tobytes()
    return Response(content, media_type="application/octet-stream")


def refusal(sentence: str, status: int) -> Response:
    """An error as the page expects it."""
    return StrictJson({"error": sentence}, status_code=status)


def number(value: Any) -> float | int | None:
    """A JSON number; None for NaN, infinity and None. Of a complex number the real part."""
    if value is None:
        return None
    if isinstance(value, np.generic | np.ndarray):
        value = np.asarray(value)[()].item() if np.asarray(value).dtype != "bfloat16" else float(value)
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int):
        return value
    real = complex(value).real
    return real if math.isfinite(real) else None


def plain(value: Any) -> Any:
    """Nested data with nothing in it that JSON lacks."""
    if isinstance(value, dict):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, int | float | np.number):
        return number(value)
    return str(value)
