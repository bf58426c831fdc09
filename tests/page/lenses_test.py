"""Lenses on the page: found, opened, read, set and sent to somebody else, with the mouse and with keys alone."""

import json
import re

from playwright.sync_api import Page, expect

from page.book import TRACE_TIMEOUT_MS, Book
from page.models import drawing

SHOWN = {"timeout": TRACE_TIMEOUT_MS}


def open_lens(book: Book, title: str) -> None:
    book.page.get_by_role("navigation", name="Lenses for this model").get_by_role("link", name=title).click()


def test_lens_is_opened_on_the_input_above_and_set(book: Book) -> None:
    page = book.open("digits.keras", drawing=drawing()).page
    book.wait_for_values()
    book.view("Lenses")
    listed = page.get_by_role("navigation", name="Lenses for this model")
    expect(listed).to_contain_text("which places of a picture", **SHOWN)
    expect(page.get_by_text("lenses have nothing to show here")).to_be_visible()
    open_lens(book, "Grad-CAM")
    picture = page.get_by_role("img", name=re.compile("^Grad-CAM of digits.keras"))
    expect(picture).to_be_visible(**SHOWN)
    assert picture.evaluate("(picture) => picture.naturalWidth") > 300
    main = page.locator("main")
    expect(main).to_contain_text("Selvaraju et al. (2017)")
    numbers = page.get_by_role("table", name="Numbers")
    expect(numbers.get_by_role("row", name="layer")).to_contain_text("pooling")
    page.get_by_role("combobox", name="Class").select_option("4")
    expect(numbers.get_by_role("row", name="class index")).to_contain_text("4", **SHOWN)
    assert book.place() | {"drawing": ""} == book.place() | {
        "drawing": "",
        "view": "lenses",
        "lens": "grad-cam",
        "lens.class_name": "4",
    }
    with page.expect_download() as download:
        page.get_by_role("button", name="Download all numbers (JSON)").click()
    assert json.loads(download.value.path().read_text("utf-8"))["class_index"] == 4


def test_address_opens_a_lens_and_errors_stand_in_place(book: Book) -> None:
    page = book.open("reviews", view="lenses", lens="embedding-neighbours", **{"lens.word": "film"}).page
    expect(page.get_by_role("img", name=re.compile("nearest to"))).to_be_visible(**SHOWN)
    word = page.get_by_role("textbox", name="Word, or number of a row")
    word.fill("xylophone")
    word.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("has no row of its own", **SHOWN)
    word.fill("7")
    word.press("Enter")
    expect(page.get_by_role("alert")).to_have_count(0, **SHOWN)
    expect(page.get_by_role("img", name=re.compile("nearest to"))).to_be_visible(**SHOWN)
    page.go_back()
    book.open("reviews", view="lenses", lens="filters")
    expect(page.get_by_role("alert")).to_contain_text("takes no single picture", **SHOWN)


def test_lens_is_opened_with_keys_alone(book: Book) -> None:
    page: Page = book.open("reviews", view="lenses").page
    curves = page.get_by_role("link", name="Learning curves")
    expect(curves).to_be_visible(**SHOWN)
    for _ in range(60):
        page.keyboard.press("Tab")
        if curves.evaluate("(link) => link === document.activeElement"):
            break
    page.keyboard.press("Enter")
    expect(page.get_by_role("img", name=re.compile("^Learning curves of reviews"))).to_be_visible(**SHOWN)


def test_lenses_fit_a_narrow_window(book: Book) -> None:
    book.page.set_viewport_size({"width": 375, "height": 800})
    page = book.open("digits.keras", view="lenses", lens="filters", drawing=drawing()).page
    expect(page.get_by_role("img", name=re.compile("^Filters of"))).to_be_visible(**SHOWN)
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    page.get_by_role("button", name="All lenses").click()
    open_lens(book, "Activations")
    expect(page.get_by_role("img", name=re.compile("^Activations of"))).to_be_visible(**SHOWN)
