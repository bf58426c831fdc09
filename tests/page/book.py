"""The page as a reader meets it: what they open, find and press, by roles and names."""

import re
from typing import Any
from urllib.parse import urlencode, urlsplit

from playwright.sync_api import ConsoleMessage, Locator, Page, Request, expect

from looking import Server

# What a first trace may take, its compilation included, on a machine that does other things as well.
TRACE_TIMEOUT_MS = 60_000


class Book:
    """One opened page."""

    def __init__(self, page: Page, server: Server) -> None:
        self.page = page
        self.server = server
        self.complaints: list[str] = []
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

    def assert_no_complaints(self) -> None:
        assert self.complaints == []

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
        """The matrix in view."""
        return self.page.get_by_role("grid").first

    def announced(self) -> str:
        """What a screen reader was told last."""
        return self.page.get_by_role("status").last.inner_text()

    def place(self) -> dict[str, str]:
        """The fields of the address."""
        return dict(re.findall(r"([\w.]+)=([^&]*)", urlsplit(self.page.url).fragment))

    def wait_for_trace(self) -> None:
        """Wait until the values are there."""
        expect(self.page.get_by_role("grid").first).to_be_visible(timeout=TRACE_TIMEOUT_MS)
