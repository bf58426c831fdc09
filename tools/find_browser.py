"""Finds a Chromium for the browser tests, and brings one where there is none.

    python tools/find_browser.py             print where it is
    python tools/find_browser.py --install   the same, after an installation where that is needed

One that is there is taken: the file named by OPENBOOK_BROWSER, Chromium, Chrome or Edge, or what Playwright
downloaded before. Otherwise Playwright downloads one, or Debian's package is installed where we are root.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

COMMANDS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "microsoft-edge",
    "msedge",
)

MAC_APPLICATIONS = ("Google Chrome", "Chromium", "Microsoft Edge")

WINDOWS_PROGRAMS = (
    r"Google\Chrome\Application\chrome.exe",
    r"Chromium\Application\chrome.exe",
    r"Microsoft\Edge\Application\msedge.exe",
)

# What a browser is started with: no window, and nothing that reaches for a network of its own accord.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

NO_BROWSER = (
    "the browser tests need Chromium, Chrome or Edge, and none is on this machine. Install one "
    "(python -m playwright install --with-deps chromium; Debian: apt install chromium), or name one that is "
    "elsewhere: OPENBOOK_BROWSER=/path/to/chrome"
)


class NoBrowserError(Exception):
    """There is no browser for the tests; the message says what to do."""


def main(arguments: Sequence[str]) -> int:
    """Print where the browser is; return the exit code."""
    parser = argparse.ArgumentParser(prog="find_browser", description="Find Chromium for the browser tests.")
    parser.add_argument("--install", action="store_true", help="bring one where there is none")
    options = parser.parse_args(arguments)
    try:
        print(install() if options.install else find())
    except NoBrowserError as error:
        print(f"No browser: {error}", file=sys.stderr)
        return 1
    return 0


def find() -> Path:
    """The browser to use.

    Raises:
        NoBrowserError: there is none.
    """
    chosen = os.environ.get("OPENBOOK_BROWSER")
    if chosen:
        if Path(chosen).is_file():
            return Path(chosen)
        raise NoBrowserError(f"OPENBOOK_BROWSER names {chosen}, which is no file.")
    found = next((path for path in candidates() if path.is_file()), None)
    if found is None:
        raise NoBrowserError(NO_BROWSER)
    return found


def candidates() -> Iterator[Path]:
    """Where a browser may be, the best first."""
    yield from (Path(path) for command in COMMANDS if (path := shutil.which(command)))
    if sys.platform == "darwin":
        for name in MAC_APPLICATIONS:
            yield Path(f"/Applications/{name}.app/Contents/MacOS/{name}")
    if os.name == "nt":
        for variable in ("PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA"):
            folder = os.environ.get(variable)
            yield from (Path(folder, program) for program in WINDOWS_PROGRAMS if folder)
    yield from downloaded()


def downloaded() -> Iterator[Path]:
    """Where Playwright keeps the Chromium of its own."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        return
    with sync_playwright() as playwright:
        yield Path(playwright.chromium.executable_path)


def install() -> Path:
    """The browser there is, or one that is installed now.

    Raises:
        NoBrowserError: there is none and none could be brought.
    """
    try:
        return find()
    except NoBrowserError:
        if os.environ.get("OPENBOOK_BROWSER"):
            raise
    for commands in ways_to_install():
        if all(succeeds(command) for command in commands):
            break
    return find()


def ways_to_install() -> Iterator[list[list[str]]]:
    """Ways to bring a browser, each as commands to run one after the other."""
    yield [[sys.executable, "-m", "playwright", "install", "chromium"]]
    if sys.platform == "linux" and os.geteuid() == 0 and shutil.which("apt-get"):
        yield [["apt-get", "update"], ["apt-get", "install", "--yes", "--no-install-recommends", "chromium"]]


def succeeds(command: Sequence[str]) -> bool:
    """Whether a command can be run and says that all went well."""
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(command, env=environment, capture_output=True, timeout=900, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
