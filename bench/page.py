"""What a reader waits for on the page, in a real Chromium: `python -m bench.page`.

First picture after the trace, scrolling a 4096 × 4096 matrix, an explanation after its key, another sentence
traced, memory with 128 MB of values, and the size of the page as it is sent.
"""

from __future__ import annotations

import argparse
import gzip
import itertools
import json
import statistics
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import psutil
from playwright.sync_api import Browser, Page, sync_playwright
from tools.build_page import STATIC
from tools.find_browser import FLAGS, find
from tools.looking import Home, Server

import openbook  # noqa: F401 - chooses Keras' backend

EDGE = 4096
TIMEOUT_MS = 120_000
SENTENCES = (
    "the film was sad",
    "this movie was one of the best",
    "I have seen it",
    "her story is long",
    "what a scene",
)

# Milliseconds from the end of the trace to the first frame with something drawn in a canvas of the page.
FIRST_PICTURE = """() => new Promise((done) => {
  const look = () => {
    const traced = performance.getEntriesByType("resource").findLast((entry) => entry.name.endsWith("/traces"));
    for (const canvas of document.querySelectorAll("main canvas")) {
      if (!traced?.responseEnd || !canvas.width || !canvas.height) continue;
      const { data } = canvas.getContext("2d").getImageData(0, canvas.height / 2, canvas.width, 1);
      if (data.some((channel, i) => i % 4 === 3 && channel > 0))
        return done(performance.now() - traced.responseEnd);
    }
    requestAnimationFrame(look);
  };
  look();
})"""

# Scrolls down a screen a second and to the right at half of that; the time of each frame.
SCROLL = """(seconds) => new Promise((done) => {
  const box = document.querySelector("[role=tabpanel] [role=grid]");
  const frames = [];
  const start = performance.now();
  const step = (now) => {
    frames.push(now);
    box.scrollTop += box.clientHeight / 60;
    box.scrollLeft += box.clientWidth / 120;
    if (now - start < seconds * 1000) requestAnimationFrame(step);
    else done(frames);
  };
  requestAnimationFrame(step);
})"""

# Milliseconds from the key to the frame in which another number is explained.
EXPLANATION = """() => {
  const isHeading = (one) => one.textContent.includes("Where does this come");
  const heading = [...document.querySelectorAll("h2")].find(isHeading);
  const shown = () => heading.closest("section").querySelector("strong")?.parentElement.textContent;
  const before = shown();
  window.explained = new Promise((done) => {
    addEventListener("keydown", () => {
      const pressed = performance.now();
      const look = (now) => (shown() && shown() !== before ? done(now - pressed) : requestAnimationFrame(look));
      requestAnimationFrame(look);
    }, { capture: true, once: true });
  });
}"""

# Milliseconds from the key to the end of the request for the trace of what stands there now.
RETRACE = """() => {
  window.retraced = new Promise((done) => {
    addEventListener("input", () => {
      const typed = performance.now();
      const look = () => {
        const traced = performance.getEntriesByType("resource").findLast((one) => one.name.endsWith("/traces"));
        if (traced?.startTime > typed && traced.responseEnd)
          done({ all: traced.responseEnd - typed, request: traced.responseEnd - traced.startTime });
        else setTimeout(look, 5);
      };
      look();
    }, { capture: true, once: true });
  });
}"""


def main() -> None:
    """Measure the parts asked for and print each as JSON."""
    parser = argparse.ArgumentParser(prog="python -m bench.page")
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="all when left out")
    parser.add_argument("--rounds", type=int, default=11)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        home = Home(Path(folder))
        for part in given.parts or PARTS:
            print(json.dumps({"part": part, **PARTS[part](home, browser, given.rounds)}), flush=True)


def first_picture(home: Home, browser: Browser, rounds: int) -> dict[str, Any]:
    """From the end of the trace to the first picture, the page opened anew each time."""
    with looked(home, default_run(home)) as server:
        times = []
        for number in range(rounds + 1):
            with opened(
                browser, server, value="block_1/attention/weights", text=SENTENCES[number % 5]
            ) as page:
                times.append(page.evaluate(FIRST_PICTURE))
        return {"goal_ms": 1000, **summary(times[1:])}


