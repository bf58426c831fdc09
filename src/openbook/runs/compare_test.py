"""Tests of comparing runs and of the picture of their curves."""

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from openbook.errors import RunError, UsageError
from openbook.runs import Run
from openbook.runs.compare import compare_runs
from openbook.runs.curve_picture import draw_curves

DATA = {"source": "imdb", "fingerprint": "aa"}


def create(parent: Path, *, settings: dict[str, object], score: dict[str, object], **fields: Any) -> Run:
    record = {"seed": 1, "data": DATA, "settings": settings, "score": score, **fields}
    run = Run.create(recipe=fields.get("recipe", "text-generator"), record=record, parent=parent)
    for step in range(1, 13):
        run.append_metrics({"step": step * 10, "train_s": step * 2.0, "loss": 5 / step})
        if step % 4 == 0:
            held_out = {"loss": 6 / step, "bits_per_byte": 4 / step}
            run.append_metrics({"step": step * 10, "train_s": step * 2.0, "held_out": held_out})
    return run


def test_only_differing_settings_are_listed_with_the_seed(tmp_path: Path) -> None:
    first = create(tmp_path, settings={"size": "tiny", "rate": 0.1, "tied": True}, score={})
    second = create(tmp_path, settings={"size": "tiny", "rate": 0.2, "tied": 1, "new": [1]}, score={}, seed=2)
    comparison = compare_runs([first, second])
    assert comparison.labels == ("text-generator-1", "text-generator-2")
    assert comparison.settings == {"seed": (1, 2), "rate": (0.1, 0.2), "tied": (True, 1), "new": (None, [1])}


def test_best_score_is_marked_in_its_direction_and_ties_are_not(tmp_path: Path) -> None:
    first = create(
        tmp_path, settings={}, score={"loss": 4.0, "accuracy": 0.4, "bits_per_byte": 2.0, "mine": 1}
    )
    second = create(
        tmp_path, settings={}, score={"loss": 5.0, "accuracy": 0.3, "bits_per_byte": 2.0, "mine": 2}
    )
    third = create(tmp_path, settings={}, score={})
    comparison = compare_runs([first, second, third])
    assert list(comparison.scores) == ["bits_per_byte", "accuracy", "loss", "mine"]
    assert comparison.scores["loss"] == (4.0, 5.0, None)
    assert comparison.best == {"loss": "text-generator-1", "accuracy": "text-generator-1"}
    assert comparison.warnings == ()


def test_scores_on_different_data_or_of_different_recipes_have_no_best(tmp_path: Path) -> None:
    score: dict[str, object] = {"bits_per_byte": 2.0}
    first = create(tmp_path, settings={}, score=score)
    other_data = create(tmp_path, settings={}, score=score, data={"source": "mine.txt", "fingerprint": "bb"})
    other_recipe = create(tmp_path, settings={}, score=score, recipe="gan")
    for second, message in ((other_data, "different data"), (other_recipe, "different recipes")):
        comparison = compare_runs([first, second])
        assert comparison.best == {}
        assert message in comparison.warnings[0]


def test_other_tokenizer_leaves_only_bits_per_byte_comparable(tmp_path: Path) -> None:
    runs = [
        create(
            tmp_path,
            settings={"vocabulary_size": 2000 * number},
            score={"bits_per_byte": 2.0 / number, "loss": 3.0 * number},
        )
        for number in (1, 2)
    ]
    comparison = compare_runs(runs)
    assert comparison.best == {"bits_per_byte": "text-generator-2"}
    assert "only bits per byte" in comparison.warnings[0]


def test_runs_of_the_same_name_get_different_labels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    first = create(tmp_path / "here", settings={}, score={})
    shutil.copytree(first.path, tmp_path / "there" / first.name)
    comparison = compare_runs([first, Run.open(tmp_path / "there" / first.name)])
    assert comparison.labels == ("here/text-generator-1", "there/text-generator-1")


