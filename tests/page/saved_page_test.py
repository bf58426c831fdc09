"""The page as one file: opened from disk, with the network off, it shows what was chosen."""

import json
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from looking import Home
from page.book import NUMBER_AT_END, TRACE_TIMEOUT_MS
from page.truth import Truth


@pytest.fixture(scope="session")
def saved(home: Home, reviews: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("saved") / "page.html"
    home.openbook(
        "look", reviews, "--html", path, "--input", "the film was sad", "--input", "her story <b>felt</b>"
    )
    return path


@pytest.fixture
def opened(page: Page, saved: Path):
    """A page that asks nobody for anything."""
    asked, complaints = [], []
    page.context.set_offline(True)
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))

    def at(**place: str) -> Page:
        page.goto("about:blank")
        page.goto(f"{saved.as_uri()}#{urlencode(place)}")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        return page

    yield at
    assert complaints == []
    assert [url for url in asked if not url.startswith((saved.as_uri(), "data:", "blob:", "about:"))] == []


def test_file_names_no_other_address(saved: Path) -> None:
    text = saved.read_text("utf-8")
    assert text.count('src="./') == text.count('href="./') == 0
    assert text.count("__OPENBOOK_SAVED__") > 0


def test_chapters_open_from_disk_with_the_network_off(opened) -> None:
    for view in ("story", "values", "run"):
        page = opened(view=view)
        expect(page.locator("main :is(canvas, ol, table)").first).to_be_visible(timeout=TRACE_TIMEOUT_MS)


def test_numbers_in_the_file_are_the_traced_ones(opened, truth: Truth, home: Home) -> None:
    import openbook
    from openbook.recipes import recipe_class
    from openbook.runs import find_run

    page = opened(view="values", value="block_1/output", index="0,3,4")
    cell = page.get_by_role("tabpanel").get_by_role("grid").first.locator("[aria-selected=true]")
    expect(cell).to_have_text(NUMBER_AT_END)
    run = find_run(str(home.folder / "runs" / "reviews"))
    inputs = recipe_class(run.recipe).model_inputs(run, "the film was sad")
    expected = openbook.trace(truth.model("reviews"), inputs)["block_1/output"][0, 3, 4]
    assert np.float32(NUMBER_AT_END.search(cell.inner_text())[1]) == pytest.approx(float(expected), rel=1e-5)


def test_explanation_is_in_the_file(opened) -> None:
    page = opened(view="values", value="output")
    explanation = page.get_by_role("region", name="Where does this come from?")
    expect(explanation).to_contain_text("NumPy agrees")


def test_nothing_new_can_be_computed_and_the_page_says_so(opened) -> None:
    page = opened(view="values")
    expect(page.get_by_text("nothing new can be computed")).to_be_visible()
    expect(page.get_by_role("textbox", name="Your text")).not_to_be_editable()


def test_saved_page_holds_no_token_and_no_path(saved: Path, home: Home) -> None:
    text = saved.read_text("utf-8")
    # Counted: pytest would compare the whole page with what it should not hold.
    assert text.count("127.0.0.1") == 0
    assert text.count(str(home.folder)) == 0
    assert text.count(json.dumps(str(home.folder))[1:-1]) == 0


def test_saved_text_with_marks_of_a_page_stays_text(browser: Browser, saved: Path) -> None:
    with browser.new_context(offline=True) as context:
        page = context.new_page()
        page.goto(f"{saved.as_uri()}#{urlencode({'view': 'values', 'text': 'her story <b>felt</b>'})}")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        assert page.locator("main b", has_text="felt").count() == 0
