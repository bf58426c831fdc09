"""Point 7: two inputs, two checkpoints or two runs side by side, and what differs most."""

import json
import re

from playwright.sync_api import Locator, expect

from looking import Server
from page.book import TRACE_TIMEOUT_MS, Book


def compared(book: Book, **place: str) -> Locator:
    book.open("reviews", view="compare", text="the film was sad", **place)
    table = book.page.get_by_role("table", name=re.compile("values compared"))
    expect(table.locator("tbody tr").first).to_be_visible(timeout=TRACE_TIMEOUT_MS)
    return table


def relative(table: Locator) -> list[float]:
    return [float(text) for text in table.locator("tbody tr td:nth-of-type(1)").all_inner_texts()]


def test_two_inputs_are_ranked_by_how_much_they_differ(book: Book) -> None:
    table = compared(book, **{"other.text": "the film was long"})
    shown = relative(table)
    assert shown == sorted(shown, reverse=True)
    assert shown[0] > 0
    table.get_by_role("button").first.click()
    expect(book.page.locator("main canvas").nth(1)).to_be_visible()


def test_other_input_can_be_typed(book: Book) -> None:
    book.open("reviews", view="compare", text="the film was sad")
    other = book.page.get_by_role("textbox", name="The other text")
    other.fill("the film was long")
    table = book.page.get_by_role("table", name=re.compile("values compared"))
    expect(table.locator("tbody tr").first).to_be_visible(timeout=TRACE_TIMEOUT_MS)
    assert book.place()["other.text"] == "the+film+was+long"


def test_scrubber_goes_through_the_checkpoints(book: Book, server: Server) -> None:
    checkpoints = server.state()["models"][0]["checkpoints"]
    assert [each["step"] for each in checkpoints] == sorted(each["step"] for each in checkpoints)
    compared(book, **{"other.checkpoint": checkpoints[0]["id"]})
    scrubber = book.page.get_by_role("slider", name=re.compile("steps of training"))
    scrubber.press("ArrowRight")
    label = checkpoints[1]["label"]
    expect(book.page.get_by_role("region", name=label)).to_be_visible(timeout=TRACE_TIMEOUT_MS)
    assert book.place()["other.checkpoint"] == checkpoints[1]["id"]


def test_two_runs_are_compared(book: Book) -> None:
    table = compared(book, **{"other.model": book.server.model_id("others")})
    first, second = (trace for trace in dict.fromkeys(book.trace_ids[-2:]))
    asked = json.loads(book.server.get(f"api/comparison?first={first}&second={second}"))
    largest = max(value["relative"] for value in asked["values"] if value["relative"] is not None)
    assert relative(table)[0] == float(f"{largest:.3g}")
    book.page.get_by_role("searchbox", name="Search values by name").fill("kernel")
    expect(table.get_by_role("row", name="attention/query/kernel").first).to_be_visible()
