"""What the reader's data, files and names cannot do in the browser, and who else cannot ask the server."""

import json
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from looking import HOSTILE_TEXT, Home, Server
from page.book import TRACE_TIMEOUT_MS, Book
from page.models import HOSTILE_NAME


def status_of(address: str, **headers: str) -> int:
    try:
        request = urllib.request.Request(address, headers=headers)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def test_names_with_marks_of_a_page_stay_text(book: Book) -> None:
    book.open("<b>bold<b>.keras", view="values", value=f"{HOSTILE_NAME}/kernel")
    book.focused_number()
    heading = book.page.get_by_role("heading", level=2).first
    expect(heading).to_contain_text("<img src=x onerror=alert(1)>")
    assert book.page.locator("img[src=x]").count() == 0
    expect(book.page.get_by_role("heading", level=1)).to_have_text("<b>bold<b>.keras")


@pytest.mark.parametrize("view", ["story", "values", "step", "compare", "edit"])
def test_hostile_text_stays_text_in_every_chapter(book: Book, view: str) -> None:
    book.open("reviews", view=view, text=HOSTILE_TEXT)
    expect(book.page.get_by_role("textbox", name="Your text")).to_have_value(HOSTILE_TEXT)
    expect(book.page.get_by_role("progressbar")).to_have_count(0, timeout=TRACE_TIMEOUT_MS)
    assert book.page.locator("img[src=x]").count() == 0


def test_hostile_address_is_only_a_place(book: Book) -> None:
    book.open(
        "reviews", view="values", value="<img src=x onerror=alert(3)>", search="<script>alert(4)</script>"
    )
    expect(book.page.get_by_role("heading", level=1)).to_be_visible()
    book.page.wait_for_timeout(1000)
    assert book.page.locator("img[src=x]").count() == 0


def test_ten_megabytes_of_text_are_refused_or_cut_with_a_word(book: Book) -> None:
    book.open("reviews", view="values", text="the film")
    book.wait_for_values()
    box = book.page.get_by_role("textbox", name="Your text")
    box.evaluate(
        "(box) => { box.value = 'the film was sad. '.repeat(600000);"
        " box.dispatchEvent(new Event('input', { bubbles: true })); }"
    )
    region = book.page.get_by_role("region", name="The input")
    expect(
        region.get_by_role("status").or_(region.get_by_role("alert")).filter(has_text="text").first
    ).to_be_visible(timeout=TRACE_TIMEOUT_MS)
    box.fill("her story")
    expect(book.page.get_by_role("list", name="Your text as the model's tokens")).to_contain_text("story")
    book.complaints.clear()  # the browser itself tells of the refusal


def test_no_script_but_the_pages_own_may_run(page: Page, server: Server) -> None:
    page.goto(server.url)
    policy = page.evaluate("fetch('.').then((answer) => answer.headers.get('content-security-policy'))")
    assert "default-src 'none'" in policy or "default-src 'self'" in policy
    assert "unsafe-eval" not in policy
    scripts = next(
        part for part in policy.split(";") if part.strip().startswith(("script-src", "default-src"))
    )
    assert "unsafe-inline" not in scripts
    ran = page.evaluate(
        "() => { const one = document.createElement('script'); one.textContent = 'window.ran = 1'; "
        "document.head.append(one); return window.ran ?? null; }"
    )
    assert ran is None


def test_page_of_another_site_can_neither_ask_nor_frame(page: Page, server: Server) -> None:
    page.goto("data:text/html,<title>elsewhere</title>")
    asked = page.evaluate(
        "(url) => fetch(url + 'api/state').then(() => 'answered', () => 'refused')", server.url
    )
    assert asked == "refused"


def test_wrong_token_wrong_host_and_other_origins_are_refused(server: Server) -> None:
    address = urlsplit(server.url)
    wrong = f"{address.scheme}://{address.netloc}/{'x' * len(address.path.strip('/'))}/api/state"
    assert status_of(wrong) in (403, 404)
    assert status_of(f"{address.scheme}://{address.netloc}/api/state") in (403, 404)
    assert status_of(server.url + "api/state", Host="evil.example") in (400, 403, 404)
    assert status_of(server.url + "api/state", Origin="https://evil.example") in (403, 404)
    assert status_of(server.url + "../../../../etc/passwd") in (403, 404)
    assert status_of(server.url + "%2e%2e/%2e%2e/app.py") in (403, 404)
    assert status_of(server.url + "api/state") == 200


def test_ctrl_c_ends_the_server_cleanly(home: Home, model_files: dict[str, Path]) -> None:
    server = home.look(model_files["table"])
    assert json.loads(server.get("api/state"))["models"]
    assert server.stop() in (0, 130)
    assert "Traceback" not in (home.folder / "server.log").read_text("utf-8")
