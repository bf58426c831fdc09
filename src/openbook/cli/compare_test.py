"""Tests of `openbook compare`."""

import json
from pathlib import Path

import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from openbook.cli import compare as compare_command
from openbook.errors import RunError, UsageError
from openbook.runs import Run


def invoke(*arguments: str, columns: int = 80) -> Result:
    app = typer.Typer()
    app.callback()(lambda: None)
    compare_command.register(app)
    return CliRunner().invoke(
        app, ["compare", *arguments], env={"COLUMNS": str(columns)}, catch_exceptions=False
    )


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The runs folder with three runs, in the working folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OPENBOOK_RUNS", raising=False)
    for number in (1, 2, 3):
        record = {
            "settings": {"size": "tiny", "learning_rate": number / 1000},
            "score": {"bits_per_byte": 2.5 - number / 10},
            "actual": {"train_s": 60.0 * number, "steps": 100},
            "data": {"source": "imdb", "fingerprint": "aa"},
        }
        run = Run.create(recipe="text-generator", record=record)
        for step in (10, 20):
            row = {"step": step, "train_s": step, "held_out": {"loss": 4.0, "bits_per_byte": 2.5}}
            run.append_metrics(row)
        run.complete()
    return tmp_path / "runs"


@pytest.mark.parametrize("columns", [40, 60, 120])
def test_text_holds_differences_and_scores_at_every_width(folder: Path, columns: int) -> None:
    result = invoke("text-generator-1", "runs/text-generator-2", "last", columns=columns)
    assert result.exit_code == 0
    assert all(len(line) <= columns for line in result.stdout.splitlines())
    joined = " ".join(result.stdout.split())
    for part in ("text-generator-3", "learning_rate", "0.001", "0.003", "2.200 *", "2.400", "2 min 00 s"):
        assert part in joined
    assert "size" not in joined
    assert "Curves: runs/comparison.png" in joined
    assert (folder / "comparison.png").read_bytes().startswith(b"\x89PNG")


def test_json_is_one_object_and_names_the_picture(tmp_path: Path) -> None:
    result = invoke("text-generator-1", "text-generator-2", "--picture", "out.svg", "--json")
    content = json.loads(result.stdout)
    assert content["picture"] == str(tmp_path / "out.svg")
    assert (tmp_path / "out.svg").read_text().startswith("<?xml")
    assert content["differing_settings"] == {
        "learning_rate": {"text-generator-1": 0.001, "text-generator-2": 0.002}
    }
    assert content["scores"]["bits_per_byte"] == {"text-generator-1": 2.4, "text-generator-2": 2.3}
    assert content["best"] == {"bits_per_byte": "text-generator-2"}
    assert [entry["name"] for entry in content["runs"]] == ["text-generator-1", "text-generator-2"]
    assert content["warnings"] == []


def test_wrong_use_is_told(folder: Path) -> None:
    with pytest.raises(UsageError, match="two or more"):
        invoke("text-generator-1")
    with pytest.raises(UsageError, match="different runs"):
        invoke("last", "text-generator-3")
    with pytest.raises(UsageError, match=r"ends with one of"):
        invoke("text-generator-1", "last", "--picture", "curves.doc", "--json")
    with pytest.raises(RunError, match="Did you mean text-generator-1"):
        invoke("text-generator-1", "text-generater-1")
    assert invoke().exit_code == 2
    assert not (folder / "comparison.png").exists()


def test_damaged_metrics_are_named(folder: Path) -> None:
    (folder / "text-generator-1" / "metrics.jsonl").write_text("")
    with pytest.raises(RunError, match=r"metrics\.jsonl: is cut off"):
        invoke("text-generator-1", "text-generator-2", "--json")
