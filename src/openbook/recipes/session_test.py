"""However a session ends, its run says so; and where its data lay is not forgotten."""

import os

import pytest

from openbook.errors import Interrupted, RunError, TrainingError
from openbook.recipes import make_recipe, session
from openbook.runs import Run
from openbook.training.reporter import Reporter


@pytest.fixture
def run(tmp_path):
    (tmp_path / "texts.txt").write_text("one\ntwo", encoding="utf-8")
    origin = {"kind": "file", "path": str(tmp_path / "texts.txt")}
    record = {"settings": {"data": "texts.txt"}, "data": {"source": "texts.txt", "origin": origin}}
    return Run.create(recipe="text-generator", record=record, parent=tmp_path / "runs")


@pytest.mark.parametrize(
    ("raised", "expected", "status", "said"),
    [
        (KeyboardInterrupt(), Interrupted, "interrupted", "openbook train --resume"),
        (MemoryError(), TrainingError, "failed", "smaller --batch-size"),
        (RuntimeError("RESOURCE_EXHAUSTED: Out of memory"), TrainingError, "failed", "smaller --batch-size"),
        (ZeroDivisionError("by zero"), ZeroDivisionError, "failed", "by zero"),
    ],
)
def test_run_says_how_its_session_ended(run, monkeypatch, raised, expected, status, said):
    def end(*arguments):
        raise raised

    monkeypatch.setattr(session, "_train_to_end", end)
    with pytest.raises(expected, match=said):
        session._train_in(run, make_recipe("text-generator", {}), None, Reporter(), 0.0, None)
    ended = Run.open(run.path)
    assert ended.status == status
    assert ended.record["sessions"][-1]["ended"]


def test_settings_that_were_changed_in_the_run_name_its_file(run):
    run.update(settings={"steps": "x"})
    with pytest.raises(RunError, match=r"run\.json: .*'steps' is a whole number"):
        session.resume(run, reporter=Reporter())


def test_data_given_by_a_relative_path_is_found_from_elsewhere(run, tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert session.data_as_it_lay(run) == {"data": str(tmp_path / "texts.txt")}
    os.remove(tmp_path / "texts.txt")
    assert session.data_as_it_lay(run) == {}
