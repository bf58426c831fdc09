"""The contract of all stories: five to nine stages whose values are there in a real trace."""

import random
from pathlib import Path

import numpy as np
import pytest

import openbook
from openbook import recipes
from openbook.looking import subject_of
from openbook.page.subject import DrawSettings
from openbook.page.traces import Library
from openbook.recipes import all_recipes, make_recipe
from openbook.recipes.session import train
from openbook.training.reporter import Reporter
from page_types import check_type

WORDS = ("the", "film", "was", "good", "bad", "and", "long")
# The smallest run of each recipe, and one in which a model is built in another way.
SMALL = {
    "text-generator": [
        {
            "size": "tiny",
            "width": 32,
            "num_heads": 2,
            "num_blocks": 2,
            "vocabulary_size": 290,
            "context_length": 16,
            "batch_size": 2,
            "precision": "float32",
            "steps": 2,
            "tied_output": is_tied,
        }
        for is_tied in (False, True)
    ]
}


def test_every_recipe_with_a_story_of_its_own_has_a_run_here():
    folder = Path(recipes.__file__).parent
    with_stories = {
        name for name in all_recipes() if (folder / f"{name.replace('-', '_')}_story.json").exists()
    }
    assert set(SMALL) == with_stories


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "settings"), [(name, settings) for name, runs in SMALL.items() for settings in runs]
)
def test_stories_show_values_that_are_there(name, settings, tmp_path, monkeypatch):
    monkeypatch.setenv("OPENBOOK_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("OPENBOOK_CACHE", str(tmp_path / "cache"))
    texts, rng = tmp_path / "texts", random.Random(0)
    texts.mkdir()
    for number in range(30):
        words = " ".join(rng.choice(WORDS) for _ in range(40))
        (texts / f"{number}.txt").write_text(words, encoding="utf-8")
    run = train(make_recipe(name, {**settings, "data": str(texts)}), reporter=Reporter()).run
    subject = subject_of(run)
    library = Library([subject])
    story = library.story(run.name)
    assert subject.story is not None
    check_type(story, "Story")
    assert 5 <= len(story["stages"]) <= 9
    assert len({stage["id"] for stage in story["stages"]}) == len(story["stages"])
    read = subject.reader.example()
    trace = openbook.trace(subject.model, read.arrays)
    for stage in story["stages"]:
        assert stage["title"] and stage["formula"]
        assert stage["explanation"].endswith("."), "one sentence"
        assert ("{block}" in "".join(stage["values"])) == bool(stage["blocks"])
        for value in stage["values"]:
            for block in stage["blocks"] or [""]:
                assert value.replace("{block}", block) in trace.names(), (stage["id"], value)
    if any(stage["picture"] == "sampling" for stage in story["stages"]):
        settings = DrawSettings(temperature=1.0, top_k=0, top_p=1.0, seed=0)
        drawing = subject.draw(trace["output"][0, 0], [0], settings)
        assert np.asarray(drawing.function(*drawing.arrays.values())).shape == ()
