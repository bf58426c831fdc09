"""Point 1: the input bar. What the reader types, draws, drops or chooses is traced at once."""

import io
import json
import re

import numpy as np
import pytest
from playwright.sync_api import FilePayload, Locator, expect

from looking import Home
from page.book import TRACE_TIMEOUT_MS, Book
from page.truth import page_array

TOKENS = "Your text as the model's tokens"


def picture(pixels: np.ndarray, name: str = "digit.png") -> FilePayload:
    from PIL import Image

    content = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(content, "PNG")
    return {"name": name, "mimeType": "image/png", "buffer": content.getvalue()}


def pad(book: Book) -> Locator:
    return book.page.get_by_role("application", name="Drawing pad")


def drop(book: Book, file: FilePayload) -> None:
    """Give a picture as a file."""
    book.page.get_by_label(re.compile("choose a file")).set_input_files(file)


def test_tokens_are_shown_as_they_are_split_and_traced_at_once(book: Book, home: Home) -> None:
    from tokenizers import Tokenizer

    book.open(view="values", text="the film")
    book.wait_for_values()
    text = "her story was bright"
    book.page.get_by_role("textbox", name="Your text").fill(text)
    tokenizer = Tokenizer.from_file(str(home.folder / "runs" / "reviews" / "tokenizer.json"))
    ids = tokenizer.encode(text).ids
    shown = book.page.get_by_role("list", name=TOKENS).get_by_role("listitem")
    expect(shown).to_have_count(len(ids) + 1)
    assert "".join(shown.all_inner_texts()[1:]).replace("·", " ").strip() == text
    book.expect_trace(lambda: page_array(book, "input/tokens")[0, 1:].tolist() == ids)


def test_text_with_marks_of_a_page_stays_text(book: Book) -> None:
    book.open(view="values", text="<img src=x onerror=alert(1)><b>bold</b>")
    book.wait_for_values()
    shown = book.page.get_by_role("list", name=TOKENS).get_by_role("listitem")
    expect(shown.first).to_be_visible()
    assert "<img" in "".join(shown.all_inner_texts())
    assert book.page.locator("img[src=x]").count() == 0
    assert book.page.locator("main b", has_text="bold").count() == 0


def test_held_out_examples_have_the_mistakes_first(book: Book) -> None:
    book.open(view="values")
    book.wait_for_values()
    book.page.get_by_role("button", name="Held-out examples").click()
    examples = book.page.get_by_role("listbox", name="Held-out examples").get_by_role("option")
    expect(examples.first).to_be_visible(timeout=TRACE_TIMEOUT_MS)
    mistakes = ["Mistake" in text for text in examples.all_inner_texts()]
    assert mistakes == sorted(mistakes, reverse=True)
    asked = json.loads(book.server.get(f"api/models/{book.server.model_id('reviews')}/examples"))
    assert [each["is_mistake"] for each in asked] == sorted(
        (each["is_mistake"] for each in asked), reverse=True
    )
    before = book.page.get_by_role("textbox", name="Your text").input_value()
    examples.first.click()
    expect(book.page.get_by_role("textbox", name="Your text")).not_to_have_value(
        before, timeout=TRACE_TIMEOUT_MS
    )
    assert book.place()["example"] == asked[0]["id"]


def test_dropped_picture_is_preprocessed_step_by_step(book: Book) -> None:
    pixels = np.zeros((24, 24))
    pixels[4:20, 10:14] = 255
    book.open("digits.keras", view="values")
    expect(pad(book)).to_be_visible(timeout=TRACE_TIMEOUT_MS)
    drop(book, picture(pixels))
    steps = book.page.get_by_role("region", name=re.compile("before the model sees it")).get_by_role(
        "listitem"
    )
    expect(steps.last).to_contain_text("Value range", timeout=TRACE_TIMEOUT_MS)
    titles = " ".join(steps.all_inner_texts())
    for step in ("Your picture", "Crop", "Scale"):
        assert step in titles
    assert steps.get_by_role("img").count() == steps.count()

    def is_traced() -> bool:
        traced = page_array(book, "input/picture")[0, :, :, 0]
        # The stroke is upright and in the middle, and nothing else is lit.
        return traced[:, :3].max() == 0 and traced[6, 5:7].min() == traced.max() > 0.25

    book.expect_trace(is_traced)


def test_drawing_with_the_mouse_is_traced_at_once(book: Book) -> None:
    book.open("digits.keras", view="values")
    expect(pad(book)).to_be_visible(timeout=TRACE_TIMEOUT_MS)
    box = pad(book).bounding_box()
    book.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 20)
    book.page.mouse.down()
    book.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] - 20, steps=8)
    book.page.mouse.up()
    book.expect_trace(lambda: page_array(book, "input/picture").max() > 0.25)


def test_drawing_works_by_keyboard(book: Book) -> None:
    book.open("digits.keras", view="values")
    expect(pad(book)).to_be_visible(timeout=TRACE_TIMEOUT_MS)
    for key in ("Space", *["ArrowDown"] * 8, "Space"):
        pad(book).press(key)
    book.expect_trace(lambda: page_array(book, "input/picture").max() > 0.25)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("script.svg", b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'),
        ("text.png", b"no picture at all"),
        ("<img src=x onerror=alert(1)>.png", b"nor this"),
    ],
)
def test_what_is_no_picture_is_refused_in_words(book: Book, name: str, content: bytes) -> None:
    book.open("digits.keras", view="values")
    expect(pad(book)).to_be_visible(timeout=TRACE_TIMEOUT_MS)
    kind = "image/svg+xml" if name.endswith("svg") else "image/png"
    drop(book, {"name": name, "mimeType": kind, "buffer": content})
    expect(book.page.get_by_role("region", name="The input")).to_contain_text("cannot be read as a picture")
    assert book.page.locator("img[src=x]").count() == 0


def test_row_of_a_table_is_edited_cell_by_cell(book: Book) -> None:
    book.open("table.keras", view="values", arrays=json.dumps({"row": [0.5, -1, 2, 0, 3.5]}))
    book.wait_for_values()
    cells = book.page.get_by_role("grid", name="Numbers of row")
    cells.focus()
    cells.press("Control+End")
    cells.press("Enter")
    book.page.keyboard.type("7.25")
    book.page.keyboard.press("Enter")
    expected = np.array([[0.5, -1, 2, 0, 7.25]], np.float32)
    book.expect_trace(lambda: np.array_equal(page_array(book, "input/row"), expected))


def test_cell_that_is_no_number_says_so(book: Book) -> None:
    book.open("table.keras", view="values")
    book.wait_for_values()
    cells = book.page.get_by_role("grid", name="Numbers of row")
    cells.focus()
    cells.press("Enter")
    book.page.keyboard.type("seven")
    book.page.keyboard.press("Enter")
    expect(book.page.get_by_text("is no number")).to_be_visible()


def test_series_can_be_pasted_as_text(book: Book) -> None:
    book.open("series.keras", view="values")
    book.wait_for_values()
    book.page.get_by_role("region", name="The input").get_by_text("As text", exact=True).first.click()
    rows = [[t / 10, -t / 10] for t in range(8)]
    text = "\n".join(",".join(map(str, row)) for row in rows)
    field = book.page.get_by_role("textbox", name="series as text")
    field.fill(text)
    field.blur()
    expected = np.array([rows], np.float32)
    book.expect_trace(lambda: np.array_equal(page_array(book, "input/series"), expected))
