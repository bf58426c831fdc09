"""Numbers on the page are the numbers of the trace, for every kind of picture of a value."""

import json
import re

import numpy as np
import pytest
from playwright.sync_api import expect

from page.book import TRACE_TIMEOUT_MS, Book
from page.models import drawing
from page.truth import Truth, page_array

TEXT = "the film was sad"
SERIES = {"series": [[round(0.1 * t, 1), round(1 - 0.2 * t, 1)] for t in range(8)]}
ROW = {"row": [0.5, -1.0, 2.0, 0.0, 3.5]}
INPUTS = {
    "reviews": {"text": TEXT},
    "digits.keras": {"drawing": drawing()},
    "series.keras": {"arrays": json.dumps(SERIES)},
    "table.keras": {"arrays": json.dumps(ROW)},
}

# Model, value, index and picture: every picture in which one number has the focus.
FOCUSED = [
    ("reviews", "block_1/attention/weights", (0, 1, 3, 2), "matrix"),
    ("reviews", "block_1/attention/weights", (0, 1, 3, 2), "arcs"),
    ("reviews", "block_1/attention/weights", (0, 0, 2, 1), "table"),
    ("reviews", "block_2/output", (0, 2, 7), "matrix"),
    ("reviews", "block_2/output", (0, 2, 7), "vector"),
    ("reviews", "token_embedding/embeddings", (7, 3), "matrix"),
    ("reviews", "final_norm/scale", (5,), "vector"),
    ("digits.keras", "convolution/output", (0, 3, 4, 2), "maps"),
    ("digits.keras", "convolution/kernel", (1, 2, 0, 3), "kernels"),
    ("digits.keras", "pooling/output", (0, 2, 3, 1), "matrix"),
    ("series.keras", "memory/forget_gate", (4, 0, 2), "matrix"),
    ("table.keras", "hidden/kernel", (2, 4), "table"),
]


def open_value(
    book: Book, title: str, name: str, index: tuple[int, ...], picture: str, **place: object
) -> None:
    where = ",".join(map(str, index))
    book.open(title, view="values", value=name, index=where, show=picture, **place)


def assert_traced(book: Book, truth: Truth, title: str, name: str, index: tuple[int, ...]) -> None:
    """The focused number is the page's value to the last bit, and that is what the model computes."""
    shown = np.float32(book.focused_number())
    array = page_array(book, name)
    assert shown == np.float32(array[index])
    # Compiled once more, the same sum may be taken in another order.
    np.testing.assert_allclose(array, truth.trace(book, title)[name], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("title", "name", "index", "picture"), FOCUSED)
def test_focused_number_is_the_traced_one(
    book: Book, truth: Truth, title: str, name: str, index: tuple[int, ...], picture: str
) -> None:
    open_value(book, title, name, index, picture, **INPUTS[title])
    assert_traced(book, truth, title, name, index)


@pytest.mark.parametrize(
    ("title", "name"), [("reviews", "output"), ("digits.keras", "output")], ids=["tokens", "classes"]
)
def test_bars_are_the_largest_of_the_trace(book: Book, truth: Truth, title: str, name: str) -> None:
    position = (0, 3, 0) if title == "reviews" else (0, 0)
    open_value(book, title, name, position, "bars", **INPUTS[title])
    rows = book.page.get_by_role("tabpanel").get_by_role("table").locator("tbody").get_by_role("row")
    expect(rows.first).to_be_visible(timeout=TRACE_TIMEOUT_MS)
    shown = [short_number(text) for text in rows.locator("td:last-child").all_inner_texts()]
    line = page_array(book, name)[position[:-1]]
    np.testing.assert_allclose(shown[: len(line)], np.sort(line)[::-1][: len(shown)], rtol=1e-3)
    np.testing.assert_allclose(page_array(book, name), truth.trace(book, title)[name], rtol=1e-5, atol=1e-6)


def test_lines_of_a_series_are_the_traced_ones(book: Book, truth: Truth) -> None:
    name = "memory/forget_gate"
    open_value(book, "series.keras", name, (0, 0, 1), "lines", **INPUTS["series.keras"])
    line = book.page.get_by_role("slider", name=f"{name} as lines")
    expect(line).to_be_visible(timeout=TRACE_TIMEOUT_MS)
    expected = np.asarray(truth.trace(book, "series.keras")[name])[:, 0, 1]
    for time_step in range(3):
        expect(line).to_have_attribute("aria-valuetext", re.compile(rf"^{time_step}.*\d"))
        assert short_number(line.get_attribute("aria-valuetext")) == pytest.approx(
            expected[time_step], rel=1e-4
        )
        line.press("ArrowRight")


def test_tokens_are_coloured_by_the_traced_numbers(book: Book, truth: Truth) -> None:
    name = "block_1/output"
    open_value(book, "reviews", name, (0, 0, 5), "tokens", **INPUTS["reviews"])
    tokens = book.page.get_by_role("list", name=f"Tokens, coloured by {name}").get_by_role("button")
    expect(tokens.first).to_have_attribute("aria-label", re.compile(r": -?\d"), timeout=TRACE_TIMEOUT_MS)
    shown = [short_number(button.get_attribute("aria-label")) for button in tokens.all()]
    np.testing.assert_allclose(shown, truth.trace(book, "reviews")[name][0, :, 5], rtol=1e-3)


def test_neighbours_are_those_of_the_embedding(book: Book, truth: Truth) -> None:
    name, row = "token_embedding/embeddings", 300
    open_value(book, "reviews", name, (row, 0), "neighbours", **INPUTS["reviews"])
    cells = book.page.get_by_role("tabpanel").locator("tbody tr td:last-child")
    expect(cells.first).to_be_visible(timeout=TRACE_TIMEOUT_MS)
    table = np.asarray(truth.trace(book, "reviews")[name], np.float64)
    unit = table / np.linalg.norm(table, axis=1, keepdims=True)
    expected = np.sort(unit @ unit[row])[::-1]
    shown = [short_number(text) for text in cells.all_inner_texts()]
    np.testing.assert_allclose(shown, expected[: len(shown)], rtol=1e-2)


def test_single_number_is_the_traced_one(book: Book, truth: Truth) -> None:
    open_value(book, "table.keras", "output", (0, 0), "number", **INPUTS["table.keras"])
    number = book.page.get_by_role("tabpanel").get_by_role("button").first
    expect(number).to_have_text(re.compile(r"\d"), timeout=TRACE_TIMEOUT_MS)
    assert short_number(number.inner_text()) == pytest.approx(
        float(truth.trace(book, "table.keras")["output"][0, 0]), rel=1e-4
    )


def short_number(text: str) -> float:
    """The last number in what is shown."""
    return float(re.findall(r"-?\d[\d.]*(?:e[-+]?\d+)?", text.replace("−", "-"))[-1])


def test_arrow_keys_go_from_number_to_number_of_the_trace(book: Book, truth: Truth) -> None:
    name = "block_1/feed_forward/expand/output"
    open_value(book, "reviews", name, (0, 1, 4), "matrix", **INPUTS["reviews"])
    book.focused_number()
    last = page_array(book, name).shape[2] - 1
    keys = ("ArrowRight", "ArrowDown", "Home", "End")
    for key, index in zip(keys, ((0, 1, 5), (0, 2, 5), (0, 2, 0), (0, 2, last)), strict=True):
        book.grid.press(key)
        expect(book.focused_cell()).to_contain_text(f"[{', '.join(map(str, index))}]")
        assert_traced(book, truth, "reviews", name, index)
        assert book.place()["index"] == ",".join(map(str, index))
