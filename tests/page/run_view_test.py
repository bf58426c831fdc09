"""Point 8: curves, settings, data report and samples of the run, also of one that is still in training."""

import json
import re
import subprocess
import time

import pytest
from playwright.sync_api import Page, expect

from looking import SMALL, Home
from page.book import TRACE_TIMEOUT_MS, Book


def test_run_shows_its_score_settings_data_and_samples(book: Book, home: Home) -> None:
    book.open("reviews", view="run")
    main = book.page.locator("main")
    for heading in ("Curves", "Samples", "Held-out score", "Settings", "Data", "Machine"):
        expect(main.get_by_role("heading", name=heading, exact=True)).to_be_visible()
    run = home.folder / "runs" / "reviews"
    record = json.loads((run / "run.json").read_text("utf-8"))
    score = main.get_by_role("table", name="Held-out score")
    expect(score).to_contain_text(f"{record['score']['bits_per_byte']:.5g}")
    settings = main.get_by_role("table", name="Settings")
    for name, value in (("● Width", "32"), ("● Number of heads", "2"), ("● Size", "tiny")):
        expect(settings.get_by_role("row", name=name)).to_contain_text(value)
    expect(main.get_by_role("table", name=re.compile("Forecast"))).to_contain_text("Time of training")
    sample = (run / "samples" / "final-3.txt").read_text("utf-8").split()
    assert " ".join(sample[:4]) in " ".join(main.locator("blockquote").first.inner_text().split())


def test_curve_tells_the_measured_numbers_by_keyboard(book: Book, home: Home) -> None:
    book.open("reviews", view="run")
    curve = book.page.get_by_role("application", name=re.compile("^Loss"))
    expect(curve).to_be_visible()
    lines = (home.folder / "runs" / "reviews" / "metrics.jsonl").read_text("utf-8").splitlines()
    rows = [row for row in map(json.loads, lines) if "loss" in row]
    curve.press("Home")
    spoken = book.page.get_by_role("figure").filter(has=curve).locator("[aria-live]")
    expect(spoken).to_contain_text(f"step {rows[0]['step']}")
    expect(spoken).to_contain_text(f"{rows[0]['loss']:.4g}"[:5])


def test_curves_of_a_run_in_training_move_live(page: Page, home: Home) -> None:
    name = f"live-{time.time_ns()}"
    home.train("reviews", num_steps=30)
    options = ("--data", home.folder / "texts", "--steps", 3000, "--name", name, *SMALL)
    training = subprocess.Popen(
        home.command("train", "text-generator", *options),
        env=home.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    server = None
    try:
        run = home.folder / "runs" / name
        until = time.monotonic() + 90
        while not (run / "metrics.jsonl").exists():
            assert time.monotonic() < until and training.poll() is None
            time.sleep(0.5)
        server = home.look(name)
        book = Book(page, server)
        book.open(view="run")
        status = page.get_by_role("status").filter(has_text="Training now")
        expect(status).to_be_visible(timeout=TRACE_TIMEOUT_MS)
        last = page.get_by_role("figure").first.locator("[aria-live]")
        expect(last).to_contain_text("step")
        first = last.inner_text()
        expect(last).not_to_have_text(first, timeout=30_000)
        book.assert_no_complaints()
    finally:
        training.kill()
        training.wait()
        if server is not None:
            server.stop()


@pytest.mark.parametrize("title", ["digits.keras", "table.keras"])
def test_file_without_a_run_offers_no_such_chapter(book: Book, title: str) -> None:
    book.open(title)
    chapters = book.page.get_by_role("navigation", name="Chapters")
    expect(chapters.get_by_role("link", name="Values")).to_be_visible()
    expect(chapters.get_by_role("link", name="The run")).to_have_count(0)