def test_fewer_than_two_different_runs_are_refused(tmp_path: Path) -> None:
    run = create(tmp_path, settings={}, score={})
    with pytest.raises(UsageError, match="expected two or more runs to compare, got 1"):
        compare_runs([run])
    (tmp_path / "link").symlink_to(run.path)
    with pytest.raises(UsageError, match="expected different runs"):
        compare_runs([run, Run.open(tmp_path / "link")])


def test_comparison_is_json(tmp_path: Path) -> None:
    runs = [create(tmp_path, settings={"rate": number}, score={"loss": number}) for number in (1, 2)]
    content = compare_runs(runs).to_dict()
    assert json.loads(json.dumps(content)) == content
    assert content["differing_settings"] == {"rate": {"text-generator-1": 1, "text-generator-2": 2}}


def two_runs(tmp_path: Path) -> list[Run]:
    return [create(tmp_path, settings={}, score={"bits_per_byte": 2.0}) for _ in range(2)]


@pytest.mark.parametrize(
    ("name", "beginning"),
    [("c.png", b"\x89PNG"), ("c.svg", b"<?xml"), ("c.PDF", b"%PDF"), ("my.curves.jpg", b"\xff\xd8")],
)
def test_picture_has_the_format_of_its_ending(tmp_path: Path, name: str, beginning: bytes) -> None:
    path = draw_curves(compare_runs(two_runs(tmp_path)), tmp_path / name)
    assert path.read_bytes().startswith(beginning)
    assert not list(tmp_path.glob(".writing*"))


def test_picture_holds_every_name_also_strange_ones(tmp_path: Path) -> None:
    runs = two_runs(tmp_path)
    for run, name in zip(runs, ("_hidden $x$ 名前", "x" * 95), strict=True):
        run.path.rename(tmp_path / name)
    renamed = [Run.open(tmp_path / "_hidden $x$ 名前"), Run.open(tmp_path / ("x" * 95))]
    svg = draw_curves(compare_runs(renamed), tmp_path / "c.svg").read_text()
    assert "_hidden $x$ 名前: 2.000 bits per byte" in svg
    assert "…" + "x" * 40 in svg
    assert "loss (nats per token)" in svg


def test_runs_without_measurements_are_drawn_as_such(tmp_path: Path) -> None:
    runs = [Run.create(recipe="gan", record={}, parent=tmp_path) for _ in range(2)]
    svg = draw_curves(compare_runs(runs), tmp_path / "c.svg").read_text()
    assert "nothing measured yet" in svg
    assert "gan-1: no score yet" in svg


def test_runs_with_only_training_loss_and_without_times_are_drawn(tmp_path: Path) -> None:
    runs = [Run.create(recipe="gan", record={}, parent=tmp_path) for _ in range(2)]
    for step in range(1, 500):
        runs[0].append_metrics({"step": step, "loss": 1 / step})
    runs[1].append_metrics({"step": 1, "held_out": {"accuracy": 0.5}})
    svg = draw_curves(compare_runs(runs), tmp_path / "c.svg").read_text()
    assert "accuracy" in svg
    assert "training time" not in svg


def test_drawing_leaves_no_global_state(tmp_path: Path) -> None:
    was_loaded = "matplotlib.pyplot" in sys.modules
    draw_curves(compare_runs(two_runs(tmp_path)), tmp_path / "c.png")
    assert ("matplotlib.pyplot" in sys.modules) == was_loaded


def test_wrong_picture_names_are_refused(tmp_path: Path) -> None:
    comparison = compare_runs(two_runs(tmp_path))
    for name in ("curves", "curves.docx", ".png"):
        with pytest.raises(UsageError, match=r"expected a file that ends with one of .*\.png"):
            draw_curves(comparison, tmp_path / name)
    with pytest.raises(UsageError, match="expected a picture file, got a folder"):
        draw_curves(comparison, tmp_path)
    with pytest.raises(RunError, match="a folder in this path does not exist"):
        draw_curves(comparison, tmp_path / "gone" / "c.png")
