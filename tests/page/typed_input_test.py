"""What a person types for runs of words, of tables and of series: read as in training, and named on the page."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from looking import Home, Server
from page.accessibility_test import AXE, RUN_AXE
from page.book import TRACE_TIMEOUT_MS, Book
from recipe_samples import SAMPLES, Sample

RECIPES = ("text-classifier", "regression", "forecasting")
SHOWN = {"timeout": TRACE_TIMEOUT_MS}


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Sample]:
    return {name: SAMPLES[name](tmp_path_factory.mktemp(name)) for name in RECIPES}


@pytest.fixture(scope="module")
def typed_server(home: Home, samples: dict[str, Sample]) -> Iterator[Server]:
    for name, sample in samples.items():
        if (home.folder / "runs" / f"typed-{name}").exists():
            continue
        settings = sample.settings[-1] if name == "text-classifier" else sample.settings[0]
        options = [
            f"--{key.replace('_', '-')}={value}"
            for key, value in settings.items()
            if not isinstance(value, bool)
        ]
        where = ("--data", sample.data, "--steps", 8, "--name", f"typed-{name}", "--quiet")
        home.openbook("train", name, *where, *options)
    server = home.look(*(f"typed-{name}" for name in RECIPES))
    yield server
    server.stop()


@pytest.fixture
def typed(page: Page, typed_server: Server) -> Iterator[Book]:
    opened = Book(page, typed_server)
    yield opened
    opened.assert_no_complaints()


def test_sentence_is_typed_and_its_words_stand_on_the_axis(typed: Book) -> None:
    page = typed.open("typed-text-classifier", view="values", value="attention/weights", show="matrix").page
    text = page.get_by_role("textbox", name="Your text")
    expect(text).to_be_visible(**SHOWN)
    text.fill("the film was good xylophone")
    expect(page.locator("main")).to_contain_text("“xylophone”; [?] stands for each", **SHOWN)
    expect(page.get_by_text("The model says:")).to_be_visible(**SHOWN)
    expect(typed.grid).to_be_visible(**SHOWN)
    typed.grid.focus()
    page.keyboard.press("Home")
    announced = page.get_by_role("tabpanel").locator("[aria-live=polite]")
    expect(announced).to_contain_text(re.compile("the|film|was|good"), **SHOWN)
    # Only the words of the text, not the padding to the length of training.
    assert typed.place()["text"].startswith("the")
    typed.view("Training step")
    expect(page.get_by_role("combobox").filter(has_text="good")).to_be_visible(**SHOWN)


def test_row_is_typed_by_the_names_of_its_columns(typed: Book) -> None:
    page = typed.open("typed-regression", view="values", value="input/row").page
    size = page.get_by_role("textbox", name="size", exact=True)
    expect(size).to_be_visible(**SHOWN)
    size.fill("120")
    line = page.get_by_role("textbox", name=re.compile("The same as a line"))
    expect(line).to_have_value("size=120", **SHOWN)
    expect(page.locator("main")).to_contain_text("typical values stand for them", **SHOWN)
    line.fill("size=150, town=Oslo")
    expect(page.get_by_role("combobox", name="town")).to_have_value("Oslo", **SHOWN)
    expect(page.get_by_role("tabpanel")).to_contain_text("input/row[0, 0], size: ", **SHOWN)
    line.fill("sise=150")
    expect(page.get_by_role("alert").first).to_contain_text("Did you mean size", **SHOWN)
    line.fill("size=150")
    expect(page.get_by_role("alert")).to_have_count(0, **SHOWN)


def test_lines_of_a_series_are_pasted_and_named_by_their_times(
    typed: Book, samples: dict[str, Sample]
) -> None:
    page = typed.open("typed-forecasting", view="values", value="input/rows", show="table").page
    lines = page.get_by_role("textbox", name=re.compile("Your rows"))
    expect(lines).to_be_visible(**SHOWN)
    content = Path(samples["forecasting"].given).read_text("utf-8")
    lines.fill(content)
    last = content.strip().splitlines()[-1].split(",")[1].replace("T", " ")
    expect(page.locator("main")).to_contain_text(f"to {last}", **SHOWN)
    expect(page.get_by_role("tabpanel")).to_contain_text("warmth", **SHOWN)


def test_typed_inputs_fit_a_narrow_window_and_axe_finds_nothing(typed: Book) -> None:
    typed.page.set_viewport_size({"width": 375, "height": 800})
    for name in RECIPES:
        typed.open(f"typed-{name}", view="values")
        expect(typed.page.get_by_role("textbox").first).to_be_visible(**SHOWN)
        expect(typed.page.get_by_role("tabpanel").first).to_be_visible(**SHOWN)
        assert typed.page.evaluate("document.documentElement.scrollWidth") <= 375
        typed.page.evaluate(AXE.read_text("utf-8") + "; undefined")
        for theme in ("light", "dark"):
            typed.page.emulate_media(color_scheme=theme)
            typed.page.wait_for_timeout(300)
            assert typed.page.evaluate(RUN_AXE) == [], f"{name}, {theme}"
