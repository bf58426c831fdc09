"""Tests of finding runs by name, path and "last"."""

from pathlib import Path

import pytest

from openbook.errors import RunError
from openbook.runs import Run, damaged_runs, find_run, list_runs


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The runs folder, with the working folder above it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OPENBOOK_RUNS", raising=False)
    return tmp_path / "runs"


def create(created: str | None = None, **options: str) -> Run:
    record = {"created": created} if created else {}
    return Run.create(recipe=options.pop("recipe", "text-generator"), record=record, **options)


def test_run_is_found_by_name_relative_and_absolute_path(folder: Path) -> None:
    run = create()
    for name in ("text-generator-1", "runs/text-generator-1", "./runs/text-generator-1/", str(run.path)):
        assert find_run(name).path == run.path
    assert find_run(run.path).path == run.path
    assert find_run(Path("runs/text-generator-1")).path == run.path


def test_run_is_found_from_inside_its_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = create()
    monkeypatch.chdir(run.path)
    assert find_run(".").path == run.path
    assert find_run(".").name == "text-generator-1"
    monkeypatch.chdir(folder)
    assert find_run("text-generator-1").path == run.path


def test_variable_names_the_folder(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBOOK_RUNS", str(tmp_path / "other"))
    run = create()
    assert run.path.parent == tmp_path / "other"
    assert find_run("text-generator-1").path == run.path
    assert [found.path for found in list_runs()] == [run.path]


def test_last_is_the_newest_by_its_record_not_by_its_number_or_file_time(folder: Path) -> None:
    create("2025-01-01T12:00:00+02:00", name="a")  # 10:00 in UTC
    newest = create("2025-01-01T11:00:00+00:00", name="b")
    create("2025-01-01T10:30:00", name="c")  # without a zone: UTC
    newer_file = create("2024-01-01T00:00:00Z", name="d")
    newer_file.update(seed=1)
    assert find_run("last").path == newest.path
    assert [run.name for run in list_runs()] == ["b", "c", "a", "d"]


def test_runs_of_the_same_moment_are_ordered_by_number(folder: Path) -> None:
    for number in (2, 10, 9):
        create("2025-01-01T00:00:00Z", name=f"x-{number}")
    assert [run.name for run in list_runs()] == ["x-10", "x-9", "x-2"]


def test_unknown_name_gets_near_names(folder: Path) -> None:
    for _ in range(2):
        create()
    create(name="weather")
    with pytest.raises(
        RunError, match=r"no run 'text-generater-1' in runs\. Did you mean text-generator-1 or"
    ):
        find_run("text-generater-1")
    with pytest.raises(RunError, match=r"The newest is weather\. `openbook runs` lists all"):
        find_run("zzzz")


@pytest.mark.parametrize(
    "name", ["", "a\0b", "x" * 5000, "~nobody-of-this-name/run", "..", "no/such/run", "🙂"]
)
def test_strange_names_are_clear_errors(folder: Path, name: str) -> None:
    with pytest.raises(RunError, match=r"There are no runs in runs yet; `openbook train` makes one"):
        find_run(name)


def test_last_without_runs_says_how_to_make_one(folder: Path) -> None:
    with pytest.raises(RunError, match=r"There are no runs in runs yet; `openbook train` makes one"):
        find_run("last")
    assert list_runs() == ()
    assert not folder.exists()


def test_folder_without_a_run_and_file_are_told_apart(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "model.keras").write_text("")
    with pytest.raises(RunError, match="photos: expected the folder of a run, got a folder without a run"):
        find_run("photos")
    with pytest.raises(RunError, match=r"model\.keras: expected the folder of a run, got a file"):
        find_run("model.keras")


def test_damaged_runs_are_listed_apart_and_do_not_hide_the_others(folder: Path) -> None:
    good = create()
    for name, content in (("cut", "{"), ("newer", '{"schema_version": 99}')):
        create(name=name)
        (folder / name / "run.json").write_text(content)
    create(name="copied")
    (folder / "copied" / "run.json").unlink()
    (folder / "no-run").mkdir()
    (folder / ".hidden").mkdir()
    (folder / ".hidden" / "run.json").write_text("{")
    (folder / "comparison.png").write_bytes(b"")
    assert [run.path for run in list_runs()] == [good.path]
    damaged = damaged_runs()
    assert sorted(damaged) == ["copied", "cut", "newer"]
    assert "cut/run.json" in str(damaged["cut"])
    assert "no run.json in it" in str(damaged["copied"])
    with pytest.raises(RunError, match=r"cut/run\.json"):
        find_run("cut")
    assert find_run("last").path == good.path


def test_file_in_place_of_the_runs_folder_is_a_clear_error(folder: Path) -> None:
    folder.write_text("")
    with pytest.raises(RunError, match="expected a folder that holds runs"):
        list_runs()
