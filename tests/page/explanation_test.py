"""Point 5: "Where does this come from?", the arithmetic behind a number, and the walk back to the input."""

import json
import re

import numpy as np
import pytest
from playwright.sync_api import Locator, expect

from page.book import TRACE_TIMEOUT_MS, Book
from page.models import drawing
from page.truth import Truth, page_array

TEXT = "the film was sad"


def ask(book: Book, name: str, index: str, title: str = "reviews", **place: str) -> Locator:
    """Ask where a number comes from, with the key."""
    book.open(title, view="values", value=name, index=index, **(place or {"text": TEXT}))
    book.focused_number()
    book.grid.press("Enter")
    expect(book.explanation.get_by_text(f"{name}[").first).to_be_visible(timeout=TRACE_TIMEOUT_MS)
    return book.explanation


def operands(explanation: Locator) -> Locator:
    return explanation.get_by_role("button", name=re.compile("where does it come from"))


def test_sum_shows_its_eight_largest_terms_the_rest_and_the_total(book: Book, truth: Truth) -> None:
    name = "block_1/feed_forward/expand/output"
    explanation = ask(book, name, "0,2,5")
    expect(operands(explanation)).to_have_count(16)
    asked = json.loads(book.server.get(f"api/traces/{book.trace_id}/explanation?name={name}&index=0,2,5"))
    expect(explanation).to_contain_text(asked["remainder_text"])
    expect(explanation).to_contain_text(f"{asked['num_terms'] - 8} more")
    expect(explanation.get_by_text("NumPy agrees")).to_be_visible()
    trace = truth.trace(book, "reviews")
    expected = float(trace[name][0, 2, 5])
    total = float(explanation.locator("strong").first.inner_text())
    assert total == pytest.approx(expected, rel=1e-4)
    # The terms and the rest are the sum, with the operands' own numbers.
    terms = sum(term["contribution"] for term in asked["terms"])
    assert terms + asked["remainder"] == pytest.approx(expected, rel=1e-4)
    for term in asked["terms"]:
        product = np.prod([trace[each["name"]][tuple(each["index"])] for each in term["operands"]])
        assert term["coefficient"] * product == pytest.approx(term["contribution"], rel=1e-4)


def test_operands_light_up_in_their_own_pictures(book: Book) -> None:
    explanation = ask(book, "block_1/feed_forward/expand/output", "0,2,5")
    figures = explanation.get_by_role("figure")
    expect(figures).to_have_count(2)
    expect(figures.get_by_role("grid", name=re.compile("8 operands lit up"))).to_have_count(2)


def test_walk_ends_at_the_readers_own_word(book: Book) -> None:
    explanation = ask(book, "token_embedding/output", "0,3,4")
    for _ in range(6):
        if explanation.get_by_text("film").count():
            break
        operands(explanation).last.press("Enter")
        book.page.wait_for_timeout(300)
    expect(explanation).to_contain_text(re.compile("film|input/tokens|weight"))


def test_enter_on_an_operand_walks_on_and_the_breadcrumb_leads_back(book: Book) -> None:
    explanation = ask(book, "block_2/output", "0,2,7")
    operands(explanation).first.press("Enter")
    expect(explanation.get_by_text(re.compile(r"block_2/add\[0, ?2, ?7\]")).first).to_be_visible()
    assert book.place()["walk"].startswith("block_2/output[0,2,7]")
    crumbs = explanation.get_by_role("navigation")
    crumbs.get_by_role("link").or_(crumbs.get_by_role("button")).first.click()
    expect(explanation).to_contain_text(re.compile(r"block_2/output\[0, ?2, ?7\] ="))
    assert "walk" not in book.place()


def test_pixel_is_named_as_the_readers_own(book: Book) -> None:
    explanation = ask(book, "input/picture", "0,3,4,0", title="digits.keras", drawing=drawing())
    expect(explanation).to_contain_text(re.compile("pixel", re.IGNORECASE))


def test_number_that_is_the_readers_input_says_so(book: Book) -> None:
    row = json.dumps({"row": [0.5, -1, 2, 0, 3.5]})
    explanation = ask(book, "input/row", "0,2", title="table.keras", arrays=row)
    expect(explanation).to_contain_text(re.compile("input|your", re.IGNORECASE))
    assert page_array(book, "input/row")[0, 2] == 2