def scroll(home: Home, browser: Browser, rounds: int) -> dict[str, Any]:
    """Frames per second while a 4096 × 4096 matrix scrolls, at cells of 24 pixels and of one."""
    result: dict[str, Any] = {"goal_frames_per_second": 60}
    with looked(home, large_model(home)) as server, opened(browser, server, value="first/kernel") as page:
        page.get_by_role("tabpanel").get_by_role("grid").first.wait_for(timeout=TIMEOUT_MS)
        for presses, size in ((0, "fitted"), (12, "large cells")):
            for _ in range(presses):
                page.get_by_role("button", name="Larger cells").click()
            page.wait_for_timeout(500)
            frames = page.evaluate(SCROLL, max(2, rounds // 2))
            gaps = sorted(after - before for before, after in itertools.pairwise(frames))
            seconds = (frames[-1] - frames[0]) / 1000
            result[size] = {
                "frames_per_second": round((len(frames) - 1) / seconds, 1),
                "longest_frame_ms": round(gaps[-1], 1),
                "frame_ms_95th": round(gaps[int(len(gaps) * 0.95)], 1),
            }
    return result


def explain(home: Home, browser: Browser, rounds: int) -> dict[str, Any]:
    """From a key that moves the focus, or Enter, to the explanation on the page."""
    with looked(home, default_run(home)) as server:
        name = "block_1/feed_forward/expand/output"
        with opened(browser, server, value=name, text=SENTENCES[0], index="0,1,1") as page:
            page.get_by_role("region", name="Where does this come from?").locator("strong").wait_for(
                timeout=TIMEOUT_MS
            )
            grid = page.get_by_role("tabpanel").get_by_role("grid").first
            times = []
            for _ in range(rounds + 2):
                page.evaluate(EXPLANATION)
                grid.press("ArrowRight")
                grid.press("Enter")
                times.append(page.evaluate("window.explained"))
            return {"goal_ms": 100, **summary(times[2:])}


def retrace(home: Home, browser: Browser, rounds: int) -> dict[str, Any]:
    """The default text generator on another sentence, as long as one before: from the key to the values."""
    with (
        looked(home, default_run(home)) as server,
        opened(browser, server, value="block_1/attention/weights", text=SENTENCES[0]) as page,
    ):
        page.get_by_role("tabpanel").get_by_role("grid").first.wait_for(timeout=TIMEOUT_MS)
        box = page.get_by_role("textbox", name="Your text")
        times: list[dict[str, float]] = []
        for number in range(rounds + 5):
            page.evaluate(RETRACE)
            box.fill(f"{SENTENCES[number % 5]} {number % 10}")
            times.append(page.evaluate("window.retraced"))
            page.wait_for_timeout(300)
        return {
            "goal_ms": 300,
            "from_the_key": summary([time["all"] for time in times[5:]]),
            "request": summary([time["request"] for time in times[5:]]),
        }


def memory(home: Home, browser: Browser, rounds: int) -> dict[str, Any]:
    """The page's memory after looking all over 128 MB of values."""
    with looked(home, large_model(home)) as server, opened(browser, server, value="first/kernel") as page:
        for name in ("first/kernel", "second/kernel"):
            page.evaluate(f"location.hash = 'view=values&value={name}'")
            page.get_by_role("tabpanel").get_by_role("grid", name=name).first.wait_for(timeout=TIMEOUT_MS)
            for _ in range(12):
                page.get_by_role("button", name="Larger cells").click()
            page.evaluate(SCROLL, max(2, rounds // 2))
            grid = page.get_by_role("tabpanel").get_by_role("grid").first
            for key in ("Control+End", "End", "Home", "PageDown"):
                grid.press(key)
                page.wait_for_timeout(300)
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable")
        metrics = {each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]}
        processes = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
        renderers = [psutil.Process(each["id"]) for each in processes if each["type"] == "renderer"]
        return {
            "goal_MB": 300,
            "values_MB": 2 * EDGE * EDGE * 4 / 1e6,
            "javascript_heap_MB": round(metrics["JSHeapUsedSize"] / 1e6, 1),
            "page_process_MB": round(max(one.memory_full_info().uss for one in renderers) / 1e6, 1),
        }


def size(home: Home, browser: Browser, rounds: int) -> dict[str, Any]:
    """The built page as it is sent, compressed."""
    parts: dict[str, float] = {}
    for path in sorted(STATIC.rglob("*")):
        if path.suffix in (".html", ".js", ".css", ".woff2"):
            parts[path.suffix[1:]] = (
                parts.get(path.suffix[1:], 0) + len(gzip.compress(path.read_bytes())) / 1000
            )
    return {
        "goal_kB": 250,
        "gzipped_kB": round(sum(parts.values()), 1),
        **{kind: round(size_kB, 1) for kind, size_kB in parts.items()},
    }


PARTS: dict[str, Callable[[Home, Browser, int], dict[str, Any]]] = {
    "size": size,
    "first_picture": first_picture,
    "retrace": retrace,
    "explain": explain,
    "scroll": scroll,
    "memory": memory,
}


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser of the tests."""
    path = find()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield browser
        browser.close()


@contextmanager
def looked(home: Home, thing: object) -> Iterator[Server]:
    """A server of the page of one thing."""
    server = home.look(thing)
    yield server
    server.stop()


@contextmanager
def opened(browser: Browser, server: Server, **place: str) -> Iterator[Page]:
    """A page on a value."""
    with browser.new_context(viewport={"width": 1440, "height": 900}) as context:
        page = context.new_page()
        page.set_default_timeout(TIMEOUT_MS)
        page.goto(f"{server.url}#{urlencode({'view': 'values', 'show': 'matrix', **place})}")
        yield page


def default_run(home: Home) -> str:
    """The text generator with all settings as they come, trained for a moment."""
    name = "default"
    if not (home.folder / "runs" / name).exists():
        home.openbook("train", "text-generator", "--steps", 20, "--name", name, "--quiet")
    return name


def large_model(home: Home) -> Path:
    """Two dense layers whose kernels are 4096 × 4096: 128 MB of values."""
    import keras

    path = home.folder / "large.keras"
    if not path.exists():
        layers = [keras.layers.Dense(EDGE, name=name) for name in ("first", "second")]
        keras.Sequential([keras.Input((EDGE,), name="row"), *layers], name="large").save(path)
    return path


def summary(times_ms: list[float]) -> dict[str, float]:
    """Median and extremes."""
    return {
        "median_ms": round(statistics.median(times_ms), 1),
        "fastest_ms": round(min(times_ms), 1),
        "slowest_ms": round(max(times_ms), 1),
    }


if __name__ == "__main__":
    main()
