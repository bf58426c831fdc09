"""Makes the pictures of the page in docs/images, each in the light and in the dark theme.

    python tools/take_screenshots.py              all of them
    python tools/take_screenshots.py story maps   only these
    python tools/take_screenshots.py --run last   with a run that is there, instead of training one

The text generator is trained for a minute on the movie reviews, so its numbers differ from time to time; the
network that reads digits is trained on those of `drawn_digits.py`.
"""

from __future__ import annotations

import argparse
import io
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from PIL import Image
from playwright.sync_api import Browser, Error, Page, sync_playwright

from drawn_digits import as_address, write_digits
from find_browser import FLAGS, NoBrowserError, find
from looking import Home, Server

IMAGES = Path(__file__).resolve().parent.parent / "docs" / "images"

RUN_NAME = "reviews"
BUDGET = "60s"
DIGITS = "digits.keras"

WIDTH_PX = 1280
NARROW_PX = 360
QUALITY = 80
# What a first trace may take, its compilation included, on a machine that does other things as well.
TIMEOUT_MS = 120_000

THEMES = ("light", "dark")

TEXT = {"text": "This movie was one of the best films I have"}

# Selectors of what is drawn last.
STAGE = "main section"
VALUE = "main [role=tabpanel]"
ANSWER = "role=table[name='How the answer changes'] >> tbody tr"
COMPARED = "main canvas >> nth=1"


@dataclass(frozen=True, kw_only=True)
class Shot:
    """One picture.

    Args:
        place: fields of the address, as in frontend/src/lib/state/address.ts.
        drawn: a selector of what is there once the view is complete.
        title: of the model, None for the run.
    """

    place: Mapping[str, str]
    drawn: str
    title: str | None = None
    width_px: int = WIDTH_PX
    height_px: int = 860


def shots() -> dict[str, Shot]:
    """All pictures by the name of their file."""
    values = TEXT | {"view": "values"}
    attention = values | {"value": "block_2/attention/weights", "index": "0,1,9,8"}
    a_sum = values | {"value": "block_1/feed_forward/contract/output", "index": "0,4,12", "show": "matrix"}
    next_tokens = values | {"value": "output", "index": "0,10,0", "search": "norm/scale"}
    two_texts = TEXT | {"view": "compare", "other.text": "The actors did their best, and the story"}
    seven = {"drawing": as_address(7)}
    maps = seven | {"view": "values", "value": "strokes/output", "index": "0,6,8,1"}
    changed = seven | {"view": "edit", "edit": "digit/bias[1]=12"}
    story = TEXT | {"view": "story", "stage": "weights"}
    return {
        "story": Shot(place=story, drawn=f"{STAGE} canvas", height_px=950),
        "attention": Shot(place=attention, drawn=f"{VALUE} canvas", height_px=1110),
        "matrix": Shot(place=a_sum, drawn=f"{VALUE} [role=grid]", height_px=1000),
        "outline": Shot(place=next_tokens, drawn=f"{VALUE} table"),
        "maps": Shot(place=maps, drawn=f"{VALUE} canvas", title=DIGITS, height_px=1180),
        "step": Shot(place=TEXT | {"view": "step"}, drawn=ANSWER, height_px=1190),
        "edit": Shot(place=changed, drawn=ANSWER, title=DIGITS, height_px=1370),
        "compare": Shot(place=two_texts, drawn=COMPARED, height_px=1000),
        "run": Shot(place={"view": "run"}, drawn="main svg, main canvas"),
        "narrow": Shot(place=story, drawn=f"{STAGE} canvas", width_px=NARROW_PX, height_px=1100),
    }


def main(arguments: Sequence[str]) -> int:
    """Make the pictures; return the exit code."""
    every = shots()
    parser = argparse.ArgumentParser(prog="take_screenshots", description="Make the pictures of the page.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of: {', '.join(every)}; all when left out")
    parser.add_argument("--run", help="a run of a text generator to show, instead of training one")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.names if name not in every]
    if unknown:
        parser.error(f"there is no picture {unknown[0]!r}; there are: {', '.join(every)}")
    chosen = {name: every[name] for name in options.names or every}
    try:
        with page_server(options.run) as server, browser() as chromium:
            for name, shot in chosen.items():
                for theme in THEMES:
                    path = IMAGES / f"{name}-{theme}.webp"
                    take(chromium, server, shot, theme=theme, path=path)
                    print(f"{path.relative_to(IMAGES.parent.parent)}  {path.stat().st_size / 1000:.0f} kB")
    except (NoBrowserError, RuntimeError, Error) as error:
        print(f"No pictures: {error}", file=sys.stderr)
        return 1
    return 0


@contextmanager
def page_server(run: str | None) -> Iterator[Server]:
    """The page of a text generator and of the network that reads digits."""
    from openbook.data.cache import cache_folder

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        home = Home(Path(folder), cache=cache_folder())
        digits = home.folder / DIGITS
        write_digits(digits)
        server = home.look(trained(home) if run is None else run_folder(run), digits)
        try:
            yield server
        finally:
            server.stop()


def trained(home: Home) -> str:
    """Train a text generator on the movie reviews; return its name."""
    print(f"Training a text generator for {BUDGET} …", flush=True)
    home.openbook("train", "text-generator", "--budget", BUDGET, "--name", RUN_NAME, "--quiet")
    return RUN_NAME


def run_folder(name: str) -> Path:
    """Where a run of the reader's lies."""
    from openbook.runs import find_run

    return find_run(name).path


@contextmanager
def browser() -> Iterator[Browser]:
    """Chromium without a window."""
    executable = find()
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, args=list(FLAGS))
        try:
            yield chromium
        finally:
            chromium.close()


def take(chromium: Browser, server: Server, shot: Shot, *, theme: str, path: Path) -> None:
    """Open a place of the page, wait until all of it is drawn, and write what is seen."""
    models = server.state()["models"]
    model = models[0] if shot.title is None else next(one for one in models if one["title"] == shot.title)
    place = {"model": model["id"], **shot.place, "theme": theme}
    with chromium.new_context(
        viewport={"width": shot.width_px, "height": shot.height_px}, reduced_motion="reduce"
    ) as context:
        context.set_default_timeout(TIMEOUT_MS)
        page = context.new_page()
        page.goto(f"{server.url}#{urlencode(place)}")
        wait_until_drawn(page, shot.drawn)
        write_picture(page.screenshot(), path)


def wait_until_drawn(page: Page, selector: str) -> None:
    """Wait until the view is there, nothing is under way, and what came has been painted."""
    page.locator(selector).first.wait_for()
    page.wait_for_function("() => !document.querySelector('[role=progressbar]')")
    page.wait_for_load_state("networkidle")
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def write_picture(content: bytes, path: Path) -> None:
    """A screenshot as WebP."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.open(io.BytesIO(content)).convert("RGB").save(path, quality=QUALITY, method=6)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
