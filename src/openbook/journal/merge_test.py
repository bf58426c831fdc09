"""Journals of a group: from files and folders, the fastest of the same work, what cannot be read."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from openbook.cli.app import app
from openbook.errors import DataError, UsageError
from openbook.journal.merge import merge_journals, seconds_text
from openbook.journal.writing import write_journal
from openbook.runs import Run


@pytest.fixture
def group(tmp_path, monkeypatch):
    """Writes a run of somebody, and that person's journal; returns the journal's path."""
    monkeypatch.chdir(tmp_path)
    number = iter(range(100))

    def write(who, *, recipe="digits", data="mnist", step_s=0.01, machine=None, **settings):
        monkeypatch.setenv("OPENBOOK_RUNS", str(tmp_path / who / "runs"))
        run = Run.create(
            recipe=recipe,
            record={
                "created": f"2026-11-30T20:00:{next(number):02d}+00:00",
                "machine": {"label": machine or f"{who}'s laptop"},
                "data": {"source": data, "fingerprint": data},
                "settings": settings,
                "settings_default": dict.fromkeys(settings, "as it comes"),
                "forecast": {"steps": 500, "epochs": 10.0},
                "actual": {"train_s": 500 * step_s, "total_s": 10.0, "steps": 500, "step_s": step_s},
                "score": {"accuracy": 0.9},
            },
        )
        run.complete()
        write_journal(tmp_path / who / "journal.md")
        return Path(who, "journal.md")

    return write


def merged(*paths):
    said = []
    return merge_journals([Path(path) for path in paths], say=said.append), said


def test_fastest_on_the_same_data_is_marked(group):
    paths = [group("anna", step_s=0.05), group("ben", step_s=0.02), group("cleo", data="mine", step_s=0.001)]
    (system,), said = merged(*paths)
    assert said == []
    assert (system.measure, system.chapter) == ("epoch", 2)
    # 500 steps are 10 epochs: an epoch has 50 steps.
    assert [(line.who, line.seconds, line.is_fastest) for line in system.lines] == [
        ("cleo", pytest.approx(0.05), False),
        ("ben", pytest.approx(1.0), True),
        ("anna", pytest.approx(2.5), False),
    ]
    assert "other data is other work" in system.remark


def test_different_data_is_compared_by_steps(group):
    (system,), _ = merged(
        group("anna", data="a", step_s=0.05), group("ben", data="b", step_s=0.02, model="dense")
    )
    assert [(line.who, line.is_fastest) for line in system.lines] == [("ben", True), ("anna", False)]
    assert system.measure == "step"
    assert "No two were trained on the same data" in system.remark
    assert "Settings differ: model" in system.remark


def test_systems_stand_in_the_order_of_the_book_and_one_run_alone_is_not_the_fastest(group):
    group("anna", recipe="text-generator")
    systems, _ = merged(group("anna"), group("ben"))
    assert [system.recipe for system in systems] == ["digits", "text-generator"]
    assert [line.is_fastest for line in systems[1].lines] == [False]


def test_folders_of_runs_and_of_journals_are_read_as_well(group):
    group("anna", step_s=0.05)
    group("ben", step_s=0.02)
    (system,), _ = merged("anna", "ben/runs")
    assert [line.who for line in system.lines] == ["ben", "anna"]


def test_run_that_two_have_is_counted_once(group):
    path = group("anna")
    Path("copy").mkdir()
    Path("copy/journal.md").write_text(path.read_text("utf-8"), "utf-8")
    (system,), said = merged(path, "copy/journal.md", group("ben"))
    assert [line.who for line in system.lines] == ["anna", "ben"]
    assert "digits-1 of copy is a run of anna; counted once." in said


def test_facts_changed_by_hand_are_left_out_and_said(group):
    anna, ben = group("anna"), group("ben")
    for nonsense in (
        "{",
        "[]",
        '{"name": 3}',
        '{"name": "a", "recipe": "b", "machine": "c", "created": "x"}',
    ):
        lines = anna.read_text("utf-8").splitlines()
        lines = [
            f"<!-- openbook facts {nonsense} -->" if "openbook facts" in line else line for line in lines
        ]
        Path("broken.md").write_text("\n".join(lines), "utf-8")
        (system,), said = merged("broken.md", ben)
        assert [line.who for line in system.lines] == ["ben"]
        assert "changed by hand and cannot be read" in said[0]


def test_what_is_no_journal_is_said(group, tmp_path):
    anna = group("anna")
    (tmp_path / "empty").mkdir()
    (tmp_path / "other.md").write_text("# My diary\n")
    for path, said in (
        ("absent.md", "no such file"),
        ("other.md", "no journal that openbook wrote"),
        ("empty", "found neither"),
    ):
        with pytest.raises(DataError, match=said):
            merged(anna, path)
    with pytest.raises(UsageError, match="two or more journals"):
        merged(anna)


@pytest.mark.parametrize("columns", [40, 60, 120])
def test_command_writes_table_and_picture_and_keeps_own_words(group, columns):
    paths = [str(group("anna", step_s=0.05)), str(group("ben", machine="NVIDIA $x^2$ <b>", step_s=0.0004))]
    result = CliRunner().invoke(app, ["journal", "merge", *paths], env={"COLUMNS": str(columns)})
    assert result.exit_code == 0, result.exception
    assert max(map(len, result.stdout.splitlines())) <= columns
    shown = " ".join(result.stdout.split())
    assert "20 ms fastest" in shown and "anna" in shown
    assert Path("group.png").read_bytes().startswith(b"\x89PNG")
    Path("group.md").write_text(Path("group.md").read_text("utf-8") + "\nBen wins again.\n", "utf-8")
    again = json.loads(CliRunner().invoke(app, ["journal", "merge", *paths, "--json"]).stdout)
    assert [run["who"] for run in again["systems"][0]["runs"] if run["is_fastest"]] == ["ben"]
    text = Path("group.md").read_text("utf-8")
    assert "Ben wins again." in text and "](group.png)" in text and "&lt;b>" in text


def test_picture_of_far_apart_times_and_of_unknown_ones(group):
    group("ben", step_s=3.0)
    paths = [str(group("anna", step_s=0.001)), "ben"]
    Run.create(recipe="digits", record={})
    result = CliRunner().invoke(app, ["journal", "merge", *paths, "anna/runs", "--picture", "speeds.svg"])
    assert result.exit_code == 0, result.exception
    assert Path("speeds.svg").stat().st_size > 1000
    assert "ends with" in str(
        CliRunner().invoke(app, ["journal", "merge", *paths, "--picture", "a.doc"]).exception
    )


def test_short_times():
    assert [seconds_text(value) for value in (None, 0.00042, 0.5, 90.0)] == [
        "–",
        "0.42 ms",
        "0.50 s",
        "1 min 30 s",
    ]
