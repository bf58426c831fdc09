"""What the numbers on the page must be: the same model on the same input, traced here without any page."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np

import openbook
from page.book import Book


class Truth:
    """Traces made in this process, to hold the page against."""

    def __init__(self, things: dict[str, Path]) -> None:
        self._things = things
        self._models: dict[str, Any] = {}
        self._traces: dict[str, Any] = {}

    def model(self, title: str) -> Any:
        from openbook.saved_models import load_model

        if title not in self._models:
            self._models[title] = load_model(self._things[title])
        return self._models[title]

    def trace(self, book: Book, title: str) -> Any:
        """The model on the very input that the page shows now."""
        inputs = page_inputs(book)
        key = title + "".join(str(array.tolist()) for array in inputs)
        if key not in self._traces:
            given = inputs[0] if len(inputs) == 1 else inputs
            self._traces[key] = openbook.trace(self.model(title), given)
        return self._traces[key]


def page_inputs(book: Book) -> list[np.ndarray]:
    """The arrays that the page's trace began with."""
    values = json.loads(book.server.get(f"api/traces/{book.trace_id}"))["values"]
    return [page_array(book, name) for name, info in values.items() if info["role"] == "input"]


def page_array(book: Book, name: str, trace_id: str | None = None) -> np.ndarray:
    """A whole value as the page offers it for download; of the newest trace, if no other is named."""
    from urllib.parse import quote

    content = book.server.get(f"api/traces/{trace_id or book.trace_id}/array.npy?name={quote(name)}")
    return np.load(io.BytesIO(content), allow_pickle=False)
