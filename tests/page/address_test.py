"""Point 9: one exact cell in the address, themes, a narrow window, abbreviations, and all words in one file."""

import json
import re

import pytest
from playwright.sync_api import Browser, Page, expect

import build_page
from looking import Server
from page.book import TRACE_TIMEOUT_MS, Book

CELL = {
    "view": "values",
    "value": "block_1/attention/weights",
    "index": "0,1,3,2",
    "text": "the film was sad",
}
NO_MARKUP = re.compile(r"<script.*?</script>|<style.*?</style>|<!--.*?-->", re.DOTALL)
VIEWS = ["story", "values", "step", "edit", "compare", "run"]


def test_address_leads_somebody_else_to_the_same_cell(
    book: Book, browser: Browser, browser_context_args: dict, server: Server
) -> None:
    book.open("reviews", **CELL, show="matrix")
    book.grid.press("ArrowRight")
    expect(book.focused_cell()).to_contain_text("[0, 1, 3, 3]")
    shown = book.focused_number()
    with browser.new_context(**browser_context_args) as context:
        other = Book(context.new_page(), server)
        other.page.goto(book.page.url)
        expect(other.focused_cell()).to_contain_text("[0, 1, 3, 3]", timeout=TRACE_TIMEOUT_MS)
        assert other.focused_number() == shown
        other.assert_no_complaints()


def test_back_leads_to_the_chapter_before(book: Book) -> None:
    book.open("reviews", **CELL)
    book.focused_number()
    book.view("The run")
    expect(book.page.get_by_role("heading", name="Curves")).to_be_visible()
    book.page.go_back()
    expect(book.focused_cell()).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_theme_is_chosen_or_the_systems(page: Page, server: Server, theme: str) -> None:
    page.emulate_media(color_scheme=theme)
    book = Book(page, server).open("reviews", view="run")
    background = "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3).map(Number)"
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    is_dark = sum(page.evaluate(background)) < 3 * 128
    assert is_dark == (theme == "dark")
    other = "light" if theme == "dark" else "dark"
    page.get_by_role("combobox", name="Theme").select_option(value=other)
    expect(page).to_have_url(re.compile(f"theme={other}"))
    assert (sum(page.evaluate(background)) < 3 * 128) == (other == "dark")
    book.assert_no_complaints()


@pytest.mark.parametrize("view", VIEWS)
def test_page_fits_a_window_of_360_pixels(page: Page, server: Server, view: str) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    book = Book(page, server).open("reviews", **(CELL | {"view": view}))
    expect(page.locator("main canvas, main table, main ol").first).to_be_visible(timeout=TRACE_TIMEOUT_MS)
    page.wait_for_timeout(500)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    book.assert_no_complaints()


def test_every_abbreviation_is_explained_once(book: Book) -> None:
    book.open("reviews", **CELL)
    book.focused_number()
    note = book.page.get_by_role("contentinfo").get_by_text("Abbreviations and names")
    note.click()
    shown = book.page.get_by_role("contentinfo").inner_text()
    for word in ("NumPy", "logits", "softmax", "Q"):
        assert len(re.findall(rf"^\W*{word}\b", shown, re.MULTILINE | re.IGNORECASE)) <= 1
    assert len(shown.splitlines()) > 5


def test_all_words_stand_in_one_file() -> None:
    """No text of the page is written into a component, so a second language needs no code."""
    sentence = re.compile(r">\s*[A-Z][a-z]+(?: [a-z]+){2,}[.!?]?\s*<")
    label = re.compile(r'(?:aria-label|title|placeholder|alt)="[^"{]*[a-z]{3,}[^"{]*"')
    for path in (build_page.FRONTEND / "src").rglob("*.svelte"):
        markup = re.sub(
            r"<script.*?</script>|<style.*?</style>|<!--.*?-->", "", path.read_text("utf-8"), flags=re.DOTALL
        )
        found = sentence.search(markup) or label.search(markup)
        assert not found, f"{path.name}: {found[0]!r}"


def test_no_message_is_missing_and_none_is_left_over() -> None:
    sources = build_page.FRONTEND / "src"
    messages = json.loads((sources / "lib" / "messages" / "en.json").read_text("utf-8"))
    code = "\n".join(
        path.read_text("utf-8") for path in sources.rglob("*") if path.suffix in (".ts", ".svelte")
    )
    prefixes = set(re.findall(r"[`\"]([a-z_]+(?:\.[a-z_]+)*[._])(?:\$\{|\")", code))
    for key in messages:
        plain = re.sub(r"\.(one|few|many|two|other)$", "", key)
        is_used = f'"{plain}"' in code or any(plain.startswith(start) for start in prefixes)
        assert is_used, f"no source says {key!r}"
