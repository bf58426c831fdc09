"""Numbers on the page are the numbers of the trace, for every kind of picture of a value."""

import numpy as np
import pytest
from playwright.sync_api import expect

from page.book import Book
from page.truth import Truth, page_array

TEXT = "the film was sad"
SERIES = {"series": [[round(0.1 * t, 1), round(1 - 0.2 * t, 1)] for t in range(8)]}
ROW = {"row": [0.5, -1.0, 2.0, 0.0, 3.5]}

# Name, index and picture of values of every kind.
OF_TEXT = [
    ("block_1/attention/weights", (0, 1, 3, 2), "matrix"),
    ("block_1/attention/weights", (0, 1, 3, 2), "arcs"),
    ("block_1/attention/weights", (0, 0, 2, 1), "table"),
    ("block_2/output", (0, 2, 7), "matrix"),
    ("block_2/output", (0, 2, 7), "table"),
    ("block_2/output", (0, 2, 7), "vector"),
    ("final_norm/scale", (5,), "vector"),
    ("token_embedding/embeddings", (7, 3), "matrix"),
]


def open_value(
    book: Book, title: str, name: str, index: tuple[int, ...], picture: str, **place: object
) -> None:
    where = ",".join(map(str, index))
    book.open(title, view="values", value=name, index=where, show=picture, **place)


def assert_traced(book: Book, truth: Truth, title: str, name: str, index: tuple[int, ...]) -> None:
    """The focused number is the page's value to the last bit, and that is what the model computes."""
    array = page_array(book, name)
    assert np.float32(book.focused_number()) == np.float32(array[index])
    # Compiled once more, the same sum may be taken in another order.
    np.testing.assert_allclose(array, truth.trace(book, title)[name], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("name", "index", "picture"), OF_TEXT)
def test_focused_number_is_the_traced_one(
    book: Book, truth: Truth, name: str, index: tuple[int, ...], picture: str
) -> None:
    open_value(book, "reviews", name, index, picture, text=TEXT)
    assert_traced(book, truth, "reviews", name, index)


def test_arrow_keys_go_from_number_to_number_of_the_trace(book: Book, truth: Truth) -> None:
    name = "block_1/feed_forward/expand/output"
    open_value(book, "reviews", name, (0, 1, 4), "matrix", text=TEXT)
    book.focused_number()
    last = page_array(book, name).shape[2] - 1
    keys = ("ArrowRight", "ArrowDown", "Home", "End")
    for key, index in zip(keys, ((0, 1, 5), (0, 2, 5), (0, 2, 0), (0, 2, last)), strict=True):
        book.grid.press(key)
        expect(book.focused_cell()).to_contain_text(f"[{', '.join(map(str, index))}]")
        assert_traced(book, truth, "reviews", name, index)
        assert book.place()["index"] == ",".join(map(str, index))
