"""Tests of where runs live and what they may be called."""

from pathlib import Path

import pytest

from openbook.errors import UsageError
from openbook.runs.names import check_name, next_name, run_argument, runs_folder, shown_path


def test_runs_live_in_the_working_folder_or_where_the_variable_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OPENBOOK_RUNS", raising=False)
    assert runs_folder() == tmp_path / "runs"
    monkeypatch.setenv("OPENBOOK_RUNS", " ")
    assert runs_folder() == tmp_path / "runs"
    monkeypatch.setenv("OPENBOOK_RUNS", "elsewhere/../mine")
    assert runs_folder() == tmp_path / "mine"
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("OPENBOOK_RUNS", "~/runs")
    assert runs_folder() == tmp_path / "home" / "runs"
    assert not runs_folder().exists()


@pytest.mark.parametrize("name", ["a", "my-run_2.1", "ünï 7", "con-1", "x" * 100])
def test_usual_names_are_allowed(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        *("", " ", ".hidden", "..", "-rf", "~me", "a/b", "a\\b", "a:b", "a\nb", "a\0b", "end.", "end ", " a"),
        *("CON", "nul.txt", "last", "x" * 101),
    ],
)
def test_names_that_mean_something_else_are_refused(name: str) -> None:
    with pytest.raises(UsageError, match="a run cannot be called"):
        check_name(name)


def test_next_number_is_above_the_highest(tmp_path: Path) -> None:
    assert next_name(tmp_path, "text") == "text-1"
    for name in ("text-2", "text-10", "text-x", "other-99", "text-7-copy", "my-text-50"):
        (tmp_path / name).mkdir()
    assert next_name(tmp_path, "text") == "text-11"


def test_run_is_named_by_its_name_or_its_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENBOOK_RUNS", str(tmp_path / "runs"))
    assert run_argument(tmp_path / "runs" / "a-1") == "a-1"
    assert run_argument(tmp_path / "runs" / "my run") == "'my run'"
    assert run_argument(tmp_path / "copies" / "a-1") == "copies/a-1"
    assert shown_path(Path("/elsewhere/a")) == "/elsewhere/a"
