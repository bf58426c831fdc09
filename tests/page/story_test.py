"""Point 2: the story. The way through a model in stages, as a film, and as a file."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from looking import Server
from page.book import TRACE_TIMEOUT_MS, Book


def story(book: Book, title: str = "reviews", **place: str) -> Locator:
    book.open(title, view="story", **place)
    region = book.page.get_by_role("region", name=re.compile("^Story"))
    expect(region.get_by_role("heading", level=2)).to_be_visible(timeout=TRACE_TIMEOUT_MS)
    return region


def stages(region: Locator) -> Locator:
    return region.get_by_role("navigation", name="Stages").get_by_role("link")


def test_text_generator_is_told_in_the_textbooks_stages(book: Book) -> None:
    region = story(book, text="the film was sad")
    told = " ".join(stages(region).all_inner_texts()).lower()
    assert 5 <= stages(region).count() <= 9
    for word in (
        "token",
        "row of numbers",
        "queries",
        "keys",
        "scores",
        "mask",
        "softmax",
        "values",
        "drawn",
    ):
        assert word in told


def test_every_stage_has_one_picture_one_sentence_and_the_formula(book: Book) -> None:
    region = story(book, text="the film was sad")
    for number in range(stages(region).count()):
        stages(region).nth(number).click()
        expect(region.get_by_role("heading", level=2)).to_contain_text(f"Stage {number + 1} of")
        caption = region.get_by_role("status").first
        expect(caption).to_contain_text(re.compile(r"\w+ .*\.$", re.DOTALL))
        picture = region.locator("canvas, ol, table, svg")
        expect(picture.first).to_be_visible()
        assert region.locator("p", has_text=re.compile("[=→+·∑Σ(]")).count() > 0


@pytest.mark.parametrize("title", ["digits.keras", "series.keras", "table.keras", "<b>bold<b>.keras"])
def test_model_without_a_story_gets_one_from_its_outline(book: Book, title: str) -> None:
    region = story(book, title)
    assert 1 <= stages(region).count() <= 9
    expect(region.locator("canvas, ol, table").first).to_be_visible(timeout=TRACE_TIMEOUT_MS)


def test_film_plays_pauses_and_steps(book: Book) -> None:
    region = story(book, text="the film was sad")
    heading = region.get_by_role("heading", level=2)
    player = region.get_by_role("toolbar", name="Play the story")
    # A stage may be told in several steps.
    for button, stage in (("Step on", "Stage 2"), ("Step back", "Stage 1")):
        for _ in range(30):
            if stage in heading.inner_text():
                break
            player.get_by_role("button", name=button).click()
        expect(heading).to_contain_text(stage)
    player.get_by_role("combobox", name="Speed").select_option(label="4 ×")
    player.get_by_role("button", name="Play").click()
    expect(heading).to_contain_text("Stage 3", timeout=30_000)
    player.get_by_role("button", name="Pause").click()
    stopped = heading.inner_text()
    book.page.wait_for_timeout(2500)
    assert heading.inner_text() == stopped


def test_reduced_motion_is_respected(page: Page, server: Server) -> None:
    page.emulate_media(reduced_motion="reduce")
    book = Book(page, server)
    story(book, text="the film was sad", stage="weights")
    running = page.evaluate("document.getAnimations().filter((one) => one.playState === 'running').length")
    assert running == 0
    book.assert_no_complaints()


def test_drawing_a_token_follows_temperature_and_top_k(book: Book) -> None:
    region = story(book, text="the film was sad", stage="sampling")
    rows = region.get_by_role("table", name=re.compile("likeliest")).locator("tbody tr")
    expect(rows.first).to_be_visible(timeout=TRACE_TIMEOUT_MS)
    region.get_by_role("slider", name="Top-k").fill("1")
    expect(rows.first.locator("td").last).to_have_text(re.compile(r"100(\.0)? %"), timeout=TRACE_TIMEOUT_MS)
    likeliest = rows.first.get_by_role("rowheader").inner_text().split()[0]
    book.page.get_by_role("button", name="Write on with it").click()
    expect(book.page.get_by_role("textbox", name="Your text")).to_have_value(
        re.compile(r"the film was sad" + re.escape(likeliest.replace("·", " ")))
    )


@pytest.mark.parametrize(
    ("button", "endings", "starts"),
    [
        ("Save as a video", (".webm", ".mp4"), (b"\x1aE\xdf\xa3", b"ftyp")),
        ("Save as an animated picture", (".gif", ".png", ".apng", ".webp"), (b"GIF89a", b"\x89PNG", b"RIFF")),
    ],
)
def test_story_is_saved_as_a_film(
    book: Book, tmp_path: Path, button: str, endings: tuple[str, ...], starts: tuple[bytes, ...]
) -> None:
    region = story(book, text="the film was sad")
    region.get_by_role("combobox", name="Speed").select_option(label="4 ×")
    with book.page.expect_download(timeout=150_000) as started:
        book.page.get_by_role("button", name=button).click()
    assert started.value.suggested_filename.endswith(endings)
    started.value.save_as(tmp_path / "film")
    content = (tmp_path / "film").read_bytes()
    assert any(start in content[:12] for start in starts)
    assert len(content) > 5_000
