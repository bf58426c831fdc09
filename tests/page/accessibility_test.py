"""axe-core finds nothing on any view, in both themes, in a narrow and a wide window; and keys alone do."""

import json
import re

import pytest
from playwright.sync_api import Page, expect

import build_page
from looking import Server
from page.book import TRACE_TIMEOUT_MS, Book
from page.models import drawing

AXE = build_page.FRONTEND / "node_modules" / "axe-core" / "axe.min.js"
TEXT = {"text": "the film was sad"}
ATTENTION = TEXT | {"view": "values", "value": "block_1/attention/weights"}
EMBEDDINGS = TEXT | {"view": "values", "value": "token_embedding/embeddings"}

PLACES = {
    "story": ("reviews", TEXT | {"view": "story", "stage": "weights"}),
    "story-sampling": ("reviews", TEXT | {"view": "story", "stage": "sampling"}),
    "attention": ("reviews", ATTENTION),
    "matrix": ("reviews", ATTENTION | {"show": "matrix"}),
    "table": ("reviews", ATTENTION | {"show": "table"}),
    "bars": ("reviews", TEXT | {"view": "values", "value": "output", "show": "bars"}),
    "neighbours": ("reviews", EMBEDDINGS | {"show": "neighbours"}),
    "maps": ("digits.keras", {"view": "values", "value": "convolution/output", "drawing": drawing()}),
    "lines": ("series.keras", {"view": "values", "value": "memory/forget_gate", "show": "lines"}),
    "step": ("table.keras", {"view": "step", "target": "[2.5]"}),
    "edit": ("table.keras", {"view": "edit"}),
    "compare": ("reviews", TEXT | {"view": "compare", "other.text": "the film was long"}),
    "lenses": ("digits.keras", {"view": "lenses"}),
    "lens": ("digits.keras", {"view": "lenses", "lens": "grad-cam", "drawing": drawing()}),
    "lens-of-run": ("reviews", TEXT | {"view": "lenses", "lens": "embedding-neighbours"}),
    "run": ("reviews", {"view": "run"}),
}

RUN_AXE = """async () => {
  const { violations } = await axe.run(document, { resultTypes: ["violations"] });
  return violations.map(({ id, help, nodes }) => ({ id, help, where: nodes.slice(0, 3).map(({ html }) => html) }));
}"""


@pytest.mark.parametrize("place", PLACES)
def test_axe_finds_nothing(page: Page, server: Server, place: str) -> None:
    title, address = PLACES[place]
    book = Book(page, server)
    book.open(title, **address)
    expect(page.locator("main :is(canvas, table, svg, ol, ul):visible").last).to_be_visible(
        timeout=TRACE_TIMEOUT_MS
    )
    if "lens" in address:
        expect(page.get_by_role("table").first).to_be_visible(timeout=TRACE_TIMEOUT_MS)
    elif place == "lenses":
        expect(page.get_by_role("navigation", name="Lenses")).to_be_visible(timeout=TRACE_TIMEOUT_MS)
    expect(page.get_by_role("progressbar")).to_have_count(0, timeout=TRACE_TIMEOUT_MS)
    # As a tool of the tests: the page's own policy lets no such script in.
    page.evaluate(AXE.read_text("utf-8") + "; undefined")
    for width in (1440, 360):
        page.set_viewport_size({"width": width, "height": 900})
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme)
            page.wait_for_timeout(300)
            found = page.evaluate(RUN_AXE)
            assert found == [], f"{width} px, {theme}: {json.dumps(found, indent=1)}"
    book.assert_no_complaints()


def test_matrix_is_one_tab_stop_and_tells_value_and_index(book: Book) -> None:
    book.open("reviews", **ATTENTION, show="matrix", index="0,1,3,2")
    shown = book.focused_number()
    grid = book.grid
    grid.focus()
    assert grid.get_attribute("tabindex") == "0"
    assert grid.locator("[tabindex='0']").count() == 0
    active = grid.get_attribute("aria-activedescendant")
    assert book.focused_cell().get_attribute("id") == active
    announced = book.page.get_by_role("tabpanel").locator("[aria-live=polite]")
    expect(announced).to_contain_text("block_1/attention/weights[0, 1, 3, 2]")
    expect(announced).to_contain_text(f"{shown:.6g}"[:7])
    grid.press("ArrowLeft")
    expect(announced).to_contain_text("block_1/attention/weights[0, 1, 3, 1]")


def test_matrix_has_no_element_for_each_number(book: Book) -> None:
    book.open("reviews", **TEXT, view="values", value="token_embedding/embeddings")
    book.focused_number()
    assert book.page.locator("body *").count() < 1500


def test_reader_gets_from_a_number_to_their_own_word_with_keys_alone(book: Book) -> None:
    book.open("reviews", **TEXT, view="values", value="token_embedding/output", index="0,3,4")
    book.focused_number()
    page = book.page
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    for _ in range(60):
        page.keyboard.press("Tab")
        if book.grid.evaluate("(grid) => grid === document.activeElement"):
            break
    expect(book.grid).to_be_focused()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    for _ in range(8):
        if re.search(r"film|weight", book.explanation.inner_text()):
            break
        for _ in range(30):
            page.keyboard.press("Tab")
            name = page.evaluate("document.activeElement.getAttribute('aria-label') ?? ''")
            if "where does it come from" in name:
                break
        page.keyboard.press("Enter")
        page.wait_for_timeout(300)
    expect(book.explanation).to_contain_text(re.compile("film|weight"))
