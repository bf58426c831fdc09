"""The page as a reader meets it: what they open, find and press, by roles and names."""

import re
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode, urlsplit

from playwright.sync_api import ConsoleMessage, Locator, Page, Request, expect

from looking import Server

# What a first trace may take, its compilation included, on a machine that does other things as well.
TRACE_TIMEOUT_MS = 60_000

NUMBER_AT_END = re.compile(r"(-?(?:\d[\d.]*(?:e[-+]?\d+)?|inf|nan))\)?\s*$")


class Book:
    """One opened page."""

    def __init__(self, page: Page, server: Server) -> None:
        self.page = page
        self.server = server
        self.complaints: list[str] = []
        self.trace_ids: list[str] = []
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        page.on(
            "dialog", lambda dialog: (self.complaints.append(f"dialog: {dialog.message}"), dialog.dismiss())
        )
        page.on("console", self._hear)
        page.on("request", self._see)

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.type}: {message.text}")

    def _see(self, request: Request) -> None:
        """Nothing but this server may be asked."""
        address = urlsplit(request.url)
        if address.scheme in ("http", "https", "ws") and address.netloc != urlsplit(self.server.url).netloc:
            self.complaints.append(f"asked another server: {request.url}")
        asked = re.search(r"/api/traces/([^/?]+)", request.url)
        if asked and asked[1] not in self.trace_ids:
            self.trace_ids.append(asked[1])

    @property
    def trace_id(self) -> str:
        """The newest trace that the page has read from."""
        return self.trace_ids[-1]

    def assert_no_complaints(self) -> None:
        assert not self.complaints, "\n".join(self.complaints)

    def open(self, title: str | None = None, **place: Any) -> "Book":
        """Go to a place of the page, a fresh one each time.

        Args:
            title: of the model; the first when left out.
            place: fields of the address, as in frontend/src/lib/state/address.ts.
        """
        if title is not None:
            place["model"] = self.server.model_id(title)
        self.page.goto("about:blank")
        self.page.goto(f"{self.server.url}#{urlencode(place, doseq=True)}")
        return self

    def view(self, name: str) -> None:
        """Go to a chapter by its name."""
        self.page.get_by_role("navigation", name="Chapters").get_by_role("link", name=name).click()

    @property
    def grid(self) -> Locator:
        """The picture of the value in view, where that is a grid."""
        return self.page.get_by_role("tabpanel").get_by_role("grid").first

    @property
    def explanation(self) -> Locator:
        """Where it is told where a number comes from."""
        return self.page.get_by_role("region", name="Where does this come from?")

    def wait_for_values(self) -> None:
        """Wait until something is traced."""
        self.expect_trace(lambda: True)

    def expect_trace(self, is_so: Callable[[], bool]) -> None:
        """Wait until the newest trace is as it should be."""
        until = time.monotonic() + TRACE_TIMEOUT_MS / 1000
        while not (self.trace_ids and is_so()):
            assert time.monotonic() < until, (
                f"no such trace; the page shows:\n{self.page.inner_text('body')[:2000]}"
            )
            self.page.wait_for_timeout(100)

    def focused_cell(self) -> Locator:
        """The cell of the grid that has the focus, as it is read out."""
        return self.grid.locator("[aria-selected=true]")

    def focused_number(self) -> float:
        """The number in it."""
        cell = self.focused_cell()
        expect(cell).to_have_text(NUMBER_AT_END, timeout=TRACE_TIMEOUT_MS)
        return float(NUMBER_AT_END.search(cell.inner_text())[1])

    def place(self) -> dict[str, str]:
        """The fields of the address."""
        return dict(re.findall(r"([\w.]+)=([^&]*)", urlsplit(self.page.url).fragment))
