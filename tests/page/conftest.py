"""Chromium, a small trained run, small models, and the page that shows them."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

import find_browser
from looking import Home, Server
from page.book import Book
from page.models import write_models
from page.truth import Truth

ROOT = Path(__file__).resolve().parent.parent.parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of these take seconds: they need a trained run and a browser."""
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.long)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict) -> dict:
    # In a process of its own: finding Playwright's own browser starts Playwright, which may run only once in one.
    command = [sys.executable, ROOT / "tools" / "find_browser.py"]
    found = subprocess.run(command, capture_output=True, text=True)
    if found.returncode != 0:
        pytest.fail(found.stderr.strip(), pytrace=False)
    return browser_type_launch_args | {
        "executable_path": found.stdout.strip(),
        "args": list(find_browser.FLAGS),
    }


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict) -> dict:
    return browser_context_args | {"viewport": {"width": 1440, "height": 900}}


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Where the runs lie; OPENBOOK_TEST_HOME names a folder that is kept for the next time."""
    kept = os.environ.get("OPENBOOK_TEST_HOME")
    return Home(Path(kept) if kept else tmp_path_factory.mktemp("openbook"))


@pytest.fixture(scope="session")
def reviews(home: Home) -> str:
    """A small text generator, trained for a moment."""
    return home.train("reviews", num_steps=30)


@pytest.fixture(scope="session")
def others(home: Home) -> str:
    """The same with other weights."""
    return home.train("others", num_steps=10, seed=1)


@pytest.fixture(scope="session")
def model_files(home: Home) -> dict[str, Path]:
    return write_models(home.folder / "models")


@pytest.fixture(scope="session")
def server(home: Home, reviews: str, others: str, model_files: dict[str, Path]) -> Iterator[Server]:
    """The page of all of them at once; the first one opens."""
    server = home.look(reviews, others, *model_files.values())
    yield server
    server.stop()


@pytest.fixture(scope="session")
def truth(home: Home, reviews: str, model_files: dict[str, Path]) -> Truth:
    """Traces of the same models without any page."""
    run = home.folder / "runs" / reviews / "model.keras"
    return Truth({path.name: path for path in model_files.values()} | {reviews: run})


@pytest.fixture
def book(page: Page, server: Server) -> Iterator[Book]:
    """The page, in a browser that counts every complaint."""
    opened = Book(page, server)
    yield opened
    opened.assert_no_complaints()
