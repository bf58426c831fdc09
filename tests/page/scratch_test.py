"""Beside a layer's values stands the code of openbook.scratch, forward above backward, also by keyboard."""

import inspect

from playwright.sync_api import expect

from openbook.scratch.sequences import LSTM, Attention
from page.book import TRACE_TIMEOUT_MS, Book


def test_code_beside_a_value_is_what_stands_in_the_file(book: Book) -> None:
    page = book.open("series.keras", view="values", value="memory/output").page
    part = page.get_by_text("In plain NumPy")
    expect(part).to_be_visible(timeout=TRACE_TIMEOUT_MS)
    part.focus()
    page.keyboard.press("Enter")
    code = page.get_by_role("region", name="Code of LSTM").locator("code")
    expect(code.first).to_be_visible()
    assert code.first.text_content().strip() == inspect.getsource(LSTM).strip()
    text = code.first.text_content()
    assert text.index("def forward") < text.index("def backward")
    expect(page.get_by_role("region", name="Code of _Recurrent").first).to_be_visible()


def test_operation_and_layer_both_have_their_code(book: Book) -> None:
    page = book.open("reviews", view="values", value="block_1/attention/weights", text="the film").page
    part = page.get_by_text("In plain NumPy")
    expect(part).to_be_visible(timeout=TRACE_TIMEOUT_MS)
    part.click()
    names = page.locator("details[open] .code b")
    expect(names).to_have_text(["Softmax", "Attention"])
    assert inspect.getsource(Attention.backward).strip() in page.locator("details[open]").text_content()
