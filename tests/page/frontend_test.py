"""The front end's own tests: Vitest for its components, svelte-check for its types."""

import re
from pathlib import Path

import pytest

import build_page

SOURCES = build_page.FRONTEND / "src"


@pytest.mark.parametrize("script", ["test", "check"])
def test_front_end_passes(script: str) -> None:
    done = build_page.find_node().run("run", script)
    assert done.returncode == 0, done.stdout[-6000:]


def test_page_that_is_tested_is_built_from_these_sources() -> None:
    assert build_page.is_built(), "build it with: make page"


def test_no_source_draws_random_stand_ins() -> None:
    for path in drawing_sources():
        text = path.read_text("utf-8")
        found = re.search(r"Math\.random|getRandomValues|faker|lorem", text)
        assert not found, f"{path.relative_to(SOURCES)} has {found[0]!r}"


def test_no_source_draws_constant_stand_ins() -> None:
    """A list of many numbers in a component would be a picture of nothing; palettes are the one place for it."""
    series = re.compile(r"(?:-?\d+(?:\.\d+)?\s*,\s*){6,}-?\d")
    for path in drawing_sources():
        if "colour" not in path.parts:
            found = series.search(path.read_text("utf-8"))
            assert not found, f"{path.relative_to(SOURCES)} has {found[0]!r}"


def drawing_sources() -> list[Path]:
    """What stands in the page: no tests, no style sheets."""
    found = [
        path
        for path in SOURCES.rglob("*")
        if path.suffix in (".ts", ".svelte") and ".test." not in path.name and "test" not in path.parts
    ]
    assert len(found) > 20
    return found
